//! What one MCU of a scan is made of, and the tables that its blocks are read with.

use std::sync::Arc;

use super::Refused;
use super::bits::Unstuffed;
use super::frame::{Frame, Scan, Walker};
use super::huffman::Table;
use super::skip::{AcSkips, MAX_DC_SIZE, Skips};
use super::symbols::Symbols;

/// Most blocks that an MCU has here: four components' worth of the standard's ten, and room.
pub(super) const MAX_BLOCKS: usize = 16;

/// One component of a scan.
pub(super) struct Part {
    /// Index into the frame's components.
    pub(super) component: usize,
    /// Blocks of one MCU across and down.
    pub(super) h: usize,
    pub(super) v: usize,
    /// Numbers of its DC and AC tables.
    tables: (u8, u8),
    pub(super) dc: Table,
    pub(super) ac: Arc<Table>,
    /// For values of blocks whose beginnings are known.
    pub(super) symbols: Arc<[Symbols; 2]>,
}

/// The blocks of a sequential scan's MCU, in their order.
pub(super) struct Pattern {
    pub(super) parts: Vec<Part>,
    /// For each block of an MCU: its part.
    pub(super) blocks: Vec<usize>,
    /// MCUs across and down.
    pub(super) across: usize,
    pub(super) down: usize,
}

impl Pattern {
    pub(super) fn new(walker: &mut Walker<'_>, frame: &Frame, scan: &Scan) -> Result<Self, Refused> {
        let interleaved = scan.parts.len() > 1;
        let mut parts: Vec<Part> = Vec::with_capacity(scan.parts.len());
        for &(component, dc, ac) in &scan.parts {
            let c = &frame.components[component];
            let (h, v) = if interleaved { (c.h, c.v) } else { (1, 1) };
            let tables = (dc, ac);
            let (dc, ac) = (walker.dc_table(dc)?, walker.ac_table(ac)?);
            // Components that share tables share these too.
            let symbols = match parts.iter().find(|other| other.tables == tables) {
                Some(other) => Arc::clone(&other.symbols),
                None => Arc::new([Symbols::of_dc(&dc), Symbols::of_ac(&ac)]),
            };
            parts.push(Part { component, h, v, tables, dc, ac, symbols });
        }
        let (across, down) = match parts.as_slice() {
            [single] => frame.components[single.component].own_blocks(),
            _ => (frame.mcus_across, frame.mcus_down),
        };
        let blocks = parts.iter().enumerate().flat_map(|(i, part)| std::iter::repeat_n(i, part.h * part.v)).collect();
        Ok(Self { parts, blocks, across, down })
    }

    /// Where the block of this part that begins at bit `at` ends. Every code is checked; beyond the data there are zeros.
    pub(super) fn step_over(&self, part: usize, data: &Unstuffed, mut at: usize) -> Result<usize, Refused> {
        let part = self.parts.get(part).ok_or(Refused::Damaged)?;
        let (length, size) = part.dc.look(data.peek(at)).ok_or(Refused::Damaged)?;
        if u32::from(size) > MAX_DC_SIZE {
            return Err(Refused::Damaged);
        }
        at += (length + u32::from(size)) as usize;
        let mut k = 1;
        while k < 64 {
            let (length, symbol) = part.ac.look(data.peek(at)).ok_or(Refused::Damaged)?;
            let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            at += (length + size) as usize;
            if size == 0 && run != 15 {
                return Ok(at);
            }
            k += run + 1;
        }
        // A run that points beyond the block is damage.
        if k == 64 { Ok(at) } else { Err(Refused::Damaged) }
    }

    /// Where the MCU that begins at bit `at` ends; the beginnings of its blocks are added to `begins`.
    pub(super) fn step_over_mcu(
        &self,
        data: &Unstuffed,
        mut at: usize,
        begins: &mut Vec<u32>,
    ) -> Result<usize, Refused> {
        for &part in &self.blocks {
            begins.push(at as u32);
            at = self.step_over(part, data, at)?;
        }
        Ok(at)
    }
}

/// Stepping tables for each block of a pattern's MCU.
pub(super) struct PatternSkips {
    tables: Vec<Box<Skips>>,
    of_part: Vec<(usize, usize)>,
    /// For each block: the table of its first symbols, and that of the others.
    of_block: Vec<(usize, usize)>,
}

impl PatternSkips {
    pub(super) fn new(pattern: &Pattern) -> Self {
        let mut tables = Vec::new();
        let mut of_part: Vec<(usize, usize)> = Vec::with_capacity(pattern.parts.len());
        for part in &pattern.parts {
            let alike = pattern.parts.iter().take(of_part.len()).position(|other| other.tables == part.tables);
            of_part.push(alike.map_or_else(
                || {
                    let skips = AcSkips::new(&part.ac);
                    tables.push(skips.behind(&part.dc));
                    tables.push(skips.whole());
                    (tables.len() - 2, tables.len() - 1)
                },
                |i| of_part[i],
            ));
        }
        Self { of_block: pattern.blocks.iter().map(|&part| of_part[part]).collect(), of_part, tables }
    }

    /// For each part: the table of the symbols behind the first ones of a block.
    pub(super) fn others(&self, part: usize) -> &Skips {
        &self.tables[self.of_part[part].1]
    }

    /// For each block of an MCU: the table of its first symbols, and that of the others. Unused places repeat block 0.
    pub(super) fn tables(&self) -> [(&Skips, &Skips); MAX_BLOCKS] {
        std::array::from_fn(|i| {
            let (first, others) = self.of_block[if i < self.of_block.len() { i } else { 0 }];
            (&*self.tables[first], &*self.tables[others])
        })
    }
}
