//! JPEG compression (TIFF technical note 2): each chunk is a JPEG of its own, tables may stand in a tag.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

use super::layout::Layout;
use super::{colour::Model, malformed};
use crate::codecs::DecodeError;

/// Decodes a chunk to interleaved 8-bit samples, `layout.row_bytes() * rows` bytes. YCbCr becomes RGB where the layout
/// says RGB by its photometric interpretation; see `Model::read`.
///
/// # Errors
/// [`DecodeError::Malformed`], also when size or components differ from what the tags say.
pub(super) fn decode(stored: &[u8], layout: &Layout<'_>, rows: u32) -> Result<Vec<u8>, DecodeError> {
    if layout.bits != 8 {
        return Err(malformed("JPEG compression needs 8 bits a sample"));
    }
    let mut stream = Vec::new();
    match layout.jpeg_tables {
        // Tables end with an end-of-image marker, the chunk begins with a start-of-image marker.
        Some(tables) if tables.len() >= 4 && stored.len() >= 2 => {
            stream.extend_from_slice(&tables[..tables.len() - 2]);
            stream.extend_from_slice(&stored[2..]);
        }
        _ => stream.extend_from_slice(stored),
    }
    let (width, samples) = (layout.chunk.width() as usize, layout.samples_in_chunk());
    let options = DecoderOptions::default().set_max_width(width).set_max_height(layout.chunk.height() as usize);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&stream), options);
    decoder.decode_headers().map_err(failed)?;
    let (jpeg_width, jpeg_height) = decoder.dimensions().ok_or_else(|| malformed("no JPEG header"))?;
    let input = decoder.input_colorspace().ok_or_else(|| malformed("no JPEG header"))?;
    if jpeg_width != width || jpeg_height < rows as usize || input.num_components() != samples {
        return Err(malformed("a JPEG differs from its tags"));
    }
    // Samples stay as stored unless the tags say that they are YCbCr.
    let output = if layout.jpeg_is_ycbcr && matches!(layout.model, Model::Rgb) { ColorSpace::RGB } else { input };
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let mut pixels = decoder.decode().map_err(failed)?;
    let length = layout.row_bytes() * rows as usize;
    if pixels.len() < length {
        return Err(malformed("a strip or tile breaks off"));
    }
    pixels.truncate(length);
    Ok(pixels)
}

fn failed(error: impl std::fmt::Display) -> DecodeError {
    malformed(error.to_string())
}
