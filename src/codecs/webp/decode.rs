use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::codecs::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata};
use crate::image::{ImageBuf, PixelFormat};

use super::riff::{Coding, Container};
use super::{alpha, partitions, vp8};

/// Decodes at full size to RGB or RGBA; of an animation the first frame on a transparent canvas.
pub(in crate::codecs) fn decode(
    bytes: &[u8],
    header: &Header,
    _spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
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
    let format = PixelFormat::of(false, decoder.has_alpha());
    let mut image = ImageBuf::zeroed(size, format);
    if !ours(&container, &mut image, cancelled)? {
        decoder.read_image(image.pixels_mut()).map_err(malformed)?;
    }
    if cancelled() {
        return Err(DecodeError::Cancelled);
    }
    Ok(Decoded { picture: image.into(), metadata: metadata.within(limits) })
}

/// Decodes a lossy picture by our own decoder. `false` where it does not take the file, or not all of it: then image-webp
/// begins at the front, and its answer counts.
fn ours(container: &Container<'_>, image: &mut ImageBuf, cancelled: &dyn Fn() -> bool) -> Result<bool, DecodeError> {
    if container.animated || container.picture.coding != Coding::Lossy {
        return Ok(false);
    }
    let (size, transparent) = (image.size(), image.format().has_alpha());
    match vp8::decode(container.picture.body, size, image.pixels_mut(), cancelled) {
        Ok(()) if transparent => {
            let read =
                container.alpha_plane.is_some_and(|plane| alpha::read(plane, size, image.pixels_mut()).is_some());
            if !read {
                image.pixels_mut().fill(0);
            }
            Ok(read)
        }
        Ok(()) => Ok(true),
        Err(vp8::Failure::Refused) => {
            image.pixels_mut().fill(0);
            Ok(false)
        }
        Err(vp8::Failure::Cancelled) => Err(DecodeError::Cancelled),
    }
}

fn malformed(reason: impl std::fmt::Display) -> DecodeError {
    DecodeError::malformed(Format::Webp, reason)
}
