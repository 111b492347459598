//! Turning and mirroring.

use crate::backend::BackendError;
use crate::image::{ImageBuf, Orientation, Size};

use super::made;

/// Turns and mirrors a picture. In place when the sides are not exchanged.
///
/// # Errors
/// None in practice; the type is that of every step.
pub(super) fn orient(buf: ImageBuf, orientation: Orientation) -> Result<ImageBuf, BackendError> {
    if orientation.is_upright() {
        return Ok(buf);
    }
    let (size, format) = (buf.size(), buf.format());
    let mut pixels = buf.into_pixels();
    pixels = match format.channels() {
        1 => turned::<1>(pixels, size, orientation),
        2 => turned::<2>(pixels, size, orientation),
        3 => turned::<3>(pixels, size, orientation),
        _ => turned::<4>(pixels, size, orientation),
    };
    made(orientation.output_size(size), format, pixels)
}

fn turned<const C: usize>(mut pixels: Vec<u8>, size: Size, orientation: Orientation) -> Vec<u8> {
    if orientation.transposes() {
        return transposed::<C>(&pixels, size, orientation);
    }
    let width = size.width() as usize;
    let (whole, _) = pixels.as_chunks_mut::<C>();
    // Half a turn is both mirrors.
    match (orientation.turns() == 2, orientation.is_mirrored()) {
        (true, false) => whole.reverse(),
        (false, _) => whole.chunks_exact_mut(width).for_each(<[_]>::reverse),
        (true, true) => {
            let mut rows = whole.chunks_exact_mut(width);
            while let (Some(top), Some(bottom)) = (rows.next(), rows.next_back()) {
                top.swap_with_slice(bottom);
            }
        }
    }
    pixels
}

/// Side of the tiles in which rows become columns: a tile's rows of both pictures fit in the first-level cache.
const TILE: usize = 32;

fn transposed<const C: usize>(pixels: &[u8], size: Size, orientation: Orientation) -> Vec<u8> {
    let (src_w, src_h) = (size.width() as usize, size.height() as usize);
    let (dst_w, dst_h) = (src_h, src_w);
    let mut out = vec![0; pixels.len()];
    let (src, _) = pixels.as_chunks::<C>();
    let (dst, _) = out.as_chunks_mut::<C>();
    // Where output (0, 0) comes from, and which way the source is read from there on.
    let from = |x: u32, y: u32| {
        let (sx, sy) = orientation.source_of(x, y, size);
        sy as usize * src_w + sx as usize
    };
    let origin = from(0, 0);
    let right = if dst_w > 1 { from(1, 0).wrapping_sub(origin) } else { 0 };
    let down = if dst_h > 1 { from(0, 1).wrapping_sub(origin) } else { 0 };
    for top in (0..dst_h).step_by(TILE) {
        for left in (0..dst_w).step_by(TILE) {
            for y in top..(top + TILE).min(dst_h) {
                let end = (left + TILE).min(dst_w);
                let mut at = origin.wrapping_add(y.wrapping_mul(down)).wrapping_add(left.wrapping_mul(right));
                for pixel in &mut dst[y * dst_w + left..y * dst_w + end] {
                    *pixel = src[at];
                    at = at.wrapping_add(right);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::PixelFormat;

    #[test]
    fn every_pixel_comes_from_where_the_orientation_says() {
        for format in [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
            for (w, h) in [(1, 1), (1, 7), (7, 1), (5, 3), (33, 70), (64, 32)] {
                let size = Size::new(w, h).unwrap();
                let len = ImageBuf::byte_len(size, format) as usize;
                let buf = ImageBuf::new(size, format, (0..len).map(|i| (i * 7 + i / 251) as u8).collect()).unwrap();
                for o in (1..=8).map(Orientation::from_exif) {
                    let out = orient(buf.clone(), o).unwrap();
                    assert_eq!(out.size(), o.output_size(size));
                    for y in 0..out.size().height() {
                        for x in 0..out.size().width() {
                            let (sx, sy) = o.source_of(x, y, size);
                            assert_eq!(out.pixel(x, y), buf.pixel(sx, sy), "{o:?} {size}");
                        }
                    }
                    assert_eq!(orient(out, o.inverse()).unwrap(), buf);
                }
            }
        }
    }
}
