//! Huffman tables for reading values and for stepping over whole symbol sequences. ITU-T T.81, annexes C and F.

use super::Refused;

/// Bits that the fast table looks at.
const FAST: u32 = 10;
/// Bits that the stepping table looks at.
const STEP: u32 = 13;

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
    symbols: Vec<u8>,
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
        Self { fast, limit, offset, symbols: definition.symbols.clone() }
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
                return self.symbols.get(index).map(|&s| (length, s));
            }
        }
        None
    }
}

/// What a window of `STEP` bits steps over: as many whole AC symbols (code and magnitude bits) as it holds.
///
/// Bits 0 to 3: bits used; 4 to 10: coefficients passed; bit 15: an end of block is the last of them. 0: the window does
/// not hold a single whole symbol. Two bytes an entry, so that two tables fit into the nearest cache.
#[derive(Debug)]
pub(super) struct StepTable {
    entries: Box<[u16; 1 << STEP]>,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) bits: u32,
    pub(super) passed: u32,
    pub(super) ends: bool,
}

impl StepTable {
    pub(super) fn new(table: &Table) -> Self {
        let mut entries = Box::new([0; 1 << STEP]);
        for (slot, window) in entries.iter_mut().zip(0_u64..) {
            *slot = Self::entry(table, window << (64 - STEP));
        }
        Self { entries }
    }

    fn entry(table: &Table, mut window: u64) -> u16 {
        let (mut bits, mut passed) = (0_u32, 0_u32);
        let packed = |bits: u32, passed: u32, ends: u16| bits as u16 | (passed as u16) << 4 | ends << 15;
        while let Some((length, symbol)) = table.look(window) {
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            let used = length + size;
            if bits + used > STEP {
                break;
            }
            bits += used;
            window <<= used;
            if size == 0 && run != 15 {
                // End of block. (A run without a value other than EOB and ZRL means nothing in sequential files and ends
                // a block in the general decoders too.)
                return packed(bits, passed, 1);
            }
            passed += run + 1;
            if passed >= 64 {
                break;
            }
        }
        packed(bits, passed, 0)
    }

    #[inline(always)]
    pub(super) fn look(&self, window: u64) -> Step {
        let entry = self.entries[(window >> (64 - STEP)) as usize];
        Step { bits: (entry & 15).into(), passed: (entry >> 4 & 0x7F).into(), ends: entry >> 15 != 0 }
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
    fn steps_hold_whole_symbols_only() {
        let steps = StepTable::new(&table());
        // 10 1 | 10 0 | 0: two values and the end.
        let step = steps.look(0b1011000 << 57);
        assert_eq!(step, Step { bits: 7, passed: 2, ends: true });
        // 110 110 110 110 and one bit of the next code.
        let step = steps.look(0b1_1011_0110_1101 << 51);
        assert_eq!(step, Step { bits: 12, passed: 64, ends: false });
        // A code that does not exist.
        assert_eq!(steps.look(u64::MAX).bits, 0);
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
