//! Tables of symbols and the values behind them, ready to be stored.
//!
//! Most symbols of the low frequencies fit into a window together with their values, so that the value can lie in the
//! table: nothing has to be cut out of the data and given its sign.

use super::huffman::{Table, extend};
use super::skip::MAX_DC_SIZE;

/// Bits that the tables look at.
const DC_WINDOW: u32 = 12;
const AC_WINDOW: u32 = 13;
/// Bits that an entry uses at most.
pub(super) const MOST: u32 = AC_WINDOW;

/// What a window begins with: bits 0 to 3 bits used, 0 where symbol and value do not fit; 4 to 7 coefficients passed, the
/// one that has the value among them ([`Entry::END`] at the end of a block); 8 to 15 the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u16);

impl Entry {
    /// Coefficients passed at the end of a block, so that none is left of up to so many that are wanted.
    pub(super) const END: usize = 15;

    const NONE: Self = Self(0);

    fn new(used: u32, passed: u32, value: i8) -> Self {
        Self((value as u8 as u16) << 8 | (passed << 4 | used) as u16)
    }

    /// Symbol and value are longer than the window, or what the window begins with is no symbol.
    #[inline(always)]
    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Bits of code and value.
    #[inline(always)]
    pub(super) const fn used(self) -> usize {
        (self.0 & 15) as usize
    }

    #[inline(always)]
    pub(super) const fn passed(self) -> usize {
        (self.0 >> 4 & 15) as usize
    }

    #[inline(always)]
    pub(super) const fn value(self) -> i16 {
        (self.0 as i16) >> 8
    }
}

/// The entries of a DC and an AC table.
#[derive(Debug)]
pub(super) struct Ready {
    dc: Box<[Entry; 1 << DC_WINDOW]>,
    ac: Box<[Entry; 1 << AC_WINDOW]>,
}

impl Ready {
    pub(super) fn new(dc: &Table, ac: &Table) -> Self {
        let mut ready =
            Self { dc: Box::new([Entry::NONE; 1 << DC_WINDOW]), ac: Box::new([Entry::NONE; 1 << AC_WINDOW]) };
        fill(&mut *ready.dc, DC_WINDOW, dc, |size| (u32::from(size) <= MAX_DC_SIZE).then_some((0, size.into())));
        fill(&mut *ready.ac, AC_WINDOW, ac, |symbol| {
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, size) {
                (15, _) => None,
                (_, 0) => Some((Entry::END as u32, 0)),
                _ => Some((run + 1, size)),
            }
        });
        ready
    }

    #[inline(always)]
    pub(super) fn dc(&self, window: u64) -> Entry {
        self.dc[(window >> (64 - DC_WINDOW)) as usize]
    }

    #[inline(always)]
    pub(super) fn ac(&self, window: u64) -> Entry {
        self.ac[(window >> (64 - AC_WINDOW)) as usize]
    }
}

/// `split`: coefficients that a symbol passes and bits of its value, for symbols that may lie in the table.
fn fill(entries: &mut [Entry], bits: u32, table: &Table, split: impl Fn(u8) -> Option<(u32, u32)>) {
    for (windows, length, symbol) in table.codes(bits) {
        let (Some((passed, size)), Some(these)) = (split(symbol), entries.get_mut(windows)) else { continue };
        // Values beyond 8 bits have no room.
        let Some(rest) = (bits - length).checked_sub(size).filter(|_| size < 8) else { continue };
        for (value, these) in these.chunks_exact_mut(1 << rest).enumerate() {
            let value = if size == 0 { 0 } else { extend((value as u64) << (64 - size), size) };
            these.fill(Entry::new(length + size, passed, value as i8));
        }
    }
}

/// Bits that the table of a progressive scan looks at.
const BAND_WINDOW: u32 = 12;

/// What a window of a progressive file's first scan of a band begins with, a byte each: bits used, 0 where symbol and value
/// do not fit, or where a run of blocks ends; coefficients passed, the one that has the value among them (more than any band
/// has at its end); two for the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BandEntry(u32);

impl BandEntry {
    /// Coefficients passed at the end of a band.
    const END: u32 = 128;

    #[inline(always)]
    pub(super) const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Bits of code and value.
    #[inline(always)]
    pub(super) const fn used(self) -> u32 {
        self.0 & 15
    }

    #[inline(always)]
    pub(super) const fn passed(self) -> usize {
        (self.0 >> 8 & 0xFF) as usize
    }

    #[inline(always)]
    pub(super) const fn value(self) -> i32 {
        (self.0 as i32) >> 16
    }
}

/// The entries of a progressive file's table, for first scans.
#[derive(Debug)]
pub(super) struct Band(Box<[BandEntry; 1 << BAND_WINDOW]>);

impl Band {
    pub(super) fn new(table: &Table) -> Self {
        let mut entries = Box::new([BandEntry(0); 1 << BAND_WINDOW]);
        for (windows, length, symbol) in table.codes(BAND_WINDOW) {
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            let passed = match (run, size) {
                (0, 0) => BandEntry::END,
                (_, 0) => continue,
                _ => run + 1,
            };
            let (Some(rest), Some(these)) = ((BAND_WINDOW - length).checked_sub(size), entries.get_mut(windows)) else {
                continue;
            };
            for (value, these) in these.chunks_exact_mut(1 << rest).enumerate() {
                let value = if size == 0 { 0 } else { extend((value as u64) << (64 - size), size) };
                these.fill(BandEntry((value as u32) << 16 | passed << 8 | (length + size)));
            }
        }
        Self(entries)
    }

    #[inline(always)]
    pub(super) fn look(&self, window: u64) -> BandEntry {
        self.0[(window >> (64 - BAND_WINDOW)) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::super::huffman::Definition;
    use super::*;

    #[test]
    fn values_lie_in_the_table_where_they_fit() {
        let table = |counts: [u8; 16], symbols: &[u8]| {
            Table::new(&Definition::read(&[&counts[..], symbols].concat()).unwrap().0)
        };
        // 0 → no difference, 10 → seven bits, 110 → eight.
        let dc = table([1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0, 7, 8]);
        // 0 → EOB, 10 → run 2 size 1, 110 → ZRL, 1110 → run 0 size 7, 11110 → run 14 size 3, 111110 → run 15 size 1.
        let ac = table([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0x00, 0x21, 0xF0, 0x07, 0xE3, 0xF1]);
        let ready = Ready::new(&dc, &ac);
        let told = |entry: Entry| (!entry.is_none()).then(|| (entry.used(), entry.passed(), entry.value()));
        let dc = |window: u64| told(ready.dc(window));
        assert_eq!(dc(0), Some((1, 0, 0)));
        assert_eq!(dc(0b1_0000_0000 << 55), Some((9, 0, -127)));
        assert_eq!(dc(0b1_0111_1111 << 55), Some((9, 0, 127)));
        assert_eq!(dc(0b110 << 61), None);
        let ac = |window: u64| told(ready.ac(window));
        assert_eq!(ac(0), Some((1, Entry::END, 0)));
        assert_eq!(ac(0b100 << 61), Some((3, 3, -1)));
        assert_eq!(ac(0b101 << 61), Some((3, 3, 1)));
        assert_eq!(ac(0b110 << 61), None);
        assert_eq!(ac(0b111_0100_0000 << 53), Some((11, 1, 64)));
        assert_eq!(ac(0b1111_0011 << 56), Some((8, 15, -4)));
        assert_eq!(ac(0b11_1110 << 58), None);
        assert_eq!(ac(u64::MAX), None);
    }
}
