mod forms;

use base64::Engine;

use super::markers::Markers;
use crate::codecs::tests::pictures::{all_metadata, difference, gradient, header, kept_metadata, read, write};
use crate::codecs::{
    DecodeError, DecodeSpec, EncodeError, EncodeSpec, Format, Limits, Metadata, MetadataPolicy, OutputFormat,
    OutputSpace, Space, decode, encode,
};
use crate::image::{ImageBuf, PixelFormat, Size};

/// Where the body of the first segment with this marker starts.
fn segment(bytes: &[u8], marker: u8) -> usize {
    bytes.windows(2).position(|pair| pair == [0xFF, marker]).unwrap() + 4
}

fn malformed(answer: Result<impl std::fmt::Debug, DecodeError>) -> String {
    match answer {
        Err(DecodeError::Malformed { format: Format::Jpeg, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pictures_come_back() {
    for (quality, largest) in [(95, 6), (75, 16)] {
        for interlace in [false, true] {
            let image = gradient(61, 43, PixelFormat::Rgb8);
            let spec = EncodeSpec { quality, interlace, ..EncodeSpec::new(OutputFormat::Jpeg) };
            let bytes = encode(&image, &Metadata::default(), &spec).unwrap();
            let (header, back, _) = read(&bytes).unwrap();
            assert_eq!((header.channels, header.space, header.alpha), (3, Space::Srgb, false));
            // Only where a block is met in several scans are the coefficients held.
            let samples = if quality < 90 { 64 * 48 + 2 * 32 * 24 } else { 3 * 64 * 48 };
            let coefficients = if interlace { 2 * samples } else { 0 };
            assert!((coefficients..coefficients + 40_000).contains(&header.scratch_bytes), "{}", header.scratch_bytes);
            let (max, mean) = difference(&image, &back);
            assert!(max <= largest && mean < 2.0, "quality {quality}: {max} {mean}");
        }
    }
}

#[test]
fn chroma_is_halved_below_quality_90_only() {
    let image = gradient(32, 32, PixelFormat::Rgb8);
    for (quality, sampling) in [(89, 0x22), (90, 0x11)] {
        let spec = EncodeSpec { quality, ..EncodeSpec::new(OutputFormat::Jpeg) };
        let bytes = encode(&image, &Metadata::default(), &spec).unwrap();
        assert_eq!(bytes[segment(&bytes, 0xC0) + 7], sampling);
    }
}

#[test]
fn output_space_decides_the_channels() {
    for format in [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let image = gradient(20, 10, format);
        for (space, channels) in [(OutputSpace::Srgb, 3), (OutputSpace::Gray, 1)] {
            let spec = EncodeSpec { space, ..EncodeSpec::new(OutputFormat::Jpeg) };
            let (header, _, _) = read(&encode(&image, &Metadata::default(), &spec).unwrap()).unwrap();
            assert_eq!(header.channels, channels);
        }
    }
}

#[test]
fn metadata_is_kept_or_stripped() {
    let image = gradient(16, 16, PixelFormat::Rgb8);
    let spec = EncodeSpec::new(OutputFormat::Jpeg);
    let (header, _, metadata) = read(&encode(&image, &all_metadata(), &spec).unwrap()).unwrap();
    assert_eq!(metadata, kept_metadata());
    assert_eq!((header.exif_orientation, header.profile), (1, true));
    let spec = EncodeSpec { metadata: MetadataPolicy::STRIP, ..spec };
    let (header, _, metadata) = read(&encode(&image, &all_metadata(), &spec).unwrap()).unwrap();
    assert_eq!(metadata, Metadata::default());
    assert_eq!((header.exif_orientation, header.profile), (0, false));
}

#[test]
fn profiles_of_many_parts_are_joined_and_incomplete_ones_dropped() {
    let image = gradient(8, 8, PixelFormat::Rgb8);
    let mut icc: Vec<u8> = (0..150_000_u32).map(|i| i as u8).collect();
    icc[16..20].copy_from_slice(b"RGB ");
    let metadata = Metadata { icc: Some(icc), ..Metadata::default() };
    let bytes = encode(&image, &metadata, &EncodeSpec::new(OutputFormat::Jpeg)).unwrap();
    assert_eq!(read(&bytes).unwrap().2, metadata);
    // Rename the second part.
    let mut broken = bytes;
    let part = broken.windows(14).position(|w| w.starts_with(b"ICC_PROFILE\0") && w[12] == 2).unwrap();
    for number in [0, 1, 9] {
        broken[part + 12] = number;
        let (header, _, metadata) = read(&broken).unwrap();
        assert!(!header.profile && metadata.icc.is_none(), "part {number}");
    }
}

#[test]
fn exif_too_long_for_a_segment_is_left_out() {
    let mut exif = crate::codecs::exif::tests::sample(true, 6, b"");
    exif.resize(70_000, 1);
    let metadata = Metadata { exif: Some(exif), ..Metadata::default() };
    let bytes = encode(&gradient(8, 8, PixelFormat::Rgb8), &metadata, &EncodeSpec::new(OutputFormat::Jpeg)).unwrap();
    assert_eq!(read(&bytes).unwrap().2, Metadata::default());
}

#[test]
fn orientation_is_probed() {
    let image = gradient(30, 20, PixelFormat::Rgb8);
    let mut bytes = encode(&image, &all_metadata(), &EncodeSpec::new(OutputFormat::Jpeg)).unwrap();
    let tag = bytes.windows(4).position(|w| w == [0x12, 0x01, 3, 0]).unwrap();
    bytes[tag + 8] = 6;
    let header = header(&bytes).unwrap();
    assert_eq!((header.exif_orientation, header.size), (6, Size::new(30, 20).unwrap()));
}

#[test]
fn truncated_data_leaves_the_rest_grey() {
    // Noise, so that the data ends where it is cut.
    let mut random = 1_u32;
    let mut image = gradient(160, 160, PixelFormat::Gray8);
    for sample in image.pixels_mut() {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (random >> 25) as u8;
    }
    let spec = EncodeSpec { space: OutputSpace::Gray, quality: 95, ..EncodeSpec::new(OutputFormat::Jpeg) };
    let bytes = encode(&image, &Metadata::default(), &spec).unwrap();
    let scan = segment(&bytes, 0xDA);
    let (header, back, _) = read(&bytes[..scan + (bytes.len() - scan) / 2]).unwrap();
    assert!(header.scratch_bytes < 2 * header.size.area(), "one scan needs no coefficients");
    let near = |y| image.row(y).iter().zip(back.row(y)).all(|(a, b)| a.abs_diff(*b) < 30);
    assert!((0..64).all(near), "the beginning is there");
    assert_eq!(back.row(159), [128; 160]);
    assert_eq!(malformed(read(&bytes[..segment(&bytes, 0xC0) + 40])), "there is no picture behind the header");
}

#[test]
fn a_bare_magic_is_unreadable() {
    for bytes in [&b"\xFF\xD8\xFF"[..], b"\xFF\xD8\xFF\xE0garbage", b"\xFF\xD8\xFF\xD9"] {
        assert_eq!(header(bytes), Err(DecodeError::Unreadable));
    }
}

#[test]
fn enormous_and_empty_sizes_are_refused_from_the_header() {
    let bytes = write(&gradient(8, 8, PixelFormat::Rgb8), OutputFormat::Jpeg);
    let frame = segment(&bytes, 0xC0);
    let sized = |width: u16, height: u16| {
        let mut bytes = bytes.clone();
        bytes[frame + 1..frame + 3].copy_from_slice(&height.to_be_bytes());
        bytes[frame + 3..frame + 5].copy_from_slice(&width.to_be_bytes());
        header(&bytes)
    };
    assert_eq!(sized(65535, 65535), Err(DecodeError::TooManyPixels));
    assert_eq!(sized(4500, 4001), Err(DecodeError::TooManyPixels));
    assert!(sized(4500, 4000).is_ok(), "18 million pixels are allowed");
    malformed(sized(0, 8));
    malformed(sized(8, 0));
}

#[test]
fn unsupported_processes_are_named() {
    let bytes = write(&gradient(8, 8, PixelFormat::Rgb8), OutputFormat::Jpeg);
    let frame = segment(&bytes, 0xC0);
    let with = |at: usize, value: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = value;
        malformed(header(&bytes))
    };
    assert!(with(frame - 3, 0xC3).contains("lossless"));
    assert!(with(frame - 3, 0xC9).contains("arithmetic"));
    assert!(with(frame - 3, 0xCA).contains("arithmetic"));
    assert!(with(frame, 12).contains("12 bits"));
    assert!(with(frame + 7, 0x51).contains("sampling"));
}

#[test]
fn an_unknown_adobe_transform_is_a_transform() {
    let with = |transform: u8| {
        let mut bytes = include_bytes!("../../../tests/fixtures/cmyk.jpg").to_vec();
        let at = bytes.windows(5).position(|five| five == b"Adobe").unwrap();
        bytes[at + 11] = transform;
        read(&bytes).unwrap().1
    };
    assert_eq!(with(199), with(2));
    assert_ne!(with(2), with(0));
}

#[test]
fn rows_of_wide_pictures_are_charged() {
    // Decoding this held 10.9 MB.
    let bytes = include_bytes!("../../../fuzz/regressions/decode_jpeg/one-row-of-63488-pixels.jpg");
    let header = header(bytes).unwrap();
    assert_eq!(header.size.height(), 1);
    let charged = header.scratch_bytes + header.size.area() * 3;
    assert!((11_000_000..24_000_000).contains(&charged), "{charged}");
}

#[test]
fn scans_are_counted() {
    let image = gradient(16, 16, PixelFormat::Rgb8);
    let spec = EncodeSpec { interlace: true, ..EncodeSpec::new(OutputFormat::Jpeg) };
    let bytes = encode(&image, &Metadata::default(), &spec).unwrap();
    let scans = bytes.windows(2).filter(|pair| *pair == [0xFF, 0xDA]).count() as u32;
    let markers = Markers::read(&bytes).unwrap();
    for (allowed, fits) in [(scans, true), (scans - 1, false)] {
        let limits = Limits { jpeg_scans: allowed, ..Limits::default() };
        assert_eq!(markers.check_scans(&bytes, &limits).is_ok(), fits);
        let answer = decode(&bytes, &header(&bytes).unwrap(), &DecodeSpec::default(), &limits, &|| false);
        assert_eq!(matches!(answer, Err(DecodeError::OverLimit { .. })), !fits);
    }
}

/// Each costs a step for every block, however little data it has.
#[test]
fn thousands_of_scans_are_refused_before_one_is_read() {
    let spec = EncodeSpec { interlace: true, ..EncodeSpec::new(OutputFormat::Jpeg) };
    let bytes = encode(&gradient(16, 16, PixelFormat::Rgb8), &Metadata::default(), &spec).unwrap();
    let last = bytes.windows(2).rposition(|pair| pair == [0xFF, 0xDA]).unwrap();
    let (before, scan) = (&bytes[..last], &bytes[last..bytes.len() - 2]);
    let asked = std::cell::Cell::new(0);
    let of = |scans: usize| {
        let bytes = [before, &scan.repeat(scans), &[0xFF, 0xD9]].concat();
        asked.set(0);
        decode(&bytes, &header(&bytes).unwrap(), &DecodeSpec::default(), &Limits::default(), &|| {
            asked.set(asked.get() + 1);
            false
        })
    };
    assert!(matches!(of(5000), Err(DecodeError::OverLimit { what: "the number of scans", limit: 100, .. })));
    assert_eq!(asked.get(), 0);
    assert!(of(50).is_ok());
    assert!(asked.get() >= 50, "{}", asked.get());
}

#[test]
fn progressive_scans_with_impossible_bands_are_refused() {
    let spec = EncodeSpec { interlace: true, ..EncodeSpec::new(OutputFormat::Jpeg) };
    let mut bytes = encode(&gradient(16, 16, PixelFormat::Rgb8), &Metadata::default(), &spec).unwrap();
    let scan = segment(&bytes, 0xDA);
    // Behind the component count and two bytes for each: start of the band, end of the band.
    let end = scan + 2 + 2 * usize::from(bytes[scan]);
    bytes[end] = 63;
    assert!(malformed(read(&bytes)).contains("progressive"));
}

#[test]
fn too_long_sides_are_refused() {
    let image = ImageBuf::zeroed(Size::new(65536, 1).unwrap(), PixelFormat::Gray8);
    let answer = encode(&image, &Metadata::default(), &EncodeSpec::new(OutputFormat::Jpeg));
    assert_eq!(answer, Err(EncodeError::TooLarge { format: OutputFormat::Jpeg, limit: 65535 }));
}

#[test]
fn a_file_that_once_made_a_decoder_panic_is_answered() {
    // Found by fuzzing zune-jpeg 0.5.15.
    let text = concat!(
        "/9j/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/2wBD",
        "AQMDAwQDBAgEBAgQEAkQCwsQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEAAAAAAQEBAQEBD/wAARCAAfACED",
        "AREAAiQBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMEH+",
        "/w4AAAD/ChbAGnRNsOad0MHh/9oACAEBAAAAAD/1l5eXl5eXl5eXl5eXAAAAAD8KLvWPAMwAAQMCBgMBAQAAAAAAAAAAIQERMEFR",
        "AGFxkbHwgaHQweH/2gAIAQEAAAAAP/UAAAAAAAABQwAAAAA/Ci71jwDMAAEDAgYDAQEAAAAAAAAAACEBETBBUQBhcZGx8IGh0MHh",
        "/9oACAEBAAAAAD8=",
    );
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    assert_eq!(bytes.len(), 386);
    assert_eq!(crate::codecs::sniff(&bytes), Some(Format::Jpeg));
    let _ = read(&bytes);
}

/// Luma and, where it is not subsampled, chroma as the other decoder has them.
fn by_zune(bytes: &[u8], gray: bool) -> Vec<u8> {
    use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
    let colour = if gray { ColorSpace::Luma } else { ColorSpace::YCbCr };
    let options = DecoderOptions::default().set_max_width(65535).set_max_height(65535).jpeg_set_out_colorspace(colour);
    zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().unwrap()
}

#[test]
fn planes_are_those_of_another_decoder() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let corpus = std::env::var_os("PHASOR_CORPUS").map(|path| std::path::PathBuf::from(path).join("photos"));
    let files = [Some(fixtures), corpus].into_iter().flatten().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut compared = 0;
    for path in files.map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "jpg" && extension != "jpeg") {
            continue;
        }
        // Where data are missing, they go on differently.
        if path.ends_with("truncated.jpg") || path.ends_with("lost-interval.jpg") {
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        let Ok(planes) = super::coefficients::decode_planes(&bytes, 100, &|| false) else { continue };
        let gray = planes.chroma.is_none();
        let other = by_zune(&bytes, gray);
        let channels = if gray { 1 } else { 3 };
        let mut all = vec![&planes.luma];
        all.extend(planes.chroma.iter().flatten());
        for (channel, plane) in all.into_iter().enumerate().filter(|(_, plane)| plane.size == planes.size) {
            let theirs = other.iter().skip(channel).step_by(channels);
            let apart: Vec<u8> = plane.samples.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).collect();
            let far = apart.iter().filter(|&&d| d > 1).count();
            // Theirs is in whole numbers of 12 bits.
            assert!(apart.iter().all(|&d| d <= 2) && far * 1000 <= apart.len(), "{}: {far}", path.display());
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn damaged_planes_are_refused_or_read_but_never_panic() {
    let mut random = 7_u32;
    let of = |interlace, quality| {
        let spec = EncodeSpec { quality, interlace, ..EncodeSpec::new(OutputFormat::Jpeg) };
        encode(&gradient(61, 43, PixelFormat::Rgb8), &Metadata::default(), &spec).unwrap()
    };
    let mut read = 0;
    for original in [of(false, 80), of(false, 100), of(true, 80)] {
        for round in 0..2000 {
            let mut bytes = original.clone();
            for _ in 0..=round % 6 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (random >> 8) as usize % bytes.len();
                bytes[at] = random as u8;
            }
            // A damaged size may ask for much memory: the header check does that before, in real use.
            if Markers::read(&bytes).is_ok_and(|m| u32::from(m.frame.width) * u32::from(m.frame.height) < 1 << 16)
                && let Ok(planes) = super::coefficients::decode_planes(&bytes, 100, &|| false)
            {
                assert_eq!(planes.luma.samples.len() as u64, planes.luma.size.area());
                read += 1;
            }
        }
    }
    assert!(read > 100, "{read}");
}
