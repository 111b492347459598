//! Coefficients as they were before quantisation.

use std::ops::Range;

use super::frame::Grid;

impl Grid {
    /// Multiplies the coefficients of some rows of blocks by the quantisation table. Values beyond what 8-bit samples can
    /// make are clamped.
    ///
    /// Where a block's mean is its only coefficient the samples are all alike, and whoever decodes them to 8 bits rounds all
    /// of them in the same direction: there the mean becomes that of rounded samples, a multiple of 8. Elsewhere roundings
    /// cancel out. Not if nothing but means is kept, which does not tell the ones from the others.
    pub(super) fn dequantise(&mut self, rows: Range<usize>, table: &[u16; 64]) {
        fastest()(self, rows, table);
    }
}

type Dequantise = fn(&mut Grid, Range<usize>, &[u16; 64]);

/// The fastest of the twins that this processor runs: the same code, compiled for it.
fn fastest() -> Dequantise {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return dequantise_avx2;
    }
    dequantise
}

#[cfg(target_arch = "x86_64")]
fn dequantise_avx2(grid: &mut Grid, rows: Range<usize>, table: &[u16; 64]) {
    #[target_feature(enable = "avx2")]
    fn enabled(grid: &mut Grid, rows: Range<usize>, table: &[u16; 64]) {
        dequantise(grid, rows, table);
    }
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has AVX2.
    unsafe {
        enabled(grid, rows, table);
    }
}

#[inline(always)]
fn dequantise(grid: &mut Grid, rows: Range<usize>, table: &[u16; 64]) {
    let blocks = grid.blocks_across * grid.blocks_down;
    let range = rows.start * grid.blocks_across..rows.end * grid.blocks_across;
    let (means, others) = grid.values.split_at_mut(blocks);
    let Some(means) = means.get_mut(range.clone()) else { return };
    let mut others: Vec<&mut [i16]> =
        others.chunks_exact_mut(blocks).filter_map(|plane| plane.get_mut(range.clone())).collect();
    let untold = i16::from(others.is_empty());
    // A part at a time, so that what is known of its blocks stays in registers or near.
    for first in (0..means.len()).step_by(PART) {
        let part = first..(first + PART).min(means.len());
        let mut any = [untold; PART];
        for (plane, &q) in others.iter_mut().zip(&table[1..]) {
            for (value, any) in plane[part.clone()].iter_mut().zip(&mut any) {
                *any |= *value;
                *value = times(*value, q);
            }
        }
        for (mean, &any) in means[part].iter_mut().zip(&any) {
            let exact = times(*mean, table[0]);
            let rounded = exact.saturating_add(4) & !7;
            *mean = if any == 0 { rounded } else { exact };
        }
    }
}

/// Blocks of which is known at a time whether they have more than a mean.
const PART: usize = 64;

#[inline(always)]
fn times(value: i16, q: u16) -> i16 {
    (i32::from(value) * i32::from(q)).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(count: usize) -> Grid {
        Grid {
            blocks_across: 70,
            blocks_down: 3,
            count,
            whole: false,
            values: vec![0; 210 * count],
            filled: Vec::new(),
        }
    }

    #[test]
    fn means_alone_are_whole_samples() {
        let (mut grid, mut table) = (grid(3), [1; 64]);
        (table[0], table[2]) = (3, 700);
        grid.values[70..74].copy_from_slice(&[5, -7, 5, 20_000]);
        grid.values[2 * 210 + 72] = -50;
        grid.values[69] = 5;
        grid.dequantise(1..2, &table);
        // 15 → 16, −21 → −24; the third has a slope, which does not fit; the fourth does not either.
        assert_eq!(grid.values[70..74], [16, -24, 15, 32760]);
        assert_eq!(grid.values[2 * 210 + 72], i16::MIN);
        assert_eq!(grid.values[69], 5, "another row");
    }

    #[test]
    fn both_twins_make_the_same() {
        let made = |how: Dequantise| {
            let mut grid = grid(6);
            grid.values
                .iter_mut()
                .enumerate()
                .for_each(|(i, value)| *value = (i * i * 31 % 97) as i16 * (i % 5 / 4) as i16);
            how(&mut grid, 0..3, &std::array::from_fn(|k| 3 + k as u16 * 100));
            grid.values
        };
        assert_eq!(made(fastest()), made(dequantise));
    }

    #[test]
    fn means_that_nothing_is_known_about_stay() {
        let mut grid = grid(1);
        grid.values[3] = 5;
        grid.dequantise(0..3, &[3; 64]);
        assert_eq!(grid.values[3], 15);
    }
}
