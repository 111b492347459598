//! Sequential scans: baseline and extended.

use std::ops::Range;

use super::Refused;
use super::bits::{Bits, Unstuffed};
use super::frame::{Frame, Grid, Scan, Walker};
use super::huffman::extend;
use super::lanes::{self, Segment};
use super::pattern::{MAX_BLOCKS, Part, Pattern, PatternSkips};
use super::skip::{MAX_DC_SIZE, Skips, sequence};
use super::splice::Truth;
use super::target::{Scanned, Target};
use super::values::Values;
use super::window::Window;

/// How many places of the data are read at once. The answers are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Streams {
    /// Several where there is enough data.
    AsItPays,
    #[cfg(any(test, fuzzing))]
    One,
    /// With segments of so many bytes.
    #[cfg(any(test, fuzzing))]
    Several(usize),
}

/// Decodes every scan until each component has been seen, each down to the last row that is wanted.
pub(super) fn decode(
    walker: &mut Walker<'_>,
    frame: &Frame,
    target: &mut Target<'_>,
    window: &Window,
    streams: Streams,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut seen = vec![false; frame.components.len()];
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
        let down = |i: usize| if scan.parts.len() > 1 { frame.components[i].v } else { 1 };
        let rows = window.mcu_rows(frame, scan.parts.iter().map(|&(i, ..)| (i, down(i)))).end;
        let target = target.scan(frame, |i| scan.parts.iter().any(|part| part.0 == i).then(|| down(i)));
        decode_scan(walker, frame, (&scan, rows), target, (&mut data, streams), cancelled)?;
    }
    Ok(())
}

/// Bytes that a lane reads at a time, and segments that lie found but unread at most: 4 MiB of beginnings, were every
/// block but two bits long.
const SEGMENT: usize = 32 << 10;
const SEGMENTS: usize = 12;
/// Scans with less data are read from the front to the back: making the tables would take longer.
pub(in crate::codecs::jpeg) const WORTH_LANES: usize = 48 << 10;
/// So are those whose restart intervals are shorter on the average.
const WORTH_A_LANE: usize = 512;

fn decode_scan(
    walker: &mut Walker<'_>,
    frame: &Frame,
    (scan, rows): (&Scan, usize),
    target: Scanned<'_>,
    (data, streams): (&mut Unstuffed, Streams),
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let pattern = Pattern::new(walker, frame, scan)?;
    let table =
        |part: &Part| walker.quantisation(frame.components[part.component].table).copied().ok_or(Refused::Damaged);
    let tables = pattern.parts.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    let total = pattern.across * pattern.down;
    let interval = if walker.restart_interval == 0 { total } else { walker.restart_interval };
    let intervals = total.div_ceil(interval);
    let wanted = total.min(pattern.across * rows);
    // Other scans may follow, so that there may be less.
    let bytes = walker.rest().len();
    let can = bytes < u32::MAX as usize / 16 && pattern.blocks.len() <= MAX_BLOCKS;
    let segment = match streams {
        Streams::AsItPays => (bytes >= WORTH_LANES && bytes / intervals >= WORTH_A_LANE).then_some(SEGMENT),
        #[cfg(any(test, fuzzing))]
        Streams::One => None,
        #[cfg(any(test, fuzzing))]
        Streams::Several(segment) => Some(segment),
    };
    if let Some(segment) = segment.filter(|_| can) {
        let intervals = unstuffed(walker, data, intervals)?;
        let values = Values::new(&pattern, target, tables);
        by_lanes(data, &pattern, &intervals, (interval, wanted, segment), values, cancelled)
    } else {
        by_one(walker, data, &pattern, (interval, wanted), (target, &tables), cancelled)
    }
}

/// The data of all restart intervals, one behind the other: the bits of each.
fn unstuffed(walker: &mut Walker<'_>, data: &mut Unstuffed, count: usize) -> Result<Vec<Range<usize>>, Refused> {
    data.clear();
    let mut intervals = Vec::new();
    loop {
        let begin = data.end();
        walker.skip(data.append(walker.rest()));
        intervals.push(begin..data.len());
        if intervals.len() == count {
            return Ok(intervals);
        }
        restart(walker, intervals.len() - 1)?;
    }
}

/// Expects the restart marker behind an interval, the first of which is 0, and steps over it. One of another number says
/// that intervals were lost, or came twice.
fn restart(walker: &mut Walker<'_>, interval: usize) -> Result<(), Refused> {
    while walker.rest().starts_with(&[0xFF, 0xFF]) {
        walker.skip(1);
    }
    match walker.rest() {
        [0xFF, code @ 0xD0..=0xD7, ..] if usize::from(code & 7) == interval % 8 => {
            walker.skip(2);
            Ok(())
        }
        _ => Err(Refused::Damaged),
    }
}

/// Finds the beginnings of blocks by several lanes, then reads the values.
fn by_lanes(
    data: &Unstuffed,
    pattern: &Pattern,
    intervals: &[Range<usize>],
    (mcus, wanted, segment): (usize, usize, usize),
    mut values: Values<'_, '_>,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let skips = PatternSkips::new(pattern);
    let total = pattern.across * pattern.down;
    let mut truth: Option<Truth> = None;
    // Blocks that were read, and those that shall be.
    let (mut taken, wanted) = (0, wanted * pattern.blocks.len());
    let mut todo = intervals.iter().enumerate().flat_map(|(i, bits)| parts(i, bits, segment)).peekable();
    let mut segments: Vec<(usize, Segment)> = Vec::new();
    while todo.peek().is_some() && taken < wanted {
        if cancelled() {
            return Err(Refused::Cancelled);
        }
        // What was allocated for beginnings is used again.
        let mut spare = std::mem::take(&mut segments).into_iter().map(|(_, segment): (usize, Segment)| segment.begins);
        segments = todo
            .by_ref()
            .take(SEGMENTS)
            .map(|(i, segment)| (i, Segment { begins: spare.next().unwrap_or_default(), ..segment }))
            .collect();
        lanes::read(data, pattern, &skips, segments.iter_mut().map(|(_, segment)| segment));
        for (i, segment) in &segments {
            if segment.exact {
                if let Some(before) = truth.take() {
                    before.finish(data, pattern, |begins| {
                        taken += begins.len();
                        values.take(data, begins)
                    })?;
                }
                values.restart();
                let left = mcus.min(total - i * mcus);
                truth = Some(Truth::new(intervals[*i].clone(), left));
            }
            let truth = truth.as_mut().ok_or(Refused::Damaged)?;
            truth.through(segment, data, pattern, |begins| {
                taken += begins.len();
                values.take(data, begins)
            })?;
        }
    }
    match truth {
        Some(_) if taken >= wanted && wanted < total * pattern.blocks.len() => Ok(()),
        Some(last) => last.finish(data, pattern, |begins| values.take(data, begins)),
        None => Err(Refused::Damaged),
    }
}

/// The segments, of so many bytes each, of an interval in these bits.
fn parts(interval: usize, bits: &Range<usize>, bytes: usize) -> impl Iterator<Item = (usize, Segment)> + use<> {
    let (begin, end) = (bits.start / 8, bits.end / 8);
    let count = ((end - begin) / bytes).max(1);
    (0..count).map(move |i| {
        let part = |i: usize| begin + (end - begin) * i / count;
        (interval, Segment { begin: part(i), end: part(i + 1), exact: i == 0, begins: Vec::new() })
    })
}

/// Reads everything from the front to the back.
fn by_one(
    walker: &mut Walker<'_>,
    data: &mut Unstuffed,
    pattern: &Pattern,
    (interval, wanted): (usize, usize),
    (mut target, tables): (Scanned<'_>, &[[u16; 64]]),
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut mcu = 0;
    let mut predictors = vec![0; pattern.parts.len()];
    let skips = PatternSkips::new(pattern);
    while mcu < wanted {
        walker.skip(data.fill(walker.rest()));
        let end = wanted.min(mcu + interval);
        predictors.fill(0);
        let mut bits = Bits::new(data);
        let (mut x, mut y) = (mcu % pattern.across, mcu / pattern.across);
        while mcu < end {
            for (i, (part, predictor)) in pattern.parts.iter().zip(&mut predictors).enumerate() {
                let tables = (part, skips.others(i));
                let grid = target.grid(part);
                let top = grid.row(part, y);
                for by in 0..part.v {
                    let row = (top + by) * grid.blocks_across + x * part.h;
                    for bx in 0..part.h {
                        block(&mut bits, tables, predictor, grid, row + bx)?;
                    }
                }
            }
            mcu += 1;
            x += 1;
            if x == pattern.across {
                target.done(pattern, tables, y);
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
        if mcu < wanted {
            restart(walker, mcu / interval - 1)?;
        }
    }
    Ok(())
}

/// Reads one block: its first coefficients into the grid, the rest stepped over.
#[inline(always)]
fn block(
    bits: &mut Bits<'_>,
    (part, skips): (&Part, &Skips),
    predictor: &mut i32,
    grid: &mut Grid,
    index: usize,
) -> Result<(), Refused> {
    let plane = grid.blocks_across * grid.blocks_down;
    let wanted = grid.count;

    bits.refill();
    let (length, size) = part.dc.look(bits.window).ok_or(Refused::Damaged)?;
    let size = u32::from(size);
    if size > MAX_DC_SIZE {
        return Err(Refused::Damaged);
    }
    *predictor = predictor.wrapping_add(extend(bits.window << length, size));
    grid.values[index] = (*predictor).max(i32::from(i16::MIN)).min(i32::from(i16::MAX)) as i16;
    bits.skip(length + size);

    let mut k = 1;
    while k < wanted {
        bits.refill();
        let window = bits.window;
        let (length, symbol) = part.ac.look(window).ok_or(Refused::Damaged)?;
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
        if let Some(stepped) = sequence(skips, bits.window, k as u32) {
            bits.skip(stepped.bits);
            if stepped.ends {
                return Ok(());
            }
            k = stepped.reached as usize;
        } else {
            let (length, symbol) = part.ac.look(bits.window).ok_or(Refused::Damaged)?;
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
