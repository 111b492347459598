use std::borrow::Cow;

use png::text_metadata::ITXtChunk;
use png::{BitDepth, ColorType, DeflateCompression, Encoder, EncodingError, Filter, Info};

use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat, samples};
use crate::image::{ImageBuf, PixelFormat, Size};

use super::palette::Indexed;

/// What a deflater takes for its window and tables, and some more.
const DEFLATE_BYTES: usize = 1 << 20;
const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// Encodes 8-bit grey or RGB with or without alpha, or an indexed picture. Never interlaced.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    // The deflater would panic.
    let mut scratch = Vec::<u8>::new();
    scratch.try_reserve_exact(DEFLATE_BYTES).map_err(|_| EncodeError::OutOfMemory)?;
    drop(scratch);
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

    let colour = info.color_type;
    let mut out = Vec::with_capacity(pixels.len() / 2 + 1024);
    let mut encoder = Encoder::with_info(&mut out, info)?;
    // Neighbouring indices say nothing about each other.
    let filtered = indexed.is_none() && filters_pay(&pixels, image.size(), colour, spec.compression)?;
    encoder.set_deflate_compression(deflate_level(spec.compression, filtered));
    encoder.set_filter(if filtered { Filter::Adaptive } else { Filter::NoFilter });
    let mut writer = encoder.write_header()?;
    if let Some(xmp) = metadata.xmp.and_then(|xmp| String::from_utf8(xmp).ok()) {
        writer.write_text_chunk(&ITXtChunk::new(XMP_KEYWORD, xmp))?;
    }
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(out)
}

/// zlib-rs' level for an effort of 1 to 9. On filtered photographs its levels 4 to 6 take half as long again as 3 and
/// gain less than a hundredth, so there the default effort of 6 stands for 3; repeated patterns gain from each level.
fn deflate_level(effort: u8, filtered: bool) -> DeflateCompression {
    DeflateCompression::Level(match effort {
        4..=6 if filtered => 3,
        effort => effort.clamp(1, 9),
    })
}

/// Whether row filters make a smaller file, tried on a few bands of rows: they do for photographs; drawings and text
/// are often smaller without.
fn filters_pay(pixels: &[u8], size: Size, colour: ColorType, effort: u8) -> Result<bool, EncodingError> {
    const BANDS: usize = 4;
    const BAND_ROWS: usize = 8;
    let height = size.height() as usize;
    let stride = pixels.len() / height;
    let rows = height.min(BANDS * BAND_ROWS);
    let mut sample = Vec::with_capacity(rows * stride);
    if height <= rows {
        sample.extend_from_slice(pixels);
    } else {
        for band in 0..BANDS {
            let first = (height - BAND_ROWS) * band / (BANDS - 1);
            sample.extend_from_slice(&pixels[first * stride..][..BAND_ROWS * stride]);
        }
    }
    let bytes = |filter, level| -> Result<usize, EncodingError> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, size.width(), rows as u32);
        encoder.set_color(colour);
        encoder.set_deflate_compression(level);
        encoder.set_filter(filter);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&sample)?;
        writer.finish()?;
        Ok(out.len())
    };
    // More effort than the default changes the numbers, not which is smaller.
    let effort = effort.min(6);
    let filtered = bytes(Filter::Adaptive, deflate_level(effort, true))?;
    Ok(filtered <= bytes(Filter::NoFilter, deflate_level(effort, false))?)
}
