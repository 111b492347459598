use crate::image::Size;

use super::request::Request;

/// What scaling comes to.
#[derive(Debug, PartialEq)]
pub(super) struct Frame {
    /// The target, missing sides filled in.
    pub(super) width: u64,
    pub(super) height: u64,
    /// The picture's size once scaled; the zoomed size when nothing is scaled.
    pub(super) scaled: (u64, u64),
    /// Whether scaling and placement take part at all.
    pub(super) transforms: bool,
}

/// Steps 2 to 7 of the common path. `source` is the upright picture, `zoomed` its size after zooming: targets and
/// factor are reckoned from the former and applied to the latter.
pub(super) fn frame(request: &Request<'_>, source: Size, zoomed: (u64, u64)) -> Frame {
    let (iw, ih) = (f64::from(source.width()), f64::from(source.height()));
    let (asked_w, asked_h) = (request.width as f64, request.height as f64);
    let (x, y) = (iw / asked_w, ih / asked_h);
    let (mut width, mut height, mut factor) = match (request.width > 0, request.height > 0) {
        (true, true) if request.crop => (asked_w, asked_h, x.min(y)),
        (true, true) => (asked_w, asked_h, x.max(y)),
        (true, false) if request.crop => (asked_w, ih, 1.0),
        (true, false) => (asked_w, rounded(ih / x), x),
        (false, true) if request.crop => (iw, asked_h, 1.0),
        (false, true) => (rounded(iw / y), asked_h, y),
        (false, false) => (iw, ih, 1.0),
    };
    let mut scales = true;
    if !request.enlarge && !request.force && iw < width && ih < height {
        (width, height, factor) = (iw, ih, 1.0);
        scales = false;
    }
    let area = request.area.is_some_and(|area| area.width > 0 || area.height > 0);
    let transforms = request.force || width != iw || height != ih || area;
    let (zw, zh) = (zoomed.0 as f64, zoomed.1 as f64);
    let scaled = if !transforms || !scales {
        (zw, zh)
    } else if request.force {
        (width, height)
    } else {
        let factor = if refits(factor, source, zoomed) {
            let (x, y) = (zw / width, zh / height);
            if request.crop { x.min(y) } else { x.max(y) }
        } else {
            factor
        };
        (rounded(zw / factor), rounded(zh / factor))
    };
    // A cast saturates, and whatever is that large is refused as too many pixels.
    Frame { width: width as u64, height: height as u64, scaled: (scaled.0 as u64, scaled.1 as u64), transforms }
}

/// Half away from zero, at least one pixel.
fn rounded(side: f64) -> f64 {
    (side + 0.5).floor().max(1.0)
}

/// Whether a zoomed picture is scaled to the target itself instead of by the factor of the unzoomed one. The reference
/// shrinks large factors in two stages and reckons the second from what the first left: from 8/3 on, where its first
/// stage (three quarters of the factor, rounded down) is 2 or more.
fn refits(factor: f64, source: Size, zoomed: (u64, u64)) -> bool {
    zoomed.0 != u64::from(source.width()) && (factor * 0.75).floor() >= 2.0
}
