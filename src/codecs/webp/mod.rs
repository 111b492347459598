//! WebP (RFC 9649): lossy, lossless and the first frame of animations in; lossy and lossless out.

mod alpha;
mod decode;
mod encode;
mod lossy;
mod partitions;
mod riff;
#[cfg(test)]
mod tests;
mod vp8;

use super::{DecodeError, Format, Header, Limits, Space, exif};
use riff::{Bitstream, Coding, Container};

#[cfg(any(test, fuzzing))]
pub use vp8::agrees;

pub(super) use decode::{decode, decode_to, outline};
pub(super) use encode::encode;

/// Reads the chunk headers.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let container = Container::read(bytes, limits)?;
    let size = limits.input_size(Format::Webp, container.width, container.height)?;
    let alpha = container.alpha;
    Ok(Header {
        format: Format::Webp,
        size,
        exif_orientation: container.exif.map_or(0, exif::orientation),
        alpha,
        space: Space::Srgb,
        channels: if alpha { 4 } else { 3 },
        profile: container.icc.is_some(),
        scratch_bytes: scratch_bytes(&container),
    })
}

/// Bytes that image-webp holds beside the pixels, from its sources. Sides are at most 2²⁴, so nothing overflows.
fn scratch_bytes(container: &Container<'_>) -> u64 {
    let Bitstream { coding, width, height, body, .. } = container.picture;
    let (width, height) = (u64::from(width), u64::from(height));
    let pixels = width * height;
    // Two transforms and the picture of codes, each of the finest blocks, RGBA and for the codes once more.
    let lossless = 4 * pixels + 16 * width.div_ceil(4) * height.div_ceil(4);
    let mut bytes = match coding {
        // Y, U, V and what was said of each macroblock, which grows by doubling; the partitions, the last one twice.
        Coding::Lossy => width.div_ceil(16) * height.div_ceil(16) * (384 + 3 * 32) + 2 * body.len() as u64,
        Coding::Lossless => lossless,
    };
    if container.alpha_plane.is_some() {
        bytes += lossless + pixels;
    }
    if container.animated {
        bytes += 4 * pixels + 4 * u64::from(container.width) * u64::from(container.height);
    }
    bytes
}
