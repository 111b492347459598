//! Steps from colour to colour: flatten, grey, grey → RGB.

use crate::backend::BackendError;
use crate::image::{ImageBuf, PixelFormat, Rgb8};

use super::made;

/// Drops alpha by blending over a colour.
///
/// # Errors
/// None in practice; the type is that of every step.
pub(super) fn flatten(buf: ImageBuf, over: Rgb8) -> Result<ImageBuf, BackendError> {
    if !buf.format().has_alpha() {
        return Ok(buf);
    }
    let buf = if over.is_gray() { buf } else { coloured(buf) };
    let (size, format) = (buf.size(), PixelFormat::of(buf.format().is_gray(), false));
    let mut pixels = buf.into_pixels();
    if format.is_gray() {
        shorten::<2, 1>(&mut pixels, |[c, a]| [blend(c, over.r, a)]);
    } else {
        shorten::<4, 3>(&mut pixels, |[r, g, b, a]| [blend(r, over.r, a), blend(g, over.g, a), blend(b, over.b, a)]);
    }
    made(size, format, pixels)
}

/// Drops colour, keeps alpha.
///
/// # Errors
/// None in practice; the type is that of every step.
pub(super) fn gray(buf: ImageBuf) -> Result<ImageBuf, BackendError> {
    let (size, format) = (buf.size(), buf.format());
    let mut pixels;
    match format {
        PixelFormat::Gray8 | PixelFormat::GrayAlpha8 => return Ok(buf),
        PixelFormat::Rgb8 => {
            pixels = buf.into_pixels();
            shorten::<3, 1>(&mut pixels, |[r, g, b]| [Rgb8 { r, g, b }.luma()]);
        }
        PixelFormat::Rgba8 => {
            pixels = buf.into_pixels();
            shorten::<4, 2>(&mut pixels, |[r, g, b, a]| [Rgb8 { r, g, b }.luma(), a]);
        }
    }
    made(size, PixelFormat::of(true, format.has_alpha()), pixels)
}

/// Grey → three equal channels; alpha is kept. Colour stays as it is.
pub(super) fn coloured(buf: ImageBuf) -> ImageBuf {
    let format = buf.format();
    if !format.is_gray() {
        return buf;
    }
    let mut out = ImageBuf::zeroed(buf.size(), PixelFormat::of(false, format.has_alpha()));
    let channels = out.format().channels();
    for (out, pixel) in out.pixels_mut().chunks_exact_mut(channels).zip(buf.pixels().chunks_exact(format.channels())) {
        out[..3].fill(pixel[0]);
        if let [_, alpha] = pixel {
            out[3] = *alpha;
        }
    }
    out
}

/// Replaces pixels of `N` samples by pixels of fewer, in place.
fn shorten<const N: usize, const M: usize>(pixels: &mut Vec<u8>, pixel: impl Fn([u8; N]) -> [u8; M]) {
    let count = pixels.len() / N;
    for i in 0..count {
        let mut from = [0; N];
        from.copy_from_slice(&pixels[i * N..][..N]);
        pixels[i * M..][..M].copy_from_slice(&pixel(from));
    }
    pixels.truncate(count * M);
}

/// `over` where alpha is 0, `colour` where it is 255, rounded between.
const fn blend(colour: u8, over: u8, alpha: u8) -> u8 {
    let a = alpha as u32;
    ((colour as u32 * a + over as u32 * (255 - a) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    fn one(format: PixelFormat, pixel: &[u8]) -> ImageBuf {
        ImageBuf::new(Size::new(1, 1).unwrap(), format, pixel.to_vec()).unwrap()
    }

    #[test]
    fn flatten_is_the_rounded_blend() {
        for a in 0..=255_u8 {
            for (c, o) in [(0, 255), (255, 0), (13, 200), (99, 99)] {
                let exact = (f64::from(c) * f64::from(a) + f64::from(o) * f64::from(255 - a)) / 255.0;
                let out = flatten(one(PixelFormat::Rgba8, &[c, c, c, a]), Rgb8 { r: o, g: o, b: o }).unwrap();
                assert_eq!(out.pixels(), [exact.round() as u8; 3]);
            }
        }
    }

    #[test]
    fn flatten_of_grey_takes_the_colour_asked_for() {
        let red = Rgb8 { r: 255, g: 0, b: 0 };
        assert_eq!(flatten(one(PixelFormat::GrayAlpha8, &[80, 0]), red).unwrap().pixels(), [255, 0, 0]);
        assert_eq!(flatten(one(PixelFormat::GrayAlpha8, &[80, 0]), Rgb8::WHITE).unwrap().pixels(), [255]);
        assert_eq!(flatten(one(PixelFormat::Gray8, &[80]), red).unwrap().pixels(), [80]);
    }

    #[test]
    fn grey_keeps_alpha_and_neutral_values() {
        assert_eq!(gray(one(PixelFormat::Rgba8, &[7, 7, 7, 9])).unwrap().pixels(), [7, 9]);
        assert_eq!(gray(one(PixelFormat::Rgb8, &[255, 0, 0])).unwrap().pixels(), [124]);
        assert_eq!(gray(one(PixelFormat::Gray8, &[5])).unwrap().pixels(), [5]);
    }
}
