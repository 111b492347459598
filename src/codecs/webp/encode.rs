use std::borrow::Cow;

use image_webp::{ColorType, WebPEncoder};

use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat, samples};
use crate::image::{ImageBuf, PixelFormat};

use super::{lossy, riff};

/// Longest side that the format can say.
const MAX_SIDE: u32 = 16383;

/// Encodes as RGB or RGBA: the format has no grey, so grey output is three equal channels.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    let size = image.size();
    if size.width() > MAX_SIDE || size.height() > MAX_SIDE {
        return Err(EncodeError::TooLarge { format: OutputFormat::Webp, limit: MAX_SIDE });
    }
    let wanted = samples::output_format(image, spec);
    let mut pixels = samples::arranged(image, wanted);
    if wanted.is_gray() {
        let gray = ImageBuf::new(size, wanted, pixels.into_owned()).map_err(failed)?;
        pixels = Cow::Owned(samples::arranged(&gray, PixelFormat::of(false, wanted.has_alpha())).into_owned());
    }
    let alpha = wanted.has_alpha();

    let picture = if spec.lossless {
        let mut out = Vec::new();
        let colour = if alpha { ColorType::Rgba8 } else { ColorType::Rgb8 };
        WebPEncoder::new(&mut out).encode(&pixels, size.width(), size.height(), colour).map_err(failed)?;
        out
    } else {
        lossy::encode(&pixels, size, alpha, spec.quality).map_err(failed)?
    };
    let metadata = metadata.for_output(spec);
    if metadata == Metadata::default() {
        return Ok(picture);
    }
    Ok(riff::extended(&picture, size, alpha, &metadata))
}

fn failed(reason: impl std::fmt::Display) -> EncodeError {
    EncodeError::failed(OutputFormat::Webp, reason)
}
