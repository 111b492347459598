//! TIFF out: baseline strips, LZW with the horizontal predictor, little-endian.

use std::borrow::Cow;

use super::tag;
use crate::codecs::samples::{output_format, rearranged};
use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat};
use crate::image::ImageBuf;

/// Bytes of samples in a strip, about; what readers can hold at once.
const STRIP_BYTES: usize = 256 << 10;

/// Encodes samples of 8 bits: RGB, or grey where `spec.space` says so, alpha as an unassociated extra sample. The
/// profile is written as `spec.metadata.icc` says and if it is for the colours written, XMP as `spec.metadata.exif`
/// says; EXIF is not written.
///
/// # Errors
/// [`EncodeError::Failed`] when the file would pass 4 GiB.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    let layout = output_format(image, spec);
    let (gray, channels) = (layout.is_gray(), layout.channels());
    let size = image.size();
    let row_bytes = size.width() as usize * channels;
    let rows_per_strip = (STRIP_BYTES / row_bytes).clamp(1, size.height() as usize);

    let mut out = b"II\x2A\x00\0\0\0\0".to_vec();
    let (mut offsets, mut counts) = (Vec::new(), Vec::new());
    let mut compressor = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
    let mut strip = Vec::with_capacity(rows_per_strip * row_bytes);
    let rows: Vec<&[u8]> = image.rows().collect();
    for rows in rows.chunks(rows_per_strip) {
        strip.clear();
        for row in rows {
            let start = strip.len();
            strip.extend_from_slice(&rearranged(row, image.format(), layout));
            subtract_left(&mut strip[start..], channels);
        }
        offsets.push(offset(&out)?);
        let start = out.len();
        compressor.reset();
        compressor.into_vec(&mut out).encode_all(&strip).status.map_err(|e| failed(e.to_string()))?;
        counts.push(offset(&out[start..])?);
        pad(&mut out);
    }

    let mut entries = vec![
        Entry::longs(tag::WIDTH, &[size.width()]),
        Entry::longs(tag::HEIGHT, &[size.height()]),
        Entry::shorts(tag::BITS, &[8; 4][..channels]),
        Entry::shorts(tag::COMPRESSION, &[5]),
        Entry::shorts(tag::PHOTOMETRIC, &[if gray { 1 } else { 2 }]),
        Entry::longs(tag::STRIP_OFFSETS, &offsets),
        Entry::shorts(tag::ORIENTATION, &[1]),
        Entry::shorts(tag::SAMPLES, &[channels as u16]),
        Entry::longs(tag::ROWS_PER_STRIP, &[rows_per_strip as u32]),
        Entry::longs(tag::STRIP_COUNTS, &counts),
        // 72 pixels an inch; baseline readers expect a resolution.
        Entry::rational(tag::X_RESOLUTION, 72, 1),
        Entry::rational(tag::Y_RESOLUTION, 72, 1),
        Entry::shorts(tag::PLANAR, &[1]),
        Entry::shorts(tag::RESOLUTION_UNIT, &[2]),
        Entry::shorts(tag::PREDICTOR, &[2]),
    ];
    if layout.has_alpha() {
        entries.push(Entry::shorts(tag::EXTRA, &[2]));
    }
    if let Some(xmp) = metadata.xmp.as_deref().filter(|_| spec.metadata.exif) {
        entries.push(Entry { tag: tag::XMP, kind: 1, count: xmp.len() as u32, bytes: xmp.into() });
    }
    if let Some(icc) = metadata.icc.as_deref().filter(|icc| spec.metadata.icc && fits(icc, gray)) {
        entries.push(Entry { tag: tag::ICC, kind: 7, count: icc.len() as u32, bytes: icc.into() });
    }
    write_directory(&mut out, entries)?;
    Ok(out)
}

/// Takes from each sample the one of the pixel to the left.
fn subtract_left(row: &mut [u8], channels: usize) {
    for at in (channels..row.len()).rev() {
        row[at] = row[at].wrapping_sub(row[at - channels]);
    }
}

/// Whether a profile's colour space (ICC.1, bytes 16 to 19) is the one written.
fn fits(icc: &[u8], gray: bool) -> bool {
    icc.get(16..20) == Some(if gray { b"GRAY" } else { b"RGB " })
}

/// A field of the directory.
struct Entry<'a> {
    tag: u16,
    kind: u16,
    count: u32,
    bytes: Cow<'a, [u8]>,
}

impl Entry<'_> {
    fn shorts(tag: u16, values: &[u16]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { tag, kind: 3, count: values.len() as u32, bytes: bytes.into() }
    }

    fn longs(tag: u16, values: &[u32]) -> Self {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { tag, kind: 4, count: values.len() as u32, bytes: bytes.into() }
    }

    fn rational(tag: u16, numerator: u32, denominator: u32) -> Self {
        let bytes = [numerator.to_le_bytes(), denominator.to_le_bytes()].concat();
        Self { tag, kind: 5, count: 1, bytes: bytes.into() }
    }
}

/// Writes long values, then the directory, and points the header to it.
fn write_directory(out: &mut Vec<u8>, mut entries: Vec<Entry<'_>>) -> Result<(), EncodeError> {
    entries.sort_by_key(|entry| entry.tag);
    let mut directory = (entries.len() as u16).to_le_bytes().to_vec();
    for entry in &entries {
        directory.extend(entry.tag.to_le_bytes());
        directory.extend(entry.kind.to_le_bytes());
        directory.extend(entry.count.to_le_bytes());
        if entry.bytes.len() <= 4 {
            directory.extend_from_slice(&entry.bytes);
            directory.resize(directory.len() + 4 - entry.bytes.len(), 0);
        } else {
            directory.extend(offset(out)?.to_le_bytes());
            out.extend_from_slice(&entry.bytes);
            pad(out);
        }
    }
    directory.extend([0; 4]);
    let start = offset(out)?;
    out[4..8].copy_from_slice(&start.to_le_bytes());
    out.append(&mut directory);
    Ok(())
}

/// Values begin on a word boundary.
fn pad(out: &mut Vec<u8>) {
    if out.len() % 2 == 1 {
        out.push(0);
    }
}

fn offset(out: &[u8]) -> Result<u32, EncodeError> {
    u32::try_from(out.len()).map_err(|_| failed("the file would pass 4 GiB".into()))
}

fn failed(reason: String) -> EncodeError {
    EncodeError::Failed { format: OutputFormat::Tiff, reason }
}
