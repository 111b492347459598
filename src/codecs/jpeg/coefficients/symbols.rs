//! Tables of single symbols, from which values are made without a branch.

use std::hint::select_unpredictable;

use super::huffman::Table;
use super::skip::MAX_DC_SIZE;

/// Bits that a table looks at.
const WINDOW: u32 = 11;

/// What a window begins with, a byte each: bits used; bits of the value; coefficients passed, the one that has the value
/// among them (64 at the end of a block); 64 less the bits used. 0: a code that is longer, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol(u32);

impl Symbol {
    /// The end of a block.
    const END: u32 = 64;

    fn new(length: u32, size: u32, passed: u32) -> Self {
        let used = length + size;
        Self((64 - used) << 24 | passed << 16 | size << 8 | used)
    }

    /// No code of up to [`WINDOW`] bits.
    #[inline(always)]
    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Bits of code and value.
    #[inline(always)]
    pub(super) const fn used(self) -> u32 {
        self.0 & 63
    }

    #[inline(always)]
    pub(super) const fn passed(self) -> usize {
        (self.0 >> 16 & 0x7F) as usize
    }

    /// The value, 0 where there is none, at the front of the window that the symbol was found in (T.81, F.2.2.1).
    #[inline(always)]
    pub(super) fn value(self, window: u64) -> i32 {
        let size = self.0 >> 8 & 15;
        let above = 1_u32 << size;
        let value = (window >> (self.0 >> 24 & 63)) as u32 & (above - 1);
        // A leading zero bit means negative. Half of the values are: a branch would be foretold wrong as often.
        let value = value as i32;
        let above = above as i32;
        select_unpredictable(2 * value < above, value + 1 - above, value)
    }
}

/// Symbols by what a window begins with.
#[derive(Debug)]
pub(super) struct Symbols(Box<[Symbol; 1 << WINDOW]>);

impl Symbols {
    pub(super) fn of_dc(table: &Table) -> Self {
        Self::new(table, |length, size| (u32::from(size) <= MAX_DC_SIZE).then(|| Symbol::new(length, size.into(), 0)))
    }

    pub(super) fn of_ac(table: &Table) -> Self {
        Self::new(table, |length, symbol| {
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            let ends = size == 0 && run != 15;
            Some(Symbol::new(length, size, if ends { Symbol::END } else { run + 1 }))
        })
    }

    fn new(table: &Table, symbol: impl Fn(u32, u8) -> Option<Symbol>) -> Self {
        let mut symbols = Box::new([Symbol(0); 1 << WINDOW]);
        for (windows, length, found) in table.codes(WINDOW) {
            if let (Some(these), Some(symbol)) = (symbols.get_mut(windows), symbol(length, found)) {
                these.fill(symbol);
            }
        }
        Self(symbols)
    }

    #[inline(always)]
    pub(super) fn look(&self, window: u64) -> Symbol {
        self.0[(window >> (64 - WINDOW)) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::huffman::{Definition, extend};
    use super::*;

    #[test]
    fn values_are_the_standards() {
        // 0 → EOB, 10 → run 2 size 1, 110 → ZRL, 1110 → run 0 size 10, and one of 12 bits.
        let data = [1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x00, 0x21, 0xF0, 0x0A, 0x01];
        let table = Table::new(&Definition::read(&data).unwrap().0);
        let symbols = Symbols::of_ac(&table);
        let look = |window: u64| {
            let symbol = symbols.look(window);
            (symbol.used(), symbol.passed(), symbol.value(window))
        };
        assert_eq!(look(0), (1, 64, 0));
        assert_eq!(look(0b101 << 61), (3, 3, 1));
        assert_eq!(look(0b100 << 61), (3, 3, -1));
        assert_eq!(look(0b110 << 61 | 1 << 60), (3, 16, 0));
        for bits in [0, 1, 511, 512, 513, 1023_u64] {
            assert_eq!(look(0b1110 << 60 | bits << 50), (14, 1, extend(bits << 54, 10)));
        }
        assert!(symbols.look(0b1111_0000_0000 << 52).is_none());
    }
}
