use std::borrow::Cow;

use png::text_metadata::ITXtChunk;
use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter, Info};

use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat, samples};
use crate::image::{ImageBuf, PixelFormat};

use super::palette::Indexed;

const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// Encodes 8-bit grey or RGB with or without alpha, or an indexed picture. Never interlaced.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    write(image, metadata, spec).map_err(|error| EncodeError::failed(OutputFormat::Png, error))
}

fn write(image: &ImageBuf, metadata: &Metadata, spec: &EncodeSpec) -> Result<Vec<u8>, EncodingError> {
    let format = samples::output_format(image, spec);
    let metadata = metadata.for_output(spec);
    let mut info = Info::with_size(image.size().width(), image.size().height());
    info.icc_profile = metadata.icc.map(Cow::Owned);
    info.exif_metadata = metadata.exif.map(Cow::Owned);

    // A palette of greys would have to be RGB again, so grey output stays grey.
    let indexed = (spec.palette && !format.is_gray()).then(|| {
        let rgba = samples::arranged(image, PixelFormat::Rgba8);
        Indexed::of(&rgba, image.size())
    });
    let pixels = match &indexed {
        Some(indexed) => {
            info.color_type = ColorType::Indexed;
            info.bit_depth = BitDepth::Eight;
            info.palette = Some(Cow::Borrowed(&indexed.palette));
            info.trns = (!indexed.alpha.is_empty()).then_some(Cow::Borrowed(&indexed.alpha));
            Cow::Borrowed(&indexed.indices[..])
        }
        None => {
            info.color_type = match format {
                PixelFormat::Gray8 => ColorType::Grayscale,
                PixelFormat::GrayAlpha8 => ColorType::GrayscaleAlpha,
                PixelFormat::Rgb8 => ColorType::Rgb,
                PixelFormat::Rgba8 => ColorType::Rgba,
            };
            info.bit_depth = BitDepth::Eight;
            samples::arranged(image, format)
        }
    };

    let mut out = Vec::with_capacity(pixels.len() / 2 + 1024);
    let mut encoder = Encoder::with_info(&mut out, info)?;
    encoder.set_deflate_compression(DeflateCompression::Level(spec.compression.clamp(1, 9)));
    // Neighbouring indices say nothing about each other.
    encoder.set_filter(if indexed.is_some() { Filter::NoFilter } else { Filter::Adaptive });
    let mut writer = encoder.write_header()?;
    if let Some(xmp) = metadata.xmp.and_then(|xmp| String::from_utf8(xmp).ok()) {
        writer.write_text_chunk(&ITXtChunk::new(XMP_KEYWORD, xmp))?;
    }
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(out)
}
