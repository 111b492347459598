//! Bytes to pixels and back. One file a format, decode and encode together.

mod exif;
mod gif;
mod header;
pub mod jpeg;
mod limits;
mod metadata;
mod png;
mod samples;
mod sniff;
mod spec;
mod svg;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use crate::image::{Form, ImageBuf, Outline, Picture, PictureSink, Size};

pub use header::{Format, Header, Space};
pub use limits::Limits;
pub use metadata::Metadata;
pub use sniff::sniff;
pub use spec::{DecodeSpec, Detail, EncodeSpec, Kept, MetadataPolicy, OutputFormat, OutputSpace, Shrink};
#[cfg(any(test, fuzzing))]
pub use webp::agrees as is_same_by_image_webp;

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
    /// The system gave no memory.
    #[error("no memory left")]
    OutOfMemory,
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

impl DecodeError {
    /// Longest reason in characters.
    const MAX_REASON: usize = 300;

    /// A [`DecodeError::Malformed`]. The reason goes into headers and logs, and some decoders quote the file in it, so
    /// it becomes one line without control characters, of bounded length.
    pub(crate) fn malformed(format: Format, reason: impl std::fmt::Display) -> Self {
        let text = reason.to_string();
        let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line = words.collect::<Vec<_>>().join(" ");
        let reason = match line.char_indices().nth(Self::MAX_REASON) {
            _ if line.is_empty() => "the file is damaged".to_owned(),
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        };
        Self::Malformed { format, reason }
    }
}

impl EncodeError {
    /// An [`EncodeError::Failed`].
    pub(crate) fn failed(format: OutputFormat, reason: impl std::fmt::Display) -> Self {
        Self::Failed { format, reason: reason.to_string() }
    }
}

/// Reads the facts known before pixels. Never allocates pixels.
///
/// # Errors
/// [`DecodeError`]; among them [`DecodeError::TooManyPixels`] by `limits.pixels`.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    match sniff(bytes).ok_or(DecodeError::UnknownFormat)? {
        Format::Jpeg => jpeg::probe(bytes, limits),
        Format::Png => png::probe(bytes, limits),
        Format::Webp => webp::probe(bytes, limits),
        Format::Gif => gif::probe(bytes, limits),
        Format::Tiff => tiff::probe(bytes, limits),
        Format::Svg => svg::probe(bytes, limits),
        format => Err(DecodeError::FormatNotRead(format)),
    }
}

/// Bytes that [`probe`] holds. Nothing to speak of but for SVG, whose document is parsed to know its size, and whose
/// elements may be used many times each.
///
/// # Errors
/// As for [`probe`], of which this is the cheap beginning.
pub fn probe_bytes(bytes: &[u8], limits: &Limits) -> Result<u64, DecodeError> {
    match sniff(bytes) {
        Some(Format::Svg) => svg::probe_bytes(bytes, limits),
        _ => Ok(0),
    }
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
    match header.format {
        Format::Jpeg => jpeg::decode(bytes, header, spec, limits, cancelled),
        Format::Png => png::decode(bytes, header, spec, limits, cancelled),
        Format::Webp => webp::decode(bytes, header, spec, limits, cancelled),
        Format::Gif => gif::decode(bytes, header, spec, limits, cancelled),
        Format::Tiff => tiff::decode(bytes, header, spec, limits, cancelled),
        Format::Svg => svg::decode(bytes, header, spec, limits, cancelled),
        format => Err(DecodeError::FormatNotRead(format)),
    }
}

/// The picture, without samples, that [`decode_to`] will hand over; `None` where it cannot say, or would have to read what
/// it wrote, and a picture must be decoded whole.
pub fn outline(bytes: &[u8], header: &Header, spec: &DecodeSpec, limits: &Limits) -> Option<Outline> {
    match header.format {
        Format::Jpeg => jpeg::outline(bytes, header, spec),
        Format::Png => png::outline(bytes, header),
        Format::Gif => gif::outline(bytes, header),
        Format::Tiff => tiff::outline(bytes, header, limits),
        Format::Webp => webp::outline(bytes, header, spec, limits),
        _ => None,
    }
}

/// What [`decode_to`] did.
#[derive(Debug)]
pub enum DecodedTo {
    /// Everything was handed over; this is what the file says besides.
    Sink(Metadata),
    /// The file is not as it looked: what was handed over is worth nothing, this is the picture.
    Picture(Decoded),
}

/// As [`decode`], of a file of which [`outline`] says what there is in it, into a sink.
///
/// # Errors
/// As [`decode`].
pub fn decode_to(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    sink: &mut dyn PictureSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<DecodedTo, DecodeError> {
    match header.format {
        Format::Jpeg => jpeg::decode_to(bytes, header, spec, limits, sink, cancelled),
        Format::Png => png::decode_to(bytes, header, limits, sink, cancelled).map(DecodedTo::Sink),
        Format::Gif => gif::decode_to(bytes, header, limits, sink, cancelled).map(DecodedTo::Sink),
        Format::Tiff => tiff::decode_to(bytes, header, limits, sink, cancelled).map(DecodedTo::Sink),
        Format::Webp => webp::decode_to(bytes, header, spec, limits, sink, cancelled),
        _ => decode(bytes, header, spec, limits, cancelled).map(DecodedTo::Picture),
    }
}

/// Encodes packed samples (straight alpha or opaque). `metadata` is written as `spec.metadata` says.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode(image: &ImageBuf, metadata: &Metadata, spec: &EncodeSpec) -> Result<Vec<u8>, EncodeError> {
    match spec.format {
        OutputFormat::Jpeg => jpeg::encode(image, metadata, spec),
        OutputFormat::Png => png::encode(image, metadata, spec),
        OutputFormat::Webp => webp::encode(image, metadata, spec),
        OutputFormat::Tiff => tiff::encode(image, metadata, spec),
        OutputFormat::Gif | OutputFormat::Svg | OutputFormat::Pdf => Err(EncodeError::FormatNotWritten),
    }
}

/// The form in which [`encode_picture`] likes a picture best.
pub fn form(spec: &EncodeSpec) -> Form {
    if spec.format == OutputFormat::Jpeg && spec.space == OutputSpace::Srgb { jpeg::form(spec) } else { Form::Packed }
}

/// Most bytes that encoding a picture of `picture_bytes` holds beside it and the file.
pub fn encoding_bytes(size: Size, picture_bytes: u64, spec: &EncodeSpec) -> u64 {
    match spec.format {
        OutputFormat::Jpeg => jpeg::held_bytes(size, spec),
        // Once more in the encoder's own form.
        _ => picture_bytes,
    }
}

/// As [`encode`], of a picture in the form that [`form`] says, or packed.
///
/// # Errors
/// As [`encode`].
pub fn encode_picture(picture: &Picture, metadata: &Metadata, spec: &EncodeSpec) -> Result<Vec<u8>, EncodeError> {
    match picture {
        Picture::Packed(image) => encode(image, metadata, spec),
        Picture::Planes(planes) if form(spec) != Form::Packed => jpeg::encode_planes(planes, metadata, spec),
        Picture::Planes(_) | Picture::Narrow(_) | Picture::Coefficients(_) => {
            Err(EncodeError::failed(spec.format, "the picture is in a form that the format does not take"))
        }
    }
}
