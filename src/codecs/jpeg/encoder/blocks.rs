//! From the samples of a row of MCUs to the symbols of its blocks.

use super::fdct::{Block, Divisors, Samples};
use super::strips::Component;
use super::symbols::Symbols;

/// The samples of one component: rows without padding.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Part<'a> {
    samples: &'a [u8],
    width: usize,
    rows: usize,
}

impl<'a> Part<'a> {
    /// Whole rows.
    pub(super) fn new(samples: &'a [u8], width: usize) -> Self {
        Self { samples, width, rows: samples.len() / width.max(1) }
    }

    /// Blocks across and down.
    pub(super) const fn blocks(&self) -> (usize, usize) {
        (self.width.div_ceil(8), self.rows.div_ceil(8))
    }

    /// The block at a place that is picture. What is not repeats the edge.
    #[inline(always)]
    pub(super) fn block(&self, x: usize, y: usize) -> Samples {
        if x + 8 <= self.width && y + 8 <= self.rows {
            let rows = &self.samples[y * self.width + x..];
            // One check for all rows.
            let rows = &rows[..7 * self.width + 8];
            return std::array::from_fn(|row| {
                let mut samples = [0; 8];
                samples.copy_from_slice(&rows[row * self.width..row * self.width + 8]);
                samples
            });
        }
        self.edge(x, y)
    }

    #[cold]
    fn edge(&self, x: usize, y: usize) -> Samples {
        std::array::from_fn(|row| {
            let row = &self.samples[(y + row).min(self.rows - 1) * self.width..][..self.width];
            std::array::from_fn(|column| row[(x + column).min(self.width - 1)])
        })
    }
}

/// Encodes a row of MCUs. `parts`, `layout` and `predictors` have an entry for each component.
#[inline(always)]
pub(super) fn strip(
    parts: &[Part<'_>],
    layout: &[Component],
    mcus: usize,
    divisors: &[Divisors; 2],
    predictors: &mut [i16; 3],
    symbols: &mut Symbols,
    transform: impl Fn(&Samples, &Divisors) -> Block,
) {
    for mcu in 0..mcus {
        for ((part, component), predictor) in parts.iter().zip(layout).zip(&mut *predictors) {
            for block in 0..component.side * component.side {
                let x = 8 * (mcu * component.side + block % component.side);
                let y = 8 * (block / component.side);
                if x < part.width && y < part.rows {
                    let block = transform(&part.block(x, y), &divisors[component.tables]);
                    symbols.block(component.tables, &block, predictor);
                } else {
                    // Nobody sees it: as the last mean, nothing else.
                    symbols.empty(component.tables);
                }
            }
        }
    }
}
