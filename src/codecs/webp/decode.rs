use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::codecs::{DecodeError, DecodeSpec, Decoded, DecodedTo, Detail, Format, Header, Limits, Metadata};
use crate::image::{ImageBuf, Outline, Picture, PictureSink, PixelFormat, Size};

use super::riff::{Coding, Container};
use super::{alpha, partitions, vp8};

/// Decodes at full size to RGB or RGBA, or to planes where they are asked for; of an animation the first frame on a
/// transparent canvas.
pub(in crate::codecs) fn decode(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    let File { container, metadata, mut decoder } = File::read(bytes, header, limits, cancelled)?;
    let (size, format) = (header.size, PixelFormat::of(false, decoder.has_alpha()));
    let picture = match ours(&container, (size, format), spec.detail, cancelled)? {
        Some(picture) => picture,
        None => {
            let mut image = ImageBuf::zeroed(size, format);
            decoder.read_image(image.pixels_mut()).map_err(malformed)?;
            image.into()
        }
    };
    if cancelled() {
        return Err(DecodeError::Cancelled);
    }
    Ok(Decoded { picture, metadata })
}

/// What [`decode_to`] hands over: lossy pictures without alpha, in the form that [`decode`] gives them.
pub(in crate::codecs) fn outline(bytes: &[u8], header: &Header, spec: &DecodeSpec, limits: &Limits) -> Option<Outline> {
    let container = Container::read(bytes, limits).ok()?;
    can_be_handed_over(&container).then(|| match spec.detail {
        Detail::Samples => Outline::Packed { size: header.size, format: PixelFormat::Rgb8 },
        Detail::Planes | Detail::Coefficients(_) => Outline::Narrow(vp8::hollow(header.size)),
    })
}

fn can_be_handed_over(container: &Container<'_>) -> bool {
    let lossy = container.picture.coding == Coding::Lossy && !container.animated;
    lossy && !container.alpha && container.alpha_plane.is_none()
}

/// As [`decode`], into a sink.
pub(in crate::codecs) fn decode_to(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    sink: &mut dyn PictureSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<DecodedTo, DecodeError> {
    let File { container, metadata, decoder } = File::read(bytes, header, limits, cancelled)?;
    let elsewhere = || decode(bytes, header, spec, limits, cancelled).map(DecodedTo::Picture);
    if !can_be_handed_over(&container) || decoder.has_alpha() {
        return elsewhere();
    }
    let body = container.picture.body;
    let handed = match spec.detail {
        Detail::Samples => vp8::decode_to(body, header.size, sink, cancelled),
        Detail::Planes | Detail::Coefficients(_) => vp8::planes_to(body, header.size, sink, cancelled),
    };
    match handed {
        Ok(()) => Ok(DecodedTo::Sink(metadata)),
        Err(vp8::Failure::Refused) => elsewhere(),
        Err(vp8::Failure::Cancelled) => Err(DecodeError::Cancelled),
    }
}

/// A file of which everything but its picture was read.
struct File<'a> {
    container: Container<'a>,
    metadata: Metadata,
    decoder: WebPDecoder<Cursor<&'a [u8]>>,
}

impl<'a> File<'a> {
    fn read(
        bytes: &'a [u8],
        header: &Header,
        limits: &Limits,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, DecodeError> {
        let container = Container::read(bytes, limits)?;
        if container.picture.coding == Coding::Lossy && !partitions::fit(container.picture.body) {
            return Err(malformed("a partition is longer than the file"));
        }
        let metadata = Metadata {
            exif: container.exif.map(<[u8]>::to_vec),
            icc: container.icc.filter(|icc| icc.len() <= limits.icc_bytes).map(<[u8]>::to_vec),
            xmp: container.xmp.map(<[u8]>::to_vec),
        };
        let size = header.size;
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(malformed)?;
        decoder.set_memory_limit(limits.metadata_bytes);
        if decoder.dimensions() != (size.width(), size.height()) {
            return Err(malformed("the size contradicts the header"));
        }
        if cancelled() {
            return Err(DecodeError::Cancelled);
        }
        Ok(Self { container, metadata: metadata.within(limits), decoder })
    }
}

/// Decodes a lossy picture by our own decoder. `None` where it does not take the file, or not all of it: then image-webp
/// begins at the front, and its answer counts.
fn ours(
    container: &Container<'_>,
    (size, format): (Size, PixelFormat),
    detail: Detail,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Picture>, DecodeError> {
    if container.animated || container.picture.coding != Coding::Lossy {
        return Ok(None);
    }
    let body = container.picture.body;
    let decoded = if detail != Detail::Samples && !format.has_alpha() {
        vp8::decode_planes(body, size, cancelled).map(Picture::Narrow)
    } else {
        let mut image = ImageBuf::zeroed(size, format);
        vp8::decode(body, size, image.pixels_mut(), cancelled).map(|()| image.into())
    };
    match decoded {
        Ok(Picture::Packed(mut image)) if format.has_alpha() => {
            let plane = container.alpha_plane;
            Ok(plane.and_then(|plane| alpha::read(plane, size, image.pixels_mut())).map(|()| image.into()))
        }
        Ok(picture) => Ok(Some(picture)),
        Err(vp8::Failure::Refused) => Ok(None),
        Err(vp8::Failure::Cancelled) => Err(DecodeError::Cancelled),
    }
}

fn malformed(reason: impl std::fmt::Display) -> DecodeError {
    DecodeError::malformed(Format::Webp, reason)
}
