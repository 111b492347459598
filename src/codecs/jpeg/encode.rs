use jpeg_encoder::{
    ChromaSubsamplingMethod, ColorType, Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor,
};

use crate::codecs::{EncodeError, EncodeSpec, Metadata, OutputFormat, samples};
use crate::image::{Form, ImageBuf, Plane, Planes, Size};

use super::optimise::optimised;

/// Longest side that the frame header can say.
const MAX_SIDE: u32 = 65535;
/// Quality from which chroma is kept at full resolution, as in libvips.
const FULL_CHROMA_QUALITY: u8 = 90;
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Planes as the file holds them.
pub(in crate::codecs) const fn form(spec: &EncodeSpec) -> Form {
    let step = if spec.quality >= FULL_CHROMA_QUALITY { 1 } else { 2 };
    Form::Planes { across: step, down: step }
}

/// Encodes with optimised Huffman tables; alpha is flattened on black.
pub(in crate::codecs) fn encode(
    image: &ImageBuf,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    let format = samples::output_format(image, spec);
    let pixels = samples::arranged(image, format);
    let colour = if format.is_gray() { ColorType::Luma } else { ColorType::Rgb };
    written(image.size(), pixels.len(), metadata, spec, |encoder, width, height| {
        encoder.encode(&pixels, width, height, colour)
    })
}

/// As [`encode`], of planes in the [`form`] that the file holds.
pub(in crate::codecs) fn encode_planes(
    planes: &Planes,
    metadata: &Metadata,
    spec: &EncodeSpec,
) -> Result<Vec<u8>, EncodeError> {
    let wrong = || EncodeError::failed(OutputFormat::Jpeg, "planes of other sizes than the file holds");
    let Form::Planes { across, down } = form(spec) else { return Err(wrong()) };
    let Some(chroma @ [cb, cr]) = &planes.chroma else { return Err(wrong()) };
    let size = planes.size;
    let coarse = Size::at_least_one(size.width().div_ceil(across), size.height().div_ceil(down));
    let holds = |plane: &Plane, size: Size| plane.size == size && plane.samples.len() as u64 == size.area();
    if !holds(&planes.luma, size) || !holds(cb, coarse) || !holds(cr, coarse) {
        return Err(wrong());
    }
    let bytes = planes.luma.samples.len();
    written(size, bytes, metadata, spec, |encoder, width, height| {
        encoder.encode_image(Ycc { luma: &planes.luma, chroma, across, down: down as usize, width, height })
    })
}

/// Planes as the encoder takes them: rows at full size. It averages chroma again, of samples that are equal.
struct Ycc<'a> {
    luma: &'a Plane,
    chroma: &'a [Plane; 2],
    across: u32,
    down: usize,
    width: u16,
    height: u16,
}

impl ImageBuffer for Ycc<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        let row = |plane: &'_ Plane, y: usize| {
            let width = plane.size.width() as usize;
            y * width..(y + 1) * width
        };
        let y = usize::from(y);
        let [luma, cb, cr, _] = buffers;
        luma.extend_from_slice(&self.luma.samples[row(self.luma, y)]);
        for (plane, buffer) in self.chroma.iter().zip([cb, cr]) {
            let samples = &plane.samples[row(plane, y / self.down)];
            if self.across == 1 {
                buffer.extend_from_slice(samples);
            } else {
                let end = buffer.len() + usize::from(self.width);
                buffer.extend(samples.iter().flat_map(|&sample| [sample, sample]));
                buffer.truncate(end);
            }
        }
    }
}

/// Writes a file whose picture `encode` gives to the encoder; `bytes` are the picture's.
fn written(
    size: Size,
    bytes: usize,
    metadata: &Metadata,
    spec: &EncodeSpec,
    encode: impl FnOnce(Encoder<&mut Vec<u8>>, u16, u16) -> Result<(), EncodingError>,
) -> Result<Vec<u8>, EncodeError> {
    let too_large = EncodeError::TooLarge { format: OutputFormat::Jpeg, limit: MAX_SIDE };
    let (Ok(width), Ok(height)) = (u16::try_from(size.width()), u16::try_from(size.height())) else {
        return Err(too_large);
    };
    let mut out = Vec::with_capacity(bytes / 8 + 4096);
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
    encode(encoder, width, height).map_err(|error| EncodeError::failed(OutputFormat::Jpeg, error))?;
    if spec.interlace {
        return Ok(out);
    }
    Ok(optimised(&out).unwrap_or(out))
}
