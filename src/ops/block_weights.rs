//! Resampling weights that absorb the inverse DCT.
//!
//! Resampling is linear and separable, and so is the inverse transform: on each axis the weight of coefficient `u` of
//! block `b` for output `i` is `W_u[i, b] = Σ_x w[i, 8b + x] · basis_u(x)`, with `w` the weights over samples and
//! `basis_u` the DCT's cosine (ITU-T T.81, A.3.3). Then
//! `out = Σ_{u+v<k} W_v(rows) · C_uv · W_u(columns)ᵀ`, where `C_uv` holds coefficient (u, v) of all blocks.

use std::f64::consts::PI;
use std::sync::{Arc, LazyLock};

use super::shared::Shared;
use super::{Filter, WeightTable};

/// The weights of one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockWeights {
    /// Frequencies kept on this axis, 1 to 8.
    pub frequencies: usize,
    /// For each output: first block and number of blocks.
    pub bounds: Vec<(usize, usize)>,
    /// For each output, one after the other: `frequencies` runs of as many weights as it has blocks.
    pub weights: Vec<f32>,
    /// Where each output's weights begin.
    pub starts: Vec<usize>,
}

/// Bytes of shared tables that are kept.
const TABLE_BYTES: usize = 4 << 20;

impl BlockWeights {
    /// Weights for an axis of `samples` samples, of which the window `from .. from + span` (in samples, may be
    /// fractional) is resampled to `outputs` pixels.
    pub fn new(filter: Filter, samples: usize, from: f64, span: f64, outputs: usize, frequencies: usize) -> Self {
        let window = from..from + span;
        Self::of_table(&WeightTable::windowed(samples as u32, window, outputs as u32, filter), frequencies)
    }

    /// The weights over blocks of what a table does to their samples.
    fn of_table(samples: &WeightTable, frequencies: usize) -> Self {
        let frequencies = frequencies.clamp(1, 8);
        let basis = basis();
        let outputs = samples.dst_len() as usize;
        let mut table = Self {
            frequencies,
            bounds: Vec::with_capacity(outputs),
            weights: Vec::new(),
            starts: Vec::with_capacity(outputs),
        };
        for i in 0..samples.dst_len() {
            let (first, taps) = samples.row(i);
            let (first, end) = (first as usize, first as usize + taps.len());
            let (first_block, last_block) = (first / 8, (end - 1) / 8);
            table.bounds.push((first_block, last_block - first_block + 1));
            table.starts.push(table.weights.len());
            for frequency in basis.iter().take(frequencies) {
                for b in first_block..=last_block {
                    let weight: f64 =
                        (first.max(8 * b)..end.min(8 * b + 8)).map(|x| taps[x - first] * frequency[x - 8 * b]).sum();
                    table.weights.push(weight as f32);
                }
            }
        }
        table
    }

    /// The weights over blocks of a component with half the samples of the picture, which is shrunk as if all had been
    /// interpolated; `lengths` as in [`WeightTable::shared_interpolated`]. Made once.
    pub(super) fn shared_interpolated(
        filter: Filter,
        lengths: (u32, u32),
        outputs: u32,
        frequencies: usize,
    ) -> Arc<Self> {
        type Key = (Filter, (u32, u32), u32, usize);
        static TABLES: LazyLock<Shared<Key, BlockWeights>> = LazyLock::new(|| Shared::new(TABLE_BYTES));
        let make = || {
            let window = 0.0..f64::from(lengths.1);
            Self::of_table(&WeightTable::shared_interpolated(lengths, window, outputs, filter), frequencies)
        };
        TABLES.get((filter, lengths, outputs, frequencies), Self::bytes, make)
    }

    fn bytes(&self) -> usize {
        4 * self.weights.len() + 24 * self.bounds.len() + 128
    }

    /// [`BlockWeights::new`] for whoever needs the same table again: it is made once.
    pub fn shared(
        filter: Filter,
        samples: usize,
        from: f64,
        span: f64,
        outputs: usize,
        frequencies: usize,
    ) -> Arc<Self> {
        type Key = (Filter, [u64; 2], [usize; 3]);
        static TABLES: LazyLock<Shared<Key, BlockWeights>> = LazyLock::new(|| Shared::new(TABLE_BYTES));
        let key = (filter, [from.to_bits(), span.to_bits()], [samples, outputs, frequencies]);
        TABLES.get(key, Self::bytes, || Self::new(filter, samples, from, span, outputs, frequencies))
    }

    /// First block, and the weights of frequency `u` for output `i`, one a block.
    pub fn of(&self, i: usize, u: usize) -> (usize, &[f32]) {
        let (first, blocks) = self.bounds[i];
        (first, &self.weights[self.starts[i] + u * blocks..][..blocks])
    }
}

/// `basis[u][x]`: what a coefficient of frequency `u` adds to sample `x` of its block, on one axis.
fn basis() -> [[f64; 8]; 8] {
    let mut basis = [[0.0; 8]; 8];
    for (u, row) in basis.iter_mut().enumerate() {
        let norm = if u == 0 { (0.125f64).sqrt() } else { 0.5 };
        for (x, value) in row.iter_mut().enumerate() {
            *value = norm * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos();
        }
    }
    basis
}

/// Column and row frequency of each place in the zigzag order (T.81, figure A.6).
pub const ZIGZAG: [(usize, usize); 64] = zigzag();

const fn zigzag() -> [(usize, usize); 64] {
    let mut order = [(0, 0); 64];
    let mut i = 0;
    let mut sum = 0;
    while sum < 15 {
        // Even diagonals run up and to the right, odd ones down and to the left.
        let mut step = 0;
        while step <= sum {
            let (u, v) = if sum % 2 == 0 { (step, sum - step) } else { (sum - step, step) };
            if u < 8 && v < 8 {
                order[i] = (u, v);
                i += 1;
            }
            step += 1;
        }
        sum += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_begins_as_in_the_standard() {
        assert_eq!(ZIGZAG[..10], [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (2, 0), (3, 0), (2, 1), (1, 2), (0, 3)]);
        assert_eq!(ZIGZAG[63], (7, 7));
        assert_eq!(ZIGZAG[62], (6, 7));
    }

    #[test]
    fn all_frequencies_together_equal_resampling_the_samples() {
        // An axis of 21 samples in 3 blocks; coefficients by the forward transform, the last block padded anyhow.
        let samples: Vec<f64> = (0..24).map(|i| f64::from((i * 37 + i * i * 11) % 256)).collect();
        let basis = basis();
        let coefficient = |b: usize, u: usize| (0..8).map(|x| samples[8 * b + x] * basis[u][x]).sum::<f64>();
        for outputs in [1, 4, 9, 21, 40] {
            let table = BlockWeights::new(Filter::Lanczos3, 21, 0.0, 21.0, outputs, 8);
            for i in 0..outputs {
                let mut got = 0.0;
                for u in 0..8 {
                    let (first, weights) = table.of(i, u);
                    got +=
                        weights.iter().enumerate().map(|(j, &w)| f64::from(w) * coefficient(first + j, u)).sum::<f64>();
                }
                let scale = 21.0 / outputs as f64;
                let widen = scale.max(1.0);
                let centre = (i as f64 + 0.5) * scale;
                let weights: Vec<f64> =
                    (0..21).map(|x| Filter::Lanczos3.weight((f64::from(x) + 0.5 - centre) / widen)).collect();
                let want = weights.iter().zip(&samples).map(|(w, s)| w * s).sum::<f64>() / weights.iter().sum::<f64>();
                assert!((got - want).abs() < 1e-3, "{outputs} {i}: {got} {want}");
            }
        }
    }
}
