//! TIFF in and out (TIFF 6.0, BigTIFF): the first image of a file.
//!
//! Strips and tiles, chunky and planar; grey, RGB, palette, CMYK and (in JPEG compression) YCbCr, with or without
//! alpha; samples of 1 to 32 bits, signed, unsigned or float; PackBits, LZW, Deflate, JPEG and the fax schemes; both
//! predictors. The directory and the samples are read here rather than by the `tiff` crate, which has no palettes,
//! no Group 3 and no JPEG without a second JPEG decoder. Writing is the crate's.

mod chunk;
mod colour;
mod directory;
mod encode;
mod fax;
mod jpeg;
mod layout;
mod samples;
mod tag;

pub(super) use encode::encode;

use std::borrow::Cow;

use self::directory::Directory;
use self::layout::Layout;
use self::samples::Target;
use super::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata};
use crate::image::{ImageBuf, Outline, PlaneSink};

/// Reads the facts known before pixels.
///
/// # Errors
/// [`DecodeError::Malformed`] also for kinds of TIFF that are not read; [`DecodeError::TooManyPixels`];
/// [`DecodeError::OverLimit`] for oversized tiles.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let directory = Directory::first(bytes)?;
    let layout = Layout::read(&directory, limits)?;
    Ok(header(&directory, &layout))
}

fn header(directory: &Directory<'_>, layout: &Layout<'_>) -> Header {
    Header {
        format: Format::Tiff,
        size: layout.size,
        exif_orientation: layout.orientation,
        alpha: layout.alpha.is_some(),
        space: layout.space(),
        channels: layout.model.channels() + u8::from(layout.alpha.is_some()),
        profile: directory.bytes(tag::ICC).is_some(),
        scratch_bytes: layout.scratch_bytes(),
    }
}

/// Decodes the first image to grey or RGB, 8 bits a sample, with straight alpha where there is alpha. CMYK becomes RGB
/// without a profile. Never shrinks.
///
/// # Errors
/// See [`DecodeError`]; a strip or tile that breaks off is an error.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    _spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    let (directory, layout) = described(bytes, header, limits)?;
    let mut image = ImageBuf::zeroed(layout.size, layout.pixel_format());
    draw_all(bytes, &layout, &mut Out::Whole(&mut image), cancelled)?;
    Ok(Decoded { picture: image.into(), metadata: metadata(&directory, &layout, limits) })
}

/// What there is to hand over; `None` of tiles side by side, each of which is a part of many rows.
pub(super) fn outline(bytes: &[u8], header: &Header, limits: &Limits) -> Option<Outline> {
    let directory = Directory::first(bytes).ok()?;
    let layout = Layout::read(&directory, limits).ok()?;
    let format = layout.pixel_format();
    (layout.across == 1 && layout.size == header.size).then_some(Outline::Packed { size: layout.size, format })
}

/// As [`decode`], handing over rows as they are done.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_to(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<Metadata, DecodeError> {
    let (directory, layout) = described(bytes, header, limits)?;
    let line = vec![0; layout.size.width() as usize * layout.pixel_format().channels()];
    draw_all(bytes, &layout, &mut Out::Rows(line, sink), cancelled)?;
    Ok(metadata(&directory, &layout, limits))
}

/// Where rows go to.
enum Out<'a> {
    Whole(&'a mut ImageBuf),
    /// One row, and who takes it.
    Rows(Vec<u8>, &'a mut dyn PlaneSink),
}

/// The first directory and what it says, which is what the header says.
fn described<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
) -> Result<(Directory<'a>, Layout<'a>), DecodeError> {
    let directory = Directory::first(bytes)?;
    let layout = Layout::read(&directory, limits)?;
    if self::header(&directory, &layout) != *header {
        return Err(malformed("the pixels contradict the header"));
    }
    Ok((directory, layout))
}

fn draw_all(
    bytes: &[u8],
    layout: &Layout<'_>,
    out: &mut Out<'_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), DecodeError> {
    for down in 0..layout.down {
        for across in 0..layout.across {
            if cancelled() {
                return Err(DecodeError::Cancelled);
            }
            draw(bytes, layout, across, down, out)?;
        }
    }
    Ok(())
}

/// Decodes the chunks of every plane at one position and draws them.
fn draw(bytes: &[u8], layout: &Layout<'_>, across: u32, down: u32, out: &mut Out<'_>) -> Result<(), DecodeError> {
    let rows = layout.rows(down);
    let used = layout.model.samples() + usize::from(layout.alpha.is_some());
    let planes = if layout.planar { used } else { 1 };
    let take = if layout.planar { 1 } else { used };
    let at = down as usize * layout.across as usize + across as usize;
    let per_plane = layout.across as usize * layout.down as usize;
    let chunks = (0..planes)
        .map(|plane| chunk::read(bytes, layout, at + plane * per_plane, rows))
        .collect::<Result<Vec<Cow<'_, [u8]>>, _>>()?;

    let (left, top) = (across * layout.chunk.width(), down * layout.chunk.height());
    let width = layout.chunk.width().min(layout.size.width() - left) as usize;
    let visible = rows.min(layout.size.height() - top);
    let channels = layout.pixel_format().channels();
    let mut samples = vec![0; width * used];
    let mut scratch = Vec::new();
    for y in 0..visible {
        for (plane, chunk) in chunks.iter().enumerate() {
            let row = &chunk[y as usize * layout.row_bytes()..][..layout.row_bytes()];
            let target = Target { take, step: used, at: plane };
            if layout.predictor == 1 || layout.compression == tag::JPEG {
                samples::unpack(row, layout, target, &mut samples);
            } else {
                scratch.clear();
                scratch.extend_from_slice(row);
                samples::undo_predictor(&mut scratch, layout)?;
                samples::unpack(&scratch, layout, target, &mut samples);
            }
        }
        let row = match out {
            Out::Whole(image) => image.row_mut(top + y),
            Out::Rows(line, _) => line,
        };
        layout.model.convert(layout.alpha, &samples, &mut row[left as usize * channels..][..width * channels]);
        if let Out::Rows(line, sink) = out {
            sink.rows(0, top + y, line);
        }
    }
    Ok(())
}

/// The profile (unless it is for inks, which are gone by now) and the XMP packet.
fn metadata(directory: &Directory<'_>, layout: &Layout<'_>, limits: &Limits) -> Metadata {
    let kept = |tag: u16, limit: usize| directory.bytes(tag).filter(|b| b.len() <= limit).map(<[u8]>::to_vec);
    let icc = if matches!(layout.model, colour::Model::Cmyk) { None } else { kept(tag::ICC, limits.icc_bytes) };
    Metadata { exif: None, icc, xmp: kept(tag::XMP, limits.metadata_bytes) }
}

fn malformed(reason: impl Into<String>) -> DecodeError {
    DecodeError::malformed(Format::Tiff, reason.into())
}

fn over_limit(what: &'static str, limit: u64) -> DecodeError {
    DecodeError::OverLimit { format: Format::Tiff, what, limit }
}

#[cfg(test)]
mod tests;
