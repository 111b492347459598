/// Samples of a row of macroblocks of one plane, and so many rows above it as are still needed.
///
/// Each row has [`MARGIN`] bytes on both sides, which the loop filter may read and write back.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) samples: Vec<u8>,
    pub(super) stride: usize,
    /// Rows from above.
    pub(super) kept: usize,
}

pub(super) const MARGIN: usize = 8;

impl Band {
    /// `width` and `height` without margin and kept rows.
    pub(super) fn new(width: usize, height: usize, kept: usize) -> Self {
        let stride = width + 2 * MARGIN;
        Self { samples: vec![0; stride * (kept + height)], stride, kept }
    }

    /// Row `y` of the macroblocks; those above are kept rows.
    #[inline(always)]
    pub(super) fn row(&self, y: isize) -> &[u8] {
        let y = self.kept.wrapping_add_signed(y);
        &self.samples[self.stride * y..][..self.stride][MARGIN..]
    }

    /// Stores a macroblock at column `x`.
    #[inline(always)]
    pub(super) fn store<const SIDE: usize, const WIDTH: usize>(&mut self, x: usize, rows: &[[u8; WIDTH]]) {
        let from = self.stride * self.kept;
        for (to, row) in self.samples[from..].chunks_exact_mut(self.stride).zip(rows) {
            to[MARGIN + x..][..SIDE].copy_from_slice(&row[super::canvas::LEFT..][..SIDE]);
        }
    }

    /// The last rows become kept ones.
    #[inline(always)]
    pub(super) fn advance(&mut self) {
        let len = self.stride * self.kept;
        let from = self.samples.len() - len;
        self.samples.copy_within(from.., 0);
    }
}
