//! Undoing predictors (TIFF 6.0, section 14; TIFF technical note 3) and bringing samples to 8 bits.

use super::colour::{Model, to_8_bits};
use super::layout::{Layout, SampleFormat};
use super::malformed;
use crate::codecs::DecodeError;

/// Undoes the predictor of one row of a chunk in place. Afterwards samples stand as without a predictor, in the byte
/// order that [`unpack`] expects of `layout`.
///
/// # Errors
/// [`DecodeError::Malformed`] for a predictor that does not fit the samples.
pub(super) fn undo_predictor(row: &mut Vec<u8>, layout: &Layout<'_>) -> Result<(), DecodeError> {
    let step = layout.samples_in_chunk();
    let bytes = layout.bits as usize / 8;
    match (layout.predictor, layout.format, layout.bits) {
        (1, ..) => Ok(()),
        (2, _, 8 | 16 | 32) => {
            add_left(row, step, bytes, layout.little);
            Ok(())
        }
        (3, SampleFormat::Float, _) => {
            for at in step..row.len() {
                row[at] = row[at].wrapping_add(row[at - step]);
            }
            // Bytes of equal weight stand together, the most significant first.
            let count = row.len() / bytes;
            let mut joined = vec![0; row.len()];
            for (i, sample) in joined.chunks_exact_mut(bytes).enumerate() {
                for (nth, byte) in sample.iter_mut().enumerate() {
                    let weight = if layout.little { bytes - 1 - nth } else { nth };
                    *byte = row[weight * count + i];
                }
            }
            *row = joined;
            Ok(())
        }
        (other, ..) => Err(malformed(format!("predictor {other} is not supported here"))),
    }
}

/// Adds to each sample the one of the pixel to the left.
fn add_left(row: &mut [u8], step: usize, bytes: usize, little: bool) {
    if bytes == 1 {
        for at in step..row.len() {
            row[at] = row[at].wrapping_add(row[at - step]);
        }
        return;
    }
    let gap = step * bytes;
    for at in (gap..row.len() / bytes * bytes).step_by(bytes) {
        let mut carry = 0;
        for nth in 0..bytes {
            let byte = if little { nth } else { bytes - 1 - nth };
            let sum = u16::from(row[at + byte]) + u16::from(row[at + byte - gap]) + carry;
            row[at + byte] = sum as u8;
            carry = sum >> 8;
        }
    }
}

/// Where samples of a row go: `take` of them for each pixel, to `at` of every `step` bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) take: usize,
    pub(super) step: usize,
    pub(super) at: usize,
}

/// Brings the samples of one row of a chunk to 8 bits (palette indices stay as they are) and spreads them over `out`.
pub(super) fn unpack(row: &[u8], layout: &Layout<'_>, target: Target, out: &mut [u8]) {
    let bits = layout.bits;
    let indexed = matches!(layout.model, Model::Palette { .. });
    if layout.format == SampleFormat::Integer && bits == 8 {
        return spread(layout.samples_in_chunk(), target, out, |i| row.get(i).copied().unwrap_or(0));
    }
    let value = |i: usize| raw(row, i, bits, layout.little);
    let top = u64::MAX >> (64 - bits);
    let scale = |value: u64| ((value * 255 + top / 2) / top) as u8;
    let per_pixel = layout.samples_in_chunk();
    match layout.format {
        SampleFormat::Float => spread(per_pixel, target, out, |i| float_to_8_bits(value(i), bits)),
        SampleFormat::Integer if indexed => spread(per_pixel, target, out, |i| value(i) as u8),
        SampleFormat::Integer if bits == 16 => spread(per_pixel, target, out, |i| to_8_bits(value(i))),
        SampleFormat::Integer => spread(per_pixel, target, out, |i| scale(value(i))),
    }
}

fn spread(per_pixel: usize, target: Target, out: &mut [u8], value: impl Fn(usize) -> u8) {
    for (x, pixel) in out.chunks_exact_mut(target.step).enumerate() {
        for (nth, sample) in pixel[target.at..].iter_mut().take(target.take).enumerate() {
            *sample = value(x * per_pixel + nth);
        }
    }
}

/// Sample `i` of a packed row; whole bytes in the byte order of the file, others from the top bit down.
fn raw(row: &[u8], i: usize, bits: u32, little: bool) -> u64 {
    let fold = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    if bits.is_multiple_of(8) {
        let bytes = bits as usize / 8;
        let Some(sample) = row.get(i * bytes..(i + 1) * bytes) else { return 0 };
        return if little { sample.iter().rev().fold(0, fold) } else { sample.iter().fold(0, fold) };
    }
    let first = i * bits as usize;
    let end = first + bits as usize;
    let Some(window) = row.get(first / 8..end.div_ceil(8)) else { return 0 };
    let value = window.iter().fold(0, fold) >> (end.div_ceil(8) * 8 - end);
    value & (u64::MAX >> (64 - bits))
}

fn float_to_8_bits(value: u64, bits: u32) -> u8 {
    let value = match bits {
        16 => half_to_f64(value as u16),
        32 => f64::from(f32::from_bits(value as u32)),
        _ => f64::from_bits(value),
    };
    // NaN becomes 0 in the cast.
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}

/// IEEE 754 binary16.
fn half_to_f64(half: u16) -> f64 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(half & 0x3FF) / 1024.0;
    match (half >> 10) & 0x1F {
        0 => sign * fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * (1.0 + fraction) * 2f64.powi(i32::from(exponent) - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_from_the_top_and_bytes_in_file_order() {
        assert_eq!((0..4).map(|i| raw(&[0b1011_0001], i, 2, true)).collect::<Vec<_>>(), [2, 3, 0, 1]);
        assert_eq!([raw(&[0xAB, 0xCD, 0xEF], 0, 12, true), raw(&[0xAB, 0xCD, 0xEF], 1, 12, true)], [0xABC, 0xDEF]);
        assert_eq!([raw(&[1, 2], 0, 16, true), raw(&[1, 2], 0, 16, false)], [0x201, 0x102]);
        assert_eq!(raw(&[1], 0, 16, true), 0);
    }

    #[test]
    fn the_left_neighbour_is_added_with_carry() {
        let mut row = [0xFF, 0, 2, 0, 1, 0];
        add_left(&mut row, 1, 2, true);
        assert_eq!(row, [0xFF, 0, 1, 1, 2, 1]);
        let mut row = [0, 0xFF, 0, 2];
        add_left(&mut row, 1, 2, false);
        assert_eq!(row, [0, 0xFF, 1, 1]);
    }

    #[test]
    fn floats_run_from_zero_to_one() {
        let of = |v: f32| float_to_8_bits(v.to_bits().into(), 32);
        assert_eq!([of(-1.0), of(0.5), of(7.0), of(f32::NAN)], [0, 128, 255, 0]);
        assert_eq!([0x0000, 0x3800, 0x3C00, 0xBC00].map(half_to_f64), [0.0, 0.5, 1.0, -1.0]);
    }
}
