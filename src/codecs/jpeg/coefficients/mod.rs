//! JPEG to the first zigzag coefficients of every block, stepping over the rest.
//!
//! A thumbnail needs only the low frequencies, yet nearly all of a JPEG decoder's time goes into entropy-decoding,
//! storing and transforming the high ones. Here the wanted prefix of each block is read, and the remaining symbols are
//! stepped over several at a time by a table of whole symbol sequences. What this decoder does not take on (anything
//! but clean 8-bit Huffman grey or YCbCr data) it refuses, and the general decoder answers.

mod baseline;
pub(super) mod bits;
pub(super) mod frame;
mod halved;
pub(super) mod huffman;
mod idct;
mod progressive;
mod samples;

use crate::image::{CoefficientPlane, Coefficients, PlaneSink, Planes, Size};

/// Why this decoder leaves a file to the general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A kind of JPEG, or a colour model, that is not done here.
    Kind,
    /// Damaged or truncated data.
    Damaged,
    /// The request ended.
    Cancelled,
}

/// Zigzag prefixes that are triangles of the block: all (u, v) with u + v < k.
pub const fn triangle(k: u8) -> u8 {
    if k >= 8 { 64 } else { k * (k + 1) / 2 }
}

/// Decodes `count` coefficients a block (1, 3, 6, … 36 or 64), dequantised.
///
/// # Errors
/// [`Refused`]; the file may still be readable by the general decoder.
pub fn decode(bytes: &[u8], count: u8, max_scans: u32, cancelled: &dyn Fn() -> bool) -> Result<Coefficients, Refused> {
    let read = Read::new(bytes, count, max_scans, cancelled)?;
    let mut components = Vec::with_capacity(read.grids.len());
    for (component, grid) in read.frame.components.iter().zip(read.grids) {
        let table = read.walker.quantisation(component.table).ok_or(Refused::Damaged)?;
        components.push(grid.dequantised(component, table)?);
    }
    Ok(Coefficients { size: read.frame.size, count, components })
}

/// Decodes to planes of half the width and height, by the inverse transform of the lower half of the frequencies.
/// Chroma that has fewer samples than luma is left at its own size unless `halve_all`.
///
/// # Errors
/// [`Refused`]; the file may still be readable by the general decoder.
pub fn decode_halved(
    bytes: &[u8],
    halve_all: bool,
    max_scans: u32,
    cancelled: &dyn Fn() -> bool,
) -> Result<Planes, Refused> {
    let read = Read::new(bytes, halved::COUNT, max_scans, cancelled)?;
    let luma_size = read.frame.components.first().ok_or(Refused::Kind)?.size;
    let mut planes = Vec::with_capacity(read.grids.len());
    for (component, grid) in read.frame.components.iter().zip(&read.grids) {
        let table = read.walker.quantisation(component.table).ok_or(Refused::Damaged)?;
        if halve_all || component.size.area() * 2 > luma_size.area() {
            planes.push(halved::plane::<4>(grid, component.size, table, cancelled)?);
        } else {
            planes.push(halved::plane::<8>(grid, component.size, table, cancelled)?);
        }
    }
    samples::picture(read.frame.size, planes).ok_or(Refused::Kind)
}

/// Decodes all samples of a sequential file to planes at their own sampling.
///
/// # Errors
/// [`Refused`]; the file may still be readable by the general decoder.
pub fn decode_planes(bytes: &[u8], cancelled: &dyn Fn() -> bool) -> Result<Planes, Refused> {
    let mut planes = planes_ahead(bytes)?.filled();
    decode_planes_to(bytes, &mut planes, cancelled)?;
    Ok(planes)
}

/// The planes, without samples, that [`decode_planes_to`] will hand over.
///
/// # Errors
/// [`Refused`], as far as that can be seen before the first scan.
pub fn planes_ahead(bytes: &[u8]) -> Result<Planes, Refused> {
    let frame = frame::Walker::new(bytes)?.frame()?;
    // Refinements of AC coefficients are not read here, and all samples need them.
    if frame.progressive {
        return Err(Refused::Kind);
    }
    samples::hollow(&frame).ok_or(Refused::Kind)
}

/// Decodes all samples of a sequential file, handing over rows as they are done.
///
/// # Errors
/// [`Refused`]; what was handed over until then is worth nothing.
pub fn decode_planes_to(bytes: &[u8], sink: &mut dyn PlaneSink, cancelled: &dyn Fn() -> bool) -> Result<(), Refused> {
    let mut walker = frame::Walker::new(bytes)?;
    let frame = walker.frame()?;
    if frame.progressive {
        return Err(Refused::Kind);
    }
    samples::sequential(&mut walker, &frame, sink, cancelled)
}

/// Everything up to the end of the last scan.
struct Read<'a> {
    walker: frame::Walker<'a>,
    frame: frame::Frame,
    grids: Vec<frame::Grid>,
}

impl<'a> Read<'a> {
    fn new(bytes: &'a [u8], count: u8, max_scans: u32, cancelled: &dyn Fn() -> bool) -> Result<Self, Refused> {
        let mut walker = frame::Walker::new(bytes)?;
        let frame = walker.frame()?;
        let mut grids: Vec<frame::Grid> = frame.components.iter().map(|c| frame::Grid::new(c, count)).collect();
        if frame.progressive {
            progressive::decode(&mut walker, &frame, &mut grids, max_scans, cancelled)?;
        } else {
            baseline::decode(&mut walker, &frame, &mut grids, cancelled)?;
        }
        Ok(Self { walker, frame, grids })
    }
}

impl frame::Grid {
    /// Multiplies by the quantisation table. Values beyond what 8-bit samples can make are clamped.
    fn dequantised(mut self, component: &frame::Component, table: &[u16; 64]) -> Result<CoefficientPlane, Refused> {
        let blocks = self.blocks_across * self.blocks_down;
        for (values, &q) in self.values.chunks_exact_mut(blocks).zip(table) {
            for value in values {
                *value = (i32::from(*value) * i32::from(q)).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
            }
        }
        let blocks = Size::new(self.blocks_across as u32, self.blocks_down as u32).ok_or(Refused::Damaged)?;
        Ok(CoefficientPlane { size: component.size, blocks, values: self.values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::{EncodeSpec, Metadata, OutputFormat, encode};
    use crate::image::{ImageBuf, PixelFormat};

    /// A picture whose blocks are constant: each has a DC coefficient and nothing else.
    fn blocks(interlace: bool, quality: u8) -> Vec<u8> {
        let size = Size::new(40, 24).unwrap();
        let mut samples = Vec::new();
        for y in 0..24u32 {
            for x in 0..40u32 {
                samples.extend([((x / 8 + y / 8 * 5) * 12 + 40) as u8; 3]);
            }
        }
        let image = ImageBuf::new(size, PixelFormat::Rgb8, samples).unwrap();
        let spec = EncodeSpec { interlace, quality, ..EncodeSpec::new(OutputFormat::Jpeg) };
        encode(&image, &Metadata::default(), &spec).unwrap()
    }

    #[test]
    fn dc_is_eight_times_the_mean_of_a_block() {
        for interlace in [false, true] {
            for count in [1, 3, 6, 64] {
                if interlace && count > 1 {
                    continue;
                }
                let got = decode(&blocks(interlace, 95), count, 100, &|| false).unwrap();
                let luma = &got.components[0];
                let across = luma.blocks.width();
                for (i, dc) in luma.values[..(across * luma.blocks.height()) as usize].iter().enumerate() {
                    let (x, y) = (i as u32 % across, i as u32 / across);
                    if x < 5 && y < 3 {
                        let want = ((x + y * 5) * 12 + 40) as i32 - 128;
                        assert!((i32::from(*dc) - 8 * want).abs() <= 8, "{interlace} {count} {x},{y}: {dc} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn mutated_files_are_refused_or_decoded_but_never_panic() {
        let mut random = 7_u32;
        for original in [blocks(false, 80), blocks(true, 80)] {
            for round in 0..3000 {
                let mut bytes = original.clone();
                for _ in 0..=round % 6 {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let at = random as usize % bytes.len();
                    bytes[at] = (random >> 24) as u8;
                }
                if bytes.len() > 4 {
                    bytes.truncate(bytes.len() - (random as usize >> 8) % 4);
                }
                // A mutated size may ask for much memory: the header check does that before, in real use.
                if let Ok(mut walker) = frame::Walker::new(&bytes)
                    && walker.frame().is_ok_and(|f| f.size.area() < 1 << 20)
                {
                    let _ = decode(&bytes, 6, 100, &|| false);
                }
            }
        }
    }
}
