//! All samples of a sequential file, as planes at their own sampling. Blocks are transformed as they are read, so that
//! coefficients never leave the nearest cache; rows of blocks are handed over as they are done.

use crate::image::{Plane, PlaneSink, Planes, Size};

use super::Refused;
use super::bits::{Bits, Unstuffed};
use super::frame::{Component, Frame, Grid, Scan, Walker};
use super::huffman::{Table, extend};
use super::idct::{self, BY_COLUMN, Idct, Samples, Scaled};

/// Bits that the table of whole AC symbols looks at.
const LOOK: u32 = 11;

/// Decodes every scan of a sequential file until each component has been seen, into a sink.
pub(super) fn sequential(
    walker: &mut Walker<'_>,
    frame: &Frame,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut seen = vec![false; frame.components.len()];
    let mut data = Unstuffed::default();
    let transform = idct::fastest();
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
        decode_scan(walker, frame, &scan, sink, (&mut data, transform), cancelled)?;
    }
    Ok(())
}

/// Decodes every scan of a progressive file, all coefficients of which are held until then.
pub(super) fn progressive(
    walker: &mut Walker<'_>,
    frame: &Frame,
    max_scans: u32,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut grids: Vec<Grid> = frame.components.iter().map(Grid::whole).collect();
    super::progressive::decode(walker, frame, &mut grids, max_scans, cancelled)?;
    let transform = idct::fastest();
    for (i, (component, grid)) in frame.components.iter().zip(grids).enumerate() {
        let quantisation = Scaled::new(walker.quantisation(component.table).ok_or(Refused::Damaged)?);
        let band = Size::new(component.size.width(), 8).ok_or(Refused::Damaged)?;
        let mut band = Plane { size: band, samples: vec![0; band.area() as usize] };
        let (width, height) = (component.size.width() as usize, component.size.height() as usize);
        let (_, down) = component.own_blocks();
        for (y, row) in grid.values.chunks_exact(64 * grid.blocks_across).take(down).enumerate() {
            if cancelled() {
                return Err(Refused::Cancelled);
            }
            for (x, zigzag) in row.as_chunks::<64>().0.iter().enumerate() {
                let mut coefficients = [0; 64];
                for (&value, &at) in zigzag.iter().zip(&BY_COLUMN) {
                    coefficients[usize::from(at) & 63] = value;
                }
                put(&mut band, 8 * x, 0, &transform(&coefficients, &quantisation));
            }
            let rows = (height - 8 * y).min(8);
            sink.rows(i, 8 * y as u32, &band.samples[..rows * width]);
        }
    }
    Ok(())
}

/// The planes of a frame, without samples; `None` if there are not one or three.
pub(super) fn hollow(frame: &Frame) -> Option<Planes> {
    let plane = |component: &Component| Plane { size: component.size, samples: Vec::new() };
    picture(frame.size, frame.components.iter().map(plane).collect())
}

/// One component of a scan, ready to decode.
struct Part {
    component: usize,
    dc: Table,
    ac: Symbols,
    quantisation: Scaled,
    predictor: i32,
    /// Blocks of one MCU across and down.
    h: usize,
    v: usize,
    /// The rows of samples of one row of MCUs, as wide as the component.
    band: Plane,
    /// Rows of the component.
    height: usize,
}

impl Part {
    /// Hands over what is picture of a row of MCUs.
    fn hand_over(&self, y: usize, sink: &mut dyn PlaneSink) {
        let (first, width) = (8 * self.v * y, self.band.size.width() as usize);
        let rows = self.height.saturating_sub(first).min(8 * self.v);
        if rows > 0 {
            sink.rows(self.component, first as u32, &self.band.samples[..rows * width]);
        }
    }
}

/// AC symbols with their values, as many as fit into a window.
struct Symbols {
    /// For each window of [`LOOK`] bits: value << 16 | coefficients passed << 8 | bits used. Nothing passed: the end of
    /// the block. 0: longer than the window.
    whole: Box<[u32; 1 << LOOK]>,
    table: std::sync::Arc<Table>,
}

impl Symbols {
    fn new(table: std::sync::Arc<Table>) -> Self {
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

fn decode_scan(
    walker: &mut Walker<'_>,
    frame: &Frame,
    scan: &Scan,
    sink: &mut dyn PlaneSink,
    (data, transform): (&mut Unstuffed, Idct),
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let interleaved = scan.parts.len() > 1;
    let mut parts = Vec::with_capacity(scan.parts.len());
    for &(component, dc, ac) in &scan.parts {
        let c = &frame.components[component];
        let (h, v) = if interleaved { (c.h, c.v) } else { (1, 1) };
        let quantisation = Scaled::new(walker.quantisation(c.table).ok_or(Refused::Damaged)?);
        let (dc, ac) = (walker.dc_table(dc)?, Symbols::new(walker.ac_table(ac)?));
        let band = Size::new(c.size.width(), 8 * v as u32).ok_or(Refused::Damaged)?;
        let band = Plane { size: band, samples: vec![0; band.area() as usize] };
        let height = c.size.height() as usize;
        parts.push(Part { component, dc, ac, quantisation, predictor: 0, h, v, band, height });
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
        let mut bits = Bits::new(data);
        for part in &mut parts {
            part.predictor = 0;
        }
        let (mut x, mut y) = (mcu % across, mcu / across);
        while mcu < end {
            for part in &mut parts {
                for by in 0..part.v {
                    for bx in 0..part.h {
                        let samples = block(&mut bits, part, transform)?;
                        put(&mut part.band, 8 * (x * part.h + bx), 8 * by, &samples);
                    }
                }
            }
            mcu += 1;
            x += 1;
            if x == across {
                parts.iter().for_each(|part| part.hand_over(y, sink));
                (x, y) = (0, y + 1);
                if cancelled() {
                    return Err(Refused::Cancelled);
                }
                if bits.read() > data.len() {
                    return Err(Refused::Damaged);
                }
            }
        }
        if bits.read() > data.len() {
            return Err(Refused::Damaged);
        }
        if mcu < total {
            super::baseline::restart(walker)?;
        }
    }
    Ok(())
}

/// Reads one block and transforms it.
#[inline(always)]
fn block(bits: &mut Bits<'_>, part: &mut Part, transform: Idct) -> Result<Samples, Refused> {
    let mut coefficients = [0_i16; 64];
    bits.refill();
    let (length, size) = part.dc.look(bits.window).ok_or(Refused::Damaged)?;
    let size = u32::from(size);
    if size > 11 {
        return Err(Refused::Damaged);
    }
    part.predictor = part.predictor.wrapping_add(extend(bits.window << length, size));
    coefficients[0] = part.predictor.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
    bits.skip(length + size);

    let mut k = 1;
    while k < 64 {
        bits.refill();
        let entry = part.ac.whole[(bits.window >> (64 - LOOK)) as usize];
        if entry != 0 {
            bits.skip(entry & 0xFF);
            let passed = (entry >> 8 & 0xFF) as usize;
            if passed == 0 {
                break;
            }
            k += passed;
            if k > 64 {
                return Err(Refused::Damaged);
            }
            coefficients[usize::from(BY_COLUMN[(k - 1) & 63])] = (entry >> 16) as u16 as i16;
            continue;
        }
        let (length, symbol) = part.ac.table.look(bits.window).ok_or(Refused::Damaged)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        let value = extend(bits.window << length, size);
        bits.skip(length + size);
        if size == 0 && run != 15 {
            break;
        }
        k += run + 1;
        if k > 64 {
            return Err(Refused::Damaged);
        }
        coefficients[usize::from(BY_COLUMN[(k - 1) & 63])] = value as i16;
    }
    // Nothing but the mean: most blocks of chroma, and of skies.
    if k == 1 {
        return Ok([[part.quantisation.flat(coefficients[0]); 8]; 8]);
    }
    Ok(transform(&coefficients, &part.quantisation))
}

/// Writes the part of a block that is picture.
#[inline(always)]
fn put(plane: &mut Plane, x: usize, y: usize, samples: &Samples) {
    let (width, height) = (plane.size.width() as usize, plane.size.height() as usize);
    if x >= width || y >= height {
        return;
    }
    let columns = (width - x).min(8);
    let rows = plane.samples[y * width..].chunks_mut(width).take((height - y).min(8));
    if columns == 8 {
        for (row, samples) in rows.zip(samples) {
            row[x..x + 8].copy_from_slice(samples);
        }
    } else {
        for (row, samples) in rows.zip(samples) {
            row[x..x + columns].copy_from_slice(&samples[..columns]);
        }
    }
}

/// The planes of a picture that was read; `None` if there are not one or three.
pub(super) fn picture(size: Size, planes: Vec<Plane>) -> Option<crate::image::Planes> {
    let mut planes = planes.into_iter();
    let (luma, cb, cr) = (planes.next()?, planes.next(), planes.next());
    Some(crate::image::Planes { size, luma, chroma: cb.zip(cr).map(|(cb, cr)| [cb, cr]) })
}
