//! Progressive scans. ITU-T T.81, annex G.
//!
//! Scans that hold no wanted coefficient are jumped over: only the search for the next marker touches them. So are the
//! refinements of AC coefficients, unless all are wanted: they cannot be read without the history of the whole band. What
//! they would have added (the lowest bits of a coefficient) is replaced by its mean.

use super::Refused;
use super::bits::Unstuffed;
use super::frame::{Frame, Grid, Scan, Walker};
use super::huffman::{Table, extend};

pub(super) fn decode(
    walker: &mut Walker<'_>,
    frame: &Frame,
    grids: &mut [Grid],
    max_scans: u32,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut data = Unstuffed::default();
    let mut dc_seen = vec![false; grids.len()];
    // For each component: the lowest bit still missing from its AC coefficients.
    let mut missing = vec![0; grids.len()];
    let mut scans = 0;
    while let Some(scan) = walker.scan(frame)? {
        scans += 1;
        if scans > max_scans || scan.high > 13 || scan.low > 13 {
            return Err(Refused::Damaged);
        }
        if cancelled() {
            return Err(Refused::Cancelled);
        }
        if scan.first == 0 {
            if scan.last != 0 {
                return Err(Refused::Damaged);
            }
            for &(component, ..) in &scan.parts {
                dc_seen[component] = true;
            }
            dc_scan(walker, frame, &scan, grids, &mut data, cancelled)?;
            continue;
        }
        let &[(component, _, table)] = scan.parts.as_slice() else { return Err(Refused::Damaged) };
        let grid = &mut grids[component];
        if scan.high > 0 && grid.whole {
            let ac = walker.ac_table(table)?;
            refinement(walker, frame, (&scan, component), &ac, grid, &mut data, cancelled)?;
        } else if scan.high == 0 && usize::from(scan.first) < grid.count {
            missing[component] = scan.low;
            let ac = walker.ac_table(table)?;
            ac_scan(walker, frame, &scan, component, &ac, grid, &mut data, cancelled)?;
        }
        // The next call of `scan` looks for the next marker; entropy-coded data holds none but restarts.
    }
    if !dc_seen.iter().all(|&s| s) {
        return Err(Refused::Damaged);
    }
    for (grid, low) in grids.iter_mut().zip(missing) {
        if low > 0 && !grid.whole {
            let plane = grid.blocks_across * grid.blocks_down;
            let half = 1i16 << (low - 1);
            for value in grid.values.iter_mut().skip(plane).filter(|v| **v != 0) {
                *value = value.saturating_add(half * value.signum());
            }
        }
    }
    Ok(())
}

/// Goes through the data of a scan: `unit` is called for every MCU or block with the bit position, `begin` at the start
/// of every restart interval.
#[allow(clippy::too_many_arguments, reason = "one scan's whole context, used by both kinds of scan")]
fn each_unit<S>(
    walker: &mut Walker<'_>,
    data: &mut Unstuffed,
    across: usize,
    down: usize,
    state: &mut S,
    begin: impl Fn(&mut S),
    mut unit: impl FnMut(&mut S, &Unstuffed, usize, usize, usize) -> Result<usize, Refused>,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let total = across * down;
    let interval = if walker.restart_interval == 0 { total } else { walker.restart_interval };
    let mut done = 0;
    while done < total {
        walker.skip(data.fill(walker.rest()));
        begin(state);
        let end = total.min(done + interval);
        let mut at = 0;
        while done < end {
            at = unit(state, data, at, done % across, done / across)?;
            done += 1;
            if done % across == 0 {
                if at > data.len() {
                    return Err(Refused::Damaged);
                }
                if cancelled() {
                    return Err(Refused::Cancelled);
                }
            }
        }
        if at > data.len() {
            return Err(Refused::Damaged);
        }
        if done < total {
            match walker.rest() {
                [0xFF, 0xD0..=0xD7, ..] => walker.skip(2),
                _ => return Err(Refused::Damaged),
            }
        }
    }
    Ok(())
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
    let low = scan.low;
    each_unit(
        walker,
        data,
        across,
        down,
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
                                let (length, size) = table.look(window).ok_or(Refused::Damaged)?;
                                let size = u32::from(size);
                                if size > 15 {
                                    return Err(Refused::Damaged);
                                }
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
            Ok(at)
        },
        cancelled,
    )
}

#[allow(clippy::too_many_arguments, reason = "one scan's whole context, used in one place")]
fn ac_scan(
    walker: &mut Walker<'_>,
    frame: &Frame,
    scan: &Scan,
    component: usize,
    table: &Table,
    grid: &mut Grid,
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
        across,
        down,
        &mut run_left,
        |left| *left = 0,
        |left, data, mut at, x, y| {
            if *left > 0 {
                *left -= 1;
                return Ok(at);
            }
            let block = y * grid.blocks_across + x;
            let mut k = first;
            while k <= last {
                let window = data.peek(at);
                let (length, symbol) = table.look(window).ok_or(Refused::Damaged)?;
                let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                at += (length + size) as usize;
                if size != 0 {
                    k += run;
                    if k > last {
                        return Err(Refused::Damaged);
                    }
                    if k < grid.count {
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
            Ok(at)
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
        across,
        down,
        &mut run_left,
        |left| *left = 0,
        |left, data, mut at, x, y| {
            let block = grid.at(0, y * grid.blocks_across + x);
            let band = grid.values.get_mut(block + first..=block + last).ok_or(Refused::Damaged)?;
            let mut k = 0;
            while *left == 0 && k < band.len() {
                let window = data.peek(at);
                let (length, symbol) = table.look(window).ok_or(Refused::Damaged)?;
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
                    // Only one new bit can be added to a zero.
                    if size != 1 {
                        return Err(Refused::Damaged);
                    }
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
            Ok(at)
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
