//! Reading and writing of whole files.

use super::*;
use crate::codecs::{EncodeSpec, MetadataPolicy, OutputFormat, OutputSpace, Space};
use crate::image::{Picture, PixelFormat, Size};

/// A TIFF of one image in uncompressed or given chunks.
struct Sample {
    big_endian: bool,
    /// Tag, kind (3 SHORT, 4 LONG, 7 UNDEFINED), values.
    tags: Vec<(u16, u16, Vec<u32>)>,
    chunks: Vec<Vec<u8>>,
    tiled: bool,
}

impl Sample {
    fn new(width: u32, height: u32, photometric: u32, bits: &[u32]) -> Self {
        let tags = vec![
            (tag::WIDTH, 4, vec![width]),
            (tag::HEIGHT, 4, vec![height]),
            (tag::BITS, 3, bits.to_vec()),
            (tag::PHOTOMETRIC, 3, vec![photometric]),
            (tag::SAMPLES, 3, vec![bits.len() as u32]),
        ];
        Self { big_endian: false, tags, chunks: Vec::new(), tiled: false }
    }

    fn with(mut self, tag: u16, kind: u16, values: &[u32]) -> Self {
        self.tags.push((tag, kind, values.to_vec()));
        self
    }

    fn chunk(mut self, bytes: &[u8]) -> Self {
        self.chunks.push(bytes.to_vec());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let short = |v: u32| if self.big_endian { (v as u16).to_be_bytes() } else { (v as u16).to_le_bytes() };
        let long = |v: u32| if self.big_endian { v.to_be_bytes() } else { v.to_le_bytes() };
        let mut out = if self.big_endian { b"MM\0\x2A".to_vec() } else { b"II\x2A\0".to_vec() };
        out.extend([0; 4]);
        let (mut offsets, mut counts) = (Vec::new(), Vec::new());
        for chunk in &self.chunks {
            offsets.push(out.len() as u32);
            counts.push(chunk.len() as u32);
            out.extend_from_slice(chunk);
        }
        let mut tags = self.tags.clone();
        let (o, c) =
            if self.tiled { (tag::TILE_OFFSETS, tag::TILE_COUNTS) } else { (tag::STRIP_OFFSETS, tag::STRIP_COUNTS) };
        tags.extend([(o, 4, offsets), (c, 4, counts)]);
        tags.sort();
        let mut directory = short(tags.len() as u32).to_vec();
        for (tag, kind, values) in &tags {
            let mut raw: Vec<u8> = Vec::new();
            for &value in values {
                match kind {
                    3 => raw.extend(short(value)),
                    4 => raw.extend(long(value)),
                    _ => raw.push(value as u8),
                }
            }
            directory.extend(short((*tag).into()));
            directory.extend(short((*kind).into()));
            directory.extend(long(values.len() as u32));
            if raw.len() <= 4 {
                raw.resize(4, 0);
                directory.extend(raw);
            } else {
                directory.extend(long(out.len() as u32));
                out.extend(raw);
            }
        }
        directory.extend([0; 4]);
        let start = long(out.len() as u32);
        out[4..8].copy_from_slice(&start);
        out.extend(directory);
        out
    }
}

fn read(bytes: &[u8]) -> Result<(Header, ImageBuf, Metadata), DecodeError> {
    let limits = Limits::default();
    let header = probe(bytes, &limits)?;
    let decoded = decode(bytes, &header, &DecodeSpec::default(), &limits, &|| false)?;
    let Picture::Packed(image) = decoded.picture else { panic!("TIFF decodes to packed samples") };
    assert_eq!(image.size(), header.size);
    assert_eq!(image.format().has_alpha(), header.alpha);
    assert_eq!(image.format().is_gray(), header.is_gray());
    Ok((header, image, decoded.metadata))
}

fn pixels(sample: &Sample) -> Vec<u8> {
    read(&sample.bytes()).unwrap().1.into_pixels()
}

#[test]
fn bilevel_rows_end_on_bytes_and_white_may_be_zero() {
    let bits = [0b1010_0000, 0b0100_0000];
    assert_eq!(pixels(&Sample::new(3, 2, 1, &[1]).chunk(&bits)), [255, 0, 255, 0, 255, 0]);
    assert_eq!(pixels(&Sample::new(3, 2, 0, &[1]).chunk(&bits)), [0, 255, 0, 255, 0, 255]);
}

#[test]
fn both_byte_orders_read_the_same_sixteen_bits() {
    let mut sample = Sample::new(2, 1, 1, &[16]).chunk(&[0x01, 0x80, 0xFF, 0x00]);
    let (header, image, _) = read(&sample.bytes()).unwrap();
    assert_eq!((header.space, header.channels), (Space::Gray16, 1));
    // 0x8001 and 0x00FF.
    assert_eq!(image.pixels(), [128, 1]);
    sample.big_endian = true;
    sample.chunks[0] = vec![0x80, 0x01, 0x00, 0xFF];
    assert_eq!(pixels(&sample), [128, 1]);
}

#[test]
fn planes_and_pixels_give_the_same_picture() {
    let chunky = Sample::new(2, 1, 2, &[8; 3]).chunk(&[1, 2, 3, 4, 5, 6]);
    let planar = Sample::new(2, 1, 2, &[8; 3]).with(tag::PLANAR, 3, &[2]).chunk(&[1, 4]).chunk(&[2, 5]).chunk(&[3, 6]);
    assert_eq!(pixels(&chunky), pixels(&planar));
}

#[test]
fn strips_and_tiles_land_where_they_belong() {
    let strips = Sample::new(2, 3, 1, &[8]).with(tag::ROWS_PER_STRIP, 4, &[2]).chunk(&[1, 2, 3, 4]).chunk(&[5, 6]);
    assert_eq!(pixels(&strips), [1, 2, 3, 4, 5, 6]);
    let mut tiles = Sample::new(3, 3, 1, &[8])
        .with(tag::TILE_WIDTH, 3, &[2])
        .with(tag::TILE_HEIGHT, 3, &[2])
        .chunk(&[1, 2, 4, 5])
        .chunk(&[3, 0, 6, 0])
        .chunk(&[7, 8, 0, 0])
        .chunk(&[9, 0, 0, 0]);
    tiles.tiled = true;
    assert_eq!(pixels(&tiles), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn a_palette_is_looked_up_and_is_grey_when_all_its_colours_are() {
    let sample = |blue: u32| {
        Sample::new(2, 1, 3, &[1]).with(tag::COLOUR_MAP, 3, &[0, 65535, 0, 65535, 0, blue]).chunk(&[0b0100_0000])
    };
    assert_eq!(pixels(&sample(0)), [0, 0, 0, 255, 255, 0]);
    assert_eq!(pixels(&sample(65535)), [0, 255]);
}

#[test]
fn orientation_and_profile_are_told() {
    let sample = Sample::new(1, 1, 1, &[8])
        .with(tag::ORIENTATION, 3, &[6])
        .with(tag::ICC, 7, &[1, 2, 3, 4, 5, 6, 7])
        .chunk(&[9]);
    let (header, _, metadata) = read(&sample.bytes()).unwrap();
    assert_eq!((header.exif_orientation, header.profile), (6, true));
    assert_eq!(metadata.icc.unwrap(), [1, 2, 3, 4, 5, 6, 7]);
    let odd = Sample::new(1, 1, 1, &[8]).with(tag::ORIENTATION, 3, &[9]).chunk(&[9]);
    assert_eq!(read(&odd.bytes()).unwrap().0.exif_orientation, 0);
}

#[test]
fn limits_hold_before_anything_is_allocated() {
    let refused = |w, h| probe(&Sample::new(w, h, 1, &[8]).chunk(&[0]).bytes(), &Limits::default()).unwrap_err();
    assert_eq!(refused(u32::MAX, u32::MAX), DecodeError::TooManyPixels);
    assert_eq!(refused(65_500, 65_500), DecodeError::TooManyPixels);
    assert_eq!(refused(70_000, 1), DecodeError::TooManyPixels);
    assert!(matches!(refused(0, 1), DecodeError::Malformed { .. }));
    let mut tile =
        Sample::new(1, 1, 1, &[8]).with(tag::TILE_WIDTH, 4, &[60_000]).with(tag::TILE_HEIGHT, 4, &[60_000]).chunk(&[0]);
    tile.tiled = true;
    assert_eq!(probe(&tile.bytes(), &Limits::default()).unwrap_err(), DecodeError::TooManyPixels);
}

#[test]
fn a_strip_that_breaks_off_is_an_error() {
    let sample = Sample::new(4, 4, 1, &[8]).chunk(&[0; 15]);
    // The directory lies behind the strip, so only the count is short.
    assert_eq!(read(&sample.bytes()).unwrap_err(), malformed("a strip or tile breaks off"));
}

#[test]
fn no_prefix_and_no_changed_byte_panics() {
    let sample = Sample::new(3, 3, 2, &[8; 4])
        .with(tag::COMPRESSION, 3, &[32773])
        .with(tag::PREDICTOR, 3, &[2])
        .with(tag::EXTRA, 3, &[1])
        .chunk(&[0xDD, 7, 0xFF, 9]);
    let bytes = sample.bytes();
    read(&bytes).unwrap();
    for at in 0..bytes.len() {
        let _ = read(&bytes[..at]);
        for value in [0, 1, 2, 3, 5, 7, 8, 16, 32, 64, 127, 255] {
            let mut changed = bytes.clone();
            changed[at] = value;
            let _ = read(&changed);
        }
    }
}

/// A picture with some of everything.
fn picture(format: PixelFormat, width: u32, height: u32) -> ImageBuf {
    let size = Size::new(width, height).unwrap();
    let length = ImageBuf::byte_len(size, format) as usize;
    ImageBuf::new(size, format, (0..length).map(|i| (i * i / 97 + i) as u8).collect()).unwrap()
}

fn written(image: &ImageBuf, metadata: &Metadata, space: OutputSpace, policy: MetadataPolicy) -> Vec<u8> {
    encode(image, metadata, &EncodeSpec { space, metadata: policy, ..EncodeSpec::new(OutputFormat::Tiff) }).unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    for format in [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let image = picture(format, 301, 700);
        let space = if format.is_gray() { OutputSpace::Gray } else { OutputSpace::Srgb };
        let bytes = written(&image, &Metadata::default(), space, MetadataPolicy::KEEP);
        let (header, back, _) = read(&bytes).unwrap();
        assert_eq!(back, image);
        assert_eq!(header.channels as usize, format.channels());
    }
}

#[test]
fn another_reader_sees_the_same() {
    let image = picture(PixelFormat::Rgba8, 301, 700);
    let bytes = written(&image, &Metadata::default(), OutputSpace::Srgb, MetadataPolicy::KEEP);
    let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(decoder.colortype().unwrap(), tiff::ColorType::RGBA(8));
    let tiff::decoder::DecodingResult::U8(samples) = decoder.read_image().unwrap() else { panic!("8 bits") };
    assert_eq!(samples, image.pixels());
}

#[test]
fn grey_is_written_as_three_equal_channels_unless_asked() {
    let gray = picture(PixelFormat::GrayAlpha8, 5, 4);
    let (header, back, _) =
        read(&written(&gray, &Metadata::default(), OutputSpace::Srgb, MetadataPolicy::KEEP)).unwrap();
    assert_eq!((header.space, header.channels), (Space::Srgb, 4));
    let p = gray.pixel(3, 2);
    assert_eq!(back.pixel(3, 2), [p[0], p[0], p[0], p[1]]);
    let rgb = ImageBuf::new(Size::new(1, 1).unwrap(), PixelFormat::Rgb8, vec![255, 0, 0]).unwrap();
    let (_, back, _) = read(&written(&rgb, &Metadata::default(), OutputSpace::Gray, MetadataPolicy::KEEP)).unwrap();
    assert_eq!(back.pixels(), [Rgb8 { r: 255, g: 0, b: 0 }.luma()]);
}

#[test]
fn alpha_is_written_when_the_specification_asks_for_it() {
    let image = picture(PixelFormat::Rgb8, 5, 4);
    let spec = EncodeSpec { alpha: true, ..EncodeSpec::new(OutputFormat::Tiff) };
    let (header, back, _) = read(&encode(&image, &Metadata::default(), &spec).unwrap()).unwrap();
    assert_eq!((header.channels, header.alpha), (4, true));
    let p = image.pixel(3, 2);
    assert_eq!(back.pixel(3, 2), [p[0], p[1], p[2], 255]);
}

#[test]
fn a_profile_is_kept_if_wanted_and_fitting() {
    let image = picture(PixelFormat::Rgb8, 3, 3);
    let mut icc = vec![0; 40];
    icc[16..20].copy_from_slice(b"RGB ");
    let metadata = Metadata { icc: Some(icc.clone()), xmp: Some(b"<x/>".to_vec()), exif: None };
    let kept = |space, policy| read(&written(&image, &metadata, space, policy)).unwrap().2;
    assert_eq!(kept(OutputSpace::Srgb, MetadataPolicy::KEEP), metadata);
    assert_eq!(kept(OutputSpace::Gray, MetadataPolicy::KEEP).icc, None);
    assert_eq!(kept(OutputSpace::Srgb, MetadataPolicy::STRIP), Metadata::default());
}

use crate::image::Rgb8;
