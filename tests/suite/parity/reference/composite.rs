//! Overlays: Porter & Duff's *over* ("Compositing Digital Images", 1984), the overlay's alpha times an opacity and 1 at most.

use phasor::image::{ImageBuf, PixelFormat};
use phasor::ops::Placement;

use super::Exact;

/// `overlay` over a picture, both with straight alpha; a colour makes a grey picture RGB.
pub fn over(image: &ImageBuf, overlay: &ImageBuf, placement: Placement, opacity: f64) -> Exact {
    let format = PixelFormat::of(image.format().is_gray() && overlay.format().is_gray(), image.format().has_alpha());
    let colours = if format.is_gray() { 1 } else { 3 };
    let (width, height) = (i64::from(overlay.size().width()), i64::from(overlay.size().height()));
    let mut samples = Vec::new();
    for y in 0..image.size().height() {
        for x in 0..image.size().width() {
            let (base, base_alpha) = parted(image, x, y);
            let place = match placement {
                Placement::Tiled => Some((i64::from(x) % width, i64::from(y) % height)),
                Placement::At(at) => i64::from(x).checked_sub(at.x).zip(i64::from(y).checked_sub(at.y)),
            };
            let inside = place.filter(|(left, top)| (0..width).contains(left) && (0..height).contains(top));
            let (above, mask) = inside.map_or(([0.0; 3], 0.0), |(left, top)| {
                let (above, alpha) = parted(overlay, left as u32, top as u32);
                (above, (alpha * opacity).min(1.0))
            });
            let below = base_alpha * (1.0 - mask);
            let alpha = mask + below;
            for c in 0..colours {
                // Where nothing is laid nothing changes, also the colour of what is not seen.
                samples.push(if mask == 0.0 { base[c] } else { (mask * above[c] + below * base[c]) / alpha });
            }
            if format.has_alpha() {
                samples.push(255.0 * alpha);
            }
        }
    }
    Exact { size: image.size(), format, samples }
}

/// Red, green and blue of 0 to 255 and alpha of 0 to 1.
fn parted(image: &ImageBuf, x: u32, y: u32) -> ([f64; 3], f64) {
    let at = |sample: &u8| f64::from(*sample);
    match image.pixel(x, y) {
        [gray] => ([at(gray); 3], 1.0),
        [gray, alpha] => ([at(gray); 3], at(alpha) / 255.0),
        [r, g, b] => ([at(r), at(g), at(b)], 1.0),
        [r, g, b, alpha] => ([at(r), at(g), at(b)], at(alpha) / 255.0),
        other => unreachable!("{} samples a pixel", other.len()),
    }
}
