#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor::codecs::jpeg::{coefficients, encoder};
use phasor::codecs::{DecodeSpec, Limits, decode, probe};
use phasor::image::{ImageBuf, Picture, PixelFormat, Plane, Planes, Size};

use encoder::{Sampling, Settings, Source};

/// Samples as they come, over and over; zeros if there are none.
fn filled(length: u64, samples: &[u8]) -> Vec<u8> {
    let samples = if samples.is_empty() { &[0][..] } else { samples };
    samples.iter().copied().cycle().take(length as usize).collect()
}

fuzz_target!(|input: &[u8]| {
    let Some((&[across, down, long, quality, sampling, form], samples)) = input.split_first_chunk() else { return };
    // Up to 32 pixels a side, seldom 256, or, of a side of few, more.
    let stretched = |side: u8, bit: u8| {
        let side = if long >= 0xF0 { u32::from(side) } else { u32::from(side % 32) };
        side + 1 + if long >> bit & 0x11 == 0x11 { u32::from(long) << 5 } else { 0 }
    };
    let size = Size::at_least_one(stretched(across, 0), stretched(down, 1));
    if size.area() > 1 << 16 {
        return;
    }
    let sampling = if sampling & 1 == 1 { Sampling::Full } else { Sampling::Quarter };
    let formats = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];
    let format = formats[usize::from(form & 3)];
    let gray = form & 4 == 4;
    let image = ImageBuf::new(size, format, filled(ImageBuf::byte_len(size, format), samples)).unwrap();
    let plane = |size: Size, samples: &[u8]| Plane { size, samples: filled(size.area(), samples) };
    let coarse = sampling.chroma(size);
    let chroma = [plane(coarse, &samples[samples.len() / 3..]), plane(coarse, &samples[samples.len() / 2..])];
    let planes = Planes { size, luma: plane(size, samples), chroma: (!gray).then_some(chroma) };
    let source = if form & 8 == 8 { Source::Planes(&planes) } else { Source::Packed { image: &image, gray } };

    let progressive = form & 16 == 16;
    let settings = Settings { quality, sampling, progressive, segments: &[] };
    let (file, peak) = phasor_fuzz::heap::peak_of(|| encoder::encode(source, &settings).unwrap());
    let charged = encoder::held_bytes(size, sampling, gray, progressive) + 3 * file.len() as u64 + (32 << 10);
    assert!(peak as u64 <= charged, "{peak} bytes, {charged} charged");

    let ours = coefficients::decode_planes(&file, 100, &|| false).unwrap();
    assert_eq!((ours.size, ours.chroma.is_none()), (size, gray));
    if progressive {
        // Not a coefficient is other than in one scan.
        let sequential = encoder::encode(source, &Settings { progressive: false, ..settings }).unwrap();
        assert_eq!(coefficients::decode_planes(&sequential, 100, &|| false).unwrap(), ours);
    }
    let limits = Limits::default();
    let header = probe(&file, &limits).unwrap();
    let shown = decode(&file, &header, &DecodeSpec::default(), &limits, &|| false).unwrap();
    let Picture::Packed(shown) = shown.picture else { panic!("samples were asked for") };
    assert_eq!((shown.size(), shown.format().is_gray()), (size, gray));
});
