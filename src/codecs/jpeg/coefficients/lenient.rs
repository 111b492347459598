//! The first coefficients of every block of a sequential file whose data are damaged or missing.

use super::Refused;
use super::bits::Unstuffed;
use super::frame::{Frame, Grid, Walker};
use super::idct::BY_COLUMN;
use super::mcus::{self, Block, Taker};
use super::window::Window;

/// Decodes every scan until each component has been seen. Blocks without data stay as they are.
pub(super) fn decode(
    walker: &mut Walker<'_>,
    frame: &Frame,
    grids: &mut [Grid],
    window: &Window,
    max_scans: u32,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Refused> {
    let mut seen = vec![false; grids.len()];
    let mut data = Unstuffed::default();
    for _ in 0..max_scans {
        if seen.iter().all(|&s| s) {
            break;
        }
        let Some(scan) = walker.scan(frame)? else { break };
        scan.parts.iter().for_each(|&(component, ..)| seen[component] = true);
        let components = scan.parts.iter().map(|part| part.0).collect();
        let mut keeper = Keeper { grids, components };
        mcus::read(walker, frame, &scan, window, &mut data, &mut keeper, cancelled)?;
    }
    if seen.contains(&true) { Ok(()) } else { Err(Refused::Damaged) }
}

/// Keeps the first coefficients.
struct Keeper<'a> {
    grids: &'a mut [Grid],
    /// Of each part of the scan.
    components: Vec<usize>,
}

impl Taker for Keeper<'_> {
    fn block(&mut self, part: usize, x: usize, y: usize, block: &Block) {
        let grid = &mut self.grids[self.components[part]];
        let at = y * grid.blocks_across + x;
        for (k, &from) in BY_COLUMN.iter().enumerate().take(grid.count) {
            let to = grid.at(k, at);
            grid.values[to] = block.coefficients[usize::from(from)];
        }
    }

    fn row(&mut self, _: usize) {}
}
