//! JPEG (ITU-T T.81): baseline, extended and progressive Huffman files of 8 bits in; baseline and progressive out.

pub mod coefficients;
mod decode;
mod encode;
pub mod encoder;
mod markers;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod turn_avx2;
mod zigzag;

use super::{DecodeError, Format, Header, Limits, Space, exif};
use markers::Markers;

pub(super) use decode::{decode, decode_to, outline};
pub(super) use encode::{encode, encode_planes, form, held_bytes};

/// Reads the segments before the first scan.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let markers = Markers::read(bytes)?;
    let frame = &markers.frame;
    let size = limits.input_size(Format::Jpeg, frame.width.into(), frame.height.into())?;
    frame.check_supported()?;
    let channels = frame.components.len() as u8;
    Ok(Header {
        format: Format::Jpeg,
        size,
        exif_orientation: markers.exif.map_or(0, exif::orientation),
        alpha: false,
        space: match channels {
            1 => Space::Gray,
            4 => Space::Cmyk,
            _ => Space::Srgb,
        },
        channels,
        profile: markers.icc().is_some(),
        scratch_bytes: markers.scratch_bytes(bytes.len()),
    })
}
