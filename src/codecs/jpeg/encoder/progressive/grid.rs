//! The coefficients of a whole component.

use crate::codecs::jpeg::encoder::fdct::{Block, Divisors};
use crate::codecs::jpeg::encoder::kernels::Kernels;
use crate::codecs::jpeg::encoder::strips::{Component, Strips};
use crate::codecs::jpeg::zigzag::BY_COLUMN;

/// Which coefficients of a block are at least 1, 2 and 4: bit k for the k-th in zigzag order.
pub(super) type AtLeast = [u64; 3];

/// Bytes of a block that is held.
pub(super) const BLOCK_BYTES: u64 = size_of::<([i16; 64], AtLeast)>() as u64;

/// All blocks of a component: of whole MCUs, rows top-down.
///
/// Masks lie apart from values: most scans find most blocks to have nothing for them, and so never touch their values.
pub(super) struct Grid {
    /// Columns of frequencies, one after the other, as the transform leaves them.
    pub(super) values: Vec<[i16; 64]>,
    pub(super) at_least: Vec<AtLeast>,
    /// Blocks of a row.
    pub(super) across: usize,
    /// Blocks across and down that are picture: those that a scan of this component alone holds (T.81, A.2.2).
    pub(super) own: (usize, usize),
    pub(super) component: Component,
}

impl Grid {
    fn new(component: Component, mcus: usize, rows: usize) -> Self {
        let across = mcus * component.side;
        let blocks = across * rows * component.side;
        let (values, at_least) = (Vec::with_capacity(blocks), Vec::with_capacity(blocks));
        Self { values, at_least, across, own: (0, 0), component }
    }

    /// Rows of blocks.
    pub(super) fn down(&self) -> usize {
        self.values.len() / self.across
    }

    fn push(&mut self, Block { values, present }: Block) {
        let mut at_least = [present, 0, 0];
        let mut left = present;
        while left != 0 {
            let k = left.trailing_zeros();
            left &= left - 1;
            let size = values[at(k)].unsigned_abs();
            at_least[1] |= u64::from(size >= 2) << k;
            at_least[2] |= u64::from(size >= 4) << k;
        }
        self.values.push(values);
        self.at_least.push(at_least);
    }

    /// A block that nobody sees costs least when its mean is that of the block which is coded before it.
    fn push_like(&mut self, block: usize) {
        let mut values = [0; 64];
        values[0] = self.values[block][0];
        self.values.push(values);
        self.at_least.push([0; 3]);
    }
}

/// The place of a coefficient of the zigzag order.
#[inline(always)]
pub(super) fn at(k: u32) -> usize {
    usize::from(BY_COLUMN[k as usize & 63]) & 63
}

/// Transforms and quantises the picture: a grid for each component.
pub(super) fn grids(strips: &mut Strips<'_>, divisors: &[Divisors; 2], kernels: &Kernels) -> Vec<Grid> {
    let (mcus, rows) = (strips.mcus_across(), strips.count());
    let mut grids: Vec<Grid> = strips.layout().iter().map(|&component| Grid::new(component, mcus, rows)).collect();
    for strip in 0..rows {
        for (grid, part) in grids.iter_mut().zip(strips.read(strip, kernels)) {
            let (component, across) = (grid.component, grid.across);
            let (own_across, own_down) = part.blocks();
            grid.own = (own_across, grid.own.1 + own_down);
            for y in 0..component.side {
                for x in 0..across {
                    if y >= own_down {
                        // The last block of the MCU's row above.
                        let above = grid.values.len() - across;
                        grid.push_like(above | (component.side - 1));
                    } else if x >= own_across {
                        grid.push_like(grid.values.len() - 1);
                    } else {
                        let samples = part.block(8 * x, 8 * y);
                        grid.push((kernels.transform)(&samples, &divisors[component.tables]));
                    }
                }
            }
        }
    }
    grids
}
