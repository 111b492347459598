//! WebP (RFC 9649): lossy, lossless and the first frame of animations in; lossy and lossless out.

mod decode;
mod encode;
mod lossy;
mod riff;
#[cfg(test)]
mod tests;

use super::{DecodeError, Format, Header, Limits, Space, exif};
use riff::{Coding, Container};

pub(super) use decode::decode;
pub(super) use encode::encode;

/// Reads the chunk headers.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let container = Container::read(bytes, limits)?;
    let size = limits.input_size(Format::Webp, container.width, container.height)?;
    let alpha = container.alpha;
    // Lossy: Y, U, V and alpha planes. Lossless: RGBA, packed to RGB at the end. Animation: a frame and the canvas.
    let bytes_per_pixel = match (container.animated, container.coding) {
        (true, _) => 8,
        (false, Coding::Lossy) => 3,
        (false, Coding::Lossless) => 4,
    };
    Ok(Header {
        format: Format::Webp,
        size,
        exif_orientation: container.exif.map_or(0, exif::orientation),
        alpha,
        space: Space::Srgb,
        channels: if alpha { 4 } else { 3 },
        profile: container.icc.is_some(),
        scratch_bytes: size.area().saturating_mul(bytes_per_pixel),
    })
}
