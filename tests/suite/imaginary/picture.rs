//! What is looked at in a picture that came back, read with the plain decoders and not with ours.

use std::io::Cursor;

use tiff::tags::Tag;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

#[derive(Debug)]
pub(super) struct Seen {
    pub(super) size: [u64; 2],
    pub(super) alpha: Option<bool>,
    pub(super) icc: bool,
    pub(super) exif: bool,
    /// 1 stands for "no tag" too.
    pub(super) orientation: u64,
    /// Mean R, G, B, A of the quadrants (top left, top right, bottom left, bottom right), premultiplied, 0–255.
    pub(super) quads: Option<[[f64; 4]; 4]>,
}

/// Straight RGBA, and whether the file has an alpha channel.
struct Rgba {
    width: usize,
    height: usize,
    alpha: bool,
    pixels: Vec<u8>,
}

impl Seen {
    /// Reads the kinds that the server writes.
    pub(super) fn read(bytes: &[u8], kind: &str) -> Result<Self, String> {
        let marks: [&[u8]; 2] = match kind {
            "image/jpeg" => [b"ICC_PROFILE\0", b"Exif\0\0"],
            "image/png" => [b"iCCP", b"eXIf"],
            "image/webp" => [b"ICCP", b"EXIF"],
            _ => return tiff(bytes),
        };
        let find = |mark: &[u8]| bytes.windows(mark.len()).position(|part| part == mark);
        let picture = match kind {
            "image/jpeg" => jpeg(bytes)?,
            "image/png" => png(bytes)?,
            _ => webp(bytes)?,
        };
        Ok(Self {
            size: [picture.width as u64, picture.height as u64],
            alpha: Some(picture.alpha),
            icc: find(marks[0]).is_some(),
            exif: find(marks[1]).is_some(),
            orientation: find(marks[1]).and_then(|at| orientation(&bytes[at..])).unwrap_or(1),
            quads: Some(quads(&picture)),
        })
    }
}

fn jpeg(bytes: &[u8]) -> Result<Rgba, String> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGBA);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(Cursor::new(bytes), options);
    let pixels = decoder.decode().map_err(|error| format!("{error:?}"))?;
    let (width, height) = decoder.dimensions().ok_or("no size")?;
    Ok(Rgba { width, height, alpha: false, pixels })
}

fn png(bytes: &[u8]) -> Result<Rgba, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let mut data = vec![0; reader.output_buffer_size().ok_or("too large")?];
    let info = reader.next_frame(&mut data).map_err(|error| error.to_string())?;
    data.truncate(info.buffer_size());
    let samples = info.color_type.samples();
    let pixels = data.chunks_exact(samples).flat_map(|pixel| match *pixel {
        [grey] => [grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    });
    let (width, height) = (info.width as usize, info.height as usize);
    Ok(Rgba { width, height, alpha: samples % 2 == 0, pixels: pixels.collect() })
}

fn webp(bytes: &[u8]) -> Result<Rgba, String> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions();
    let mut data = vec![0; decoder.output_buffer_size().ok_or("too large")?];
    decoder.read_image(&mut data).map_err(|error| error.to_string())?;
    let alpha = decoder.has_alpha();
    let pixels =
        if alpha { data } else { data.chunks_exact(3).flat_map(|rgb| [rgb[0], rgb[1], rgb[2], 255]).collect() };
    Ok(Rgba { width: width as usize, height: height as usize, alpha, pixels })
}

/// Size and tags only: strips are the business of the decoder's own tests.
fn tiff(bytes: &[u8]) -> Result<Seen, String> {
    let mut decoder = tiff::decoder::Decoder::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().map_err(|error| error.to_string())?;
    let mut has = |tag| decoder.find_tag(tag).is_ok_and(|value| value.is_some());
    let (icc, exif) = (has(Tag::IccProfile), has(Tag::ExifDirectory));
    Ok(Seen { size: [width.into(), height.into()], alpha: None, icc, exif, orientation: 1, quads: None })
}

/// The orientation tag of the first directory behind `marked`.
fn orientation(marked: &[u8]) -> Option<u64> {
    let start = marked.windows(4).position(|four| four == b"II*\0" || four == b"MM\0*")?;
    let tiff = &marked[start..];
    let little = tiff[0] == b'I';
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = tiff.get(at..at + length)?;
        let fold = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if little { bytes.iter().rev().fold(0, fold) } else { bytes.iter().fold(0, fold) })
    };
    let directory = usize::try_from(number(4, 4)?).ok()?;
    let entries = usize::try_from(number(directory, 2)?).ok()?;
    (0..entries)
        .map(|index| directory + 2 + 12 * index)
        .find(|&at| number(at, 2) == Some(0x0112))
        .and_then(|at| number(at + 8, 2))
}

fn quads(picture: &Rgba) -> [[f64; 4]; 4] {
    let (width, height) = (picture.width, picture.height);
    let (across, down) = ((width / 2).max(1), (height / 2).max(1));
    [(0, 0), (width - across, 0), (0, height - down), (width - across, height - down)].map(|(left, top)| {
        let mut sums = [0.0; 4];
        for y in top..top + down {
            for x in left..left + across {
                let at = (y * width + x) * 4;
                let pixel = &picture.pixels[at..at + 4];
                let alpha = f64::from(pixel[3]);
                for channel in 0..3 {
                    sums[channel] += f64::from(pixel[channel]) * alpha / 255.0;
                }
                sums[3] += alpha;
            }
        }
        sums.map(|sum| sum / (across * down) as f64)
    })
}
