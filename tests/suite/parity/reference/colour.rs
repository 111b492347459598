//! Colour conversions, sample by sample.

use phasor::image::{ImageBuf, PixelFormat, Rgb8};

use super::Exact;

/// JPEG's Y, Cb and Cr, all 0 to 255 → R, G and B, not clamped: what is left when Y = 0.299 R + 0.587 G + 0.114 B,
/// Cb = (B - Y) / 1.772 + 128 and Cr = (R - Y) / 1.402 + 128 are solved. ITU-T T.871, section 7.
pub fn rgb([y, cb, cr]: [f64; 3]) -> [f64; 3] {
    let (red, blue) = (y + 1.402 * (cr - 128.0), y + 1.772 * (cb - 128.0));
    [red, (y - 0.299 * red - 0.114 * blue) / 0.587, blue]
}

/// Luma of 16 to 235 → 0 to 255. ITU-R BT.601-7, section 2.5.3.
pub fn full_luma(y: f64) -> f64 {
    (y - 16.0) * 255.0 / 219.0
}

/// Chroma of 16 to 240 → 0 to 255, 128 staying where it is. As above.
pub fn full_chroma(c: f64) -> f64 {
    (c - 128.0) * 255.0 / 224.0 + 128.0
}

/// Grey as libvips defines it (`scRGB2BW`): 0.2 R + 0.7 G + 0.1 B of linear light, by the transfer function of sRGB
/// (IEC 61966-2-1, sections 5.2 and 5.3). Alpha is kept.
pub fn gray(image: &ImageBuf) -> Exact {
    let linear = |sample: u8| {
        let c = f64::from(sample) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    };
    let encoded = |light: f64| if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
    let format = image.format();
    let samples = image.pixels().chunks_exact(format.channels()).flat_map(|pixel| {
        let light = 0.2 * linear(pixel[0]) + 0.7 * linear(pixel[1]) + 0.1 * linear(pixel[2]);
        let alpha = pixel.get(3).map(|&alpha| f64::from(alpha));
        std::iter::once(255.0 * encoded(light)).chain(alpha)
    });
    Exact { size: image.size(), format: PixelFormat::of(true, format.has_alpha()), samples: samples.collect() }
}

/// A picture with alpha over a colour: α C + (1 - α) C'. Porter & Duff, "Compositing Digital Images" (1984), section 4.
/// Grey stays grey over grey.
pub fn flattened(image: &ImageBuf, over: Rgb8) -> Exact {
    let format = image.format();
    let (gray, last) = (format.is_gray() && over.is_gray(), format.channels() - 1);
    let colours = [over.r, over.g, over.b].map(f64::from);
    let samples = image.pixels().chunks_exact(last + 1).flat_map(|pixel| {
        let alpha = f64::from(pixel[last]) / 255.0;
        let at = |c: usize| f64::from(pixel[if format.is_gray() { 0 } else { c }]);
        (0..if gray { 1 } else { 3 }).map(|c| alpha * at(c) + (1.0 - alpha) * colours[c]).collect::<Vec<_>>()
    });
    Exact { size: image.size(), format: PixelFormat::of(gray, false), samples: samples.collect() }
}
