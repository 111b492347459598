//! The inverse transform of a block, in f32.
//!
//! Arai, Agui and Nakajima, "A fast DCT-SQ scheme for images" (1988): five multiplications an axis, the other factors
//! are part of the quantisation table. Exact to about 1e-4 of a step of 8 bits. One axis is done for eight columns at
//! once, which vectorises; turning the block between the axes does not, so there is a twin for AVX2 that does the same
//! sums in the same order.

#[cfg(target_arch = "x86_64")]
#[path = "idct_avx2.rs"]
mod avx2;

use std::f64::consts::{PI, SQRT_2};

pub(super) use crate::codecs::jpeg::zigzag::BY_COLUMN;

/// A block of samples, rows top-down.
pub(super) type Samples = [[u8; 8]; 8];

/// What is done to a block: coefficients as [`Scaled`] orders them → samples.
pub(super) type Idct = fn(&[i16; 64], &Scaled) -> Samples;

/// A quantisation table with the transform's factors, in the order of [`BY_COLUMN`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scaled([f32; 64]);

impl Scaled {
    /// `table` is in zigzag order, as files have it.
    pub(super) fn new(table: &[u16; 64]) -> Self {
        let factor = |k: usize| if k == 0 { 1.0 } else { SQRT_2 * (k as f64 * PI / 16.0).cos() };
        let mut scaled = [0.0; 64];
        for (&q, &at) in table.iter().zip(&BY_COLUMN) {
            let at = usize::from(at);
            scaled[at] = (f64::from(q) * factor(at / 8) * factor(at % 8) / 8.0) as f32;
        }
        Self(scaled)
    }

    /// The sample that all of a block are that has only this first coefficient.
    pub(super) fn flat(&self, dc: i16) -> u8 {
        to_sample(f32::from(dc) * self.0[0])
    }
}

/// The fastest of the twins that this processor runs.
pub(super) fn fastest() -> Idct {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return avx2::transform;
    }
    plain
}

/// The twin for every processor.
pub(super) fn plain(coefficients: &[i16; 64], Scaled(table): &Scaled) -> Samples {
    let mut columns = [[0.0; 8]; 8];
    for (u, column) in columns.iter_mut().enumerate() {
        for (v, value) in column.iter_mut().enumerate() {
            *value = f32::from(coefficients[8 * u + v]) * table[8 * u + v];
        }
    }
    axis(&mut columns);
    let mut rows = [[0.0; 8]; 8];
    for (v, row) in rows.iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = columns[x][v];
        }
    }
    axis(&mut rows);
    let mut samples = [[0; 8]; 8];
    for (samples, row) in samples.iter_mut().zip(&rows) {
        for (sample, &value) in samples.iter_mut().zip(row) {
            *sample = to_sample(value);
        }
    }
    samples
}

/// Frequencies to places, of eight columns or rows side by side.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "a column of an array of rows")]
fn axis(lanes: &mut [[f32; 8]; 8]) {
    for i in 0..8 {
        let f: [f32; 8] = std::array::from_fn(|k| lanes[k][i]);
        let (even_sum, even_difference) = (f[0] + f[4], f[0] - f[4]);
        let sum_26 = f[2] + f[6];
        let difference_26 = (f[2] - f[6]) * ROOT_2 - sum_26;
        let even =
            [even_sum + sum_26, even_difference + difference_26, even_difference - difference_26, even_sum - sum_26];
        let (sum_53, difference_53) = (f[5] + f[3], f[5] - f[3]);
        let (sum_17, difference_17) = (f[1] + f[7], f[1] - f[7]);
        let odd_0 = sum_17 + sum_53;
        let turned = (difference_53 + difference_17) * TURN;
        let odd_1 = turned - difference_53 * TURN_SUM - odd_0;
        let odd_2 = (sum_17 - sum_53) * ROOT_2 - odd_1;
        let odd_3 = turned - difference_17 * TURN_DIFFERENCE - odd_2;
        let odd = [odd_0, odd_1, odd_2, odd_3];
        for k in 0..4 {
            lanes[k][i] = even[k] + odd[k];
            lanes[7 - k][i] = even[k] - odd[k];
        }
    }
}

const ROOT_2: f32 = std::f32::consts::SQRT_2;
/// 2 cos(π/8), 2 (cos(π/8) + cos(3π/8)), 2 (cos(π/8) - cos(3π/8)).
const TURN: f32 = 1.847_759_1;
const TURN_SUM: f32 = 2.613_125_9;
const TURN_DIFFERENCE: f32 = 1.082_392_2;

#[inline(always)]
fn to_sample(value: f32) -> u8 {
    (value + 128.5).clamp(0.0, 255.0) as i32 as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ITU-T T.81, A.3.3, as it stands there.
    fn definition(coefficients: &[i16; 64], table: &[u16; 64]) -> [[f64; 8]; 8] {
        let c = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let mut natural = [[0.0; 8]; 8];
        for k in 0..64 {
            let at = usize::from(BY_COLUMN[k]);
            natural[at % 8][at / 8] = f64::from(coefficients[at]) * f64::from(table[k]);
        }
        std::array::from_fn(|y| {
            std::array::from_fn(|x| {
                let mut sum = 0.0;
                for (v, row) in natural.iter().enumerate() {
                    for (u, value) in row.iter().enumerate() {
                        let wave = |place: usize, k: usize| ((2 * place + 1) as f64 * k as f64 * PI / 16.0).cos();
                        sum += c(u) * c(v) * value * wave(x, u) * wave(y, v);
                    }
                }
                sum / 4.0 + 128.0
            })
        })
    }

    #[test]
    fn both_twins_are_the_rounded_definition() {
        let mut random = 3_u32;
        let mut next = |bound: i32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((random >> 8) as i32 % (2 * bound + 1) - bound) as i16
        };
        for round in 0..400 {
            let table: [u16; 64] = std::array::from_fn(|_| next(20).unsigned_abs() + 1);
            let mut coefficients = [0; 64];
            for (k, &at) in BY_COLUMN.iter().enumerate().take(1 + round % 64) {
                coefficients[usize::from(at)] = next(60 / (1 + k as i32));
            }
            let scaled = Scaled::new(&table);
            let made = plain(&coefficients, &scaled);
            assert_eq!(fastest()(&coefficients, &scaled), made);
            for (row, want) in made.iter().zip(definition(&coefficients, &table)) {
                for (got, want) in row.iter().zip(want) {
                    assert!((f64::from(*got) - want.clamp(0.0, 255.0)).abs() <= 0.501, "{round}: {got} {want}");
                }
            }
            let flat = [[scaled.flat(coefficients[0]); 8]; 8];
            let alone = std::array::from_fn(|k| if k == 0 { coefficients[0] } else { 0 });
            assert_eq!(plain(&alone, &scaled), flat);
        }
    }

    #[test]
    fn extreme_coefficients_saturate() {
        for value in [i16::MIN, i16::MAX] {
            let scaled = Scaled::new(&[u16::MAX; 64]);
            let made = plain(&[value; 64], &scaled);
            assert_eq!(made, fastest()(&[value; 64], &scaled));
            assert_eq!(made[0][0], if value > 0 { 255 } else { 0 });
        }
    }
}
