//! Sections 9.6 and 14.1: by what coefficients are multiplied.

use super::bools::Bools;
use super::tables::{AC_STEPS, DC_STEPS};

/// The step of a block's first coefficient and of all others, by the kind of block.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Steps {
    pub(super) luma: [i32; 2],
    /// Of the block that holds the first coefficients of all luma blocks.
    pub(super) means: [i32; 2],
    pub(super) chroma: [i32; 2],
}

/// An index into the tables, and what is added to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Indices {
    pub(super) base: i32,
    luma_dc: i32,
    means: [i32; 2],
    chroma: [i32; 2],
}

impl Indices {
    pub(super) fn read(bits: &mut Bools<'_>) -> Self {
        Self {
            base: bits.literal(7) as i32,
            luma_dc: bits.optional(4),
            means: [bits.optional(4), bits.optional(4)],
            chroma: [bits.optional(4), bits.optional(4)],
        }
    }

    pub(super) fn steps(&self, base: i32) -> Steps {
        let dc = |more: i32| i32::from(DC_STEPS[(base + more).clamp(0, 127) as usize]);
        let ac = |more: i32| i32::from(AC_STEPS[(base + more).clamp(0, 127) as usize]);
        Steps {
            luma: [dc(self.luma_dc), ac(0)],
            means: [2 * dc(self.means[0]), (ac(self.means[1]) * 155 / 100).max(8)],
            chroma: [dc(self.chroma[0]).min(132), ac(self.chroma[1])],
        }
    }
}
