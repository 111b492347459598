//! Blocks as the symbols that the entropy coder writes. ITU-T T.81, F.1.2.

use crate::codecs::jpeg::zigzag::BY_COLUMN;

use super::fdct::Block;
use super::huffman::Counts;

/// Words of a chunk.
const CHUNK: usize = 1 << 14;
/// Most words of a block: its head, the first coefficient and 63 others with their magnitudes apart.
const MOST: usize = 1 + 2 + 2 * 63;

/// Bytes of a chunk.
pub(super) const CHUNK_BYTES: u64 = 2 * CHUNK as u64;
/// Most bytes of a block. Sixteen coefficients at most can be so large that their magnitudes are apart: 64 samples hold
/// no more; and the mean's difference.
pub(super) const LARGEST_BLOCK: u64 = 2 * (1 + 64 + 17);

/// All symbols of a scan, or some, and how often each occurs.
///
/// A block is a head (the number of words that follow, and in the highest bit its tables) and a word for each symbol:
/// the symbol and the bits of the magnitude, or, where these are more than eight, the bits in a word that follows.
#[derive(Debug)]
pub(super) struct Symbols {
    chunks: Vec<Box<[u16; CHUNK]>>,
    /// Words used of each chunk.
    lengths: Vec<usize>,
    /// The chunk that is being filled, and how far.
    chunk: Option<Box<[u16; CHUNK]>>,
    at: usize,
    /// Of DC and AC symbols of both tables.
    pub(super) counts: [[Counts; 2]; 2],
}

impl Symbols {
    /// None.
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), lengths: Vec::new(), chunk: None, at: 0, counts: [[[0; 256]; 2]; 2] }
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        2 * CHUNK * (self.chunks.len() + 1)
    }

    /// Hands all words over, block by block whole, and forgets them.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&[u16])) {
        for (chunk, &length) in self.chunks.iter().zip(&self.lengths) {
            each(&chunk[..length]);
        }
        if let Some(chunk) = &self.chunk {
            each(&chunk[..self.at]);
        }
        self.chunks.clear();
        self.lengths.clear();
        self.at = 0;
    }

    /// A chunk with room for a block.
    #[inline(always)]
    fn room(&mut self) -> (&mut [u16; CHUNK], &mut usize, &mut [[Counts; 2]; 2]) {
        if self.at + MOST > CHUNK || self.chunk.is_none() {
            self.next();
        }
        let chunk = self.chunk.get_or_insert_with(empty);
        (chunk, &mut self.at, &mut self.counts)
    }

    #[cold]
    fn next(&mut self) {
        if let Some(full) = self.chunk.replace(empty()) {
            self.chunks.push(full);
            self.lengths.push(self.at);
        }
        self.at = 0;
    }

    /// A block that is like the one before it and has nothing but its mean.
    pub(super) fn empty(&mut self, tables: usize) {
        let (chunk, at, counts) = self.room();
        chunk[*at..*at + 3].copy_from_slice(&[head(tables, 2), 0, 0]);
        *at += 3;
        for class in counts {
            class[tables & 1][0] += 1;
        }
    }

    /// A block; its mean is written as the difference from `predictor`, which becomes that mean.
    #[inline(always)]
    pub(super) fn block(&mut self, tables: usize, block: &Block, predictor: &mut i16) {
        let (chunk, at, [dc, ac]) = self.room();
        let (dc, ac) = (&mut dc[tables & 1], &mut ac[tables & 1]);
        let first = *at;
        let mut to = first + 1;
        let mut put = |symbol: u8, bits: u16, size: u32, counts: &mut Counts| {
            counts[usize::from(symbol)] += 1;
            let word = u16::from(symbol) << 8;
            if size <= 8 {
                chunk[to % CHUNK] = word | bits;
                to += 1;
            } else {
                chunk[to % CHUNK] = word;
                chunk[(to + 1) % CHUNK] = bits;
                to += 2;
            }
        };

        let mean = block.values[0];
        let (size, bits) = magnitude(mean - *predictor);
        *predictor = mean;
        put(size as u8, bits, size, dc);

        let mut left = block.present & !1;
        let mut passed = 0;
        while left != 0 {
            let k = left.trailing_zeros();
            left &= left - 1;
            let mut run = k - passed - 1;
            passed = k;
            while run > 15 {
                put(0xF0, 0, 0, ac);
                run -= 16;
            }
            let (size, bits) = magnitude(block.values[usize::from(BY_COLUMN[k as usize & 63]) & 63]);
            put((run << 4 | size) as u8, bits, size, ac);
        }
        if passed < 63 {
            put(0, 0, 0, ac);
        }
        *at = to;
        chunk[first % CHUNK] = head(tables, to - first - 1);
    }
}

fn head(tables: usize, words: usize) -> u16 {
    (tables << 15 | words) as u16
}

/// Number of bits and the bits: of negative values, less one (T.81, F.1.2.1).
#[inline(always)]
pub(super) fn magnitude(value: i16) -> (u32, u16) {
    let size = 16 - value.unsigned_abs().leading_zeros();
    let bits = value.wrapping_add(value >> 15) as u16;
    (size, bits & ((1_u32 << size) - 1) as u16)
}

fn empty() -> Box<[u16; CHUNK]> {
    bytemuck::zeroed_box()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Coefficients in zigzag order.
    fn block(coefficients: &[(usize, i16)]) -> Block {
        let mut block = Block { values: [0; 64], present: 0 };
        for &(k, value) in coefficients {
            block.values[usize::from(BY_COLUMN[k])] = value;
            block.present |= 1 << k;
        }
        block
    }

    fn words(symbols: &mut Symbols) -> Vec<u16> {
        let mut words = Vec::new();
        symbols.drain(|chunk| words.extend_from_slice(chunk));
        words
    }

    #[test]
    fn blocks_are_those_of_the_standard() {
        let mut symbols = Symbols::new();
        let mut predictor = 5;
        symbols.block(0, &block(&[(0, 2), (1, -1), (4, 300), (25, 7), (63, -255)]), &mut predictor);
        symbols.block(1, &block(&[(0, 2)]), &mut predictor);
        symbols.empty(1);
        let expected = [
            9, 0x0200, 0x0100, 0x2900, 300, 0xF000, 0x4307, 0xF000, 0xF000, 0x5800, //
            0x8002, 0, 0, 0x8002, 0, 0,
        ];
        assert_eq!(words(&mut symbols), expected);
        assert_eq!(symbols.counts[0][0][2], 1);
        assert_eq!(symbols.counts[0][1][0], 2);
        assert_eq!(symbols.counts[1][0][0xF0], 3);
        assert_eq!(symbols.counts[1][1][0], 2);
        assert_eq!(predictor, 2);
        assert!(words(&mut symbols).is_empty());
    }

    #[test]
    fn chunks_hold_whole_blocks() {
        let mut symbols = Symbols::new();
        let all: Vec<_> = (0..64).map(|k| (k, if k % 5 == 0 { 260 } else { 3 })).collect();
        let mut predictor = 0;
        for _ in 0..1000 {
            symbols.block(0, &block(&all), &mut predictor);
        }
        let bytes = symbols.bytes();
        let mut blocks = 0;
        symbols.drain(|mut words| {
            while let Some((&head, rest)) = words.split_first() {
                words = &rest[usize::from(head)..];
                blocks += 1;
            }
        });
        assert_eq!(blocks, 1000);
        assert!(bytes as u64 <= 1000 * LARGEST_BLOCK * CHUNK as u64 / (CHUNK - MOST) as u64 + CHUNK_BYTES);
        assert_eq!(symbols.bytes() as u64, CHUNK_BYTES);
    }

    #[test]
    fn magnitudes_of_negative_values_are_less_by_one() {
        assert_eq!(magnitude(0), (0, 0));
        assert_eq!(magnitude(-1), (1, 0));
        assert_eq!(magnitude(5), (3, 5));
        assert_eq!(magnitude(-5), (3, 2));
        assert_eq!(magnitude(-2047), (11, 0));
    }
}
