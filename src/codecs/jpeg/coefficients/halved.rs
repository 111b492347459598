//! The inverse transform at reduced size.
//!
//! The first `N` frequencies of an 8-point DCT are, but for a factor, those of an `N`-point DCT of the block at `N / 8`
//! of its size: the inverse of `N` points gives the shrunk block at once. (The Independent JPEG Group's library
//! scales pictures so.) Blocks of a row are done side by side, which vectorises.

use std::f64::consts::{FRAC_PI_2, SQRT_2};

use crate::image::{Plane, Size};

use super::Refused;
use super::frame::Grid;

/// Coefficients of a block that are read: those with `u + v < 7`, the lower half of the frequencies on both axes among
/// them.
pub(super) const COUNT: u8 = super::triangle(7);

/// Column and row frequency of the first [`COUNT`] places in the zigzag order (T.81, figure A.6).
const ZIGZAG: [(u8, u8); COUNT as usize] = {
    let mut order = [(0, 0); COUNT as usize];
    let (mut at, mut diagonal) = (0, 0);
    while at < COUNT as usize {
        let mut step = 0;
        while step <= diagonal {
            order[at] = if diagonal % 2 == 0 { (step, diagonal - step) } else { (diagonal - step, step) };
            at += 1;
            step += 1;
        }
        diagonal += 1;
    }
    order
};

/// One component of `size` samples at `N / 8` of its size (4: half, 8: whole), rounded up.
pub(super) fn plane<const N: usize>(
    grid: &Grid,
    size: Size,
    table: &[u16; 64],
    cancelled: &dyn Fn() -> bool,
) -> Result<Plane, Refused> {
    let shrunk = |side: u32| (side as usize * N).div_ceil(8);
    let (width, height) = (shrunk(size.width()), shrunk(size.height()));
    let (across, blocks) = (grid.blocks_across, grid.blocks_across * grid.blocks_down);
    if across * N < width || grid.blocks_down * N < height || grid.count < usize::from(COUNT) {
        return Err(Refused::Damaged);
    }
    let basis = basis::<N>();
    let mut samples = vec![0; width * height];
    // For each row of the block and each column frequency: a value a block.
    let mut columns = vec![0_f32; N * N * across];
    let mut coefficients = vec![0_f32; across];
    for (row, band) in samples.chunks_mut(width * N).enumerate() {
        if cancelled() {
            return Err(Refused::Cancelled);
        }
        columns.fill(0.0);
        for (k, &(u, v)) in ZIGZAG.iter().enumerate() {
            let (u, v) = (usize::from(u), usize::from(v));
            if u >= N || v >= N {
                continue;
            }
            let values = &grid.values[k * blocks + row * across..][..across];
            let q = f32::from(table[k]);
            for (out, &value) in coefficients.iter_mut().zip(values) {
                *out = f32::from(value) * q;
            }
            for (y, weight) in basis[v].iter().enumerate() {
                let target = &mut columns[(y * N + u) * across..][..across];
                for (out, value) in target.iter_mut().zip(&coefficients) {
                    *out += weight * value;
                }
            }
        }
        for (out, columns) in band.chunks_exact_mut(width).zip(columns.chunks_exact(N * across)) {
            across_the_blocks::<N>(columns, across, &basis, out);
        }
    }
    let plane = Size::new(width as u32, height as u32).ok_or(Refused::Damaged)?;
    Ok(Plane { size: plane, samples })
}

/// One row of samples from the column frequencies of its blocks, `columns[u * across + block]`.
fn across_the_blocks<const N: usize>(columns: &[f32], across: usize, basis: &[[f32; N]; N], out: &mut [u8]) {
    let frequencies: [&[f32]; N] = std::array::from_fn(|u| &columns[u * across..][..across]);
    let (whole, rest) = out.as_chunks_mut::<N>();
    let block = |b: usize| -> [u8; N] {
        std::array::from_fn(|x| {
            let sum: f32 = (0..N).map(|u| frequencies[u][b] * basis[u][x]).sum();
            // `as` saturates, also for not-a-number.
            (sum + 128.5) as u8
        })
    };
    for (b, out) in whole.iter_mut().enumerate() {
        *out = block(b);
    }
    if !rest.is_empty() {
        let last = block(whole.len());
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

/// `basis[u][x]`: what frequency `u` of the 8-point transform adds to sample `x` of `N`.
fn basis<const N: usize>() -> [[f32; N]; N] {
    std::array::from_fn(|u| {
        let norm = if u == 0 { 0.25 * SQRT_2 } else { 0.5 };
        std::array::from_fn(|x| (norm * ((2 * x + 1) as f64 * u as f64 * FRAC_PI_2 / N as f64).cos()) as f32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grid of one row of blocks that hold these coefficients each, quantisation 1.
    fn grid(coefficients: &[(usize, i16)]) -> Grid {
        let mut values = vec![0; usize::from(COUNT) * 3];
        for &(k, value) in coefficients {
            values[k * 3..][..3].fill(value);
        }
        Grid { blocks_across: 3, blocks_down: 1, count: usize::from(COUNT), values }
    }

    #[test]
    fn zigzag_begins_as_in_the_standard() {
        assert_eq!(ZIGZAG[..8], [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (2, 0), (3, 0), (2, 1)]);
        assert_eq!(ZIGZAG[24], (3, 3));
    }

    #[test]
    fn the_mean_is_kept_at_either_size() {
        let size = Size::at_least_one(21, 7);
        let half = plane::<4>(&grid(&[(0, 400)]), size, &[1; 64], &|| false).unwrap();
        assert_eq!((half.size, half.samples), (Size::at_least_one(11, 4), vec![178; 44]));
        let whole = plane::<8>(&grid(&[(0, -80)]), size, &[2; 64], &|| false).unwrap();
        assert_eq!((whole.size, whole.samples), (size, vec![108; 147]));
    }

    #[test]
    fn half_a_wave_is_the_mean_of_neighbours() {
        // Smooth waves: the halved block is nearly the pairwise mean of the whole one.
        for k in [1, 2] {
            let (size, grid) = (Size::at_least_one(24, 8), grid(&[(0, 100), (k, 300)]));
            let half = plane::<4>(&grid, size, &[1; 64], &|| false).unwrap();
            let whole = plane::<8>(&grid, size, &[1; 64], &|| false).unwrap();
            for y in 0..4 {
                for x in 0..12 {
                    let at = |dx: usize, dy: usize| f64::from(whole.samples[(2 * y + dy) * 24 + 2 * x + dx]);
                    let mean = (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1)) / 4.0;
                    let got = f64::from(half.samples[y * 12 + x]);
                    assert!((mean - got).abs() < 2.5, "{k} {x},{y}: {got}, {mean}");
                }
            }
        }
    }
}
