//! Markers up to and between the scans. ITU-T T.81, annex B.

use std::collections::HashMap;

use crate::codecs::Kept;
use crate::image::Size;

use super::Refused;
use super::colours::{Colours, Hints};
use super::huffman::{Definition, Table};
use super::idct::BY_COLUMN;

/// One component of the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codecs::jpeg) struct Component {
    id: u8,
    /// Sampling factors, 1 to 4.
    pub(in crate::codecs::jpeg) h: usize,
    pub(in crate::codecs::jpeg) v: usize,
    /// Quantisation table.
    pub(super) table: u8,
    /// Samples that are picture.
    pub(super) size: Size,
    /// Blocks across and down that an interleaved scan codes: whole MCUs.
    pub(super) mcu_blocks_across: usize,
    pub(super) mcu_blocks_down: usize,
}

impl Component {
    /// Blocks that a scan of this component alone codes.
    pub(super) const fn own_blocks(&self) -> (usize, usize) {
        (self.size.width().div_ceil(8) as usize, self.size.height().div_ceil(8) as usize)
    }
}

/// The frame header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::codecs::jpeg) struct Frame {
    pub(super) progressive: bool,
    pub(super) size: Size,
    pub(in crate::codecs::jpeg) colours: Colours,
    pub(in crate::codecs::jpeg) components: Vec<Component>,
    pub(in crate::codecs::jpeg) mcus_across: usize,
    pub(in crate::codecs::jpeg) mcus_down: usize,
}

impl Frame {
    /// How many of a component's coefficients are kept.
    pub(super) fn kept(&self, component: &Component, kept: Kept) -> u8 {
        if (component.h, component.v) == self.most() { kept.full } else { kept.sparse }
    }

    /// Whether this is grey or YCbCr whose luma has the full resolution, as those assume who take planes.
    pub(super) fn is_planar(&self) -> bool {
        let full = self.components.first().is_some_and(|luma| luma.size == self.size);
        full && matches!(self.colours, Colours::Gray | Colours::Ycc)
    }

    /// Whether its coefficients can be handed over row by row: no scan comes back to a row, and no colour needs another.
    pub(super) fn is_handed_over(&self) -> bool {
        self.is_planar() && !self.progressive
    }

    /// The largest sampling factors, across and down.
    pub(super) fn most(&self) -> (usize, usize) {
        let most = |of: fn(&Component) -> usize| self.components.iter().map(of).max().unwrap_or(1);
        (most(|c| c.h), most(|c| c.v))
    }
}

/// The kept coefficients of one component: `count` planes of `blocks_across × blocks_down`, or one
/// block of 64 after the other.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) blocks_across: usize,
    pub(super) blocks_down: usize,
    pub(super) count: usize,
    /// Block after block, each as [`super::idct::BY_COLUMN`] orders it.
    pub(super) whole: bool,
    pub(super) values: Vec<i16>,
    /// Of whole blocks, which coefficients but the first are not zero: a bit for each, in zigzag order.
    pub(super) filled: Vec<u64>,
}

impl Grid {
    pub(super) fn new(component: &Component, count: u8) -> Self {
        let (blocks_across, blocks_down) = (component.mcu_blocks_across, component.mcu_blocks_down);
        let count = usize::from(count);
        let values = vec![0; blocks_across * blocks_down * count];
        Self { blocks_across, blocks_down, count, whole: false, values, filled: Vec::new() }
    }

    /// For so many rows of blocks.
    pub(super) fn rows(component: &Component, count: u8, rows: usize) -> Self {
        Self::new(&Component { mcu_blocks_down: rows, ..*component }, count)
    }

    /// For all coefficients, block after block.
    pub(super) fn whole(component: &Component) -> Self {
        let grid = Self::new(component, 64);
        Self { whole: true, filled: vec![0; grid.blocks_across * grid.blocks_down], ..grid }
    }

    /// Where coefficient `k` of a block is.
    #[inline(always)]
    pub(super) const fn at(&self, k: usize, block: usize) -> usize {
        if self.whole { 64 * block + BY_COLUMN[k] as usize } else { k * self.blocks_across * self.blocks_down + block }
    }
}

/// A scan header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::codecs::jpeg) struct Scan {
    /// Index into the frame's components, DC table, AC table.
    pub(in crate::codecs::jpeg) parts: Vec<(usize, u8, u8)>,
    pub(in crate::codecs::jpeg) first: u8,
    pub(in crate::codecs::jpeg) last: u8,
    pub(super) high: u8,
    pub(super) low: u8,
}

/// Walks from marker to marker and keeps the tables that they define.
pub(super) struct Walker<'a> {
    bytes: &'a [u8],
    at: usize,
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Definition>; 4],
    ac: [Option<Definition>; 4],
    pub(super) restart_interval: usize,
    cache: HashMap<u8, (Definition, std::sync::Arc<Table>)>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Refused> {
        if !bytes.starts_with(&[0xFF, 0xD8]) {
            return Err(Refused::Damaged);
        }
        Ok(Self::at_start(bytes))
    }

    fn at_start(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 2,
            quantisation: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            restart_interval: 0,
            cache: HashMap::new(),
        }
    }

    pub(super) fn quantisation(&self, table: u8) -> Option<&[u16; 64]> {
        self.quantisation.get(usize::from(table))?.as_ref()
    }

    /// A table of sizes; none that no value can have.
    pub(super) fn dc_table(&self, table: u8) -> Result<Table, Refused> {
        let definition = self.dc.get(usize::from(table)).and_then(Option::as_ref).ok_or(Refused::Damaged)?;
        let table = Table::new(definition);
        let sound = table.codes(16).all(|(_, _, size)| size <= 15);
        if sound { Ok(table) } else { Err(Refused::Damaged) }
    }

    /// Made once for each definition.
    pub(super) fn ac_table(&mut self, table: u8) -> Result<std::sync::Arc<Table>, Refused> {
        let definition = self.ac.get(usize::from(table)).and_then(Option::as_ref).ok_or(Refused::Damaged)?;
        if let Some((known, tables)) = self.cache.get(&table)
            && known == definition
        {
            return Ok(std::sync::Arc::clone(tables));
        }
        let made = std::sync::Arc::new(Table::new(definition));
        self.cache.insert(table, (definition.clone(), std::sync::Arc::clone(&made)));
        Ok(made)
    }

    /// What follows the current position.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Moves to the last FF of the next marker, over stuffing and fill bytes, or to the end.
    pub(super) fn seek_marker(&mut self) {
        while let Some(ff) = memchr::memchr(0xFF, self.rest()) {
            self.at += ff;
            match self.rest().get(1) {
                Some(0x00) => self.at += 2,
                Some(0xFF) => self.at += 1,
                _ => return,
            }
        }
        self.at = self.bytes.len();
    }

    /// The next marker and its segment (empty for markers without one). Restart markers and junk between segments are
    /// passed over.
    fn marker(&mut self) -> Result<(u8, &'a [u8]), Refused> {
        loop {
            let rest = self.rest();
            let ff = memchr::memchr(0xFF, rest).ok_or(Refused::Damaged)?;
            let Some(&code) = rest.get(ff + 1) else { return Err(Refused::Damaged) };
            match code {
                0xFF => self.at += ff + 1,
                0x00 | 0x01 | 0xD0..=0xD7 => self.at += ff + 2,
                0xD8 | 0xD9 => {
                    self.at += ff + 2;
                    return Ok((code, &[]));
                }
                _ => {
                    let length = rest.get(ff + 2..ff + 4).ok_or(Refused::Damaged)?;
                    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
                    let segment = rest.get(ff + 4..ff + 2 + length).ok_or(Refused::Damaged)?;
                    self.at += ff + 2 + length;
                    return Ok((code, segment));
                }
            }
        }
    }

    fn define(&mut self, code: u8, segment: &[u8]) -> Result<(), Refused> {
        match code {
            0xDB => self.define_quantisation(segment),
            0xC4 => self.define_huffman(segment),
            0xDD => {
                let interval = segment.get(..2).ok_or(Refused::Damaged)?;
                self.restart_interval = usize::from(u16::from_be_bytes([interval[0], interval[1]]));
                Ok(())
            }
            // Arithmetic conditioning, hierarchical.
            0xCC | 0xDE | 0xDF => Err(Refused::Kind),
            _ => Ok(()),
        }
    }

    fn define_quantisation(&mut self, mut segment: &[u8]) -> Result<(), Refused> {
        while let Some((&head, rest)) = segment.split_first() {
            let (wide, table) = (head >> 4, usize::from(head & 15));
            let bytes = if wide == 0 { 64 } else { 128 };
            let values = rest.get(..bytes).ok_or(Refused::Damaged)?;
            let slot = self.quantisation.get_mut(table).ok_or(Refused::Damaged)?;
            let mut entries = [0; 64];
            for (i, entry) in entries.iter_mut().enumerate() {
                *entry = if wide == 0 {
                    u16::from(values[i])
                } else {
                    u16::from_be_bytes([values[2 * i], values[2 * i + 1]])
                };
            }
            *slot = Some(entries);
            segment = &rest[bytes..];
        }
        Ok(())
    }

    fn define_huffman(&mut self, mut segment: &[u8]) -> Result<(), Refused> {
        while let Some((&head, rest)) = segment.split_first() {
            let (definition, used) = Definition::read(rest)?;
            let tables = if head >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            *tables.get_mut(usize::from(head & 15)).ok_or(Refused::Damaged)? = Some(definition);
            segment = &rest[used..];
        }
        Ok(())
    }

    /// Walks to the frame header, and looks ahead for what else there is about the frame.
    pub(super) fn frame(&mut self) -> Result<Frame, Refused> {
        let mut hints = Hints::default();
        loop {
            let (code, segment) = self.marker()?;
            hints.read(code, segment);
            match code {
                0xC0..=0xC2 => return read_frame(code == 0xC2, segment, self.ahead(hints)),
                0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return Err(Refused::Kind),
                0xD8..=0xDA => return Err(Refused::Damaged),
                _ => self.define(code, segment)?,
            }
        }
    }

    /// What comes behind the frame header: more about colour up to the first scan, and the number of lines behind it.
    fn ahead(&self, mut hints: Hints) -> Ahead<'a> {
        let mut walker = Walker { at: self.at, ..Self::at_start(self.bytes) };
        while let Ok((code, segment)) = walker.marker() {
            hints.read(code, segment);
            if matches!(code, 0xD8..=0xDA) {
                break;
            }
        }
        Ahead { hints, first_scan: walker }
    }

    /// Whether the bytes may end where there is no next marker: not in the middle of a table or a scan header, nor behind
    /// a length that none can be. So does libjpeg.
    fn end(&self) -> Result<(), Refused> {
        let rest = self.rest();
        let Some(ff) = memchr::memchr(0xFF, rest) else { return Ok(()) };
        match rest.get(ff + 1..).unwrap_or_default() {
            [0xC4 | 0xDA | 0xDB, ..] | [_, 0, 0 | 1, ..] => Err(Refused::Damaged),
            _ => Ok(()),
        }
    }

    /// Walks to the next scan header; `None` at the end of the image or of the bytes.
    pub(super) fn scan(&mut self, frame: &Frame) -> Result<Option<Scan>, Refused> {
        loop {
            let Ok((code, segment)) = self.marker() else { return self.end().map(|()| None) };
            match code {
                0xDA => return read_scan(frame, segment).map(Some),
                0xD9 => return Ok(None),
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xD8 => return Err(Refused::Damaged),
                _ => self.define(code, segment)?,
            }
        }
    }
}

/// What is known about a frame besides its header.
pub(in crate::codecs::jpeg) struct Ahead<'a> {
    hints: Hints,
    /// Where the data of the first scan begin.
    first_scan: Walker<'a>,
}

impl Ahead<'_> {
    /// The number of lines that a DNL segment behind the first scan gives (T.81, B.2.5).
    fn lines(mut self) -> Result<u16, Refused> {
        match self.first_scan.marker()? {
            (0xDC, &[high, low]) => Ok(u16::from_be_bytes([high, low])),
            _ => Err(Refused::Kind),
        }
    }
}

pub(in crate::codecs::jpeg) fn read_frame(
    progressive: bool,
    segment: &[u8],
    ahead: Ahead<'_>,
) -> Result<Frame, Refused> {
    let &[depth, h1, h0, w1, w0, count, ref parts @ ..] = segment else { return Err(Refused::Damaged) };
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    if depth != 8 || !matches!(count, 1 | 3 | 4) {
        return Err(Refused::Kind);
    }
    if parts.len() < usize::from(count) * 3 {
        return Err(Refused::Damaged);
    }
    let parts: Vec<_> = parts.chunks_exact(3).take(count.into()).map(|p| (p[0], p[1] >> 4, p[1] & 15, p[2])).collect();
    if parts.iter().any(|&(_, h, v, _)| !(1..=4).contains(&h) || !(1..=4).contains(&v)) {
        return Err(Refused::Damaged);
    }
    let ids: Vec<u8> = parts.iter().map(|p| p.0).collect();
    let colours = ahead.hints.colours(&ids);
    let height = if height == 0 { ahead.lines()? } else { height };
    let size = Size::new(width.into(), height.into()).ok_or(Refused::Kind)?;
    let h_max = u32::from(parts.iter().map(|p| p.1).max().unwrap_or(1));
    let v_max = u32::from(parts.iter().map(|p| p.2).max().unwrap_or(1));
    // A single component is never interleaved: its sampling factors mean nothing.
    let single = parts.len() == 1;
    let (h_max, v_max) = if single { (1, 1) } else { (h_max, v_max) };
    let mcus_across = size.width().div_ceil(8 * h_max) as usize;
    let mcus_down = size.height().div_ceil(8 * v_max) as usize;
    let components = parts
        .iter()
        .map(|&(id, h, v, table)| {
            let (h, v) = if single { (1, 1) } else { (u32::from(h), u32::from(v)) };
            Component {
                id,
                h: h as usize,
                v: v as usize,
                table,
                size: Size::at_least_one((size.width() * h).div_ceil(h_max), (size.height() * v).div_ceil(v_max)),
                mcu_blocks_across: mcus_across * h as usize,
                mcu_blocks_down: mcus_down * v as usize,
            }
        })
        .collect();
    Ok(Frame { progressive, size, colours, components, mcus_across, mcus_down })
}

pub(in crate::codecs::jpeg) fn read_scan(frame: &Frame, segment: &[u8]) -> Result<Scan, Refused> {
    let (&count, rest) = segment.split_first().ok_or(Refused::Damaged)?;
    let count = usize::from(count);
    let (&[first, last, approx], parts) = match rest.get(count * 2..count * 2 + 3) {
        Some(tail) => (<&[u8; 3]>::try_from(tail).map_err(|_| Refused::Damaged)?, &rest[..count * 2]),
        None => return Err(Refused::Damaged),
    };
    let parts = parts
        .chunks_exact(2)
        .map(|p| {
            let index = frame.components.iter().position(|c| c.id == p[0]).ok_or(Refused::Damaged)?;
            Ok((index, p[1] >> 4, p[1] & 15))
        })
        .collect::<Result<Vec<_>, Refused>>()?;
    // Components come in the frame's order (T.81, B.2.3).
    if parts.is_empty() || !parts.is_sorted_by(|a, b| a.0 < b.0) || first > last || last > 63 {
        return Err(Refused::Damaged);
    }
    Ok(Scan { parts, first, last, high: approx >> 4, low: approx & 15 })
}
