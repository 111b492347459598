//! The first scan of a band of frequencies.

use std::ops::Range;

use super::super::Refused;
use super::super::bits::Bits;
use super::super::frame::{Grid, Scan};
use super::super::huffman::{Table, extend};
use super::super::idct::BY_COLUMN;
use super::super::ready::Band;
use super::{Interval, Read, Rows, Units, end_of_band, symbol};

#[inline(always)]
pub(super) fn read(
    rows: Rows<'_, '_>,
    units: Units,
    scan: &Scan,
    table: &Table,
    grid: &mut Grid,
) -> Result<(), Refused> {
    let tables = Tables { single: table, ready: Band::new(table) };
    let (first, last) = (scan.first.into(), scan.last.into());
    rows.read(units, First { tables, first, last, low: scan.low, grid, run_left: 0 })
}

struct First<'a> {
    tables: Tables<'a>,
    first: usize,
    last: usize,
    low: u8,
    grid: &'a mut Grid,
    /// Blocks that still end at once: an end-of-band run.
    run_left: usize,
}

impl Read for First<'_> {
    #[inline(always)]
    fn begin(&mut self) {
        self.run_left = 0;
    }

    #[inline(always)]
    fn row(&mut self, interval: &mut Interval<'_>, y: usize, units: Range<usize>) {
        let mut bits = interval.bits;
        let mut x = units.start;
        while x < units.end {
            // A run of empty blocks takes nothing.
            let empty = self.run_left.min(units.end - x);
            self.run_left -= empty;
            x += empty;
            if x == units.end || bits.read() > interval.end {
                break;
            }
            let block = y * self.grid.blocks_across + x;
            self.run_left = if self.grid.whole { self.whole(&mut bits, block) } else { self.part(&mut bits, block) };
            x += 1;
        }
        interval.bits = bits;
    }
}

impl First<'_> {
    /// Reads a block of which all is kept; answers how many blocks behind it have nothing in the band.
    #[inline(always)]
    fn whole(&mut self, bits: &mut Bits<'_>, block: usize) -> usize {
        let (values, _) = self.grid.values.as_chunks_mut::<64>();
        let (Some(values), Some(filled)) = (values.get_mut(block), self.grid.filled.get_mut(block)) else { return 0 };
        let mut into = Whole { values, filled: *filled, low: self.low };
        let left = self.tables.block(bits, self.first, self.last, &mut into);
        *filled = into.filled;
        left
    }

    /// As [`Self::whole`], of planes of the first coefficients.
    #[inline(always)]
    fn part(&mut self, bits: &mut Bits<'_>, block: usize) -> usize {
        let Grid { blocks_across, blocks_down, count, .. } = *self.grid;
        let mut into =
            Part { values: &mut self.grid.values, plane: blocks_across * blocks_down, count, block, low: self.low };
        self.tables.block(bits, self.first, self.last, &mut into)
    }
}

/// Where values go to.
trait Put {
    fn put(&mut self, k: usize, value: i32);
}

struct Whole<'a> {
    values: &'a mut [i16; 64],
    filled: u64,
    low: u8,
}

impl Put for Whole<'_> {
    #[inline(always)]
    fn put(&mut self, k: usize, value: i32) {
        let value = (value << self.low) as i16;
        self.values[usize::from(BY_COLUMN[k & 63]) & 63] = value;
        // Damage may be shifted to nothing.
        self.filled = self.filled & !(1 << (k & 63)) | u64::from(value != 0) << (k & 63);
    }
}

struct Part<'a> {
    values: &'a mut [i16],
    plane: usize,
    count: usize,
    block: usize,
    low: u8,
}

impl Put for Part<'_> {
    #[inline(always)]
    fn put(&mut self, k: usize, value: i32) {
        if k < self.count
            && let Some(to) = self.values.get_mut(k * self.plane + self.block)
        {
            *to = (value << self.low) as i16;
        }
    }
}

/// A scan's table, in two forms.
struct Tables<'a> {
    single: &'a Table,
    ready: Band,
}

impl Tables<'_> {
    /// Reads a block's part of the band; answers how many blocks behind it have nothing in it.
    #[inline(always)]
    fn block(&self, bits: &mut Bits<'_>, first: usize, last: usize, into: &mut impl Put) -> usize {
        let mut k = first;
        while k <= last {
            bits.refill();
            let entry = self.ready.look(bits.window);
            if !entry.is_none() {
                bits.skip(entry.used());
                k += entry.passed();
                // A run may point beyond the band; that is damage.
                if k > last + 1 {
                    break;
                }
                into.put(k - 1, entry.value());
                continue;
            }
            let (length, symbol) = symbol(self.single, bits.window);
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            bits.skip(length);
            if size != 0 {
                let value = extend(bits.window, size);
                bits.skip(size);
                k += run as usize + 1;
                if k <= last + 1 {
                    into.put(k - 1, value);
                }
            } else if run == 15 {
                k += 16;
            } else {
                return end_of_band(bits, run) as usize - 1;
            }
        }
        0
    }
}
