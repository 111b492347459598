//! Bytes to pixels and back. One file a format, decode and encode together.

mod gif;
mod header;
mod limits;
mod metadata;
mod spec;
mod svg;
mod tiff;

use crate::image::{ImageBuf, Picture};

pub use header::{Format, Header, Space};
pub use limits::Limits;
pub use metadata::Metadata;
pub use spec::{DecodeSpec, EncodeSpec, MetadataPolicy, OutputFormat, OutputSpace, Shrink};

/// Why bytes gave no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes are no picture format that anybody knows.
    #[error("Unsupported media type")]
    UnknownFormat,
    /// A known format that this build does not read.
    #[error("{0} images cannot be read by this build")]
    FormatNotRead(Format),
    /// The magic fits, what follows does not.
    #[error("Unsupported image format")]
    Unreadable,
    /// The file is damaged or uses a feature that is not supported; the text says which.
    #[error("{format}: {reason}")]
    Malformed {
        /// Format found.
        format: Format,
        /// What is wrong, in one line.
        reason: String,
    },
    /// Width × height is beyond the input limit.
    #[error("Image resolution is too big")]
    TooManyPixels,
    /// A budget other than pixels ran out (scans, chunks, frames, metadata, memory).
    #[error("{format}: {what} is over the limit of {limit}")]
    OverLimit {
        /// Format found.
        format: Format,
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
    /// The request ended before the work did.
    #[error("cancelled")]
    Cancelled,
}

/// Why pixels gave no bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// This build writes no such files.
    #[error("Unsupported image output type")]
    FormatNotWritten,
    /// A side is longer than the format can say.
    #[error("a {format} image can be at most {limit} pixels wide or high")]
    TooLarge {
        /// Format asked for.
        format: OutputFormat,
        /// Longest side.
        limit: u32,
    },
    /// The encoder itself failed.
    #[error("{format} encoder: {reason}")]
    Failed {
        /// Format asked for.
        format: OutputFormat,
        /// What it said.
        reason: String,
    },
}

/// What a decoder answers.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// First frame, as stored (EXIF orientation not applied), straight alpha.
    pub picture: Picture,
    /// EXIF, ICC and XMP as found, within [`Limits::metadata_bytes`].
    pub metadata: Metadata,
}

/// Recognises the format by content alone, never by name or header field. Needs only the first few KiB.
///
/// `None`: no picture format that anybody knows.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    let _ = bytes;
    None
}

/// Reads the facts known before pixels. Never allocates pixels.
///
/// # Errors
/// [`DecodeError`]; among them [`DecodeError::TooManyPixels`] by `limits.pixels`.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let _ = (bytes, limits);
    Err(DecodeError::UnknownFormat)
}

/// Decodes the first frame. The size of the answer is `header.size`, or that divided by `spec.shrink` (rounded up)
/// where the format can do so; it never differs otherwise (a file whose pixels contradict its header is malformed).
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    let _ = (bytes, header, spec, limits, cancelled);
    Err(DecodeError::UnknownFormat)
}

/// Encodes packed samples (straight alpha or opaque). `metadata` is written as `spec.metadata` says.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode(image: &ImageBuf, metadata: &Metadata, spec: &EncodeSpec) -> Result<Vec<u8>, EncodeError> {
    let _ = (image, metadata, spec);
    Err(EncodeError::FormatNotWritten)
}
