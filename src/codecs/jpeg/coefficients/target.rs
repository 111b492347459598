//! Where the coefficients of sequential scans go to: grids that hold all of them, or a sink, one row of MCUs after the
//! other.

use crate::image::CoefficientSink;

use super::frame::{Frame, Grid};
use super::pattern::{Part, Pattern};

/// Where all scans go to.
pub(super) enum Target<'a> {
    /// The grid of each component.
    Held(&'a mut [Grid]),
    /// How many coefficients of each component are kept, and who takes them.
    Handed(Vec<u8>, &'a mut dyn CoefficientSink),
}

impl Target<'_> {
    /// For one scan of components with so many blocks of an MCU down, of each component whether it is in it.
    pub(super) fn scan(&mut self, frame: &Frame, down: impl Fn(usize) -> Option<usize>) -> Scanned<'_> {
        match self {
            Self::Held(grids) => Scanned { grids: Grids::Held(grids), sink: None },
            Self::Handed(counts, sink) => {
                let components = frame.components.iter().zip(counts).enumerate();
                let rows = components.map(|(i, (c, &mut count))| Grid::rows(c, count, down(i).unwrap_or(0)));
                Scanned { grids: Grids::Rows(rows.collect()), sink: Some(*sink) }
            }
        }
    }
}

/// Where one scan goes to.
pub(super) struct Scanned<'a> {
    grids: Grids<'a>,
    sink: Option<&'a mut dyn CoefficientSink>,
}

enum Grids<'a> {
    Held(&'a mut [Grid]),
    /// One row of MCUs.
    Rows(Vec<Grid>),
}

impl Scanned<'_> {
    /// The grid that a part's blocks are read into.
    #[inline(always)]
    pub(super) fn grid(&mut self, part: &Part) -> &mut Grid {
        match &mut self.grids {
            Grids::Held(grids) => &mut grids[part.component],
            Grids::Rows(grids) => &mut grids[part.component],
        }
    }

    /// A row of MCUs was read: dequantises it by the table of each part, while it is at hand.
    pub(super) fn done(&mut self, pattern: &Pattern, tables: &[[u16; 64]], y: usize) {
        for (part, table) in pattern.parts.iter().zip(tables) {
            let grid = self.grid(part);
            let row = grid.row(part, y);
            grid.dequantise(row..row + part.v, table);
            let plane = grid.blocks_across * grid.blocks_down;
            // The sink is beside the grids.
            let Self { grids: Grids::Rows(grids), sink: Some(sink) } = self else { continue };
            for (k, values) in grids[part.component].values.chunks_exact_mut(plane).enumerate() {
                sink.values(part.component, k, y * part.v, values);
                values.fill(0);
            }
        }
    }
}

impl Grid {
    /// The row of blocks with which a row of MCUs of a part begins.
    #[inline(always)]
    pub(super) const fn row(&self, part: &Part, y: usize) -> usize {
        let holds_one = self.blocks_down == part.v;
        if holds_one { 0 } else { y * part.v }
    }
}
