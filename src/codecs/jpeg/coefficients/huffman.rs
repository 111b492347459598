//! Huffman tables for single symbols. ITU-T T.81, annexes C and F.

use std::ops::Range;

use super::Refused;

/// Bits that the fast table looks at.
const FAST: u32 = 10;

/// A DHT segment's table: codes by length and their symbols in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::codecs::jpeg) struct Definition {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Definition {
    /// Reads one table (16 counts, then symbols) and says how many bytes it took.
    pub(in crate::codecs::jpeg) fn read(data: &[u8]) -> Result<(Self, usize), Refused> {
        let mut counts = [0; 16];
        counts.copy_from_slice(data.get(..16).ok_or(Refused::Damaged)?);
        let total: usize = counts.iter().map(|&n| usize::from(n)).sum();
        let symbols = data.get(16..16 + total).ok_or(Refused::Damaged)?.to_vec();
        // More codes than a prefix code of that length can have: Kraft's inequality.
        let mut room: i64 = 1;
        for &n in &counts {
            room = room * 2 - i64::from(n);
            if room < 0 {
                return Err(Refused::Damaged);
            }
        }
        if total > 256 {
            return Err(Refused::Damaged);
        }
        Ok((Self { counts, symbols }, 16 + total))
    }
}

/// A table for single symbols.
#[derive(Debug)]
pub(in crate::codecs::jpeg) struct Table {
    /// For each `FAST`-bit window: code length << 8 | symbol, or 0 where the code is longer.
    fast: Box<[u16; 1 << FAST]>,
    /// For each length: the first `FAST`-bit-aligned 16-bit value beyond its codes, and symbol index minus code.
    limit: [u32; 17],
    offset: [i32; 17],
    definition: Definition,
}

impl Table {
    pub(in crate::codecs::jpeg) fn new(definition: &Definition) -> Self {
        let mut fast = Box::new([0u16; 1 << FAST]);
        let mut limit = [0; 17];
        let mut offset = [0; 17];
        let (mut code, mut index) = (0u32, 0usize);
        for length in 1..=16u32 {
            let n = u32::from(definition.counts[length as usize - 1]);
            offset[length as usize] = index as i32 - code as i32;
            for _ in 0..n {
                if length <= FAST {
                    let first = (code << (FAST - length)) as usize;
                    let entry = (length as u16) << 8 | u16::from(definition.symbols[index]);
                    fast[first..first + (1 << (FAST - length))].fill(entry);
                }
                code += 1;
                index += 1;
            }
            limit[length as usize] = if n == 0 { 0 } else { code << (16 - length) };
            code <<= 1;
        }
        Self { fast, limit, offset, definition: definition.clone() }
    }

    /// Every code of up to `bits` bits: the windows of so many bits that begin with it, its length and its symbol.
    pub(super) fn codes(&self, bits: u32) -> impl Iterator<Item = (Range<usize>, u32, u8)> {
        let Definition { counts, symbols } = &self.definition;
        let lengths = (1..=bits).zip(counts).flat_map(|(length, &n)| std::iter::repeat_n(length, n.into()));
        let mut next = 0;
        lengths.zip(symbols).map(move |(length, &symbol)| {
            let windows = next..next + (1 << (bits - length));
            next = windows.end;
            (windows, length, symbol)
        })
    }

    /// Code length and symbol at the front of a left-aligned window; `None` for a code that is not in the table.
    #[inline(always)]
    pub(in crate::codecs::jpeg) fn look(&self, window: u64) -> Option<(u32, u8)> {
        let entry = self.fast[(window >> (64 - FAST)) as usize];
        if entry != 0 {
            return Some((u32::from(entry >> 8), entry as u8));
        }
        self.look_long(window)
    }

    #[cold]
    fn look_long(&self, window: u64) -> Option<(u32, u8)> {
        let sixteen = (window >> 48) as u32;
        for length in FAST + 1..=16 {
            if sixteen < self.limit[length as usize] {
                let code = (sixteen >> (16 - length)) as i32;
                let index = usize::try_from(code + self.offset[length as usize]).ok()?;
                return self.definition.symbols.get(index).map(|&s| (length, s));
            }
        }
        None
    }
}

/// The value that `size` magnitude bits at the front of a left-aligned window stand for (T.81, F.2.2.1).
#[inline(always)]
pub(super) const fn extend(window: u64, size: u32) -> i32 {
    if size == 0 {
        return 0;
    }
    let value = (window >> (64 - size)) as i32;
    // A leading zero bit means negative.
    if value < 1 << (size - 1) { value - (1 << size) + 1 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three codes: 0 → EOB, 10 → run 0 size 1, 110 → run 15 (ZRL).
    fn table() -> Table {
        let data = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x01, 0xF0];
        let (definition, used) = Definition::read(&data).unwrap();
        assert_eq!(used, 19);
        Table::new(&definition)
    }

    #[test]
    fn codes_come_with_the_windows_that_begin_with_them() {
        let codes: Vec<_> = table().codes(4).collect();
        assert_eq!(codes, [(0..8, 1, 0x00), (8..12, 2, 0x01), (12..14, 3, 0xF0)]);
        assert_eq!(table().codes(2).count(), 2);
    }

    #[test]
    fn magnitudes_follow_the_standard() {
        assert_eq!(extend(0, 0), 0);
        assert_eq!(extend(0, 1), -1);
        assert_eq!(extend(1 << 63, 1), 1);
        assert_eq!(extend(0b011 << 61, 3), -4);
        assert_eq!(extend(0b100 << 61, 3), 4);
    }

    #[test]
    fn overfull_tables_are_refused() {
        let data = [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
        assert!(Definition::read(&data).is_err());
    }
}
