/// A macroblock's samples of one plane with their neighbours: a row above, a column to the left.
///
/// Rows are `WIDTH` bytes, the samples begin at column [`LEFT`] of row 1. Behind a row are what lies above to the right,
/// where that is used.
#[derive(Debug)]
pub(super) struct Canvas<const SIDE: usize, const WIDTH: usize, const ROWS: usize> {
    pub(super) rows: [[u8; WIDTH]; ROWS],
}

/// Luma.
pub(super) type Large = Canvas<16, 32, 17>;
/// A plane of chroma.
pub(super) type Small = Canvas<8, 16, 9>;

/// Columns in front of the samples, of which the last one is used.
pub(super) const LEFT: usize = 8;

/// What is to the left of the picture.
const LEFT_OF_ALL: u8 = 129;

impl<const SIDE: usize, const WIDTH: usize, const ROWS: usize> Canvas<SIDE, WIDTH, ROWS> {
    pub(super) fn new() -> Self {
        Self { rows: [[0; WIDTH]; ROWS] }
    }

    /// Moves on to macroblock `x`: what was the last column is to the left now; `above` is a row of [`LEFT`] bytes, the
    /// samples of the whole picture, and more.
    #[inline(always)]
    pub(super) fn advance(&mut self, above: &[u8], x: usize) {
        if x == 0 {
            for row in &mut self.rows[1..] {
                row[LEFT - 1] = LEFT_OF_ALL;
            }
        } else {
            for row in &mut self.rows[1..] {
                row[LEFT - 1] = row[LEFT + SIDE - 1];
            }
        }
        self.rows[0].copy_from_slice(&above[SIDE * x..][..WIDTH]);
    }

    /// Adds what a transform gave to the block at column `x` of row `y`, in samples.
    #[inline(always)]
    pub(super) fn add<T: Copy + Into<i32>>(&mut self, x: usize, y: usize, residue: &[T; 16]) {
        for (row, residue) in self.rows[1 + y..][..4].iter_mut().zip(residue.as_chunks::<4>().0) {
            for (sample, &residue) in row[LEFT + x..][..4].iter_mut().zip(residue) {
                *sample = (i32::from(*sample) + residue.into()).max(0).min(255) as u8;
            }
        }
    }

    /// The same where the residue is one value.
    #[inline(always)]
    pub(super) fn add_mean(&mut self, x: usize, y: usize, residue: i32) {
        let residue = residue.max(-255).min(255) as i16;
        for row in &mut self.rows[1 + y..][..4] {
            for sample in &mut row[LEFT + x..][..4] {
                *sample = (i16::from(*sample) + residue).max(0).min(255) as u8;
            }
        }
    }
}
