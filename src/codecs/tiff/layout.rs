//! What the tags say about the samples, checked: everything that the reader needs before it touches pixels.

use super::directory::Directory;
use super::{colour::Model, malformed, tag};
use crate::codecs::{DecodeError, Limits, Space};
use crate::image::{PixelFormat, Size};

/// How numbers stand in a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SampleFormat {
    /// 0 to 2^bits - 1; what claims to be signed is read so too, as by most readers.
    Integer,
    /// IEEE 754, 0 to 1.
    Float,
}

/// What the sample after the colour means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// Colour is independent of it. Samples of unknown meaning count as this, as in the reference.
    Straight,
    /// Colour is multiplied by it.
    Associated,
}

/// A checked description of the first image.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    /// Size as stored.
    pub(super) size: Size,
    /// Bits a sample: 1 to 32, or 64 for floats.
    pub(super) bits: u32,
    /// Samples a pixel as stored, 1 to 8.
    pub(super) samples: usize,
    pub(super) format: SampleFormat,
    pub(super) model: Model,
    pub(super) alpha: Option<Alpha>,
    /// Whether each sample has chunks of its own.
    pub(super) planar: bool,
    pub(super) compression: u64,
    pub(super) predictor: u64,
    /// Whether the bits of each byte are stored in reverse.
    pub(super) reversed_bits: bool,
    /// Little-endian samples.
    pub(super) little: bool,
    /// T4Options.
    pub(super) t4_options: u64,
    pub(super) jpeg_tables: Option<&'a [u8]>,
    /// Whether JPEG chunks hold YCbCr.
    pub(super) jpeg_is_ycbcr: bool,
    /// Pixels of a strip or tile, padding included.
    pub(super) chunk: Size,
    /// Whether the last chunk of a column keeps its padding rows.
    pub(super) tiled: bool,
    /// Chunks in a row.
    pub(super) across: u32,
    /// Chunks in a column.
    pub(super) down: u32,
    offsets: Vec<u64>,
    counts: Option<Vec<u64>>,
    /// Orientation tag, 1 to 8, or 0.
    pub(super) orientation: u16,
}

impl<'a> Layout<'a> {
    /// Checks the tags of a directory.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`], [`DecodeError::TooManyPixels`], [`DecodeError::OverLimit`] for strips or tiles that
    /// would need far more memory than the picture.
    pub(super) fn read(directory: &Directory<'a>, limits: &Limits) -> Result<Self, DecodeError> {
        let or = |tag: u16, default: u64| directory.unsigned(tag).unwrap_or(default);
        let side = |tag: u16| directory.unsigned(tag).ok_or_else(|| malformed("width or height is missing"));
        let size = checked_size(side(tag::WIDTH)?, side(tag::HEIGHT)?, limits)?;

        let samples = or(tag::SAMPLES, 1);
        if !(1..=8).contains(&samples) {
            return Err(malformed(format!("{samples} samples a pixel are not supported")));
        }
        let bits = same(directory, tag::BITS, samples, 1)?;
        let format = match same(directory, tag::FORMAT, samples, 1)? {
            1 | 2 | 4 => SampleFormat::Integer,
            3 => SampleFormat::Float,
            other => return Err(malformed(format!("sample format {other} is not supported"))),
        };
        let known = match format {
            SampleFormat::Float => matches!(bits, 16 | 32 | 64),
            SampleFormat::Integer => (1..=32).contains(&bits),
        };
        if !known {
            return Err(malformed(format!("samples of {bits} bits are not supported")));
        }
        let bits = bits as u32;

        let compression = or(tag::COMPRESSION, 1);
        let planar = match or(tag::PLANAR, 1) {
            1 => false,
            2 => samples > 1,
            other => return Err(malformed(format!("planar configuration {other} is unknown"))),
        };
        let model = Model::read(directory, bits, compression, planar)?;
        let colours = model.samples() as u64;
        if samples < colours {
            return Err(malformed("too few samples for the colour space"));
        }
        let alpha = (samples > colours).then(|| match directory.unsigned(tag::EXTRA) {
            Some(1) => Alpha::Associated,
            _ => Alpha::Straight,
        });
        if alpha.is_some() && matches!(model, Model::Palette { .. }) && bits != 8 {
            return Err(malformed("a palette with extra samples needs 8 bits"));
        }

        let tiled = directory.has(tag::TILE_OFFSETS);
        let chunk = if tiled {
            let (width, height) = (side(tag::TILE_WIDTH)?, side(tag::TILE_HEIGHT)?);
            checked_size(width, height, limits)?
        } else {
            let rows = or(tag::ROWS_PER_STRIP, u64::MAX).min(size.height().into());
            checked_size(size.width().into(), rows, limits)?
        };
        let (across, down) = (size.width().div_ceil(chunk.width()), size.height().div_ceil(chunk.height()));
        let chunks = u64::from(across) * u64::from(down) * if planar { samples } else { 1 };
        let (offsets, counts) =
            if tiled { (tag::TILE_OFFSETS, tag::TILE_COUNTS) } else { (tag::STRIP_OFFSETS, tag::STRIP_COUNTS) };
        let offsets = directory.list(offsets, chunks).ok_or_else(|| malformed("too few strips or tiles"))?;
        let counts = match directory.count(counts) {
            0 => None,
            _ => Some(directory.list(counts, chunks).ok_or_else(|| malformed("too few strips or tiles"))?),
        };

        let layout = Self {
            size,
            bits,
            samples: samples as usize,
            format,
            model,
            alpha,
            planar,
            compression,
            predictor: or(tag::PREDICTOR, 1),
            reversed_bits: or(tag::FILL_ORDER, 1) == 2,
            little: directory.little,
            t4_options: or(tag::T4_OPTIONS, 0),
            jpeg_tables: directory.bytes(tag::JPEG_TABLES),
            jpeg_is_ycbcr: directory.unsigned(tag::PHOTOMETRIC) == Some(6),
            chunk,
            tiled,
            across,
            down,
            offsets,
            counts,
            orientation: u16::try_from(or(tag::ORIENTATION, 0)).ok().filter(|o| *o <= 8).unwrap_or(0),
        };
        // 16 bytes a pixel hold four float samples, the most that a sound picture within the pixel limit needs.
        let limit = limits.pixels.saturating_mul(16);
        if layout.scratch_bytes() > limit {
            return Err(super::over_limit("the size of a strip or tile", limit));
        }
        Ok(layout)
    }

    /// Samples a pixel within one chunk.
    pub(super) const fn samples_in_chunk(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Bytes of a row of a chunk.
    pub(super) const fn row_bytes(&self) -> usize {
        let bits = self.chunk.width() as u64 * self.samples_in_chunk() as u64 * self.bits as u64;
        bits.div_ceil(8) as usize
    }

    /// Rows of the chunks in row `down` of chunks.
    pub(super) const fn rows(&self, down: u32) -> u32 {
        let left = self.size.height() - down * self.chunk.height();
        if self.tiled || left > self.chunk.height() { self.chunk.height() } else { left }
    }

    /// The stored bytes of chunk `index`; without byte counts, all to the end of the file. `None` outside the file.
    pub(super) fn stored<'b>(&self, bytes: &'b [u8], index: usize) -> Option<&'b [u8]> {
        let rest = bytes.get(usize::try_from(*self.offsets.get(index)?).ok()?..)?;
        match &self.counts {
            Some(counts) => rest.get(..usize::try_from(*counts.get(index)?).ok()?),
            None => Some(rest),
        }
    }

    /// Bytes that decoding needs beside the picture: one unpacked chunk of each plane.
    pub(super) const fn scratch_bytes(&self) -> u64 {
        let planes = if self.planar { self.samples as u64 } else { 1 };
        let rows = if self.chunk.height() < self.size.height() || self.tiled {
            self.chunk.height()
        } else {
            self.size.height()
        };
        (self.row_bytes() as u64).saturating_mul(rows as u64).saturating_mul(planes)
    }

    /// How the decoded picture lies in memory.
    pub(super) const fn pixel_format(&self) -> PixelFormat {
        PixelFormat::of(self.model.is_gray(), self.alpha.is_some())
    }

    /// How colour is stored, in the words of `/info`.
    pub(super) fn space(&self) -> Space {
        let deep = self.bits == 16 && self.format != SampleFormat::Float;
        match (&self.model, deep) {
            (Model::Cmyk, _) => Space::Cmyk,
            (Model::Gray { .. }, true) => Space::Gray16,
            (Model::Rgb | Model::YCbCr, true) => Space::Rgb16,
            (model, _) if model.is_gray() => Space::Gray,
            _ => Space::Srgb,
        }
    }
}

fn checked_size(width: u64, height: u64, limits: &Limits) -> Result<Size, DecodeError> {
    if width == 0 || height == 0 {
        return Err(malformed("width or height is zero"));
    }
    let side = u64::from(limits.side);
    match (u32::try_from(width), u32::try_from(height)) {
        (Ok(w), Ok(h)) if width <= side && height <= side && width * height <= limits.pixels => {
            Ok(Size::at_least_one(w, h))
        }
        _ => Err(DecodeError::TooManyPixels),
    }
}

/// The value of a tag that has one value, or one for each sample, all equal.
fn same(directory: &Directory<'_>, tag: u16, samples: u64, default: u64) -> Result<u64, DecodeError> {
    if !directory.has(tag) {
        return Ok(default);
    }
    let n = directory.count(tag).clamp(1, samples);
    let list = directory.list(tag, n).ok_or_else(|| malformed("a tag lies outside the file"))?;
    match list.split_first() {
        Some((first, rest)) if rest.iter().all(|value| value == first) => Ok(*first),
        _ => Err(malformed("samples of different kinds are not supported")),
    }
}
