//! Scans of means.

use std::ops::Range;

use super::super::Refused;
use super::super::frame::{Frame, Grid, Scan};
use super::super::huffman::{Table, extend};
use super::super::window::Window;
use super::{Interval, Read, Rows, symbol};

struct Part {
    component: usize,
    /// `None` in a scan that adds a bit.
    table: Option<Table>,
    predictor: i32,
    h: usize,
    v: usize,
}

#[inline(always)]
pub(super) fn read(
    rows: Rows<'_, '_>,
    frame: &Frame,
    scan: &Scan,
    grids: &mut [Grid],
    window: &Window,
) -> Result<(), Refused> {
    let interleaved = scan.parts.len() > 1;
    let mut parts = Vec::with_capacity(scan.parts.len());
    for &(component, dc, _) in &scan.parts {
        let c = &frame.components[component];
        let (h, v) = if interleaved { (c.h, c.v) } else { (1, 1) };
        let table = if scan.high == 0 { Some(rows.walker.dc_table(dc)?) } else { None };
        parts.push(Part { component, table, predictor: 0, h, v });
    }
    let (across, down) = match parts.as_slice() {
        [single] => frame.components[single.component].own_blocks(),
        _ => (frame.mcus_across, frame.mcus_down),
    };
    let wanted = window.mcu_rows(frame, parts.iter().map(|part| (part.component, part.v))).end;
    rows.read((across, wanted, down), Means { parts, grids, low: scan.low })
}

struct Means<'a> {
    parts: Vec<Part>,
    grids: &'a mut [Grid],
    low: u8,
}

impl Read for Means<'_> {
    #[inline(always)]
    fn begin(&mut self) {
        self.parts.iter_mut().for_each(|part| part.predictor = 0);
    }

    #[inline(always)]
    fn row(&mut self, interval: &mut Interval<'_>, y: usize, units: Range<usize>) {
        for x in units {
            if interval.is_over() {
                return;
            }
            let bits = &mut interval.bits;
            for part in &mut self.parts {
                let grid = &mut self.grids[part.component];
                for by in 0..part.v {
                    for bx in 0..part.h {
                        let index = grid.at(0, (y * part.v + by) * grid.blocks_across + x * part.h + bx);
                        bits.refill();
                        match &part.table {
                            Some(table) => {
                                let (length, size) = symbol(table, bits.window);
                                bits.skip(length);
                                let difference = extend(bits.window, size.into());
                                bits.skip(size.into());
                                part.predictor = part.predictor.wrapping_add(difference);
                                grid.values[index] = (part.predictor << self.low) as i16;
                            }
                            None => {
                                grid.values[index] |= ((bits.window >> 63) as i16) << self.low;
                                bits.skip(1);
                            }
                        }
                    }
                }
            }
        }
    }
}
