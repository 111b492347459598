//! All samples of a sequential file, as planes at their own sampling. Blocks are transformed as they are read, so that
//! coefficients never leave the nearest cache; rows of blocks are handed over as they are done.

use std::ops::Range;

use crate::image::{Plane, PlaneSink, Planes, Size};

use super::Refused;
use super::bits::Unstuffed;
use super::frame::{Component, Frame, Grid, Walker};
use super::idct::{self, Idct, Samples, Scaled};
use super::mcus::{self, Block, Taker};
use super::window::Window;

/// Decodes every scan of a sequential file into a sink, until each component has been seen. Components that are missing
/// are grey.
pub(super) fn sequential(
    walker: &mut Walker<'_>,
    frame: &Frame,
    window: &Window,
    max_scans: u32,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut seen = vec![false; frame.components.len()];
    let mut data = Unstuffed::default();
    for _ in 0..max_scans {
        if seen.iter().all(|&s| s) {
            return Ok(());
        }
        let Some(scan) = walker.scan(frame)? else { break };
        let mut bands = Vec::with_capacity(scan.parts.len());
        for &(component, ..) in &scan.parts {
            seen[component] = true;
            let c = &frame.components[component];
            let quantisation = Scaled::new(walker.quantisation(c.table).ok_or(Refused::Damaged)?);
            let v = if scan.parts.len() > 1 { c.v } else { 1 };
            bands.push(Band::new(component, c, v, quantisation)?);
        }
        let mut bands = Bands { bands, transform: idct::fastest(), sink };
        mcus::read(walker, frame, &scan, window, &mut data, &mut bands, cancelled)?;
    }
    if !seen.contains(&true) {
        return Err(Refused::Damaged);
    }
    for (i, component) in frame.components.iter().enumerate().filter(|&(i, _)| !seen[i]) {
        let row = vec![GREY; component.size.width() as usize];
        (0..component.size.height()).for_each(|y| sink.rows(i, y, &row));
    }
    Ok(())
}

/// A component's samples where there is no data.
const GREY: u8 = 128;

/// Decodes every scan of a progressive file, all coefficients of which are held until then.
pub(super) fn progressive(
    walker: &mut Walker<'_>,
    frame: &Frame,
    window: &Window,
    max_scans: u32,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut grids: Vec<Grid> = frame.components.iter().map(Grid::whole).collect();
    super::progressive::decode(walker, frame, &mut grids, window, max_scans, cancelled)?;
    let parts = frame.components.iter().zip(&grids).enumerate().map(|(i, (component, grid))| {
        let quantisation = Scaled::new(walker.quantisation(component.table).ok_or(Refused::Damaged)?);
        Ok((Band::new(i, component, 1, quantisation)?, component.v, grid, window.blocks(component)))
    });
    let mut parts = parts.collect::<Result<Vec<_>, Refused>>()?;
    let transform = idct::fastest();
    // A row of MCUs of all components at a time: who packs them needs to hold no more.
    for mcu_row in 0..frame.mcus_down {
        if cancelled() {
            return Err(Refused::Cancelled);
        }
        for (band, v, grid, blocks) in &mut parts {
            for y in mcu_row * *v..(mcu_row + 1) * *v {
                if blocks.down.contains(&y) {
                    band.transform(grid, y, blocks.across.clone(), transform);
                    band.hand_over(y, sink);
                }
            }
        }
    }
    Ok(())
}

/// The planes of a frame, without samples; `None` if there are not one or three.
pub(super) fn hollow(frame: &Frame) -> Option<Planes> {
    let plane = |component: &Component| Plane { size: component.size, samples: Vec::new() };
    picture(frame.size, frame.components.iter().map(plane).collect())
}

/// The samples of one row of MCUs of a component, as wide as that.
struct Band {
    component: usize,
    quantisation: Scaled,
    samples: Plane,
    /// Blocks of one MCU down.
    v: usize,
    /// Rows of the component.
    height: usize,
}

impl Band {
    fn new(i: usize, component: &Component, v: usize, quantisation: Scaled) -> Result<Self, Refused> {
        let size = Size::new(component.size.width(), 8 * v as u32).ok_or(Refused::Damaged)?;
        let samples = Plane { size, samples: vec![GREY; size.area() as usize] };
        Ok(Self { component: i, quantisation, samples, v, height: component.size.height() as usize })
    }

    /// Makes samples of one row of blocks.
    fn transform(&mut self, grid: &Grid, y: usize, across: Range<usize>, transform: Idct) {
        let row = y * grid.blocks_across + across.start..y * grid.blocks_across + across.end;
        let (Some(blocks), Some(filled)) = (grid.values.as_chunks::<64>().0.get(row.clone()), grid.filled.get(row))
        else {
            return;
        };
        for (x, (block, &filled)) in across.zip(blocks.iter().zip(filled)) {
            let samples = if filled == 0 {
                [[self.quantisation.flat(block[0]); 8]; 8]
            } else {
                transform(block, &self.quantisation)
            };
            put(&mut self.samples, 8 * x, 0, &samples);
        }
    }

    /// Hands over what is picture of a row of MCUs.
    fn hand_over(&self, y: usize, sink: &mut dyn PlaneSink) {
        let (first, width) = (8 * self.v * y, self.samples.size.width() as usize);
        let rows = self.height.saturating_sub(first).min(8 * self.v);
        if rows > 0 {
            sink.rows(self.component, first as u32, &self.samples.samples[..rows * width]);
        }
    }
}

/// Transforms the blocks of a scan.
struct Bands<'a> {
    bands: Vec<Band>,
    transform: Idct,
    sink: &'a mut dyn PlaneSink,
}

impl Taker for Bands<'_> {
    #[inline(always)]
    fn block(&mut self, part: usize, x: usize, y: usize, block: &Block) {
        let band = &mut self.bands[part];
        // Nothing but the mean: most blocks of chroma, and of skies.
        let samples = if block.flat {
            [[band.quantisation.flat(block.coefficients[0]); 8]; 8]
        } else {
            (self.transform)(&block.coefficients, &band.quantisation)
        };
        put(&mut band.samples, 8 * x, 8 * (y % band.v), &samples);
    }

    fn row(&mut self, y: usize) {
        self.bands.iter().for_each(|band| band.hand_over(y, self.sink));
    }
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
