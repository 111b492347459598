//! Sizes, windows and canvases: section 4.0 of the contract.

use std::num::NonZeroU32;

use crate::image::{Gravity, Point, Rect, Rgb8, Size};
use crate::ops::{Border, Filter, Step};

use super::params::{Extend, Params};
use super::resolve::{PlanError, State};

/// Longest side of a crop or an extracted area.
const CROP_SIDE: u32 = 16_383;

/// What an endpoint makes of the common path.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mode {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) crop: bool,
    pub(super) embed: bool,
    pub(super) enlarge: bool,
    pub(super) force: bool,
    pub(super) smart: bool,
    /// Left, top, width, height of an area; a zero side is the target's.
    pub(super) area: Option<[u32; 4]>,
    /// Further copies of each pixel.
    pub(super) zoom: u32,
}

/// A non-negative integer that fits; negative JSON numbers count as absent.
pub(super) fn positive(value: i64) -> u32 {
    u32::try_from(value.max(0)).unwrap_or(u32::MAX)
}

/// Half away from zero, never less than 1.
pub(super) fn rounded(value: f64) -> u32 {
    (value + 0.5).floor().max(1.0).min(f64::from(u32::MAX)) as u32
}

/// Scales, crops, pads.
pub(super) fn place(state: &mut State<'_>, mode: Mode, params: &Params) -> Result<(), PlanError> {
    let source = state.size;
    let (iw, ih) = (source.width(), source.height());
    let (mut w, mut h) = (mode.width, mode.height);
    let force = mode.force || (!mode.crop && !mode.embed && !mode.enlarge && params.rotate == 0 && (w > 0 || h > 0));

    let factor = match (w > 0, h > 0) {
        (true, true) => {
            let (x, y) = (f64::from(iw) / f64::from(w), f64::from(ih) / f64::from(h));
            if mode.crop { x.min(y) } else { x.max(y) }
        }
        (true, false) if mode.crop => {
            h = ih;
            1.0
        }
        (false, true) if mode.crop => {
            w = iw;
            1.0
        }
        (true, false) => {
            let factor = f64::from(iw) / f64::from(w);
            h = rounded(f64::from(ih) / factor);
            factor
        }
        (false, true) => {
            let factor = f64::from(ih) / f64::from(h);
            w = rounded(f64::from(iw) / factor);
            factor
        }
        (false, false) => {
            (w, h) = (iw, ih);
            1.0
        }
    };
    let mut factor = factor;
    if !mode.enlarge && !force && iw < w && ih < h {
        factor = 1.0;
        (w, h) = (iw, ih);
    }

    let zoomed = match mode.zoom {
        0 => source,
        zoom => {
            let copies = zoom.saturating_add(1);
            let side = |s: u32| u64::from(s) * u64::from(copies);
            let (zw, zh) = (side(iw), side(ih));
            let size = u32::try_from(zw).ok().zip(u32::try_from(zh).ok()).and_then(|(w, h)| Size::new(w, h));
            let size = size.ok_or(PlanError::TooManyPixels)?;
            let factor = NonZeroU32::new(copies).unwrap_or(NonZeroU32::MIN);
            // Its size is checked with the window that is kept of it.
            state.push_unchecked(Step::Zoom { factor, window: Rect::whole(size) });
            size
        }
    };

    let transforms =
        force || w != iw || h != ih || mode.area.is_some_and(|[_, _, width, height]| width > 0 || height > 0);
    if !transforms {
        return state.check_size();
    }

    let scaled = if force {
        Size::at_least_one(w, h)
    } else if (factor - 1.0).abs() < f64::EPSILON {
        zoomed
    } else {
        // One side meets the target exactly, the other is the rounded proportional one.
        let x = f64::from(iw) / f64::from(w);
        let y = f64::from(ih) / f64::from(h);
        let copies = f64::from(mode.zoom) + 1.0;
        let by_width = (factor - x).abs() <= (factor - y).abs();
        let (sw, sh) = if by_width {
            (f64::from(w) * copies, f64::from(ih) * f64::from(w) / f64::from(iw) * copies)
        } else {
            (f64::from(iw) * f64::from(h) / f64::from(ih) * copies, f64::from(h) * copies)
        };
        Size::at_least_one(rounded(sw), rounded(sh))
    };
    if scaled != zoomed {
        state.check_size()?;
        state.push(Step::Resample { to: scaled, filter: Filter::Lanczos3 })?;
    }

    let target = Size::at_least_one(w, h);
    if mode.smart || params.gravity == Gravity::Smart {
        if !scaled.fits_in(target) {
            let to = Size::at_least_one(scaled.width().min(w), scaled.height().min(h));
            state.push(Step::SmartCrop { to })?;
        }
    } else if mode.crop && !force {
        if !scaled.fits_in(target) {
            crop(state, params.gravity.window(scaled, target))?;
        }
    } else if mode.embed && !force {
        let middle = |canvas: u32, picture: u32| (i64::from(canvas) - i64::from(picture)) / 2;
        let at = Point { x: middle(w, scaled.width()), y: middle(h, scaled.height()) };
        if scaled != target {
            state.push(Step::Embed { into: target, at, border: border(params) })?;
        }
    } else if let Some([left, top, width, height]) = mode.area {
        let size = Size::at_least_one(if width == 0 { w } else { width }, if height == 0 { h } else { height });
        let rect = Rect { left, top, size };
        if !rect.is_inside(scaled) {
            return Err(PlanError::Failed("extract_area: bad extract area".into()));
        }
        crop(state, rect)?;
    }
    state.check_size()
}

fn crop(state: &mut State<'_>, rect: Rect) -> Result<(), PlanError> {
    if rect.size.width() > CROP_SIDE || rect.size.height() > CROP_SIDE {
        return Err(PlanError::Failed("Maximum image size exceeded".into()));
    }
    if rect == Rect::whole(state.size) {
        return Ok(());
    }
    // Only the window of an enlarged picture is ever made.
    if let Some(Step::Zoom { window, .. }) = state.steps.last_mut() {
        *window = rect;
        state.size = rect.size;
        return state.check_size();
    }
    state.push(Step::Crop(rect))
}

fn border(params: &Params) -> Border {
    match params.extend {
        Extend::Black => Border::Black,
        Extend::White => Border::White,
        Extend::Copy => Border::Copy,
        Extend::Mirror => Border::Mirror,
        Extend::Background => Border::Background(params.background.unwrap_or(Rgb8::BLACK)),
    }
}
