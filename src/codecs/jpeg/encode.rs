use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat, OutputSpace};
use crate::image::{Form, ImageBuf, Planes, Size};

use super::encoder::{self, MAX_SIDE, Sampling, Settings, Source, Unfit};

/// Quality from which chroma is kept at full resolution, as in libvips.
const FULL_CHROMA_QUALITY: u8 = 90;
const EXIF_PREFIX: &[u8] = b"Exif\0\0";
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC_PREFIX: &[u8] = b"ICC_PROFILE\0";
/// Longest body of a segment.
const MAX_BODY: usize = 65_533;

/// Planes as the file holds them.
pub(in crate::codecs) const fn form(spec: &EncodeSpec) -> Form {
    let step = sampling(spec).step();
    Form::Planes { across: step, down: step }
}

const fn sampling(spec: &EncodeSpec) -> Sampling {
    if spec.quality >= FULL_CHROMA_QUALITY { Sampling::Full } else { Sampling::Quarter }
}

/// Most bytes that encoding holds beside the picture and the file.
pub(in crate::codecs) const fn held_bytes(size: Size, spec: &EncodeSpec) -> u64 {
    encoder::held_bytes(size, sampling(spec), matches!(spec.space, OutputSpace::Gray), spec.interlace)
}

/// Encodes with optimised Huffman tables; alpha is flattened on black.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    let gray = matches!(spec.space, OutputSpace::Gray);
    written(Source::Packed { image, gray }, metadata, spec)
}

/// As [`encode`], of planes in the [`form`] that the file holds.
pub(in crate::codecs) fn encode_planes(
    planes: &Planes,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    written(Source::Planes(planes), metadata, spec)
}

fn written(source: Source<'_>, metadata: &Metadata, spec: &EncodeSpec) -> Result<Vec<u8>, EncodeError> {
    let segments = segments(&metadata.for_output(spec));
    let settings =
        Settings { quality: spec.quality, sampling: sampling(spec), progressive: spec.interlace, segments: &segments };
    encoder::encode(source, &settings).map_err(|unfit| match unfit {
        Unfit::TooLarge => EncodeError::TooLarge { format: OutputFormat::Jpeg, limit: MAX_SIDE },
        other => EncodeError::failed(OutputFormat::Jpeg, other),
    })
}

/// EXIF, XMP and ICC profile, in this order. What does not fit is left out: metadata is never worth a failed answer.
fn segments(metadata: &Metadata) -> Vec<(u8, Vec<u8>)> {
    let whole = |number, prefix: &[u8], data: &Option<Vec<u8>>| {
        data.as_ref().map(|data| (number, [prefix, data].concat())).filter(|(_, body)| body.len() <= MAX_BODY)
    };
    let mut segments = Vec::new();
    segments.extend(whole(1, EXIF_PREFIX, &metadata.exif));
    segments.extend(whole(1, XMP_PREFIX, &metadata.xmp));
    let icc = metadata.icc.as_deref().unwrap_or_default();
    // ICC.1, B.4: each part says which of how many it is.
    let parts = icc.chunks(MAX_BODY - ICC_PREFIX.len() - 2);
    if let Ok(count) = u8::try_from(parts.len()) {
        segments.extend((1..=count).zip(parts).map(|(part, data)| (2, [ICC_PREFIX, &[part, count], data].concat())));
    }
    segments
}
