//! Weight tables as shaders read them: 32-bit words, all tables of a job in one buffer.

use crate::ops::{BlockWeights, WeightTable, ZIGZAG};

/// The words of every table of a job.
#[derive(Debug, Default)]
pub(super) struct Tables {
    words: Vec<u32>,
}

impl Tables {
    pub(super) fn words(&self) -> &[u32] {
        &self.words
    }

    /// Adds a table for sources that begin `shift` pixels into those that it was made for; answers its place. Rows,
    /// taps; for each row its first source pixel and their number; rows × taps weights.
    pub(super) fn add(&mut self, table: &WeightTable, shift: u32) -> u32 {
        let at = self.words.len() as u32;
        self.words.extend([table.dst_len(), table.taps() as u32]);
        self.words.extend(table.bounds().iter().flat_map(|b| [b.first - shift, b.count]));
        self.words.extend(table.weights().iter().map(|&w| (w as f32).to_bits()));
        at
    }

    /// Adds a table that leaves `len` pixels as they are.
    pub(super) fn add_identity(&mut self, len: u32) -> u32 {
        let at = self.words.len() as u32;
        self.words.extend([len, 1]);
        self.words.extend((0..len).flat_map(|i| [i, 1]));
        self.words.extend((0..len).map(|_| 1.0_f32.to_bits()));
        at
    }

    /// Adds weights over blocks: for each output its first block, their number and the place of its weights.
    pub(super) fn add_blocks(&mut self, table: &BlockWeights) -> u32 {
        let at = self.words.len() as u32;
        let weights = at + 3 * table.bounds.len() as u32;
        for (&(first, blocks), &start) in table.bounds.iter().zip(&table.starts) {
            self.words.extend([first as u32, blocks as u32, weights + start as u32]);
        }
        self.words.extend(table.weights.iter().map(|w| w.to_bits()));
        at
    }

    /// Adds the place in the zigzag order of each (u across, v down), at `8 v + u`.
    pub(super) fn add_zigzag(&mut self) -> u32 {
        let at = self.words.len();
        self.words.resize(at + 64, 0);
        for (place, (u, v)) in (0..).zip(ZIGZAG) {
            self.words[at + 8 * v + u] = place;
        }
        at as u32
    }
}

/// The source pixels that a table reads: the first and one past the last.
pub(super) fn used(table: &WeightTable) -> (u32, u32) {
    let first = table.bounds().iter().map(|b| b.first).min().unwrap_or(0);
    let end = table.bounds().iter().map(|b| b.first + b.count).max().unwrap_or(1);
    (first, end)
}
