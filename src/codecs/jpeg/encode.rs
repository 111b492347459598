use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat, samples};
use crate::image::ImageBuf;

use super::optimise::optimised;

/// Longest side that the frame header can say.
const MAX_SIDE: u32 = 65535;
/// Quality from which chroma is kept at full resolution, as in libvips.
const FULL_CHROMA_QUALITY: u8 = 90;
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Encodes with optimised Huffman tables; alpha is flattened on black.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    let size = image.size();
    let too_large = EncodeError::TooLarge { format: OutputFormat::Jpeg, limit: MAX_SIDE };
    let (Ok(width), Ok(height)) = (u16::try_from(size.width()), u16::try_from(size.height())) else {
        return Err(too_large);
    };
    let format = samples::output_format(image, spec);
    let pixels = samples::arranged(image, format);

    let mut out = Vec::with_capacity(pixels.len() / 8 + 4096);
    let mut encoder = Encoder::new(&mut out, spec.quality.clamp(1, 100));
    // Progressive files have a scan a component anyhow; for the others see `optimise`.
    encoder.set_optimized_huffman_tables(spec.interlace);
    encoder.set_progressive(spec.interlace);
    if spec.quality >= FULL_CHROMA_QUALITY {
        encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    } else {
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    }
    // What does not fit into a segment is left out: metadata is never worth a failed answer.
    let metadata = metadata.for_output(spec);
    if let Some(exif) = &metadata.exif {
        let _ = encoder.add_exif_metadata(exif);
    }
    if let Some(xmp) = &metadata.xmp {
        let _ = encoder.add_app_segment(1, [XMP_PREFIX, xmp].concat());
    }
    if let Some(icc) = &metadata.icc {
        let _ = encoder.add_icc_profile(icc);
    }
    let colour = if format.is_gray() { ColorType::Luma } else { ColorType::Rgb };
    encoder.encode(&pixels, width, height, colour).map_err(|error| EncodeError::failed(OutputFormat::Jpeg, error))?;
    if spec.interlace {
        return Ok(out);
    }
    Ok(optimised(&out).unwrap_or(out))
}
