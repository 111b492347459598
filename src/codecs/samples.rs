use std::borrow::Cow;

use crate::image::{ImageBuf, PixelFormat, Rgb8};

use super::{EncodeSpec, OutputSpace};

/// The layout in which a picture is written: colour as the spec says, alpha where picture or spec and the format have it.
pub(super) fn output_format(image: &ImageBuf, spec: &EncodeSpec) -> PixelFormat {
    let alpha = (image.format().has_alpha() || spec.alpha) && spec.format.holds_alpha();
    PixelFormat::of(matches!(spec.space, OutputSpace::Gray), alpha)
}

/// The samples of `image` in the layout `want`, borrowed when nothing changes. Grey becomes three equal channels,
/// colour becomes BT.709 luma; alpha that is not wanted is flattened on black, alpha that is missing is 255.
pub(super) fn arranged(image: &ImageBuf, want: PixelFormat) -> Cow<'_, [u8]> {
    rearranged(image.pixels(), image.format(), want)
}

/// As [`arranged`], of any run of whole pixels.
pub(super) fn rearranged(pixels: &[u8], have: PixelFormat, want: PixelFormat) -> Cow<'_, [u8]> {
    use PixelFormat::{Gray8, GrayAlpha8, Rgb8 as Rgb, Rgba8};
    let luma = |r, g, b| Rgb8 { r, g, b }.luma();
    match (have, want) {
        (have, want) if have == want => Cow::Borrowed(pixels),
        (Gray8, GrayAlpha8) => map(pixels, |&[y]: &[u8; 1]| [y, 255]),
        (Gray8, Rgb) => map(pixels, |&[y]: &[u8; 1]| [y, y, y]),
        (Gray8, Rgba8) => map(pixels, |&[y]: &[u8; 1]| [y, y, y, 255]),
        (GrayAlpha8, Gray8) => map(pixels, |&[y, a]: &[u8; 2]| [over_black(y, a)]),
        (GrayAlpha8, Rgb) => map(pixels, |&[y, a]: &[u8; 2]| [over_black(y, a); 3]),
        (GrayAlpha8, Rgba8) => map(pixels, |&[y, a]: &[u8; 2]| [y, y, y, a]),
        (Rgb, Gray8) => map(pixels, |&[r, g, b]: &[u8; 3]| [luma(r, g, b)]),
        (Rgb, GrayAlpha8) => map(pixels, |&[r, g, b]: &[u8; 3]| [luma(r, g, b), 255]),
        (Rgb, Rgba8) => map(pixels, |&[r, g, b]: &[u8; 3]| [r, g, b, 255]),
        (Rgba8, Gray8) => map(pixels, |&[r, g, b, a]: &[u8; 4]| [over_black(luma(r, g, b), a)]),
        (Rgba8, GrayAlpha8) => map(pixels, |&[r, g, b, a]: &[u8; 4]| [luma(r, g, b), a]),
        (Rgba8, Rgb) => map(pixels, |&[r, g, b, a]: &[u8; 4]| [over_black(r, a), over_black(g, a), over_black(b, a)]),
        (have, _) => {
            debug_assert!(have == want, "all other pairs are above");
            Cow::Borrowed(pixels)
        }
    }
}

fn map<const FROM: usize, const TO: usize>(
    pixels: &[u8],
    pixel: impl Fn(&[u8; FROM]) -> [u8; TO],
) -> Cow<'static, [u8]> {
    let (pixels, _) = pixels.as_chunks::<FROM>();
    let mut out = Vec::with_capacity(pixels.len() * TO);
    for from in pixels {
        out.extend_from_slice(&pixel(from));
    }
    Cow::Owned(out)
}

/// `colour · alpha / 255`, rounded.
fn over_black(colour: u8, alpha: u8) -> u8 {
    ((u32::from(colour) * u32::from(alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    #[test]
    fn every_pair_of_layouts_keeps_an_opaque_grey() {
        let all = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];
        let size = Size::new(2, 1).unwrap();
        for have in all {
            let mut pixel = vec![90; have.channels()];
            if have.has_alpha() {
                *pixel.last_mut().unwrap() = 255;
            }
            let image = ImageBuf::new(size, have, [pixel.clone(), pixel].concat()).unwrap();
            for want in all {
                let mut expected = vec![90; want.channels()];
                if want.has_alpha() {
                    *expected.last_mut().unwrap() = 255;
                }
                assert_eq!(arranged(&image, want), [expected.clone(), expected].concat(), "{have:?} to {want:?}");
            }
        }
    }

    #[test]
    fn unwanted_alpha_is_flattened_on_black() {
        let size = Size::new(1, 1).unwrap();
        let image = ImageBuf::new(size, PixelFormat::Rgba8, vec![200, 100, 0, 51]).unwrap();
        assert_eq!(&*arranged(&image, PixelFormat::Rgb8), [40, 20, 0]);
    }
}
