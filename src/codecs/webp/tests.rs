use crate::codecs::tests::pictures::{all_metadata, difference, gradient, header, kept_metadata, read, write};
use crate::codecs::{
    DecodeError, EncodeError, EncodeSpec, Format, Metadata, MetadataPolicy, OutputFormat, OutputSpace, Space, encode,
};
use crate::image::{ImageBuf, PixelFormat, Size};

const ALL: [PixelFormat; 4] = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];

fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = [&kind[..], &(body.len() as u32).to_le_bytes(), body].concat();
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

fn riff(chunks: &[u8]) -> Vec<u8> {
    [b"RIFF", &(chunks.len() as u32 + 4).to_le_bytes()[..], b"WEBP", chunks].concat()
}

fn u24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

fn extended_header(flags: u8, width: u32, height: u32) -> Vec<u8> {
    chunk(b"VP8X", &[&[flags, 0, 0, 0][..], &u24(width - 1), &u24(height - 1)].concat())
}

fn malformed(answer: Result<impl std::fmt::Debug, DecodeError>) -> String {
    match answer {
        Err(DecodeError::Malformed { format: Format::Webp, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn lossless_pictures_come_back_exactly() {
    let spec = EncodeSpec { lossless: true, ..EncodeSpec::new(OutputFormat::Webp) };
    for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
        for metadata in [Metadata::default(), all_metadata()] {
            let image = gradient(33, 17, format);
            let (header, back, kept) = read(&encode(&image, &metadata, &spec).unwrap()).unwrap();
            assert_eq!(back, image);
            assert_eq!((header.alpha, header.space), (format.has_alpha(), Space::Srgb));
            assert_eq!(kept.exif.is_some(), metadata.exif.is_some());
        }
    }
}

#[test]
fn lossy_pictures_are_close() {
    for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let image = gradient(65, 43, format);
        let spec = EncodeSpec { quality: 90, ..EncodeSpec::new(OutputFormat::Webp) };
        let (_, back, _) = read(&encode(&image, &Metadata::default(), &spec).unwrap()).unwrap();
        let (max, mean) = difference(&image, &back);
        assert!(max < 40 && mean < 4.0, "{max} {mean}");
        if format.has_alpha() {
            for (a, b) in image.pixels().iter().zip(back.pixels()).skip(3).step_by(4) {
                assert_eq!(a, b, "alpha is exact");
            }
        }
    }
}

#[test]
fn there_is_no_grey_but_equal_channels() {
    for format in ALL {
        for lossless in [false, true] {
            let spec = EncodeSpec { lossless, space: OutputSpace::Gray, ..EncodeSpec::new(OutputFormat::Webp) };
            let bytes = encode(&gradient(16, 16, format), &Metadata::default(), &spec).unwrap();
            let (header, back, _) = read(&bytes).unwrap();
            assert_eq!(header.channels, 3 + u8::from(format.has_alpha()));
            let spread = back.pixels().chunks(usize::from(header.channels)).map(|p| p[0].abs_diff(p[2])).max();
            assert!(spread.unwrap() <= if lossless { 0 } else { 4 });
        }
    }
}

#[test]
fn metadata_is_kept_or_stripped() {
    for lossless in [false, true] {
        for format in [PixelFormat::Rgb8, PixelFormat::Rgba8] {
            let image = gradient(15, 15, format);
            let spec = EncodeSpec { lossless, ..EncodeSpec::new(OutputFormat::Webp) };
            let (header, _, metadata) = read(&encode(&image, &all_metadata(), &spec).unwrap()).unwrap();
            assert_eq!(metadata, kept_metadata());
            assert_eq!((header.exif_orientation, header.profile), (1, true));
            assert_eq!(header.alpha, format.has_alpha());
            let spec = EncodeSpec { metadata: MetadataPolicy::STRIP, ..spec };
            assert_eq!(read(&encode(&image, &all_metadata(), &spec).unwrap()).unwrap().2, Metadata::default());
        }
    }
}

#[test]
fn the_first_frame_lies_on_a_transparent_canvas() {
    let frame = write(&gradient(4, 4, PixelFormat::Rgba8), OutputFormat::Webp);
    let lossless = EncodeSpec { lossless: true, ..EncodeSpec::new(OutputFormat::Webp) };
    let picture = encode(&gradient(4, 4, PixelFormat::Rgb8), &Metadata::default(), &lossless).unwrap();
    assert_ne!(frame, picture);
    let place =
        |x: u32, y: u32| [&u24(x / 2)[..], &u24(y / 2), &u24(3), &u24(3), &u24(100), &[0], &picture[12..]].concat();
    let animation = |x, y| {
        let anim = chunk(b"ANIM", &[1, 2, 3, 255, 0, 0]);
        riff(&[extended_header(0x12, 8, 6), anim, chunk(b"ANMF", &place(x, y))].concat())
    };
    let (header, image, _) = read(&animation(2, 2)).unwrap();
    assert_eq!(header.size, Size::new(8, 6).unwrap());
    assert_eq!(image.pixel(0, 0), [0; 4]);
    // The decoder's blending rounds down by one.
    assert!(matches!(image.pixel(2, 2), [0, 0, 254..=255, 255]));
    assert!(malformed(read(&animation(6, 2))).contains("outside"));
}

#[test]
fn enormous_sizes_are_refused_from_the_header() {
    let bits = 16382_u32 | 16382 << 14;
    let lossless = riff(&chunk(b"VP8L", &[&[0x2F][..], &bits.to_le_bytes(), &[0; 8]].concat()));
    let lossy = riff(&chunk(b"VP8 ", &[0, 0, 0, 0x9D, 1, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F, 0, 0]));
    let canvas = riff(&extended_header(0x12, 1 << 24, 1 << 24));
    for bytes in [lossless, lossy, canvas] {
        assert_eq!(header(&bytes), Err(DecodeError::TooManyPixels));
    }
    malformed(header(&riff(&chunk(b"VP8 ", &[0, 0, 0, 0x9D, 1, 0x2A, 0, 0, 1, 0, 0, 0]))));
}

#[test]
fn a_canvas_that_is_not_the_picture_is_refused() {
    let picture = write(&gradient(8, 8, PixelFormat::Rgb8), OutputFormat::Webp);
    for (side, fits) in [(8, true), (9, false)] {
        let bytes = riff(&[&extended_header(0, side, 8), &picture[12..]].concat());
        assert_eq!(header(&bytes).is_ok(), fits);
    }
}

#[test]
fn truncated_files_are_refused() {
    for lossless in [false, true] {
        let spec = EncodeSpec { lossless, ..EncodeSpec::new(OutputFormat::Webp) };
        let bytes = encode(&gradient(40, 40, PixelFormat::Rgb8), &Metadata::default(), &spec).unwrap();
        assert!(malformed(read(&bytes[..bytes.len() * 2 / 3])).contains("cut off"));
    }
    assert_eq!(header(b"RIFF\x04\0\0\0WEBP"), Err(DecodeError::Unreadable));
}

#[test]
fn too_long_sides_are_refused() {
    for (width, fits) in [(16383, true), (16384, false)] {
        for lossless in [false, true] {
            let image = ImageBuf::zeroed(Size::new(width, 1).unwrap(), PixelFormat::Rgb8);
            let spec = EncodeSpec { lossless, ..EncodeSpec::new(OutputFormat::Webp) };
            let answer = encode(&image, &Metadata::default(), &spec);
            if fits {
                assert!(answer.is_ok());
            } else {
                assert_eq!(answer, Err(EncodeError::TooLarge { format: OutputFormat::Webp, limit: 16383 }));
            }
        }
    }
}

#[test]
fn wrong_lengths_never_reach_the_encoder() {
    let size = Size::new(4, 4).unwrap();
    assert!(super::lossy::encode(&[0; 47], size, false, 75).is_err());
    assert!(super::lossy::encode(&[0; 48], size, false, 75).is_ok());
}
