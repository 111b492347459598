use std::io::Write;

use flate2::Crc;
use flate2::write::ZlibEncoder;

use crate::codecs::tests::pictures::{all_metadata, difference, gradient, header, kept_metadata, read, write};
use crate::codecs::{
    DecodeError, DecodeSpec, EncodeSpec, Format, Limits, Metadata, MetadataPolicy, OutputFormat, OutputSpace, Space,
    decode, encode,
};
use crate::image::PixelFormat;

const ALL: [PixelFormat; 4] = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(body);
    [&(body.len() as u32).to_be_bytes(), &kind[..], body, &crc.sum().to_be_bytes()].concat()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file from its header fields, chunks before the pixels, and filtered rows.
fn file(width: u32, height: u32, depth: u8, colour: u8, interlace: u8, extra: &[u8], rows: &[u8]) -> Vec<u8> {
    let ihdr = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[depth, colour, 0, 0, interlace]].concat();
    let end = [chunk(b"IDAT", &deflated(rows)), chunk(b"IEND", b"")].concat();
    [b"\x89PNG\r\n\x1A\n", &chunk(b"IHDR", &ihdr)[..], extra, &end].concat()
}

fn malformed(answer: Result<impl std::fmt::Debug, DecodeError>) -> String {
    match answer {
        Err(DecodeError::Malformed { format: Format::Png, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pictures_come_back_exactly() {
    for format in ALL {
        let image = gradient(37, 21, format);
        let space = if format.is_gray() { OutputSpace::Gray } else { OutputSpace::Srgb };
        for compression in 1..=9 {
            let spec = EncodeSpec { space, compression, ..EncodeSpec::new(OutputFormat::Png) };
            let (header, back, _) = read(&encode(&image, &Metadata::default(), &spec).unwrap()).unwrap();
            assert_eq!(back, image);
            assert_eq!(usize::from(header.channels), format.channels());
        }
    }
}

#[test]
fn output_space_decides_the_channels() {
    for format in ALL {
        for (space, channels) in [(OutputSpace::Srgb, 3), (OutputSpace::Gray, 1)] {
            let spec = EncodeSpec { space, ..EncodeSpec::new(OutputFormat::Png) };
            let bytes = encode(&gradient(9, 9, format), &Metadata::default(), &spec).unwrap();
            let header = header(&bytes).unwrap();
            assert_eq!(header.channels, channels + u8::from(format.has_alpha()));
        }
    }
}

#[test]
fn palettes_are_close_and_small() {
    for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let image = gradient(120, 80, format);
        let spec = EncodeSpec { palette: true, ..EncodeSpec::new(OutputFormat::Png) };
        let bytes = encode(&image, &Metadata::default(), &spec).unwrap();
        assert_eq!(bytes[25], 3, "colour type");
        let (_, back, _) = read(&bytes).unwrap();
        let (_, mean) = difference(&image, &back);
        assert!(mean < 12.0, "{mean}");
    }
}

#[test]
fn metadata_is_kept_or_stripped() {
    let image = gradient(16, 16, PixelFormat::Rgb8);
    let spec = EncodeSpec::new(OutputFormat::Png);
    let (header, _, metadata) = read(&encode(&image, &all_metadata(), &spec).unwrap()).unwrap();
    assert_eq!(metadata, kept_metadata());
    assert_eq!((header.exif_orientation, header.profile), (1, true));
    let spec = EncodeSpec { metadata: MetadataPolicy::STRIP, ..spec };
    assert_eq!(read(&encode(&image, &all_metadata(), &spec).unwrap()).unwrap().2, Metadata::default());
}

#[test]
fn sixteen_bits_are_rounded_to_eight() {
    // 0x0080 is just below half a step, 0x0081 above; filter type 0.
    let row = [0, 0x00, 0x80, 0x00, 0x81, 0xFF, 0x7E, 0xFF, 0x7F];
    let (header, image, _) = read(&file(4, 1, 16, 0, 0, b"", &row)).unwrap();
    assert_eq!((header.space, header.channels), (Space::Gray16, 1));
    assert_eq!(image.pixels(), [0, 1, 254, 255]);
}

#[test]
fn palettes_and_few_bits_are_expanded() {
    let palette = [chunk(b"PLTE", &[10, 20, 30, 40, 50, 60]), chunk(b"tRNS", &[7])].concat();
    let (header, image, _) = read(&file(2, 1, 1, 3, 0, &palette, &[0, 0b0100_0000])).unwrap();
    assert_eq!((header.space, header.channels, header.alpha), (Space::Srgb, 4, true));
    assert_eq!(image.pixels(), [10, 20, 30, 7, 40, 50, 60, 255]);
    let (_, image, _) = read(&file(4, 1, 2, 0, 0, b"", &[0, 0b00_01_10_11])).unwrap();
    assert_eq!(image.pixels(), [0, 85, 170, 255]);
    // A transparent grey of 16 bits is compared at 16 bits.
    let key = chunk(b"tRNS", &[0x12, 0x34]);
    let (header, image, _) = read(&file(2, 1, 16, 0, 0, &key, &[0, 0x12, 0x34, 0x12, 0x35])).unwrap();
    assert_eq!(header.channels, 2);
    assert_eq!(image.pixels(), [0x12, 0, 0x12, 255]);
}

#[test]
fn interlaced_pixels_reach_their_places() {
    // 3x2, Adam7: pass 1 (0,0); pass 4 (2,0); pass 6 (1,0); pass 7 the second row.
    let rows = [0, 1, 0, 3, 0, 2, 0, 4, 5, 6];
    let (_, image, _) = read(&file(3, 2, 8, 0, 1, b"", &rows)).unwrap();
    assert_eq!(image.pixels(), [1, 2, 3, 4, 5, 6]);
    // The same in 16 bits.
    let wide: Vec<u8> = [&[0][..], &[1; 2], &[0], &[3; 2], &[0], &[2; 2], &[0], &[4, 4, 5, 5, 6, 6]].concat();
    let (_, image, _) = read(&file(3, 2, 16, 0, 1, b"", &wide)).unwrap();
    assert_eq!(image.pixels(), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_profile_bomb_is_dropped_and_the_picture_served() {
    let bomb = [b"name\0\0", &deflated(&vec![0; 20 << 20])[..]].concat();
    let (header, image, metadata) = read(&file(1, 1, 8, 0, 0, &chunk(b"iCCP", &bomb), &[0, 9])).unwrap();
    assert!(header.profile);
    assert_eq!((image.pixels(), metadata), (&[9][..], Metadata::default()));
}

#[test]
fn compressed_xmp_is_inflated_and_capped() {
    let body = |text: &[u8]| [b"XML:com.adobe.xmp\0\x01\0\0\0", &deflated(text)[..]].concat();
    let with = |text: &[u8]| read(&file(1, 1, 8, 0, 0, &chunk(b"iTXt", &body(text)), &[0, 9])).unwrap().2.xmp;
    assert_eq!(with(b"<x/>").as_deref(), Some(&b"<x/>"[..]));
    assert_eq!(with(&vec![b' '; 5 << 20]), None);
}

#[test]
fn enormous_and_empty_sizes_are_refused_from_the_header() {
    let sized = |width, height| header(&file(width, height, 8, 6, 0, b"", &[]));
    assert_eq!(sized(65535, 65535), Err(DecodeError::TooManyPixels));
    assert_eq!(sized(i32::MAX as u32, i32::MAX as u32), Err(DecodeError::TooManyPixels));
    assert_eq!(sized(u32::MAX, u32::MAX), Err(DecodeError::TooManyPixels));
    assert!(sized(4500, 4000).is_ok());
    malformed(sized(0, 1));
    malformed(sized(1, 0));
}

#[test]
fn chunks_are_counted() {
    let flood = chunk(b"teXt", b"").repeat(10_000);
    let bytes = file(1, 1, 8, 0, 0, &flood, &[0, 9]);
    assert!(matches!(header(&bytes), Err(DecodeError::OverLimit { limit: 10_000, .. })));
    assert!(header(&file(1, 1, 8, 0, 0, &flood[..12 * 9000], &[0, 9])).is_ok());
}

#[test]
fn damage_is_refused() {
    let good = write(&gradient(64, 64, PixelFormat::Rgb8), OutputFormat::Png);
    assert_eq!(header(&good[..8]), Err(DecodeError::Unreadable));
    malformed(read(&good[..33]));
    malformed(read(&good[..good.len() / 2]));
    let mut bad_header = good;
    bad_header[20] ^= 1;
    assert!(malformed(header(&bad_header)).contains("checksum"));
    malformed(header(&file(1, 1, 16, 3, 0, b"", &[])));
    malformed(read(&file(1, 1, 8, 3, 0, b"", &[0, 0])));
}

#[test]
fn another_header_is_malformed() {
    let bytes = write(&gradient(6, 5, PixelFormat::Rgb8), OutputFormat::Png);
    let mut other = header(&bytes).unwrap();
    other.size = other.size.transposed();
    let answer = decode(&bytes, &other, &DecodeSpec::default(), &Limits::default(), &|| false);
    assert!(malformed(answer).contains("contradicts"));
}
