//! Blending an overlay over a picture.

use crate::backend::{BackendError, Checkpoint};
use crate::image::{ImageBuf, Point};
use crate::ops::{Opacity, Placement};

use super::{cancelled, colour};

/// Blends `overlay` (straight alpha) over the picture by Porter-Duff *over*; the picture keeps its size and its alpha.
///
/// # Errors
/// [`BackendError::Cancelled`].
pub(super) fn composite(
    buf: ImageBuf,
    overlay: &ImageBuf,
    placement: Placement,
    opacity: Opacity,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    let mut buf = if overlay.format().is_gray() { buf } else { colour::coloured(buf) };
    let mask = opacity.coverage();
    let size = buf.size();
    let (base, over) = (buf.format().channels(), overlay.format().channels());
    let Some(blend) = blender(base, over) else {
        return Err(BackendError::Impossible("a coloured overlay on a grey picture".into()));
    };
    let (at, step_x, step_y) = match placement {
        Placement::At(point) => (point, u32::MAX, u32::MAX),
        Placement::Tiled => (Point::default(), overlay.size().width(), overlay.size().height()),
    };
    let columns = Overlap::new(at.x, overlay.size().width(), size.width());
    let rows = Overlap::new(at.y, overlay.size().height(), size.height());
    let (Some(columns), Some(rows)) = (columns, rows) else { return Ok(buf) };
    for tile_top in (rows.dst..size.height()).step_by(step_y as usize) {
        for y in 0..rows.count.min(size.height() - tile_top) {
            if y % 64 == 0 {
                cancelled(checkpoint)?;
            }
            let src = overlay.row(rows.src + y);
            let dst = buf.row_mut(tile_top + y);
            for tile_left in (columns.dst..size.width()).step_by(step_x as usize) {
                let count = columns.count.min(size.width() - tile_left) as usize;
                let dst = &mut dst[tile_left as usize * base..][..count * base];
                blend(dst, &src[columns.src as usize * over..][..count * over], &mask);
            }
        }
    }
    Ok(buf)
}

/// What an axis of the picture and of the overlay have in common.
struct Overlap {
    src: u32,
    dst: u32,
    count: u32,
}

impl Overlap {
    fn new(at: i64, overlay: u32, picture: u32) -> Option<Self> {
        let begin = at.max(0);
        let end = at.saturating_add(i64::from(overlay)).min(i64::from(picture));
        // With `begin < end`, all three lie between 0 and the larger of the sides.
        (begin < end).then(|| Self { src: (begin - at) as u32, dst: begin as u32, count: (end - begin) as u32 })
    }
}

/// Full coverage.
const FULL: u32 = Opacity::FULL_COVERAGE;

type Blend = fn(&mut [u8], &[u8], &[u32; 256]);

/// The loop for a picture and an overlay of so many channels.
fn blender(base: usize, over: usize) -> Option<Blend> {
    Some(match (base, over) {
        (1, 1) => blend::<1, 1>,
        (1, 2) => blend::<1, 2>,
        (2, 1) => blend::<2, 1>,
        (2, 2) => blend::<2, 2>,
        (3, 1) => blend::<3, 1>,
        (3, 2) => blend::<3, 2>,
        (3, 3) => blend::<3, 3>,
        (3, 4) => blend::<3, 4>,
        (4, 1) => blend::<4, 1>,
        (4, 2) => blend::<4, 2>,
        (4, 3) => blend::<4, 3>,
        (4, 4) => blend::<4, 4>,
        _ => return None,
    })
}

/// Blends a run of pixels of `O` channels over one of `B`. An even number of channels means that the last is alpha.
fn blend<const B: usize, const O: usize>(base: &mut [u8], over: &[u8], mask: &[u32; 256]) {
    let (base, _) = base.as_chunks_mut::<B>();
    let (over, _) = over.as_chunks::<O>();
    let colours = B - usize::from(B.is_multiple_of(2));
    for (base, over) in base.iter_mut().zip(over) {
        let cover = mask[if O.is_multiple_of(2) { usize::from(over[O - 1]) } else { 255 }];
        if cover == 0 {
            continue;
        }
        let colour = |c: usize| u32::from(if O < 3 { over[0] } else { over[c] });
        if B.is_multiple_of(2) && base[B - 1] < 255 {
            // Straight alpha: colours weigh as much as they cover.
            let below = f32::from(base[B - 1]) / 255.0 * ((FULL - cover) as f32 / FULL as f32);
            let above = cover as f32 / FULL as f32;
            let alpha = above + below;
            for (c, sample) in base[..colours].iter_mut().enumerate() {
                let sum = colour(c) as f32 * above + f32::from(*sample) * below;
                *sample = (sum / alpha + 0.5) as u8;
            }
            base[B - 1] = (alpha * 255.0 + 0.5) as u8;
        } else {
            for (c, sample) in base[..colours].iter_mut().enumerate() {
                *sample = ((colour(c) * cover + u32::from(*sample) * (FULL - cover) + FULL / 2) / FULL) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NeverCancelled;
    use crate::image::{PixelFormat, Size};

    fn picture(width: u32, format: PixelFormat, pixels: &[u8]) -> ImageBuf {
        let height = (pixels.len() / format.channels()) as u32 / width;
        ImageBuf::new(Size::new(width, height).unwrap(), format, pixels.to_vec()).unwrap()
    }

    fn over(base: &ImageBuf, overlay: &ImageBuf, placement: Placement, opacity: f64) -> ImageBuf {
        composite(base.clone(), overlay, placement, Opacity::new(opacity), &NeverCancelled).unwrap()
    }

    fn at(x: i64, y: i64) -> Placement {
        Placement::At(Point { x, y })
    }

    #[test]
    fn blend_is_the_rounded_over() {
        for ab in [0_u8, 1, 60, 128, 254, 255] {
            for ao in [0_u8, 1, 77, 255] {
                for opacity in [0.0, 0.3, 1.0, 3.0] {
                    let base = picture(1, PixelFormat::Rgba8, &[10, 200, 255, ab]);
                    let mark = picture(1, PixelFormat::Rgba8, &[250, 30, 0, ao]);
                    let got = over(&base, &mark, at(0, 0), opacity);
                    let m = (f64::from(ao) / 255.0 * opacity).min(1.0);
                    let below = f64::from(ab) / 255.0 * (1.0 - m);
                    let alpha = m + below;
                    assert!((f64::from(got.pixels()[3]) - alpha * 255.0).abs() <= 0.51);
                    if m == 0.0 {
                        assert_eq!(got, base);
                    } else {
                        for c in 0..3 {
                            let sum = f64::from(mark.pixels()[c]) * m + f64::from(base.pixels()[c]) * below;
                            assert!((f64::from(got.pixels()[c]) - sum / alpha).abs() <= 0.51);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn overlay_is_clipped_on_every_side() {
        let base = picture(3, PixelFormat::Gray8, &[0; 9]);
        let mark = picture(2, PixelFormat::Gray8, &[1, 2, 3, 4]);
        assert_eq!(over(&base, &mark, at(-1, -1), 1.0).pixels(), [4, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(over(&base, &mark, at(2, 1), 1.0).pixels(), [0, 0, 0, 0, 0, 1, 0, 0, 3]);
        for (x, y) in [(3, 0), (0, -2), (i64::MAX, 0), (0, i64::MIN), (i64::MIN, i64::MAX)] {
            assert_eq!(over(&base, &mark, at(x, y), 1.0), base);
        }
    }

    #[test]
    fn tiles_cover_the_picture() {
        let base = picture(5, PixelFormat::Gray8, &[0; 15]);
        let mark = picture(2, PixelFormat::Gray8, &[1, 2, 3, 4]);
        let got = over(&base, &mark, Placement::Tiled, 1.0);
        assert_eq!(got.pixels(), [1, 2, 1, 2, 1, 3, 4, 3, 4, 3, 1, 2, 1, 2, 1]);
    }

    #[test]
    fn a_grey_picture_becomes_rgb_under_colour_alone() {
        let base = picture(1, PixelFormat::GrayAlpha8, &[100, 255]);
        let red = picture(1, PixelFormat::Rgb8, &[200, 0, 0]);
        assert_eq!(over(&base, &red, at(0, 0), 0.5).pixels(), [150, 50, 50, 255]);
        let gray = picture(1, PixelFormat::Gray8, &[200]);
        assert_eq!(over(&base, &gray, at(0, 0), 0.5).pixels(), [150, 255]);
        let rgb = picture(1, PixelFormat::Rgb8, &[0, 100, 200]);
        assert_eq!(over(&rgb, &gray, at(0, 0), 0.5).pixels(), [100, 150, 200]);
    }
}
