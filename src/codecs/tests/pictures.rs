//! Small pictures and shorthands for the tests of all formats.

use crate::codecs::{
    DecodeError, DecodeSpec, Decoded, EncodeSpec, Format, Header, Limits, Metadata, OutputFormat, decode, encode, exif,
    metadata, probe,
};
use crate::image::{ImageBuf, Picture, PixelFormat, Size};

/// A smooth picture with a different slope in each channel; alpha, where there is some, runs from 255 to 0.
pub(in crate::codecs) fn gradient(width: u32, height: u32, format: PixelFormat) -> ImageBuf {
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (right, down) = ((x * 255 / width) as u8, (y * 255 / height) as u8);
            match format {
                PixelFormat::Gray8 => pixels.push(right),
                PixelFormat::GrayAlpha8 => pixels.extend([right, 255 - down]),
                PixelFormat::Rgb8 => pixels.extend([right, down, 255 - right]),
                PixelFormat::Rgba8 => pixels.extend([right, down, 255 - right, 255 - down]),
            }
        }
    }
    ImageBuf::new(Size::new(width, height).unwrap(), format, pixels).unwrap()
}

/// EXIF with orientation 6 and a thumbnail, an RGB profile, and XMP.
pub(in crate::codecs) fn all_metadata() -> Metadata {
    Metadata {
        exif: Some(exif::tests::sample(false, 6, b"thumbnail")),
        icc: Some(metadata::tests::profile(b"RGB ")),
        xmp: Some(b"<x:xmpmeta/>".to_vec()),
    }
}

/// What [`all_metadata`] becomes in an output that keeps all.
pub(in crate::codecs) fn kept_metadata() -> Metadata {
    Metadata { exif: Some(exif::tests::sample(false, 1, b"")), ..all_metadata() }
}

pub(in crate::codecs) fn write(image: &ImageBuf, format: OutputFormat) -> Vec<u8> {
    encode(image, &Metadata::default(), &EncodeSpec::new(format)).unwrap()
}

pub(in crate::codecs) fn header(bytes: &[u8]) -> Result<Header, DecodeError> {
    probe(bytes, &Limits::default())
}

pub(in crate::codecs) fn read(bytes: &[u8]) -> Result<(Header, ImageBuf, Metadata), DecodeError> {
    let header = header(bytes)?;
    let limits = Limits::default();
    let Decoded { picture, metadata } = decode(bytes, &header, &DecodeSpec::default(), &limits, &|| false)?;
    let Picture::Packed(image) = picture else { panic!("not packed") };
    assert_eq!(image.size(), header.size);
    assert_eq!((image.format().has_alpha(), image.format().is_gray()), (header.alpha, header.is_gray()));
    Ok((header, image, metadata))
}

/// Largest and mean difference of all samples.
pub(in crate::codecs) fn difference(a: &ImageBuf, b: &ImageBuf) -> (u8, f64) {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()));
    let differences = || a.pixels().iter().zip(b.pixels()).map(|(a, b)| a.abs_diff(*b));
    let sum: u64 = differences().map(u64::from).sum();
    (differences().max().unwrap(), sum as f64 / a.pixels().len() as f64)
}

#[test]
fn one_changed_sample_is_a_difference() {
    let a = gradient(8, 8, PixelFormat::Rgb8);
    let mut b = a.clone();
    b.pixels_mut()[77] ^= 16;
    assert_eq!(difference(&a, &a), (0, 0.0));
    assert_eq!(difference(&a, &b).0, 16);
}

#[test]
fn cancelled_work_stops() {
    let image = gradient(900, 700, PixelFormat::Rgb8);
    for format in [OutputFormat::Jpeg, OutputFormat::Png, OutputFormat::Webp] {
        let bytes = write(&image, format);
        let header = header(&bytes).unwrap();
        let answer = decode(&bytes, &header, &DecodeSpec::default(), &Limits::default(), &|| true);
        assert_eq!(answer.unwrap_err(), DecodeError::Cancelled, "{format}");
    }
}

#[test]
fn no_prefix_and_no_changed_byte_panics() {
    let image = gradient(24, 17, PixelFormat::Rgba8);
    for format in [OutputFormat::Jpeg, OutputFormat::Png, OutputFormat::Webp] {
        for lossless in [false, true] {
            let spec = EncodeSpec { lossless, interlace: lossless, palette: lossless, ..EncodeSpec::new(format) };
            let bytes = encode(&image, &all_metadata(), &spec).unwrap();
            read(&bytes).unwrap();
            for length in 0..bytes.len() {
                let _ = read(&bytes[..length]);
            }
            let mut random = 1_u32;
            for at in 0..bytes.len() {
                // Numerical Recipes' generator.
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let mut bad = bytes.clone();
                bad[at] ^= (random >> 24) as u8 | 1;
                let _ = read(&bad);
            }
        }
    }
}

#[test]
fn errors_are_one_line() {
    let text = |reason: &str| DecodeError::malformed(Format::Jpeg, reason).to_string();
    assert_eq!(text("bad\n\tHuffman \u{1b}table \r\n"), "jpeg: bad Huffman table");
    assert_eq!(text(" \n"), "jpeg: the file is damaged");
    let long = text(&"ü".repeat(10_000));
    assert!(long.ends_with('…') && long.chars().count() < 320);
}

#[test]
fn the_longest_side_counts_in_all_formats() {
    let limits = Limits { side: 100, ..Limits::default() };
    for format in [OutputFormat::Jpeg, OutputFormat::Png, OutputFormat::Webp, OutputFormat::Tiff] {
        for (width, height, fits) in [(100, 2, true), (101, 2, false), (2, 101, false)] {
            let bytes = write(&gradient(width, height, PixelFormat::Rgb8), format);
            let answer = probe(&bytes, &limits).map(drop);
            assert_eq!(answer, if fits { Ok(()) } else { Err(DecodeError::TooManyPixels) }, "{format} {width}");
        }
    }
}
