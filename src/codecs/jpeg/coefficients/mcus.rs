//! The blocks of a sequential scan, whatever its data is like, one after the other.
//!
//! Damage never ends the reading. What is no code is taken for 0, as libjpeg does; where data is missing, blocks are
//! empty, which is grey; restart markers say where it goes on. Rows of MCUs behind the last wanted one are not read;
//! restart intervals without a wanted MCU are jumped over; of other blocks that are not wanted only the mean is read, which
//! later ones build upon.

use std::ops::Range;
use std::sync::Arc;

use super::Refused;
use super::bits::{Bits, Unstuffed};
use super::frame::{Frame, Scan, Walker};
use super::huffman::{Table, extend};
use super::idct::BY_COLUMN;
use super::restarts::{Found, Restarts};
use super::skip::{AcSkips, Skips, sequence};
use super::window::{Blocks, Window};

/// Bits that the table of whole AC symbols looks at.
const LOOK: u32 = 11;

/// Takes the blocks of a scan.
pub(super) trait Taker {
    /// A block of a component at a place in its rows of blocks; within a row of MCUs from the left to the right.
    fn block(&mut self, part: usize, x: usize, y: usize, block: &Block);
    /// A row of MCUs is done.
    fn row(&mut self, y: usize);
}

/// Coefficients in the order of [`BY_COLUMN`], not dequantised.
pub(super) struct Block {
    pub(super) coefficients: [i16; 64],
    /// Whether all but the first are 0.
    pub(super) flat: bool,
}

impl Block {
    const EMPTY: Self = Self { coefficients: [0; 64], flat: true };
}

/// One component of a scan, ready to decode.
struct Part {
    component: usize,
    dc: Table,
    ac: Symbols,
    /// Steps over the AC symbols of blocks that are not wanted, where there are such.
    skips: Option<Box<Skips>>,
    predictor: i32,
    /// Blocks of one MCU across and down.
    h: usize,
    v: usize,
    wanted: Blocks,
}

/// Where the wanted blocks of a scan are.
struct Extent {
    across: usize,
    total: usize,
    /// Wanted MCUs.
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Extent {
    /// Whether one of these MCUs is wanted.
    fn is_wanted(&self, mcus: &Range<usize>) -> bool {
        let (first, last) = (mcus.start, mcus.end.saturating_sub(1));
        let (first_row, last_row) = (first / self.across, last / self.across);
        if last_row < self.rows.start || first_row >= self.rows.end {
            return false;
        }
        // Within one row, the columns count too.
        first_row != last_row || (last % self.across >= self.columns.start && first % self.across < self.columns.end)
    }
}

/// Reads a scan down to the last wanted row.
///
/// # Errors
/// [`Refused::Damaged`] when tables are missing or no tables; [`Refused::Cancelled`].
pub(super) fn read(
    walker: &mut Walker<'_>,
    frame: &Frame,
    scan: &Scan,
    window: &Window,
    data: &mut Unstuffed,
    taker: &mut impl Taker,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut parts = parts(walker, frame, scan, window)?;
    let (across, down) = match parts.as_slice() {
        [single] => frame.components.get(single.component).ok_or(Refused::Damaged)?.own_blocks(),
        _ => (frame.mcus_across, frame.mcus_down),
    };
    let columns = parts.iter().map(|part| part.wanted.across.start / part.h).min().unwrap_or(0)
        ..parts.iter().map(|part| part.wanted.across.end.div_ceil(part.h)).max().unwrap_or(0);
    let rows = window.mcu_rows(frame, parts.iter().map(|part| (part.component, part.v)));
    let rows = rows.start..rows.end.min(down);
    let extent = Extent { across, total: across * rows.end, columns, rows };
    let total = across * down;
    let interval = if walker.restart_interval == 0 { total } else { walker.restart_interval };
    let mut restarts = Restarts::default();
    let mut found = Found::Data;
    let mut mcu = 0;
    while mcu < extent.total {
        let mcus = mcu..total.min(mcu + interval);
        // What is not wanted need not be unstuffed either: the search for the next marker passes over it.
        let here = found == Found::Data && extent.is_wanted(&mcus);
        if here {
            walker.skip(data.fill(walker.rest()));
        } else {
            data.clear();
        }
        mcu = mcus.end;
        interval_of(data, &mut parts, &extent, mcus, here, taker, cancelled)?;
        if mcu < extent.total && found != Found::End {
            found = restarts.next(walker);
        }
    }
    if found != Found::End {
        restarts.pass(walker, total.saturating_sub(mcu).div_ceil(interval));
    }
    Ok(())
}

fn parts(walker: &mut Walker<'_>, frame: &Frame, scan: &Scan, window: &Window) -> Result<Vec<Part>, Refused> {
    let interleaved = scan.parts.len() > 1;
    let mut parts = Vec::with_capacity(scan.parts.len());
    for &(component, dc, ac) in &scan.parts {
        let c = frame.components.get(component).ok_or(Refused::Damaged)?;
        let (h, v) = if interleaved { (c.h, c.v) } else { (1, 1) };
        let (dc, ac) = (walker.dc_table(dc)?, walker.ac_table(ac)?);
        let skips = (!window.is_whole()).then(|| AcSkips::new(&ac).whole());
        let wanted = window.blocks(c);
        parts.push(Part { component, dc, ac: Symbols::new(ac), skips, predictor: 0, h, v, wanted });
    }
    Ok(parts)
}

/// Reads the MCUs of one restart interval; without data (`!here`), all of them are empty.
fn interval_of(
    data: &Unstuffed,
    parts: &mut [Part],
    extent: &Extent,
    mcus: Range<usize>,
    here: bool,
    taker: &mut impl Taker,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    parts.iter_mut().for_each(|part| part.predictor = 0);
    let mut bits = Bits::new(data);
    let (mut x, mut y) = (mcus.start % extent.across, mcus.start / extent.across);
    for _ in mcus.start..mcus.end.min(extent.total) {
        // What ran out of data was read with zeros behind it; nothing more is made of them.
        let readable = here && bits.read() <= data.len();
        let wanted_row = extent.rows.contains(&y);
        for (i, part) in parts.iter_mut().enumerate() {
            for by in part.v * y..part.v * (y + 1) {
                for bx in part.h * x..part.h * (x + 1) {
                    let wanted = wanted_row && part.skips.is_none()
                        || part.wanted.across.contains(&bx) && part.wanted.down.contains(&by);
                    match (readable, wanted) {
                        (true, true) => taker.block(i, bx, by, &block(&mut bits, part)),
                        (true, false) => step_over(&mut bits, part),
                        (false, true) => taker.block(i, bx, by, &Block::EMPTY),
                        (false, false) => {}
                    }
                }
            }
        }
        x += 1;
        if x == extent.across {
            if wanted_row {
                taker.row(y);
            }
            (x, y) = (0, y + 1);
            if cancelled() {
                return Err(Refused::Cancelled);
            }
        }
    }
    Ok(())
}

/// AC symbols with their values, as many as fit into a window.
struct Symbols {
    /// For each window of [`LOOK`] bits: value << 16 | coefficients passed << 8 | bits used. Nothing passed: the end of
    /// the block. 0: longer than the window.
    whole: Box<[u32; 1 << LOOK]>,
    table: Arc<Table>,
}

impl Symbols {
    fn new(table: Arc<Table>) -> Self {
        let entry = |window: u32| {
            let window = u64::from(window) << (64 - LOOK);
            let Some((length, symbol)) = table.look(window) else { return 0 };
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            if length + size > LOOK {
                return 0;
            }
            if size == 0 && run != 15 {
                return length;
            }
            let value = extend(window << length, size) as i16 as u16;
            u32::from(value) << 16 | (run + 1) << 8 | (length + size)
        };
        let mut whole = Box::new([0; 1 << LOOK]);
        for (slot, window) in whole.iter_mut().zip(0..) {
            *slot = entry(window);
        }
        Self { whole, table }
    }
}

/// The symbol at the front of a window: 0 after so many bits as the longest code has and one more where there is none.
#[inline(always)]
fn symbol(table: &Table, window: u64) -> (u32, u8) {
    table.look(window).unwrap_or((17, 0))
}

/// Reads the first coefficient.
#[inline(always)]
fn mean(bits: &mut Bits<'_>, part: &mut Part) -> i16 {
    bits.refill();
    let (length, size) = symbol(&part.dc, bits.window);
    let size = u32::from(size);
    part.predictor = part.predictor.wrapping_add(extend(bits.window << length, size));
    bits.skip(length + size);
    part.predictor.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// Reads one block.
#[inline(always)]
fn block(bits: &mut Bits<'_>, part: &mut Part) -> Block {
    let mut coefficients = [0_i16; 64];
    coefficients[0] = mean(bits, part);
    let mut k = 1;
    while k < 64 {
        bits.refill();
        let entry = part.ac.whole[(bits.window >> (64 - LOOK)) as usize];
        let value = if entry != 0 {
            bits.skip(entry & 0xFF);
            let passed = (entry >> 8 & 0xFF) as usize;
            if passed == 0 {
                break;
            }
            k += passed;
            (entry >> 16) as u16 as i16
        } else {
            let (length, symbol) = symbol(&part.ac.table, bits.window);
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            let value = extend(bits.window << length, size);
            bits.skip(length + size);
            if size == 0 && run != 15 {
                break;
            }
            k += run + 1;
            value as i16
        };
        // A run that points beyond the block is damage; the last coefficient has its value.
        coefficients[usize::from(BY_COLUMN[(k - 1).min(63)])] = value;
    }
    Block { coefficients, flat: k == 1 }
}

/// Reads the first coefficient of a block and steps over the others.
fn step_over(bits: &mut Bits<'_>, part: &mut Part) {
    mean(bits, part);
    let Some(skips) = &part.skips else { return };
    let mut k = 1;
    while k < 64 {
        bits.refill();
        if let Some(stepped) = sequence(skips, bits.window, k as u32) {
            bits.skip(stepped.bits);
            if stepped.ends {
                return;
            }
            k = stepped.reached as usize;
        } else {
            let (length, symbol) = symbol(&part.ac.table, bits.window);
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            bits.skip(length + size);
            if size == 0 && run != 15 {
                return;
            }
            k += run + 1;
        }
    }
}
