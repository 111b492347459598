//! Progressive scans. ITU-T T.81, annex G.
//!
//! Scans that hold no wanted coefficient are jumped over: only the search for the next marker touches them. So are the
//! refinements of AC coefficients, unless all are wanted: they cannot be read without the history of the whole band. What
//! they would have added (the lowest bits of a coefficient) is replaced by its mean.
//!
//! Damaged data never end the reading: what is no code is 0, what is missing adds nothing.

use super::Refused;
use super::bits::Unstuffed;
use super::frame::{Frame, Grid, Scan, Walker};
use super::huffman::{Table, extend};
use super::restarts::{Found, Restarts};
use super::window::Window;

pub(super) fn decode(
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
            dc_scan(walker, frame, &scan, grids, window, &mut data, cancelled)?;
            continue;
        }
        let &[(component, _, table)] = scan.parts.as_slice() else { return Err(Refused::Damaged) };
        let grid = &mut grids[component];
        let rows = window.blocks(&frame.components[component]).down.end;
        if scan.high > 0 && grid.whole {
            let ac = walker.ac_table(table)?;
            refinement(walker, frame, (&scan, component), &ac, grid, rows, &mut data, cancelled)?;
        } else if scan.high == 0 && usize::from(scan.first) < grid.count {
            missing[component][scan.first.into()..=scan.last.into()].fill(scan.low);
            let ac = walker.ac_table(table)?;
            ac_scan(walker, frame, (&scan, component), &ac, grid, rows, &mut data, cancelled)?;
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

/// Goes through the data of a scan, down to the last row that is wanted: `unit` is called for every MCU or block with the
/// bit position and answers the next one, `begin` at the start of every restart interval. Where data is missing nothing
/// is called, which leaves what is there.
#[allow(clippy::too_many_arguments, reason = "one scan's whole context, used by all kinds of scan")]
fn each_unit<S>(
    walker: &mut Walker<'_>,
    data: &mut Unstuffed,
    (across, down): (usize, usize),
    rows: usize,
    state: &mut S,
    begin: impl Fn(&mut S),
    mut unit: impl FnMut(&mut S, &Unstuffed, usize, usize, usize) -> usize,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let (total, wanted) = (across * down, across * down.min(rows));
    let interval = if walker.restart_interval == 0 { total } else { walker.restart_interval };
    let mut restarts = Restarts::default();
    let mut done = 0;
    let mut found = Found::Data;
    while done < wanted {
        let end = total.min(done + interval);
        if found == Found::Data {
            walker.skip(data.fill(walker.rest()));
            begin(state);
            let mut at = 0;
            let (mut x, mut y) = (done % across, done / across);
            for _ in done..end.min(wanted) {
                // What ran out of data was read with zeros behind it; nothing more is made of them.
                if at > data.len() {
                    break;
                }
                at = unit(state, data, at, x, y);
                x += 1;
                if x == across {
                    (x, y) = (0, y + 1);
                    if cancelled() {
                        return Err(Refused::Cancelled);
                    }
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
        restarts.pass(walker, total.saturating_sub(done).div_ceil(interval));
    }
    Ok(())
}

/// The symbol at the front of a window. What is no code is taken for 0 after so many bits as the longest has and one
/// more, as libjpeg does: damaged data show what they show there.
#[inline(always)]
fn symbol(table: &Table, window: u64) -> (u32, u8) {
    table.look(window).unwrap_or((17, 0))
}

struct DcPart {
    component: usize,
    table: Option<Table>,
    predictor: i32,
    h: usize,
    v: usize,
}

fn dc_scan(
    walker: &mut Walker<'_>,
    frame: &Frame,
    scan: &Scan,
    grids: &mut [Grid],
    window: &Window,
    data: &mut Unstuffed,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let interleaved = scan.parts.len() > 1;
    let mut parts = Vec::with_capacity(scan.parts.len());
    for &(component, dc, _) in &scan.parts {
        let c = &frame.components[component];
        let (h, v) = if interleaved { (c.h, c.v) } else { (1, 1) };
        let table = if scan.high == 0 { Some(walker.dc_table(dc)?) } else { None };
        parts.push(DcPart { component, table, predictor: 0, h, v });
    }
    let (across, down) = match parts.as_slice() {
        [single] => frame.components[single.component].own_blocks(),
        _ => (frame.mcus_across, frame.mcus_down),
    };
    let rows = window.mcu_rows(frame, parts.iter().map(|part| (part.component, part.v))).end;
    let low = scan.low;
    each_unit(
        walker,
        data,
        (across, down),
        rows,
        &mut parts,
        |parts| parts.iter_mut().for_each(|p| p.predictor = 0),
        |parts, data, mut at, x, y| {
            for part in parts.iter_mut() {
                let grid = &mut grids[part.component];
                for by in 0..part.v {
                    for bx in 0..part.h {
                        let index = grid.at(0, (y * part.v + by) * grid.blocks_across + x * part.h + bx);
                        let window = data.peek(at);
                        match &part.table {
                            Some(table) => {
                                let (length, size) = symbol(table, window);
                                let size = u32::from(size);
                                part.predictor = part.predictor.wrapping_add(extend(window << length, size));
                                grid.values[index] = (part.predictor << low) as i16;
                                at += (length + size) as usize;
                            }
                            None => {
                                grid.values[index] |= ((window >> 63) as i16) << low;
                                at += 1;
                            }
                        }
                    }
                }
            }
            at
        },
        cancelled,
    )
}

#[allow(clippy::too_many_arguments, reason = "one scan's whole context, used in one place")]
fn ac_scan(
    walker: &mut Walker<'_>,
    frame: &Frame,
    (scan, component): (&Scan, usize),
    table: &Table,
    grid: &mut Grid,
    rows: usize,
    data: &mut Unstuffed,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let (across, down) = frame.components[component].own_blocks();
    let (first, last, low) = (usize::from(scan.first), usize::from(scan.last), scan.low);
    // Blocks that still end at once: an end-of-band run.
    let mut run_left = 0u32;
    each_unit(
        walker,
        data,
        (across, down),
        rows,
        &mut run_left,
        |left| *left = 0,
        |left, data, mut at, x, y| {
            if *left > 0 {
                *left -= 1;
                return at;
            }
            let block = y * grid.blocks_across + x;
            let mut k = first;
            while k <= last {
                let window = data.peek(at);
                let (length, symbol) = symbol(table, window);
                let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                at += (length + size) as usize;
                if size != 0 {
                    k += run;
                    // A run may point beyond the band; that is damage.
                    if k <= last && k < grid.count {
                        let at = grid.at(k, block);
                        grid.values[at] = (extend(window << length, size) << low) as i16;
                    }
                    k += 1;
                } else if run == 15 {
                    k += 16;
                } else {
                    // 2^run blocks, this one among them, and `run` bits more.
                    let bits = run as u32;
                    let extra = if bits == 0 { 0 } else { (window << length >> (64 - bits)) as u32 };
                    *left = (1 << bits) + extra - 1;
                    at += run;
                    break;
                }
            }
            at
        },
        cancelled,
    )
}

/// A scan that adds a bit to AC coefficients (T.81, G.1.2.3): a bit for each that is not zero, and the ones that become so.
#[allow(clippy::too_many_arguments, reason = "one scan's whole context, used in one place")]
fn refinement(
    walker: &mut Walker<'_>,
    frame: &Frame,
    (scan, component): (&Scan, usize),
    table: &Table,
    grid: &mut Grid,
    rows: usize,
    data: &mut Unstuffed,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let (across, down) = frame.components[component].own_blocks();
    let (first, last) = (usize::from(scan.first), usize::from(scan.last));
    let one = 1_i16 << scan.low;
    // Blocks that get no new values any more: an end-of-band run.
    let mut run_left = 0_u32;
    each_unit(
        walker,
        data,
        (across, down),
        rows,
        &mut run_left,
        |left| *left = 0,
        |left, data, mut at, x, y| {
            let block = grid.at(0, y * grid.blocks_across + x);
            let Some(band) = grid.values.get_mut(block + first..=block + last) else { return at };
            let mut k = 0;
            while *left == 0 && k < band.len() {
                let window = data.peek(at);
                let (length, symbol) = symbol(table, window);
                let (mut run, size) = (u32::from(symbol >> 4), symbol & 15);
                at += length as usize;
                let mut value = 0;
                if size == 0 && run < 15 {
                    let extra = if run == 0 { 0 } else { (window << length >> (64 - run)) as u32 };
                    *left = (1 << run) + extra;
                    at += run as usize;
                    break;
                }
                if size != 0 {
                    // Only one new bit can be added to a zero: other sizes are damage, and taken for it.
                    value = if data.peek(at) >> 63 == 1 { one } else { -one };
                    at += 1;
                }
                // Past `run` zeros; what is not zero on the way gets its bit.
                while let Some(coefficient) = band.get_mut(k) {
                    k += 1;
                    if *coefficient != 0 {
                        at += refined(coefficient, one, data, at);
                    } else if run == 0 {
                        *coefficient = value;
                        break;
                    } else {
                        run -= 1;
                    }
                }
            }
            if *left > 0 {
                *left -= 1;
                for coefficient in band.iter_mut().skip(k).filter(|c| **c != 0) {
                    at += refined(coefficient, one, data, at);
                }
            }
            at
        },
        cancelled,
    )
}

/// Reads the bit at `at` for a coefficient that is not zero; answers how many were read.
#[inline(always)]
fn refined(coefficient: &mut i16, one: i16, data: &Unstuffed, at: usize) -> usize {
    if data.peek(at) >> 63 == 1 && *coefficient & one == 0 {
        *coefficient = coefficient.saturating_add(one * coefficient.signum());
    }
    1
}
