//! Laws of probing and decoding.

use phasor::codecs::{self, DecodeError, DecodeSpec, Detail, Format, Header, Shrink};
use phasor::image::{ImageBuf, Picture, PixelFormat, Size};

use super::{heap, limits};

/// What is held besides pixels and what the header announces: parser state and tables.
const FIXED: u64 = 256 << 10;

/// Probes bytes and holds the answer to its laws.
pub fn probe(bytes: &[u8]) -> Option<Header> {
    let limits = limits();
    let (answer, peak) = heap::peak_of(|| codecs::probe(bytes, &limits));
    // No pixels yet; metadata may be copied, a profile inflated.
    let announced = codecs::probe_bytes(bytes, &limits).unwrap_or(12 * bytes.len() as u64);
    let allowed = FIXED + 4 * bytes.len() as u64 + limits.icc_bytes as u64 * 2 + announced;
    assert!(peak as u64 <= allowed, "probing held {peak} bytes for {} bytes of input", bytes.len());
    assert_eq!(answer, codecs::probe(bytes, &limits), "two probes differ");
    match answer {
        Ok(header) => {
            assert_eq!(codecs::sniff(bytes), Some(header.format), "probed as another format than sniffed");
            assert!(header.size.area() <= limits.pixels, "{} is over the limit", header.size);
            assert!(header.exif_orientation <= 8);
            assert!((1..=4).contains(&header.channels));
            Some(header)
        }
        Err(error) => {
            one_line(&error.to_string());
            assert_ne!(error, DecodeError::Cancelled, "nobody cancelled");
            assert!(error != DecodeError::UnknownFormat || codecs::sniff(bytes).is_none());
            None
        }
    }
}

/// Decodes bytes of one format and holds the answer to its laws. Bytes of another format are passed over.
pub fn decode(format: Format, bytes: &[u8]) {
    if codecs::sniff(bytes) != Some(format) {
        return;
    }
    let Some(header) = probe(bytes) else { return };
    let limits = limits();
    // The last byte is the least telling one of most formats.
    let shrink = match bytes.last().unwrap_or(&0) % 4 {
        0 => Shrink::One,
        1 => Shrink::Half,
        2 => Shrink::Quarter,
        _ => Shrink::Eighth,
    };
    // And one in the middle as good as any.
    let detail = match bytes[bytes.len() / 2] % 8 {
        0 => Detail::Planes,
        k @ 1..=4 => Detail::Coefficients(k * (k + 1) / 2),
        5 => Detail::Coefficients(64),
        _ => Detail::Samples,
    };
    let spec = DecodeSpec { shrink, detail };
    let (answer, peak) = heap::peak_of(|| codecs::decode(bytes, &header, &spec, &limits, &|| false));
    let charged = charged(&header, &limits, bytes.len());
    assert!(peak as u64 <= charged, "decoding held {peak} bytes, {charged} are charged for {header:?}");

    match &answer {
        Ok(decoded) => {
            let size = decoded.picture.size();
            let shrunk = shrunk(header.size, shrink);
            assert!(size == header.size || size == shrunk, "{size} decoded, {} probed, {shrunk} shrunk", header.size);
            if let Picture::Packed(packed) = &decoded.picture {
                let want = ImageBuf::byte_len(packed.size(), packed.format());
                assert_eq!(packed.pixels().len() as u64, want);
                assert!(header.alpha || !packed.format().has_alpha(), "alpha that was not probed");
            }
            let metadata = &decoded.metadata;
            assert!(metadata.exif.as_ref().is_none_or(|exif| exif.len() <= limits.metadata_bytes));
            assert!(metadata.xmp.as_ref().is_none_or(|xmp| xmp.len() <= limits.metadata_bytes));
            assert!(metadata.icc.as_ref().is_none_or(|icc| icc.len() <= limits.icc_bytes));
        }
        Err(error) => {
            one_line(&error.to_string());
            assert_ne!(error, &DecodeError::Cancelled, "nobody cancelled");
            assert_ne!(error, &DecodeError::UnknownFormat, "decoding forgot what probing knew");
        }
    }

    // A request that is over already costs little and leaves nothing broken.
    let cancelled = codecs::decode(bytes, &header, &spec, &limits, &|| true);
    assert!(answer.is_ok() || cancelled.is_err(), "only a cancelled decode succeeds");
}

/// What the server charges for holding a decoded picture and its decoder, the input's own bytes apart.
fn charged(header: &Header, limits: &codecs::Limits, input: usize) -> u64 {
    let pixels = ImageBuf::byte_len(header.size, PixelFormat::of(header.is_gray(), header.alpha));
    let metadata = 2 * input as u64 + limits.icc_bytes as u64;
    (pixels + header.scratch_bytes).max(3 * pixels) + metadata + FIXED
}

fn shrunk(size: Size, shrink: Shrink) -> Size {
    let by = shrink.divisor();
    Size::at_least_one(size.width().div_ceil(by), size.height().div_ceil(by))
}

/// Messages go into headers and logs.
pub fn one_line(message: &str) {
    assert!(!message.is_empty() && !message.contains(['\n', '\r', '\0']), "{message:?}");
    assert!(message.len() <= 4096, "a message of {} bytes", message.len());
}
