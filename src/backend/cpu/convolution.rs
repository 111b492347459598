//! The inner loops of separable filters: weighted sums of rows, and of pixels within a row.
//!
//! Sums of rows carry nearly all the work of a strong shrink, so they run in 16 bits, eight lanes to an SSE2 register:
//! a sample `s` becomes `128 s + 64`, a weight a 16-bit fraction, and the upper half of each product is added up. Two
//! things keep that exact to a few hundredths of a level: groups of [`GROUP`] taps, each with its own power of two so
//! that small weights use all 16 bits, and the half added to every sample, which makes what a product loses average
//! one half even over black. The rest is `f32`. Nothing is rounded to 8 bits or clamped between the two directions.

use crate::ops::WeightTable;

/// A sample as the sums of rows take it.
pub(super) trait Sample: Copy {
    /// `128 × sample + 64`, 64 to 32704.
    fn lift(self) -> i16;
}

impl Sample for u8 {
    #[inline(always)]
    fn lift(self) -> i16 {
        (i16::from(self) << 7) | 64
    }
}

/// Already lifted: premultiplied samples, which have fractions.
impl Sample for i16 {
    #[inline(always)]
    fn lift(self) -> i16 {
        self
    }
}

/// The lifted form of a sample of 0 to 255 with fractions.
pub(super) fn lifted(sample: f32) -> i16 {
    (sample * 128.0 + 64.5) as i16
}

/// Taps that share a power of two: what rounding loses in them stays under 0.13 of a level together.
const GROUP: usize = 16;

/// Samples done at once, their sums kept in registers.
const BLOCK: usize = 64;

/// Sum of rows in 16 bits; keeps its buffers from row to row.
#[derive(Debug, Default)]
pub(super) struct RowSum {
    groups: Vec<Group>,
    weights: Vec<i16>,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first: usize,
    count: usize,
    /// What a unit of the sum is worth, in levels.
    unit: f32,
    /// Levels to add for the halves and the rounding.
    offset: f32,
}

impl RowSum {
    /// `out[i] = Σ weights[k] × row(k)[i]`, in levels. Rows are at least as long as `out`.
    #[inline(always)]
    pub(super) fn sum<'a, T: Sample + 'a>(&mut self, weights: &[f64], row: impl Fn(usize) -> &'a [T], out: &mut [f32]) {
        self.quantise(weights);
        let whole = out.len() - out.len() % BLOCK;
        for at in (0..whole).step_by(BLOCK) {
            self.block::<T, BLOCK>(&row, at, out);
        }
        for at in whole..out.len() {
            self.block::<T, 1>(&row, at, out);
        }
    }

    #[inline(always)]
    fn block<'a, T: Sample + 'a, const N: usize>(&self, row: &impl Fn(usize) -> &'a [T], at: usize, out: &mut [f32]) {
        let mut total = [0.0_f32; N];
        for group in &self.groups {
            let mut acc = [0_i16; N];
            for (k, &weight) in self.weights[group.first..][..group.count].iter().enumerate() {
                let Some(samples) = row(group.first + k)[at..].first_chunk::<N>() else { continue };
                for (acc, sample) in acc.iter_mut().zip(samples) {
                    // The upper half of the product; the sum cannot overflow, see `quantise`.
                    *acc = acc.wrapping_add(((i32::from(sample.lift()) * i32::from(weight)) >> 16) as i16);
                }
            }
            for (total, acc) in total.iter_mut().zip(acc) {
                *total += f32::from(acc) * group.unit + group.offset;
            }
        }
        out[at..at + N].copy_from_slice(&total);
    }

    /// Turns weights into groups of 16-bit fractions. In each group the absolute values add up to at most 1.98 × 2^15,
    /// so that a sum of samples up to 32704 stays under 32400.
    fn quantise(&mut self, weights: &[f64]) {
        self.groups.clear();
        self.weights.clear();
        // What rounding a weight loses goes into the next one, so that a constant picture stays constant.
        let mut lost = 0.0;
        for (i, group) in weights.chunks(GROUP).enumerate() {
            let total: f64 = group.iter().map(|w| w.abs()).sum();
            let largest = group.iter().fold(0.0_f64, |m, w| m.max(w.abs()));
            let mut power = 0;
            while power < 14
                && largest * f64::from(1 << (power + 1)) < 0.999
                && total * f64::from(1 << (power + 1)) < 1.98
            {
                power += 1;
            }
            let mut scale = f64::from(1_i32 << power) * 32768.0;
            if largest >= 0.999 || total >= 1.98 {
                // Filters' absolute weights add up to less than 1.98 × 2.
                scale = 16384.0;
            }
            let mut sum = 0_i32;
            for weight in group {
                let exact = (weight + lost) * scale;
                let q = exact.round().clamp(-32767.0, 32767.0);
                lost = (exact - q) / scale;
                sum += q as i32;
                self.weights.push(q as i16);
            }
            // A product's upper half is levels × weight × 128 × scale / 65536.
            let unit = 512.0 / scale;
            let offset = 0.5 * group.len() as f64 * unit - 0.5 * f64::from(sum) / scale;
            self.groups.push(Group { first: i * GROUP, count: group.len(), unit: unit as f32, offset: offset as f32 });
        }
    }
}

/// `out[i] = Σ weights[k] × row(k)[i]` in `f32`. Rows are at least as long as `out`.
#[inline(always)]
pub(super) fn sum_rows<'a>(weights: &[f64], row: impl Fn(usize) -> &'a [f32], out: &mut [f32]) {
    const N: usize = 16;
    let len = out.len();
    let (blocks, rest) = out.as_chunks_mut::<N>();
    for (b, out) in blocks.iter_mut().enumerate() {
        let mut total = [0.0_f32; N];
        for (k, &weight) in weights.iter().enumerate() {
            let Some(samples) = row(k)[b * N..].first_chunk::<N>() else { continue };
            for (total, sample) in total.iter_mut().zip(samples) {
                *total += sample * weight as f32;
            }
        }
        *out = total;
    }
    let done = len - rest.len();
    for (i, out) in rest.iter_mut().enumerate() {
        *out = weights.iter().enumerate().map(|(k, &weight)| row(k)[done + i] * weight as f32).sum();
    }
}

/// The weights of one axis laid out for sums of pixels within a row.
#[derive(Debug)]
pub(super) struct PixelSum {
    channels: usize,
    runs: Vec<Run>,
    weights: Vec<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    /// First sample.
    first: usize,
    /// Where the weights begin, and how many there are.
    at: usize,
    count: usize,
}

/// Samples past the end of a row that [`PixelSum::sum`] may read (and multiply by zero, or drop).
pub(super) const PADDING: usize = 4;

impl PixelSum {
    /// Lays out a table for rows of `channels` (1 to 4) interleaved samples.
    pub(super) fn new(table: &WeightTable, channels: usize) -> Self {
        // One and two channels take four samples a step, each with its own weight; more take a pixel a step.
        let copies = if channels < 3 { channels } else { 1 };
        let mut weights = Vec::new();
        let mut runs = Vec::with_capacity(table.dst_len() as usize);
        for i in 0..table.dst_len() {
            let (first, row) = table.row(i);
            let at = weights.len();
            weights.extend(row.iter().flat_map(|&w| std::iter::repeat_n(w as f32, copies)));
            if channels < 3 {
                weights.resize(at + (weights.len() - at).next_multiple_of(4), 0.0);
            }
            runs.push(Run { first: first as usize * channels, at, count: weights.len() - at });
        }
        Self { channels, runs, weights }
    }

    /// One row: `out` gets `dst_len × channels` samples. `row` is the source row and at least [`PADDING`] finite
    /// samples more.
    #[inline(always)]
    pub(super) fn sum(&self, row: &[f32], out: &mut [f32]) {
        match self.channels {
            1 => self.sum_lanes::<1>(row, out),
            2 => self.sum_lanes::<2>(row, out),
            3 => self.sum_pixels::<3>(row, out),
            _ => self.sum_pixels::<4>(row, out),
        }
    }

    /// One or two channels: a register holds four or two neighbouring pixels.
    #[inline(always)]
    fn sum_lanes<const C: usize>(&self, row: &[f32], out: &mut [f32]) {
        let (out, _) = out.as_chunks_mut::<C>();
        for (out, run) in out.iter_mut().zip(&self.runs) {
            let (weights, _) = self.weights[run.at..run.at + run.count].as_chunks::<4>();
            // The last four may reach past the row's end, into the padding.
            let (samples, _) = row[run.first..].as_chunks::<4>();
            let mut acc = [0.0_f32; 4];
            for (weights, samples) in weights.iter().zip(samples) {
                for lane in 0..4 {
                    acc[lane] += samples[lane] * weights[lane];
                }
            }
            *out =
                std::array::from_fn(|c| if C == 1 { acc[0] + acc[1] + acc[2] + acc[3] } else { acc[c] + acc[c + 2] });
        }
    }

    /// Three or four channels: a register holds a pixel. Four sums take turns, so that none waits for itself.
    #[inline(always)]
    fn sum_pixels<const C: usize>(&self, row: &[f32], out: &mut [f32]) {
        let (out, _) = out.as_chunks_mut::<C>();
        for (out, run) in out.iter_mut().zip(&self.runs) {
            let samples = &row[run.first..run.first + run.count * C + PADDING];
            let (fours, rest) = self.weights[run.at..run.at + run.count].as_chunks::<4>();
            let mut acc = [[0.0_f32; 4]; 4];
            for (i, weights) in fours.iter().enumerate() {
                let pixels = &samples[i * 4 * C..][..3 * C + 4];
                for (k, &weight) in weights.iter().enumerate() {
                    for lane in 0..4 {
                        acc[k][lane] += pixels[k * C + lane] * weight;
                    }
                }
            }
            for (i, &weight) in rest.iter().enumerate() {
                let pixel = &samples[(fours.len() * 4 + i) * C..][..4];
                for lane in 0..4 {
                    acc[0][lane] += pixel[lane] * weight;
                }
            }
            *out = std::array::from_fn(|c| acc[0][c] + acc[1][c] + acc[2][c] + acc[3][c]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Filter;

    fn noise(len: usize, seed: u32) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn sixteen_bit_sums_are_those_of_f64_to_a_tenth_of_a_level() {
        for filter in [Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Lanczos3] {
            for (src, dst) in [(3, 2), (40, 3), (400, 30), (1000, 999), (5, 33), (4000, 10), (9000, 1), (2, 1)] {
                let rows: Vec<Vec<u8>> = (0..src)
                    .map(|y| match y % 3 {
                        // Noise, and rows of one value.
                        _ if dst == 30 => noise(70, y),
                        0 => vec![255; 70],
                        1 => vec![0; 70],
                        _ => noise(70, y),
                    })
                    .collect();
                let table = WeightTable::new(src, dst, filter);
                let mut out = vec![0.0; 70];
                for i in 0..dst.min(40) {
                    let (first, weights) = table.row(i);
                    RowSum::default().sum(weights, |k| rows[first as usize + k].as_slice(), &mut out);
                    for (x, got) in out.iter().enumerate() {
                        let want: f64 =
                            weights.iter().zip(&rows[first as usize..]).map(|(w, row)| w * f64::from(row[x])).sum();
                        assert!((f64::from(*got) - want).abs() < 0.1, "{filter:?} {src}->{dst}: {got} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn constant_rows_stay_constant() {
        for filter in [Filter::Nearest, Filter::Box, Filter::Mitchell, Filter::Lanczos3] {
            for (src, dst) in [(40, 3), (3, 40), (512, 512), (65500, 2), (6000, 7), (64, 1)] {
                let table = WeightTable::new(src, dst, filter);
                for value in [0_u8, 1, 77, 128, 254, 255] {
                    let row = [value; 3];
                    let mut out = [0.0; 3];
                    for i in 0..dst {
                        RowSum::default().sum(table.row(i).1, |_| row.as_slice(), &mut out);
                        let off = (out[0] - f32::from(value)).abs();
                        assert!(off < 0.25, "{filter:?} {src}->{dst} {value}: {out:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn sums_within_a_row_are_those_of_f64() {
        for channels in 1..=4 {
            for (src, dst) in [(1, 1), (1, 9), (9, 1), (40, 3), (3, 40), (17, 16)] {
                let table = WeightTable::new(src, dst, Filter::Lanczos3);
                let mut row: Vec<f32> = noise(src as usize * channels, 3).into_iter().map(f32::from).collect();
                // What lies beyond must not matter.
                row.extend([1e6; PADDING]);
                let mut out = vec![0.0; dst as usize * channels];
                PixelSum::new(&table, channels).sum(&row, &mut out);
                for i in 0..dst {
                    let (first, weights) = table.row(i);
                    for c in 0..channels {
                        let want: f64 = weights
                            .iter()
                            .enumerate()
                            .map(|(k, w)| w * f64::from(row[(first as usize + k) * channels + c]))
                            .sum();
                        let got = f64::from(out[i as usize * channels + c]);
                        assert!((got - want).abs() < 1e-3, "{channels} {src}->{dst} {i}: {got} {want}");
                    }
                }
            }
        }
    }
}
