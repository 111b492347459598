//! Sequential scans: baseline and extended.

use std::sync::Arc;

use super::Refused;
use super::bits::{Bits, Unstuffed};
use super::frame::{Frame, Grid, Scan, Tables, Walker};
use super::huffman::{Table, extend};

/// Decodes every scan until each component has been seen.
pub(super) fn decode(
    walker: &mut Walker<'_>,
    frame: &Frame,
    grids: &mut [Grid],
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut seen = vec![false; grids.len()];
    let mut data = Unstuffed::default();
    while !seen.iter().all(|&s| s) {
        let scan = walker.scan(frame)?.ok_or(Refused::Damaged)?;
        if (scan.first, scan.last, scan.high, scan.low) != (0, 63, 0, 0) {
            return Err(Refused::Damaged);
        }
        for &(component, ..) in &scan.parts {
            if std::mem::replace(&mut seen[component], true) {
                return Err(Refused::Damaged);
            }
        }
        decode_scan(walker, frame, &scan, grids, &mut data, cancelled)?;
    }
    Ok(())
}

/// One component of a scan, ready to decode.
struct Part {
    component: usize,
    dc: Table,
    ac: Arc<Tables>,
    predictor: i32,
    /// Blocks of one MCU across and down.
    h: usize,
    v: usize,
}

fn decode_scan(
    walker: &mut Walker<'_>,
    frame: &Frame,
    scan: &Scan,
    grids: &mut [Grid],
    data: &mut Unstuffed,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let interleaved = scan.parts.len() > 1;
    let mut parts = Vec::with_capacity(scan.parts.len());
    for &(component, dc, ac) in &scan.parts {
        let c = &frame.components[component];
        let (h, v) = if interleaved { (c.h, c.v) } else { (1, 1) };
        parts.push(Part { component, dc: walker.dc_table(dc)?, ac: walker.ac_tables(ac)?, predictor: 0, h, v });
    }
    let (across, down) = match parts.as_slice() {
        [single] => frame.components[single.component].own_blocks(),
        _ => (frame.mcus_across, frame.mcus_down),
    };
    let total = across * down;
    let interval = if walker.restart_interval == 0 { total } else { walker.restart_interval };
    let mut mcu = 0;
    while mcu < total {
        walker.skip(data.fill(walker.rest()));
        let end = total.min(mcu + interval);
        for part in &mut parts {
            part.predictor = 0;
        }
        let mut bits = Bits::new(data);
        let (mut x, mut y) = (mcu % across, mcu / across);
        while mcu < end {
            for part in &mut parts {
                let grid = &mut grids[part.component];
                for by in 0..part.v {
                    let row = (y * part.v + by) * grid.blocks_across + x * part.h;
                    for bx in 0..part.h {
                        block(&mut bits, part, grid, row + bx)?;
                    }
                }
            }
            mcu += 1;
            x += 1;
            if x == across {
                x = 0;
                y += 1;
                let past = bits.read() > data.len();
                if past || cancelled() {
                    return Err(if past { Refused::Damaged } else { Refused::Cancelled });
                }
            }
        }
        if bits.read() > data.len() {
            return Err(Refused::Damaged);
        }
        if mcu < total {
            restart(walker)?;
        }
    }
    Ok(())
}

/// Expects a restart marker and steps over it.
pub(super) fn restart(walker: &mut Walker<'_>) -> Result<(), Refused> {
    match walker.rest() {
        [0xFF, 0xD0..=0xD7, ..] => {
            walker.skip(2);
            Ok(())
        }
        _ => Err(Refused::Damaged),
    }
}

/// Reads one block: its first coefficients into the grid, the rest stepped over.
#[inline(always)]
fn block(bits: &mut Bits<'_>, part: &mut Part, grid: &mut Grid, index: usize) -> Result<(), Refused> {
    let plane = grid.blocks_across * grid.blocks_down;
    let wanted = grid.count;

    bits.refill();
    let (length, size) = part.dc.look(bits.window).ok_or(Refused::Damaged)?;
    let size = u32::from(size);
    if size > 11 {
        return Err(Refused::Damaged);
    }
    part.predictor = part.predictor.wrapping_add(extend(bits.window << length, size));
    grid.values[index] = part.predictor.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    bits.skip(length + size);

    let mut k = 1;
    while k < wanted {
        bits.refill();
        let window = bits.window;
        let (length, symbol) = part.ac.single.look(window).ok_or(Refused::Damaged)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        bits.skip(length + size);
        if size == 0 {
            if run != 15 {
                return Ok(());
            }
            k += 16;
            continue;
        }
        k += run;
        if k < wanted {
            grid.values[k * plane + index] = extend(window << length, size) as i16;
        }
        k += 1;
    }

    while k < 64 {
        bits.refill();
        let step = part.ac.steps.look(bits.window);
        let reached = k + step.passed as usize;
        // Sequences that pass the end of the block would run into the next one: there, symbol by symbol.
        if step.bits != 0 && (reached < 64 || (reached == 64 && !step.ends)) {
            bits.skip(step.bits);
            if step.ends {
                return Ok(());
            }
            k = reached;
        } else {
            let (length, symbol) = part.ac.single.look(bits.window).ok_or(Refused::Damaged)?;
            let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            bits.skip(length + size);
            if size == 0 && run != 15 {
                return Ok(());
            }
            k += run + 1;
        }
    }
    // A run that points beyond the block is damage.
    if k == 64 { Ok(()) } else { Err(Refused::Damaged) }
}
