//! The forward transform of a block and its quantisation, in f32.
//!
//! Arai, Agui and Nakajima, "A fast DCT-SQ scheme for images" (1988): five multiplications an axis, the other factors
//! are part of the quantisation. Its twin in AVX2 intrinsics does the same sums in the same order.

use std::f64::consts::{PI, SQRT_2};

use crate::codecs::jpeg::zigzag::ZIGZAG;

/// A block of samples, rows top-down.
pub(super) type Samples = [[u8; 8]; 8];

/// A quantised block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Columns of frequencies, one after the other: `8 u + v`.
    pub(super) values: [i16; 64],
    /// Which of them are not zero: bit k for the k-th in zigzag order.
    pub(super) present: u64,
}

/// The inverse of a quantisation table with the transform's factors: `8 u + v`.
#[derive(Debug, Clone)]
pub(super) struct Divisors(pub(super) [f32; 64]);

impl Divisors {
    /// `table` is in zigzag order.
    pub(super) fn new(table: &[u8; 64]) -> Self {
        let factor = |k: u8| if k == 0 { 1.0 } else { SQRT_2 * (f64::from(k) * PI / 16.0).cos() };
        let mut divisors = [0.0; 64];
        for (&step, (u, v)) in table.iter().zip(ZIGZAG) {
            divisors[usize::from(8 * u + v)] = (1.0 / (f64::from(step) * 8.0 * factor(u) * factor(v))) as f32;
        }
        Self(divisors)
    }
}

/// The twin for every processor.
pub(super) fn plain(samples: &Samples, Divisors(divisors): &Divisors) -> Block {
    let mut rows = samples.map(|row| row.map(f32::from));
    axis(&mut rows);
    let mut columns: [[f32; 8]; 8] = std::array::from_fn(|x| std::array::from_fn(|v| rows[v][x]));
    axis(&mut columns);
    columns[0][0] -= MIDDLE;
    let mut values = [0; 64];
    for (value, (&frequency, &divisor)) in values.iter_mut().zip(columns.as_flattened().iter().zip(divisors)) {
        *value = rounded(frequency * divisor);
    }
    let bits = |column: &[i16]| column.iter().rev().fold(0, |bits, &value| bits << 1 | u8::from(value != 0));
    let present = in_zigzag(std::array::from_fn(|u| bits(&values[8 * u..8 * u + 8])));
    Block { values, present }
}

/// What 128 in every sample adds to the first coefficient: samples are meant around 0.
pub(super) const MIDDLE: f32 = 64.0 * 128.0;

/// To the nearest whole number, of two to the even one, as processors do it: far up, floats are whole numbers.
#[inline(always)]
fn rounded(value: f32) -> i16 {
    const FAR: f32 = 12_582_912.0;
    (value + FAR).to_bits() as i16
}

/// Places to frequencies, of eight columns or rows side by side.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "a column of an array of rows")]
fn axis(lanes: &mut [[f32; 8]; 8]) {
    for i in 0..8 {
        let x: [f32; 8] = std::array::from_fn(|k| lanes[k][i]);
        let [sum_07, sum_16, sum_25, sum_34] = [x[0] + x[7], x[1] + x[6], x[2] + x[5], x[3] + x[4]];
        let [apart_07, apart_16, apart_25, apart_34] = [x[0] - x[7], x[1] - x[6], x[2] - x[5], x[3] - x[4]];
        let (outer, inner) = (sum_07 + sum_34, sum_16 + sum_25);
        let (outer_apart, inner_apart) = (sum_07 - sum_34, sum_16 - sum_25);
        lanes[0][i] = outer + inner;
        lanes[4][i] = outer - inner;
        let turned = (inner_apart + outer_apart) * HALF_ROOT;
        lanes[2][i] = outer_apart + turned;
        lanes[6][i] = outer_apart - turned;

        let (low, middle, high) = (apart_34 + apart_25, apart_25 + apart_16, apart_16 + apart_07);
        let both = (low - high) * TURN;
        let low = low * TURN_LOW + both;
        let high = high * TURN_HIGH + both;
        let middle = middle * HALF_ROOT;
        let (up, down) = (apart_07 + middle, apart_07 - middle);
        lanes[5][i] = down + low;
        lanes[3][i] = down - low;
        lanes[1][i] = up + high;
        lanes[7][i] = up - high;
    }
}

/// cos(π/4), sin(π/8), cos(π/8) - sin(π/8), cos(π/8) + sin(π/8).
pub(super) const HALF_ROOT: f32 = std::f32::consts::FRAC_1_SQRT_2;
pub(super) const TURN: f32 = 0.382_683_43;
pub(super) const TURN_LOW: f32 = 0.541_196_1;
pub(super) const TURN_HIGH: f32 = 1.306_563;

/// Bits by columns of frequencies (bit v of byte u) → bits in zigzag order.
#[inline(always)]
pub(super) fn in_zigzag(columns: [u8; 8]) -> u64 {
    let mut bits = 0;
    for (u, column) in columns.into_iter().enumerate() {
        bits |= HALVES[2 * u][usize::from(column & 15)] | HALVES[2 * u + 1][usize::from(column >> 4)];
    }
    bits
}

/// The zigzag bits of each half column.
static HALVES: [[u64; 16]; 16] = {
    let mut halves = [[0; 16]; 16];
    let mut k = 0;
    while k < 64 {
        let (u, v) = ZIGZAG[k];
        let mut bits = 0;
        while bits < 16 {
            if bits >> (v % 4) & 1 == 1 {
                halves[(2 * u + v / 4) as usize][bits] |= 1 << k;
            }
            bits += 1;
        }
        k += 1;
    }
    halves
};

#[cfg(test)]
mod tests {
    use super::super::kernels::Kernels;
    use super::*;

    /// T.81, A.3.3 and A.3.4, as they stand there, before rounding.
    fn definition(samples: &Samples, table: &[u8; 64]) -> [f64; 64] {
        let c = |k: u8| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let wave = |place: usize, k: u8| ((2 * place + 1) as f64 * f64::from(k) * PI / 16.0).cos();
        std::array::from_fn(|k| {
            let (u, v) = ZIGZAG[k];
            let mut sum = 0.0;
            for (y, row) in samples.iter().enumerate() {
                for (x, &sample) in row.iter().enumerate() {
                    sum += (f64::from(sample) - 128.0) * wave(x, u) * wave(y, v);
                }
            }
            sum * c(u) * c(v) / 4.0 / f64::from(table[k])
        })
    }

    #[test]
    fn both_twins_are_the_rounded_definition() {
        let mut random = 5_u32;
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as u8
        };
        for round in 0..600_u32 {
            let table: [u8; 64] = std::array::from_fn(|_| if round % 3 == 0 { 1 } else { next() / 4 + 1 });
            // Noise, extremes, and noise around a level.
            let (level, width) = (next(), 1 + next() % 40);
            let samples: Samples = std::array::from_fn(|_| {
                std::array::from_fn(|_| match round % 4 {
                    0 => next(),
                    1 => next() / 128 * 255,
                    _ => level.saturating_add(next() % width),
                })
            });
            let divisors = Divisors::new(&table);
            let block = plain(&samples, &divisors);
            assert_eq!((Kernels::fastest().transform)(&samples, &divisors), block);
            for (k, want) in definition(&samples, &table).into_iter().enumerate() {
                let (u, v) = ZIGZAG[k];
                let got = block.values[usize::from(8 * u + v)];
                assert!((f64::from(got) - want).abs() <= 0.501, "{round} {k}: {got} {want}");
                assert_eq!(block.present >> k & 1 == 1, got != 0);
            }
        }
    }

    #[test]
    fn a_flat_block_has_its_mean_alone() {
        for level in [0, 1, 127, 128, 200, 255] {
            let block = plain(&[[level; 8]; 8], &Divisors::new(&[1; 64]));
            assert_eq!(block.values[0], 8 * (i16::from(level) - 128));
            assert_eq!(block.present, u64::from(level != 128));
        }
    }
}
