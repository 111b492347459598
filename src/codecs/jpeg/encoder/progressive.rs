//! Progressive files: coefficients in scans of rising detail. ITU-T T.81, annex G.
//!
//! All blocks are held, with a mask for each of the three precisions that the scans go by, so that a scan passes from one
//! coefficient that it codes to the next. Each scan is gone through twice: its symbols are counted, then written.

use crate::codecs::jpeg::zigzag::BY_COLUMN;

use super::fdct::{Block, Divisors};
use super::headers;
use super::huffman::{Codes, Counts};
use super::kernels::Kernels;
use super::strips::{Component, Strips};
use super::symbols::magnitude;
use super::write::Bits;

/// A scan: components, band of the zigzag order, bits left out before and after it.
struct Scan {
    components: &'static [usize],
    band: (u32, u32),
    high: u32,
    low: u32,
}

const fn scan(components: &'static [usize], band: (u32, u32), high: u32, low: u32) -> Scan {
    Scan { components, band, high, low }
}

/// As the Independent JPEG Group's library does by default: colours early, the finest bits of luma last.
const COLOUR: [Scan; 10] = [
    scan(&[0, 1, 2], (0, 0), 0, 1),
    scan(&[0], (1, 5), 0, 2),
    scan(&[2], (1, 63), 0, 1),
    scan(&[1], (1, 63), 0, 1),
    scan(&[0], (6, 63), 0, 2),
    scan(&[0], (1, 63), 2, 1),
    scan(&[0, 1, 2], (0, 0), 1, 0),
    scan(&[2], (1, 63), 1, 0),
    scan(&[1], (1, 63), 1, 0),
    scan(&[0], (1, 63), 1, 0),
];
const GRAY: [Scan; 6] = [
    scan(&[0], (0, 0), 0, 1),
    scan(&[0], (1, 5), 0, 2),
    scan(&[0], (6, 63), 0, 2),
    scan(&[0], (1, 63), 2, 1),
    scan(&[0], (0, 0), 1, 0),
    scan(&[0], (1, 63), 1, 0),
];

/// Bytes of a block that is held.
pub(super) const BLOCK_BYTES: u64 = size_of::<Held>() as u64;

/// A block, and which of its coefficients are at least 1, 2 and 4: by the zigzag order's bits.
struct Held {
    values: [i16; 64],
    at_least: [u64; 3],
}

impl Held {
    fn new(Block { values, present }: Block) -> Self {
        let mut at_least = [present, 0, 0];
        let mut left = present;
        while left != 0 {
            let k = left.trailing_zeros();
            left &= left - 1;
            let size = values[at(k)].unsigned_abs();
            at_least[1] |= u64::from(size >= 2) << k;
            at_least[2] |= u64::from(size >= 4) << k;
        }
        Self { values, at_least }
    }

    /// One that nobody sees.
    const fn flat(mean: i16) -> Self {
        let mut values = [0; 64];
        values[0] = mean;
        Self { values, at_least: [0; 3] }
    }
}

/// The place of a coefficient of the zigzag order.
#[inline(always)]
fn at(k: u32) -> usize {
    usize::from(BY_COLUMN[k as usize & 63]) & 63
}

/// All blocks of a component: of whole MCUs, rows top-down.
struct Grid {
    blocks: Vec<Held>,
    across: usize,
    /// Blocks that are picture.
    own: (usize, usize),
    component: Component,
}

/// Writes all scans behind the headers.
pub(super) fn encode(out: Vec<u8>, strips: &mut Strips<'_>, divisors: &[Divisors; 2], kernels: &Kernels) -> Vec<u8> {
    let grids = grids(strips, divisors, kernels);
    let mut bits = Bits::new(out);
    for scan in if grids.len() == 1 { &GRAY[..] } else { &COLOUR[..] } {
        let mut counted = Counted::default();
        code(scan, &grids, &mut counted);
        let mut tables = Vec::new();
        for (table, counts) in counted.0.into_iter().enumerate() {
            let codes = Codes::new(&counts);
            if counts.iter().any(|&count| count > 0) {
                let class = usize::from(scan.band.0 > 0);
                bits.bytes(&codes.segment(class, table));
            }
            tables.push(codes);
        }
        let parts: Vec<_> = scan.components.iter().map(|&c| (c, grids[c].component)).collect();
        bits.bytes(&headers::scan(&parts, scan.band, (scan.high, scan.low)));
        code(scan, &grids, &mut Written { tables, bits: &mut bits });
        bits.fill();
    }
    bits.finish()
}

fn grids(strips: &mut Strips<'_>, divisors: &[Divisors; 2], kernels: &Kernels) -> Vec<Grid> {
    let (layout, mcus, rows) = (strips.layout(), strips.mcus_across(), strips.count());
    let mut grids: Vec<Grid> = layout
        .iter()
        .map(|&component| Grid {
            blocks: Vec::with_capacity(mcus * rows * component.side * component.side),
            across: mcus * component.side,
            own: (0, 0),
            component,
        })
        .collect();
    for strip in 0..rows {
        for (grid, part) in grids.iter_mut().zip(strips.read(strip, kernels)) {
            let (component, across) = (grid.component, grid.across);
            let (own_across, own_down) = part.blocks();
            grid.own = (own_across, grid.own.1 + own_down);
            for y in 0..component.side {
                for x in 0..across {
                    let block = if y >= own_down {
                        // As the last block of the MCU that is coded before it.
                        let above = grid.blocks.len() - across;
                        Held::flat(grid.blocks[above | (component.side - 1)].values[0])
                    } else if x >= own_across {
                        Held::flat(grid.blocks.last().map_or(0, |block| block.values[0]))
                    } else {
                        Held::new((kernels.transform)(&part.block(8 * x, 8 * y), &divisors[component.tables]))
                    };
                    grid.blocks.push(block);
                }
            }
        }
    }
    grids
}

/// Takes what a scan is made of.
trait Sink {
    /// A symbol of a table, and the bits of a magnitude that belong to it.
    fn symbol(&mut self, table: usize, symbol: u8, bits: u32);
    /// At most 16 bits as they are.
    fn bits(&mut self, bits: u32, length: u32);
}

struct Counted([Counts; 2]);

impl Default for Counted {
    fn default() -> Self {
        Self([[0; 256]; 2])
    }
}

impl Sink for Counted {
    fn symbol(&mut self, table: usize, symbol: u8, _: u32) {
        self.0[table][usize::from(symbol)] += 1;
    }

    fn bits(&mut self, _: u32, _: u32) {}
}

struct Written<'a> {
    tables: Vec<Codes>,
    bits: &'a mut Bits,
}

impl Sink for Written<'_> {
    fn symbol(&mut self, table: usize, symbol: u8, bits: u32) {
        let entry = self.tables[table].entries[usize::from(symbol)];
        self.bits.put(entry >> 5 | bits, entry & 31);
    }

    fn bits(&mut self, bits: u32, length: u32) {
        self.bits.put(bits, length);
    }
}

fn code(scan: &Scan, grids: &[Grid], sink: &mut impl Sink) {
    if scan.band.0 == 0 {
        return means(scan, grids, sink);
    }
    let grid = &grids[scan.components[0]];
    let mut run = Run::new(grid.component.tables);
    for row in grid.blocks.chunks_exact(grid.across).take(grid.own.1) {
        for block in &row[..grid.own.0] {
            if scan.high == 0 {
                first(scan, block, &mut run, sink);
            } else {
                refined(scan, block, &mut run, sink);
            }
        }
    }
    run.end(sink);
}

/// First coefficients of all components. G.1.2.1.
fn means(scan: &Scan, grids: &[Grid], sink: &mut impl Sink) {
    let mut predictors = [0; 3];
    let parts: Vec<_> = scan.components.iter().map(|&c| &grids[c]).collect();
    // Of one component there are no MCUs, only its own blocks.
    let alone = parts.len() == 1;
    let side = parts[0].component.side;
    let (mcus, rows) = match alone {
        true => parts[0].own,
        false => (parts[0].across / side, parts[0].blocks.len() / parts[0].across / side),
    };
    for (row, mcu) in (0..rows).flat_map(|row| (0..mcus).map(move |mcu| (row, mcu))) {
        for (part, predictor) in parts.iter().zip(&mut predictors) {
            let side = if alone { 1 } else { part.component.side };
            for (y, x) in (0..side).flat_map(|y| (0..side).map(move |x| (y, x))) {
                let mean = part.blocks[(row * side + y) * part.across + mcu * side + x].values[0] >> scan.low;
                if scan.high > 0 {
                    sink.bits(u32::from(mean as u16 & 1), 1);
                    continue;
                }
                let (size, bits) = magnitude(mean - *predictor);
                *predictor = mean;
                sink.symbol(part.component.tables, size as u8, bits.into());
            }
        }
    }
}

/// Blocks that end where they begin, and what else has to wait.
struct Run {
    table: usize,
    /// Blocks without another new coefficient.
    blocks: u32,
    /// Bits of known coefficients: of these blocks, and of the block that is being coded.
    known: Vec<u8>,
    own: Vec<u8>,
}

impl Run {
    /// Longest there is a symbol for.
    const MOST: u32 = 0x7FFF;
    /// Decoders need not wait for longer.
    const MOST_KNOWN: usize = 900;

    const fn new(table: usize) -> Self {
        Self { table, blocks: 0, known: Vec::new(), own: Vec::new() }
    }

    fn end(&mut self, sink: &mut impl Sink) {
        if self.blocks > 0 {
            let size = self.blocks.ilog2();
            sink.symbol(self.table, (size << 4) as u8, 0);
            sink.bits(self.blocks & ((1 << size) - 1), size);
            self.blocks = 0;
            self.known.drain(..).for_each(|bit| sink.bits(bit.into(), 1));
        }
    }

    /// The block that is being coded has nothing more to say.
    fn longer(&mut self, sink: &mut impl Sink) {
        self.blocks += 1;
        self.known.append(&mut self.own);
        if self.blocks == Self::MOST || self.known.len() > Self::MOST_KNOWN {
            self.end(sink);
        }
    }
}

/// The coefficients of a band from a bit up. G.1.2.2.
fn first(scan: &Scan, block: &Held, run: &mut Run, sink: &mut impl Sink) {
    let mut left = block.at_least[scan.low as usize] & mask(scan.band);
    let mut next = scan.band.0;
    while left != 0 {
        let k = left.trailing_zeros();
        left &= left - 1;
        run.end(sink);
        let mut zeros = k - next;
        next = k + 1;
        while zeros > 15 {
            sink.symbol(run.table, 0xF0, 0);
            zeros -= 16;
        }
        let value = block.values[at(k)];
        let (size, bits) = magnitude((value.abs() >> scan.low) * value.signum());
        sink.symbol(run.table, (zeros << 4 | size) as u8, bits.into());
    }
    if next <= scan.band.1 {
        run.longer(sink);
    }
}

/// One bit more of the coefficients of a band. G.1.2.3.
fn refined(scan: &Scan, block: &Held, run: &mut Run, sink: &mut impl Sink) {
    let mask = mask(scan.band);
    let mut left = block.at_least[scan.low as usize] & mask;
    let known = block.at_least[scan.high as usize] & mask;
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
            run.own.drain(..).for_each(|bit| sink.bits(bit.into(), 1));
        }
        let value = block.values[at(k)];
        if known >> k & 1 == 1 {
            run.own.push((value.unsigned_abs() >> scan.low & 1) as u8);
            continue;
        }
        run.end(sink);
        sink.symbol(run.table, (zeros << 4 | 1) as u8, u32::from(value > 0));
        zeros = 0;
        run.own.drain(..).for_each(|bit| sink.bits(bit.into(), 1));
    }
    zeros += scan.band.1 + 1 - next;
    if zeros > 0 || !run.own.is_empty() {
        run.longer(sink);
    }
}

/// The bits of a band.
const fn mask((first, last): (u32, u32)) -> u64 {
    (u64::MAX << first) & (u64::MAX >> (63 - last))
}
