//! A scan that adds a bit to a band of frequencies (T.81, G.1.2.3): one for each coefficient that is not zero, and the ones
//! that become so.
//!
//! Which coefficients are not zero is known as a bit for each: what a run of zeros passes is found by counting in a
//! register, and the coefficients that get a bit are visited without looking at the others.

use std::ops::Range;

use super::super::Refused;
use super::super::bits::Bits;
use super::super::frame::{Grid, Scan};
use super::super::huffman::Table;
use super::super::idct::BY_COLUMN;
use super::{Interval, Read, Rows, Units, end_of_band, symbol};

#[inline(always)]
pub(super) fn read(
    rows: Rows<'_, '_>,
    units: Units,
    scan: &Scan,
    table: &Table,
    grid: &mut Grid,
) -> Result<(), Refused> {
    let band = from(scan.first.into()) & !from(usize::from(scan.last) + 1);
    rows.read(units, Refinement { table, band, one: 1 << scan.low, grid, run_left: 0 })
}

struct Refinement<'a> {
    table: &'a Table,
    band: u64,
    one: i16,
    grid: &'a mut Grid,
    /// Blocks that get no new values any more: an end-of-band run.
    run_left: u32,
}

impl Read for Refinement<'_> {
    #[inline(always)]
    fn begin(&mut self) {
        self.run_left = 0;
    }

    #[inline(always)]
    fn row(&mut self, interval: &mut Interval<'_>, y: usize, units: Range<usize>) {
        let Self { table, band, one, .. } = *self;
        let begin = y * self.grid.blocks_across;
        let blocks = begin + units.start..begin + units.end;
        let (values, filled) = (self.grid.values.as_chunks_mut::<64>().0, &mut self.grid.filled);
        let (Some(values), Some(filled)) = (values.get_mut(blocks.clone()), filled.get_mut(blocks)) else { return };
        let (mut bits, mut left) = (interval.bits, self.run_left);
        for (values, filled) in values.iter_mut().zip(filled) {
            if bits.read() > interval.end {
                break;
            }
            if left > 0 {
                left -= 1;
                refine(&mut bits, values, *filled & band, one);
            } else {
                left = Block { values, filled, one }.read(&mut bits, band, table);
            }
        }
        (interval.bits, self.run_left) = (bits, left);
    }
}

/// The coefficients from `k` on.
#[inline(always)]
const fn from(k: usize) -> u64 {
    if k < 64 { !0 << k } else { 0 }
}

struct Block<'a> {
    /// By column.
    values: &'a mut [i16; 64],
    /// Which are not zero, in zigzag order.
    filled: &'a mut u64,
    one: i16,
}

impl Block<'_> {
    /// Reads a block's part of the scan; answers how many blocks behind it have no new values.
    #[inline(always)]
    fn read(&mut self, bits: &mut Bits<'_>, band: u64, table: &Table) -> u32 {
        let old = *self.filled & band;
        // What is still to come of the band.
        let mut rest = band;
        while rest != 0 {
            bits.refill();
            let (length, symbol) = symbol(table, bits.window);
            let (run, size) = (u32::from(symbol >> 4), symbol & 15);
            bits.skip(length);
            if size == 0 && run < 15 {
                let left = end_of_band(bits, run);
                refine(bits, self.values, old & rest, self.one);
                return left - 1;
            }
            // Only one new bit can be added to a zero: other sizes are damage, and taken for it.
            let positive = bits.window >> 63 == 1;
            bits.skip(u32::from(size != 0));
            // Past `run` zeros; what is not zero on the way gets its bit.
            let mut zeros = rest & !old;
            for _ in 0..run {
                zeros &= zeros.wrapping_sub(1);
            }
            let at = zeros.trailing_zeros() as usize;
            let behind = from(at + 1);
            refine(bits, self.values, old & rest & !behind, self.one);
            rest &= behind;
            if size != 0 && zeros != 0 {
                self.values[usize::from(BY_COLUMN[at & 63]) & 63] = if positive { self.one } else { -self.one };
                *self.filled |= 1 << (at & 63);
            }
        }
        0
    }
}

/// Reads a bit for each of these coefficients, none of which is zero.
#[inline(always)]
fn refine(bits: &mut Bits<'_>, values: &mut [i16; 64], mut these: u64, one: i16) {
    while these != 0 {
        bits.refill();
        let mut window = bits.window;
        let count = these.count_ones().min(32);
        for _ in 0..count {
            let value = &mut values[usize::from(BY_COLUMN[these.trailing_zeros() as usize & 63]) & 63];
            // Without a branch: half of the bits are set. Away from zero, a bit that is there is not added again.
            let added = one & (window as i64 >> 63) as i16 & !*value;
            let sign = *value >> 15;
            *value = value.wrapping_add((added ^ sign) - sign);
            window <<= 1;
            these &= these - 1;
        }
        bits.skip(count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::Unstuffed;
    use super::super::super::huffman::Definition;
    use super::*;

    /// As the standard draws it (T.81, figures G.7 and G.8), a coefficient at a time, in zigzag order.
    fn plainly(bits: &mut Bits<'_>, band: &mut [i16], one: i16, table: &Table, left: &mut u32) {
        let bit = |bits: &mut Bits<'_>| {
            bits.refill();
            let bit = bits.window >> 63 == 1;
            bits.skip(1);
            bit
        };
        let refined = |value: &mut i16, bit: bool| {
            if bit && *value & one == 0 {
                *value += if *value < 0 { -one } else { one };
            }
        };
        let mut k = 0;
        while *left == 0 && k < band.len() {
            bits.refill();
            let (length, symbol) = symbol(table, bits.window);
            bits.skip(length);
            let (mut run, size) = (symbol >> 4, symbol & 15);
            if size == 0 && run < 15 {
                *left = (0..run).fold(1, |count, _| 2 * count + u32::from(bit(bits)));
                break;
            }
            let value = if size == 0 {
                0
            } else if bit(bits) {
                one
            } else {
                -one
            };
            while k < band.len() {
                k += 1;
                if band[k - 1] != 0 {
                    refined(&mut band[k - 1], bit(bits));
                } else if run == 0 {
                    band[k - 1] = value;
                    break;
                } else {
                    run -= 1;
                }
            }
        }
        if *left > 0 {
            *left -= 1;
            band[k..].iter_mut().filter(|value| **value != 0).for_each(|value| refined(value, bit(bits)));
        }
    }

    #[test]
    fn masks_find_what_the_standard_does() {
        // Short codes for all that there is: runs of blocks, runs of zeros with and without a value, and one of another size.
        let symbols = [0x00, 0x01, 0x11, 0x10, 0x21, 0x31, 0x51, 0x20, 0xF0, 0xE1, 0xF1, 0x42];
        let counts = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let table = Table::new(&Definition::read(&[&counts[..], &symbols].concat()).unwrap().0);
        let mut random = 9_u32;
        let mut next = |below: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 12) % below
        };
        for round in 0..3000 {
            let (first, last) = if round % 3 == 0 { (1, 63) } else { (1 + next(20) as usize, 21 + next(43) as usize) };
            let one = 1 << next(3);
            let bytes: Vec<u8> = (0..40).map(|_| next(255) as u8).collect();
            let mut data = Unstuffed::default();
            data.fill(&bytes);
            let mut zigzag: [i16; 64] = std::array::from_fn(|_| 0);
            for value in &mut zigzag {
                *value = if next(3) == 0 { 2 * one * (next(9) as i16 - 4) } else { 0 };
            }
            let (mut values, mut filled) = ([0; 64], 0_u64);
            for (k, &value) in zigzag.iter().enumerate() {
                values[usize::from(BY_COLUMN[k])] = value;
                filled |= u64::from(value != 0) << k;
            }
            let (mut bits, mut theirs) = (Bits::new(&data), Bits::new(&data));
            let mut left = 0;
            plainly(&mut theirs, &mut zigzag[first..=last], one, &table, &mut left);
            let band = from(first) & !from(last + 1);
            let got = Block { values: &mut values, filled: &mut filled, one }.read(&mut bits, band, &table);
            assert_eq!((got, bits.read()), (left, theirs.read()), "{round}");
            for (k, &value) in zigzag.iter().enumerate() {
                assert_eq!(
                    (values[usize::from(BY_COLUMN[k])], filled >> k & 1 == 1),
                    (value, value != 0),
                    "{round}, {k}"
                );
            }
        }
    }
}
