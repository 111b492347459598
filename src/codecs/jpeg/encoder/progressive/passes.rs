//! What each kind of scan says of the blocks.

use crate::codecs::jpeg::encoder::symbols::magnitude;

use super::grid::{AtLeast, Grid, at};
use super::scans::Scan;
use super::sink::{MOST_BITS, Sink};

/// Most bytes of what waits for a run of blocks to end.
pub(super) const WAITING_BYTES: u64 = 2 * (Run::MOST_KNOWN as u64 + 64) * size_of::<Corrections>() as u64;

/// Goes through a scan.
pub(super) fn code(scan: &Scan, grids: &[Grid], sink: &mut impl Sink) {
    if scan.band.0 == 0 {
        return means(scan, grids, sink);
    }
    let grid = &grids[scan.components[0]];
    let (own_across, own_down) = grid.own;
    let mut run = Run::new(grid.component.tables);
    for first_of_row in (0..own_down).map(|row| row * grid.across) {
        let row = first_of_row..first_of_row + own_across;
        for (values, at_least) in grid.values[row.clone()].iter().zip(&grid.at_least[row]) {
            if scan.high == 0 {
                first(scan, values, at_least, &mut run, sink);
            } else {
                refined(scan, values, at_least, &mut run, sink);
            }
        }
    }
    run.end(sink);
}

/// First coefficients of all components. T.81, G.1.2.1.
fn means(scan: &Scan, grids: &[Grid], sink: &mut impl Sink) {
    let mut predictors = [0; 3];
    let parts: Vec<_> = scan.components.iter().map(|&c| &grids[c]).collect();
    // Of one component there are no MCUs, only its own blocks (A.2.2).
    let alone = parts.len() == 1;
    let side = parts[0].component.side;
    let (mcus, rows) = if alone { parts[0].own } else { (parts[0].across / side, parts[0].down() / side) };
    for (row, mcu) in (0..rows).flat_map(|row| (0..mcus).map(move |mcu| (row, mcu))) {
        for (part, predictor) in parts.iter().zip(&mut predictors) {
            let side = if alone { 1 } else { part.component.side };
            for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
                // Shifted as a whole number of two's complement, unlike the others.
                let mean = part.values[(row * side + y) * part.across + mcu * side + x][0] >> scan.low;
                if scan.high > 0 {
                    sink.bits(u32::from(mean as u16 & 1), 1);
                    continue;
                }
                let (size, bits) = magnitude(mean - *predictor);
                *predictor = mean;
                sink.symbol(part.component.tables, size as u8, bits);
            }
        }
    }
}

/// Bits that correct coefficients which decoders know.
#[derive(Clone, Copy, Default)]
struct Corrections {
    /// The first is the highest.
    bits: u64,
    length: u32,
}

impl Corrections {
    fn push(&mut self, bit: u16) {
        self.bits = self.bits << 1 | u64::from(bit & 1);
        self.length += 1;
    }

    fn put(self, sink: &mut impl Sink) {
        let mut left = self.length;
        while left > 0 {
            let length = left.min(MOST_BITS);
            left -= length;
            sink.bits((self.bits >> left) as u32 & ((1 << length) - 1), length);
        }
    }
}

/// Blocks that end where they begin, and what else has to wait.
struct Run {
    table: usize,
    /// Blocks without another new coefficient.
    blocks: u32,
    /// Of these blocks.
    known: Vec<Corrections>,
    /// How many bits that is.
    known_bits: u32,
    /// Of the block that is being coded.
    own: Corrections,
}

impl Run {
    /// Longest there is a symbol for (T.81, table G.1).
    const MOST: u32 = 0x7FFF;
    /// So much is held here; the standard knows no bound.
    const MOST_KNOWN: u32 = 900;

    const fn new(table: usize) -> Self {
        Self { table, blocks: 0, known: Vec::new(), known_bits: 0, own: Corrections { bits: 0, length: 0 } }
    }

    /// Says how many blocks have ended: what comes next is not of them.
    #[inline(always)]
    fn end(&mut self, sink: &mut impl Sink) {
        if self.blocks > 0 {
            self.say(sink);
        }
    }

    fn say(&mut self, sink: &mut impl Sink) {
        let size = self.blocks.ilog2();
        sink.symbol(self.table, (size << 4) as u8, 0);
        if size > 0 {
            sink.bits(self.blocks & ((1 << size) - 1), size);
        }
        self.known.drain(..).for_each(|corrections| corrections.put(sink));
        (self.blocks, self.known_bits) = (0, 0);
    }

    /// The block that is being coded has nothing more to say.
    #[inline(always)]
    fn longer(&mut self, sink: &mut impl Sink) {
        self.blocks += 1;
        if self.own.length > 0 {
            self.known_bits += self.own.length;
            self.known.push(std::mem::take(&mut self.own));
        }
        if self.blocks == Self::MOST || self.known_bits > Self::MOST_KNOWN {
            self.say(sink);
        }
    }
}

/// The coefficients of a band from a bit up. T.81, G.1.2.2.
#[inline(always)]
fn first(scan: &Scan, values: &[i16; 64], at_least: &AtLeast, run: &mut Run, sink: &mut impl Sink) {
    let mut left = at_least[scan.low as usize % 3] & mask(scan.band);
    let mut next = scan.band.0;
    if left != 0 {
        run.end(sink);
    }
    while left != 0 {
        let k = left.trailing_zeros();
        left &= left - 1;
        let mut zeros = k - next;
        next = k + 1;
        while zeros > 15 {
            sink.symbol(run.table, 0xF0, 0);
            zeros -= 16;
        }
        // Towards zero: the sign is no part of what is shifted. Less one where it is negative (F.1.2.1).
        let value = values[at(k)];
        let sign = value >> 15;
        let shifted = value.unsigned_abs() >> scan.low;
        let size = 16 - shifted.leading_zeros();
        let bits = (shifted ^ sign as u16) & ((1_u32 << size) - 1) as u16;
        sink.symbol(run.table, (zeros << 4 | size) as u8, bits);
    }
    if next <= scan.band.1 {
        run.longer(sink);
    }
}

/// One bit more of the coefficients of a band. T.81, G.1.2.3.
#[inline(always)]
fn refined(scan: &Scan, values: &[i16; 64], at_least: &AtLeast, run: &mut Run, sink: &mut impl Sink) {
    let mask = mask(scan.band);
    let mut left = at_least[scan.low as usize % 3] & mask;
    let known = at_least[scan.high as usize % 3] & mask;
    let last_new = 64 - (left & !known).leading_zeros();
    let (mut next, mut zeros) = (scan.band.0, 0);
    while left != 0 {
        let k = left.trailing_zeros();
        left &= left - 1;
        zeros += k - next;
        next = k + 1;
        // Behind the last new one zeros belong to the end of the block.
        while zeros > 15 && k < last_new {
            run.end(sink);
            sink.symbol(run.table, 0xF0, 0);
            zeros -= 16;
            std::mem::take(&mut run.own).put(sink);
        }
        let value = values[at(k)];
        if known >> k & 1 == 1 {
            run.own.push(value.unsigned_abs() >> scan.low);
            continue;
        }
        run.end(sink);
        sink.symbol(run.table, (zeros << 4 | 1) as u8, u16::from(value > 0));
        zeros = 0;
        std::mem::take(&mut run.own).put(sink);
    }
    zeros += scan.band.1 + 1 - next;
    if zeros > 0 || run.own.length > 0 {
        run.longer(sink);
    }
}

/// The bits of a band.
const fn mask((first, last): (u32, u32)) -> u64 {
    (u64::MAX << first) & (u64::MAX >> (63 - last))
}
