//! PNG (W3C PNG third edition), APNG's default image, in; truecolour, grey and indexed PNG out.

mod chunks;
mod decode;
mod encode;
mod palette;
#[cfg(test)]
mod tests;

use super::{DecodeError, Format, Header, Limits, Space, exif};
use chunks::{Chunks, ColourType};

pub(super) use decode::{decode, decode_to, outline};
pub(super) use encode::encode;

/// Reads the chunk headers, and the few chunks that matter before pixels.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let chunks = Chunks::read(bytes, limits)?;
    let ihdr = &chunks.ihdr;
    let size = limits.input_size(Format::Png, ihdr.width, ihdr.height)?;
    let gray = matches!(ihdr.colour, ColourType::Gray | ColourType::GrayAlpha);
    let alpha = chunks.transparency || matches!(ihdr.colour, ColourType::GrayAlpha | ColourType::Rgba);
    let space = match (gray, ihdr.depth) {
        (true, 16) => Space::Gray16,
        (true, _) => Space::Gray,
        (false, 16) => Space::Rgb16,
        (false, _) => Space::Srgb,
    };
    Ok(Header {
        format: Format::Png,
        size,
        exif_orientation: chunks.exif.map_or(0, exif::orientation),
        alpha,
        space,
        channels: if gray { 1 } else { 3 } + u8::from(alpha),
        profile: chunks.iccp.is_some(),
        // Two rows of at most 8 bytes a pixel and the inflater's window; interlaced rows go straight to their place.
        scratch_bytes: u64::from(ihdr.width) * 16 + (256 << 10),
    })
}
