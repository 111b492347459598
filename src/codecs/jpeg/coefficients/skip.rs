//! Tables that step over whole symbol sequences from the first symbol of a block on: DC, then AC.
//!
//! One of them answers where the next block begins, without a value being made. Windows of fewer bits are filled first:
//! what a window steps over is its first symbol and what the bits behind it step over, so an entry costs a look-up and
//! an addition.

use super::huffman::Table;

/// Bits that a table looks at.
pub(super) const WINDOW: u32 = 12;

/// Bits that an entry steps over at most. A code tells how long its value is, so that the value need not be in the window.
pub(super) const MOST: u32 = 22;

/// Coefficients that an entry passes at most, so that sums of some entries have room. More would seldom be of use.
pub(super) const FEW: u32 = 32;

/// What each window steps over: bits 0 to 6 bits used, [`MOST`] at most; 7 to 12 coefficients passed, [`FEW`] at most;
/// bit 13: no whole symbol, or one that is not a code ([`NONE`]); bit 15: an end of block is the last of them.
pub(super) type Skips = [u16; 1 << WINDOW];

/// Coefficients of an entry, and of a sum of entries.
pub(super) const COEFFICIENT: u32 = 7;
/// The end of a block.
pub(super) const ENDS: u16 = 1 << 15;
/// Nothing that could be stepped over; where entries are added up: 64 coefficients or more.
pub(super) const NONE: u16 = 64 << COEFFICIENT;
/// An entry for nothing that could be stepped over. It is an end as well: behind it nothing is added up.
const NOTHING: u16 = NONE | ENDS;

/// A sequence of whole symbols of one block.
pub(super) struct Sequence {
    pub(super) bits: u32,
    /// Coefficients of the block behind it.
    pub(super) reached: u32,
    /// Whether an end of block is the last of them.
    pub(super) ends: bool,
}

/// What the front of a window steps over behind `k` coefficients of a block. `None` where it must be read symbol by
/// symbol: there is no whole one, or the sequence passes the end of the block and would run into the next one.
#[inline(always)]
pub(super) fn sequence(skips: &Skips, window: u64, k: u32) -> Option<Sequence> {
    let entry = skips[(window >> (64 - WINDOW)) as usize];
    let (reached, ends) = (k + u32::from(entry >> COEFFICIENT & 0x7F), entry & ENDS != 0);
    let whole = entry & NONE == 0 && (reached < 64 || reached == 64 && !ends);
    whole.then(|| Sequence { bits: u32::from(entry & 0x7F), reached, ends })
}

/// Longest DC magnitude of 8-bit samples.
pub(super) const MAX_DC_SIZE: u32 = 11;

/// Skips of an AC table for windows of every length up to [`WINDOW`], the shorter ones first: those of `n` bits begin at
/// `1 << n`.
pub(super) struct AcSkips {
    by_length: Vec<u16>,
}

impl AcSkips {
    pub(super) fn new(table: &Table) -> Self {
        let mut by_length = vec![NOTHING; 2 << WINDOW];
        for bits in 1..=WINDOW {
            let (shorter, these) = by_length.split_at_mut(1 << bits);
            for (windows, length, symbol) in table.codes(bits) {
                let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
                let Some(these) = these.get_mut(windows) else { continue };
                if size == 0 && run != 15 {
                    // A run without a value other than ZRL ends a block.
                    these.fill(length as u16 | ENDS);
                } else {
                    joined(these, bits - length, Symbol { length, size, passed: run + 1 }, shorter);
                }
            }
        }
        Self { by_length }
    }

    /// For windows of [`WINDOW`] bits.
    pub(super) fn whole(&self) -> Box<Skips> {
        let mut skips = Box::new([NOTHING; 1 << WINDOW]);
        skips.copy_from_slice(&self.by_length[1 << WINDOW..]);
        skips
    }

    /// For the beginning of a block: a DC symbol and the AC symbols behind it.
    pub(super) fn behind(&self, dc: &Table) -> Box<Skips> {
        let mut skips = Box::new([NOTHING; 1 << WINDOW]);
        for (windows, length, size) in dc.codes(WINDOW) {
            let size = u32::from(size);
            if size <= MAX_DC_SIZE
                && let Some(these) = skips.get_mut(windows)
            {
                joined(these, WINDOW - length, Symbol { length, size, passed: 1 }, &self.by_length);
            }
        }
        skips
    }
}

/// A symbol: bits of its code and of its value, coefficients that it passes.
struct Symbol {
    length: u32,
    size: u32,
    passed: u32,
}

/// Fills the windows that begin with a symbol, of whose code `left` bits are behind: the symbol, and what the bits behind
/// its value step over.
fn joined(windows: &mut [u16], left: u32, symbol: Symbol, shorter: &[u16]) {
    let Symbol { length, size, passed } = symbol;
    let used = length + size;
    if used > MOST {
        return;
    }
    let alone = (passed << COEFFICIENT | used) as u16;
    let Some(behind @ 1..) = left.checked_sub(size) else { return windows.fill(alone) };
    let rests = &shorter[1 << behind..2 << behind];
    for windows in windows.chunks_exact_mut(rests.len()) {
        for (window, &rest) in windows.iter_mut().zip(rests) {
            let all = u32::from(rest >> COEFFICIENT & 0x7F) + passed;
            let fits = rest & NONE == 0 && all <= FEW && u32::from(rest & 0x7F) + used <= MOST;
            *window = if fits { alone + rest } else { alone };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::huffman::Definition;
    use super::*;

    fn table(counts: [u8; 16], symbols: &[u8]) -> Table {
        let (definition, _) = Definition::read(&[&counts[..], symbols].concat()).unwrap();
        Table::new(&definition)
    }

    /// 0 → EOB, 10 → run 0 size 1, 110 → ZRL, 1110 → run 3 size 5.
    fn ac() -> Table {
        table([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x00, 0x01, 0xF0, 0x35])
    }

    fn entry(bits: u16, passed: u16, ends: bool) -> u16 {
        bits | passed << COEFFICIENT | u16::from(ends) << 15
    }

    #[test]
    fn windows_step_over_whole_symbols_only() {
        let skips = AcSkips::new(&ac()).whole();
        // 10 1 | 10 0 | 0: two values and the end.
        assert_eq!(skips[0b1011_0000_0000], entry(7, 2, true));
        // Three times ZRL are more coefficients than an entry may pass, twice are not.
        assert_eq!(skips[0b1101_1011_0110], entry(6, 32, false));
        assert_eq!(skips[0b1101_1001_0000], entry(7, 32, true));
        // 1110 and five bits; then 10 without its value.
        assert_eq!(skips[0b1110_1010_1101], entry(9 + 3, 5, false));
        assert_eq!(skips[0b1110_1010_1111], entry(9, 4, false));
        // Not a code.
        assert_eq!(skips[0b1111_0000_0000], NOTHING);
    }

    #[test]
    fn a_block_begins_with_its_mean() {
        // 0 → no difference, 10 → three bits, 110 → twelve bits, which no 8-bit picture has.
        let dc = table([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0, 3, 12]);
        let skips = AcSkips::new(&ac()).behind(&dc);
        assert_eq!(skips[0b0000_0000_0000], entry(2, 1, true));
        assert_eq!(skips[0b1010_1100_0000], entry(5 + 3 + 1, 2, true));
        assert_eq!(skips[0b1100_0000_0000], NOTHING);
    }
}
