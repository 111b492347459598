//! Pictures that show differences: noise, and something like a photograph.

use phasor::image::{ImageBuf, PixelFormat, Plane, Planes, Size};

/// Even noise.
pub fn random(size: Size, format: PixelFormat, seed: u64) -> ImageBuf {
    let length = ImageBuf::byte_len(size, format) as usize;
    ImageBuf::new(size, format, noise(length, seed)).unwrap()
}

fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        // xorshift64 (Marsaglia 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Slow waves, an edge and a little noise.
pub fn smooth(size: Size, format: PixelFormat, seed: u64) -> ImageBuf {
    let grain = random(size, format, seed);
    let channels = format.channels();
    let width = size.width() as usize;
    let pixels = grain.pixels().iter().enumerate().map(|(i, &grain)| {
        let (x, y, c) = ((i / channels % width) as f64, (i / channels / width) as f64, (i % channels) as f64);
        let waves = 90.0 * ((x / 9.0 + c).sin() * (y / 13.0 - c).cos()) + 120.0;
        let edge = if x + 2.0 * y > f64::from(size.width()) { 40.0 } else { 0.0 };
        (waves + edge + f64::from(grain) / 32.0).clamp(0.0, 255.0) as u8
    });
    ImageBuf::new(size, format, pixels.collect()).unwrap()
}

/// Planes whose chroma has one sample for `across` × `down` of luma.
pub fn subsampled(size: Size, across: u32, down: u32, seed: u64) -> Planes {
    let plane = |size: Size, seed| Plane { size, samples: smooth(size, PixelFormat::Gray8, seed).pixels().to_vec() };
    let coarse = Size::new(size.width().div_ceil(across), size.height().div_ceil(down)).unwrap();
    Planes { size, luma: plane(size, seed), chroma: Some([plane(coarse, seed + 1), plane(coarse, seed + 2)]) }
}

/// Noise under alpha that rises from nothing on the left: a quarter is not seen or hardly.
pub fn veiled(size: Size, format: PixelFormat, seed: u64) -> ImageBuf {
    assert!(format.has_alpha());
    let mut image = random(size, format, seed);
    let (channels, width) = (format.channels(), size.width() as usize);
    for (i, pixel) in image.pixels_mut().chunks_exact_mut(channels).enumerate() {
        let across = (i % width) as f64 / width as f64;
        pixel[channels - 1] = (320.0 * across.powi(3) - 2.0).clamp(0.0, 255.0) as u8;
    }
    image
}
