//! Progressive files, by jpeg-encoder.

use jpeg_encoder::{
    ChromaSubsamplingMethod, ColorType, Encoder, EncodingError, ImageBuffer, JpegColorType, SamplingFactor,
};

use crate::codecs::samples::arranged;
use crate::image::{PixelFormat, Plane, Planes, Size};

use super::encoder::{Sampling, Settings, Source};

/// As [`super::encoder::encode`], of a source that has been checked.
///
/// # Errors
/// What the encoder says.
pub(super) fn encode(source: Source<'_>, settings: &Settings<'_>) -> Result<Vec<u8>, EncodingError> {
    let size = source.size();
    let (width, height) = (size.width() as u16, size.height() as u16);
    let mut out = Vec::with_capacity(size.area() as usize / 4 + 4096);
    let mut encoder = Encoder::new(&mut out, settings.quality.clamp(1, 100));
    encoder.set_optimized_huffman_tables(true);
    encoder.set_progressive(true);
    encoder.set_sampling_factor(match settings.sampling {
        Sampling::Full => SamplingFactor::R_4_4_4,
        Sampling::Quarter => SamplingFactor::R_4_2_0,
    });
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    for (number, body) in settings.segments {
        encoder.add_app_segment(*number, body.clone())?;
    }
    match source {
        Source::Packed { image, gray } => {
            let pixels = arranged(image, PixelFormat::of(gray, false));
            encoder.encode(&pixels, width, height, if gray { ColorType::Luma } else { ColorType::Rgb })?;
        }
        Source::Planes(planes) => {
            encoder.encode_image(Rows { planes, step: settings.sampling.step() as usize, width, height })?;
        }
    }
    Ok(out)
}

/// Most bytes that [`encode`] holds beside the picture and the file: all samples at full size, packed colours that alpha was
/// flattened of, and all coefficients.
pub(super) const fn held_bytes(size: Size, sampling: Sampling, gray: bool) -> u64 {
    // With whole MCUs.
    let area = (size.width() as u64 + 15) * (size.height() as u64 + 15);
    match (gray, sampling) {
        (true, _) => area * (1 + 1 + 2),
        (false, Sampling::Full) => area * (3 + 3 + 6),
        (false, Sampling::Quarter) => area * (3 + 3 + 3),
    }
}

/// Planes as the encoder takes them: rows at full size. It averages chroma again, of samples that are equal.
struct Rows<'a> {
    planes: &'a Planes,
    /// Luma samples on each axis that a chroma sample stands for: 1 or 2.
    step: usize,
    width: u16,
    height: u16,
}

impl ImageBuffer for Rows<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        if self.planes.chroma.is_some() { JpegColorType::Ycbcr } else { JpegColorType::Luma }
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
        let [luma, coarse @ .., _] = buffers;
        luma.extend_from_slice(&self.planes.luma.samples[row(&self.planes.luma, y)]);
        for (plane, buffer) in self.planes.chroma.iter().flatten().zip(coarse) {
            let samples = &plane.samples[row(plane, y / self.step)];
            if self.step == 1 {
                buffer.extend_from_slice(samples);
            } else {
                let end = buffer.len() + usize::from(self.width);
                buffer.extend(samples.iter().flat_map(|&sample| [sample, sample]));
                buffer.truncate(end);
            }
        }
    }
}
