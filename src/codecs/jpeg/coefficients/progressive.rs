//! Progressive scans. ITU-T T.81, annex G.
//!
//! Scans that hold no wanted coefficient are jumped over: only the search for the next marker touches them. So are the
//! refinements of AC coefficients, unless all are wanted: they cannot be read without the history of the whole band. What
//! they would have added (the lowest bits of a coefficient) is replaced by its mean.
//!
//! Damaged data never end the reading: what is no code is 0, what is missing adds nothing.

mod dc;
mod first;
mod refinement;
mod twins;

use std::ops::Range;

use super::Refused;
use super::bits::{Bits, Unstuffed};
use super::frame::{Frame, Grid, Walker};
use super::huffman::Table;
use super::restarts::{Found, Restarts};
use super::window::Window;
use twins::Twins;

pub(super) fn decode(
    walker: &mut Walker<'_>,
    frame: &Frame,
    grids: &mut [Grid],
    window: &Window,
    max_scans: u32,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    decode_by(Twins::fastest(), walker, frame, grids, window, max_scans, cancelled)
}

fn decode_by(
    twins: Twins,
    walker: &mut Walker<'_>,
    frame: &Frame,
    grids: &mut [Grid],
    window: &Window,
    max_scans: u32,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut data = Unstuffed::default();
    let mut any = false;
    // For each component and coefficient: the bits still missing. Bands need not be alike in that.
    let mut missing = vec![[0_u8; 64]; grids.len()];
    let mut scans = 0;
    while let Some(scan) = walker.scan(frame)? {
        scans += 1;
        if scans > max_scans || scan.high > 13 || scan.low > 13 {
            return Err(Refused::Damaged);
        }
        if cancelled() {
            return Err(Refused::Cancelled);
        }
        any = true;
        if scan.first == 0 {
            if scan.last != 0 {
                return Err(Refused::Damaged);
            }
            let rows = Rows { walker, data: &mut data, cancelled };
            (twins.dc)(rows, frame, &scan, grids, window)?;
            continue;
        }
        let &[(component, _, table)] = scan.parts.as_slice() else { return Err(Refused::Damaged) };
        let grid = &mut grids[component];
        let (across, down) = frame.components[component].own_blocks();
        let size = (across, down.min(window.blocks(&frame.components[component]).down.end), down);
        if scan.high > 0 && grid.whole {
            let ac = walker.ac_table(table)?;
            (twins.refinement)(Rows { walker, data: &mut data, cancelled }, size, &scan, &ac, grid)?;
        } else if scan.high == 0 && usize::from(scan.first) < grid.count {
            missing[component][scan.first.into()..=scan.last.into()].fill(scan.low);
            let ac = walker.ac_table(table)?;
            (twins.first)(Rows { walker, data: &mut data, cancelled }, size, &scan, &ac, grid)?;
        }
        // The next call of `scan` looks for the next marker; entropy-coded data holds none but restarts.
    }
    if !any {
        return Err(Refused::Damaged);
    }
    for (grid, missing) in grids.iter_mut().zip(missing).filter(|(grid, _)| !grid.whole) {
        let plane = (grid.blocks_across * grid.blocks_down).max(1);
        for (values, low) in grid.values.chunks_exact_mut(plane).zip(missing).filter(|&(_, low)| low > 0) {
            let half = 1i16 << (low - 1);
            for value in values.iter_mut().filter(|v| **v != 0) {
                *value = value.saturating_add(half * value.signum());
            }
        }
    }
    Ok(())
}

/// The data of a scan, row by row of what is read at once: MCUs, or blocks of one component.
struct Rows<'a, 'b> {
    walker: &'a mut Walker<'b>,
    data: &'a mut Unstuffed,
    cancelled: &'a dyn Fn() -> bool,
}

/// A restart interval's bits, as far as there are any.
struct Interval<'a> {
    bits: Bits<'a>,
    end: usize,
}

impl Interval<'_> {
    /// What ran out of data was read with zeros behind it; nothing more is to be made of them.
    #[inline(always)]
    fn is_over(&self) -> bool {
        self.bits.read() > self.end
    }
}

/// What is made of a kind of scan. A trait, and no closures: those are not compiled for what their twin has.
trait Read {
    /// At the start of every restart interval.
    fn begin(&mut self);

    /// Reads a row, or the part of it that is in the interval.
    fn row(&mut self, interval: &mut Interval<'_>, y: usize, units: Range<usize>);
}

/// What is read at once, across; down as far as it is wanted, and in all.
type Units = (usize, usize, usize);

impl Rows<'_, '_> {
    /// Goes through the data of a scan, down to the last row that is wanted. Where data is missing nothing is read, which
    /// leaves what is there.
    #[inline(always)]
    fn read(self, (across, wanted, down): Units, mut reader: impl Read) -> Result<(), Refused> {
        let Self { walker, data, cancelled } = self;
        let (total, wanted) = (across * down, across * wanted.min(down));
        let length = if walker.restart_interval == 0 { total } else { walker.restart_interval };
        let mut restarts = Restarts::default();
        let mut done = 0;
        let mut found = Found::Data;
        while done < wanted {
            let end = total.min(done + length);
            if found == Found::Data {
                walker.skip(data.fill(walker.rest()));
                reader.begin();
                let mut interval = Interval { bits: Bits::new(data), end: data.len() };
                let mut at = done;
                while at < end.min(wanted) && !interval.is_over() {
                    let (y, x) = (at / across, at % across);
                    let right = across.min(x + end.min(wanted) - at);
                    reader.row(&mut interval, y, x..right);
                    at += right - x;
                    if cancelled() {
                        return Err(Refused::Cancelled);
                    }
                }
            }
            done = end;
            if done < wanted {
                found = restarts.next(walker);
                if found == Found::End {
                    break;
                }
                if cancelled() {
                    return Err(Refused::Cancelled);
                }
            }
        }
        if found != Found::End {
            restarts.pass(walker, total.saturating_sub(done).div_ceil(length));
        }
        Ok(())
    }
}

/// The symbol at the front of a window. What is no code is taken for 0 after so many bits as the longest has and one
/// more, as libjpeg does: damaged data show what they show there.
#[inline(always)]
fn symbol(table: &Table, window: u64) -> (u32, u8) {
    table.look(window).unwrap_or((17, 0))
}

/// Blocks that still end at once, the next one among them: 2^run, and `run` bits more behind the symbol (T.81, G.1.2.2).
#[inline(always)]
fn end_of_band(bits: &mut Bits<'_>, run: u32) -> u32 {
    // In two steps, as no shift is by 64.
    let extra = (bits.window >> 1 >> (63 - run)) as u32;
    bits.skip(run);
    (1 << run) + extra
}
