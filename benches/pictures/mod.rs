//! Pictures to measure with: made here, or read from a folder.

#![allow(dead_code, reason = "each bench takes what it needs")]

use phasor::codecs::{EncodeSpec, Metadata, OutputFormat, encode};
use phasor::image::{ImageBuf, PixelFormat, Size};

/// Octaves of smooth noise under a little fine noise: the spectrum of a photograph, more or less. RGB, row-major.
pub(crate) fn photograph(width: u32, height: u32) -> ImageBuf {
    let size = Size::at_least_one(width, height);
    let mut pixels = Vec::with_capacity(ImageBuf::byte_len(size, PixelFormat::Rgb8) as usize);
    let mut grain = 1_u32;
    for y in 0..height {
        for x in 0..width {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let fine = (grain >> 24) as f32 / 32.0 - 4.0;
            for channel in 0..3 {
                let level = 128.0 + 110.0 * octaves(x as f32, y as f32, channel) + fine;
                pixels.push(level.clamp(0.0, 255.0) as u8);
            }
        }
    }
    ImageBuf::new(size, PixelFormat::Rgb8, pixels).expect("as many samples as the size says")
}

/// Smooth noise of wavelengths from 2 to 512 pixels, about -1 to 1.
fn octaves(x: f32, y: f32, channel: u32) -> f32 {
    (1..10)
        .map(|octave| lattice(x / f32::from(1_u16 << octave), y / f32::from(1_u16 << octave), octave * 3 + channel))
        .zip([0.02, 0.03, 0.05, 0.08, 0.12, 0.18, 0.25, 0.35, 0.5])
        .map(|(value, amplitude)| value * amplitude)
        .sum()
}

/// Random values on whole numbers, linear in between.
fn lattice(x: f32, y: f32, seed: u32) -> f32 {
    let (column, row) = (x as u32, y as u32);
    let (across, down) = (x.fract(), y.fract());
    let at = |column: u32, row: u32| {
        let hash = (column.wrapping_mul(0x9E37_79B1) ^ row.wrapping_mul(0x85EB_CA77) ^ seed.wrapping_mul(0xC2B2_AE3D))
            .wrapping_mul(0x27D4_EB2F);
        ((hash ^ hash >> 15).wrapping_mul(0x2545_F491) >> 16) as f32 / 32_768.0 - 1.0
    };
    let top = at(column, row) * (1.0 - across) + at(column + 1, row) * across;
    let bottom = at(column, row + 1) * (1.0 - across) + at(column + 1, row + 1) * across;
    top * (1.0 - down) + bottom * down
}

/// A file of this format and quality.
pub(crate) fn encoded(image: &ImageBuf, format: OutputFormat, quality: u8, interlace: bool) -> Vec<u8> {
    let spec = EncodeSpec { quality, interlace, ..EncodeSpec::new(format) };
    encode(image, &Metadata::default(), &spec).expect("a picture of usual size")
}

/// The first file of the folder `PHASOR_BENCH_PICTURES` whose name ends so, else what `make` makes.
pub(crate) fn file_or(ending: &str, make: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
    let folder = std::env::var("PHASOR_BENCH_PICTURES").ok();
    let mut found: Vec<_> = folder
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()))
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    found.sort();
    found.first().and_then(|path| std::fs::read(path).ok()).unwrap_or_else(make)
}
