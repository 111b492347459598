//! Where the symbols of a scan go: they are counted, then written.

use crate::codecs::jpeg::encoder::huffman::{Codes, Counts};
use crate::codecs::jpeg::encoder::write::Bits;

/// Most bits that go into a sink at once.
pub(super) const MOST_BITS: u32 = 24;

/// Takes what a scan is made of.
pub(super) trait Sink {
    /// A symbol of a table, and the bits of a magnitude that belong to it.
    fn symbol(&mut self, table: usize, symbol: u8, bits: u16);
    /// Bits as they are; at most [`MOST_BITS`].
    fn bits(&mut self, bits: u32, length: u32);
}

/// Counts symbols, and keeps as many as there is room for: a scan that fits need not be gone through again.
///
/// A word is a symbol (table, symbol and magnitude from bit 24, 16 and 0) or, with the highest bit, bits and from bit 24
/// how many.
pub(super) struct Counted {
    pub(super) counts: [Counts; 2],
    /// Bits beside symbols.
    plain: u64,
    words: Vec<u32>,
    most: usize,
    whole: bool,
}

const PLAIN: u32 = 1 << 31;

impl Counted {
    /// Bytes of a word.
    pub(super) const WORD: usize = size_of::<u32>();

    /// Keeps that many words.
    pub(super) fn new(most: usize) -> Self {
        Self { counts: [[0; 256]; 2], plain: 0, words: Vec::with_capacity(most), most, whole: true }
    }

    /// For the next scan.
    pub(super) fn clear(&mut self) {
        (self.counts, self.plain, self.whole) = ([[0; 256]; 2], 0, true);
        self.words.clear();
    }

    /// Bits of the scan under these tables.
    pub(super) fn bits(&self, tables: &[Codes; 2]) -> u64 {
        self.plain + tables.iter().zip(&self.counts).map(|(codes, counts)| codes.bits(counts)).sum::<u64>()
    }

    /// Writes the scan, if all of it was kept.
    pub(super) fn write(&self, to: &mut Written<'_>) -> bool {
        if self.whole {
            for &word in &self.words {
                let low = word & 0xFF_FFFF;
                if word & PLAIN != 0 {
                    to.bits(low, word >> 24 & 0x7F);
                } else {
                    to.symbol((word >> 24) as usize, (low >> 16) as u8, low as u16);
                }
            }
        }
        self.whole
    }

    /// Bytes of the symbols that were kept.
    #[cfg(test)]
    pub(super) const fn kept_bytes(&self) -> usize {
        self.words.len() * Self::WORD
    }

    #[inline(always)]
    fn keep(&mut self, word: u32) {
        if self.words.len() < self.most {
            self.words.push(word);
        } else {
            self.whole = false;
        }
    }
}

impl Sink for Counted {
    #[inline(always)]
    fn symbol(&mut self, table: usize, symbol: u8, bits: u16) {
        self.counts[table & 1][usize::from(symbol)] += 1;
        self.keep((table as u32) << 24 | u32::from(symbol) << 16 | u32::from(bits));
    }

    #[inline(always)]
    fn bits(&mut self, bits: u32, length: u32) {
        self.plain += u64::from(length);
        self.keep(PLAIN | length << 24 | bits);
    }
}

/// Writes under tables.
pub(super) struct Written<'a> {
    pub(super) tables: &'a [Codes; 2],
    pub(super) bits: &'a mut Bits,
}

impl Sink for Written<'_> {
    #[inline(always)]
    fn symbol(&mut self, table: usize, symbol: u8, bits: u16) {
        let entry = self.tables[table & 1].entries[usize::from(symbol)];
        self.bits.put(entry >> 5 | u32::from(bits), entry & 31);
    }

    #[inline(always)]
    fn bits(&mut self, bits: u32, length: u32) {
        self.bits.put(bits, length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A symbol with a magnitude, bits, a symbol of the other table.
    fn say(sink: &mut impl Sink) {
        sink.symbol(0, 0x12, 0b10);
        sink.bits(0xAB_CDEF, 24);
        sink.bits(0, 0);
        sink.symbol(1, 0xF0, 0);
    }

    fn file(most: usize) -> (bool, Vec<u8>) {
        let mut counted = Counted::new(most);
        say(&mut counted);
        let tables = counted.counts.map(|counts| Codes::new(&counts));
        assert_eq!(counted.bits(&tables), 3 + 24 + 1);
        let mut bits = Bits::new(Vec::new());
        let whole = counted.write(&mut Written { tables: &tables, bits: &mut bits });
        if !whole {
            say(&mut Written { tables: &tables, bits: &mut bits });
        }
        (whole, bits.finish())
    }

    #[test]
    fn what_was_kept_is_written_as_said_again() {
        let (kept, again) = (file(4), file(3));
        assert_eq!((kept.0, again.0), (true, false));
        assert_eq!(kept.1, again.1);
        // Codes of one bit, 0; ones fill up.
        assert_eq!(kept.1, [0x55, 0x79, 0xBD, 0xEF, 0xFF, 0xD9]);
    }

    #[test]
    fn nothing_is_left_of_the_scan_before() {
        let mut counted = Counted::new(4);
        say(&mut counted);
        say(&mut counted);
        counted.clear();
        counted.symbol(0, 3, 7);
        assert_eq!((counted.whole, counted.words.len(), counted.plain), (true, 1, 0));
        assert_eq!(counted.counts.as_flattened().iter().sum::<u32>(), 1);
    }
}
