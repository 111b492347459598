//! Markers up to and between the scans. ITU-T T.81, annex B.

use std::collections::HashMap;

use crate::image::Size;

use super::Refused;
use super::huffman::{Definition, Table};

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
    pub(in crate::codecs::jpeg) components: Vec<Component>,
    pub(in crate::codecs::jpeg) mcus_across: usize,
    pub(in crate::codecs::jpeg) mcus_down: usize,
}

/// The kept coefficients of one component, not yet dequantised: `count` planes of `blocks_across × blocks_down`, or one
/// block of 64 after the other.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) blocks_across: usize,
    pub(super) blocks_down: usize,
    pub(super) count: usize,
    /// Block after block.
    pub(super) whole: bool,
    pub(super) values: Vec<i16>,
}

impl Grid {
    pub(super) fn new(component: &Component, count: u8) -> Self {
        let (blocks_across, blocks_down) = (component.mcu_blocks_across, component.mcu_blocks_down);
        let count = usize::from(count);
        Self { blocks_across, blocks_down, count, whole: false, values: vec![0; blocks_across * blocks_down * count] }
    }

    /// For all coefficients, block after block.
    pub(super) fn whole(component: &Component) -> Self {
        Self { whole: true, ..Self::new(component, 64) }
    }

    /// Where coefficient `k` of a block is.
    #[inline(always)]
    pub(super) const fn at(&self, k: usize, block: usize) -> usize {
        if self.whole { 64 * block + k } else { k * self.blocks_across * self.blocks_down + block }
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
        Ok(Self {
            bytes,
            at: 2,
            quantisation: [None; 4],
            dc: [const { None }; 4],
            ac: [const { None }; 4],
            restart_interval: 0,
            cache: HashMap::new(),
        })
    }

    pub(super) fn quantisation(&self, table: u8) -> Option<&[u16; 64]> {
        self.quantisation.get(usize::from(table))?.as_ref()
    }

    pub(super) fn dc_table(&self, table: u8) -> Result<Table, Refused> {
        let definition = self.dc.get(usize::from(table)).and_then(Option::as_ref).ok_or(Refused::Damaged)?;
        Ok(Table::new(definition))
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

    /// The next marker and its segment (empty for markers without one). Restart markers and junk between segments are
    /// passed over.
    fn marker(&mut self) -> Result<(u8, &'a [u8]), Refused> {
        loop {
            let rest = self.rest();
            let ff = rest.iter().position(|&b| b == 0xFF).ok_or(Refused::Damaged)?;
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
            // Adobe: transform 0 with three components is RGB.
            0xEE if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => Err(Refused::Kind),
            // Arithmetic conditioning, number of lines, hierarchical.
            0xCC | 0xDC | 0xDE | 0xDF => Err(Refused::Kind),
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

    /// Walks to the frame header.
    pub(super) fn frame(&mut self) -> Result<Frame, Refused> {
        loop {
            let (code, segment) = self.marker()?;
            match code {
                0xC0..=0xC2 => return read_frame(code == 0xC2, segment),
                0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => return Err(Refused::Kind),
                0xD8..=0xDA => return Err(Refused::Damaged),
                _ => self.define(code, segment)?,
            }
        }
    }

    /// Walks to the next scan header; `None` at the end of the image or of the bytes.
    pub(super) fn scan(&mut self, frame: &Frame) -> Result<Option<Scan>, Refused> {
        loop {
            let Ok((code, segment)) = self.marker() else { return Ok(None) };
            match code {
                0xDA => return read_scan(frame, segment).map(Some),
                0xD9 => return Ok(None),
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xD8 => return Err(Refused::Damaged),
                _ => self.define(code, segment)?,
            }
        }
    }
}

pub(in crate::codecs::jpeg) fn read_frame(progressive: bool, segment: &[u8]) -> Result<Frame, Refused> {
    let &[depth, h1, h0, w1, w0, count, ref parts @ ..] = segment else { return Err(Refused::Damaged) };
    let (width, height) = (u16::from_be_bytes([w1, w0]), u16::from_be_bytes([h1, h0]));
    if depth != 8 || !matches!(count, 1 | 3) {
        return Err(Refused::Kind);
    }
    // A height of zero is given later by DNL.
    let size = Size::new(width.into(), height.into()).ok_or(Refused::Kind)?;
    if parts.len() < usize::from(count) * 3 {
        return Err(Refused::Damaged);
    }
    let parts: Vec<_> = parts.chunks_exact(3).take(count.into()).map(|p| (p[0], p[1] >> 4, p[1] & 15, p[2])).collect();
    if parts.iter().any(|&(_, h, v, _)| !(1..=4).contains(&h) || !(1..=4).contains(&v)) {
        return Err(Refused::Damaged);
    }
    // Components named R, G, B are not YCbCr.
    if parts.iter().map(|p| p.0).eq(*b"RGB") {
        return Err(Refused::Kind);
    }
    let h_max = u32::from(parts.iter().map(|p| p.1).max().unwrap_or(1));
    let v_max = u32::from(parts.iter().map(|p| p.2).max().unwrap_or(1));
    // Luma must carry the full resolution, as the resampler assumes.
    if u32::from(parts[0].1) != h_max || u32::from(parts[0].2) != v_max {
        return Err(Refused::Kind);
    }
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
    Ok(Frame { progressive, size, components, mcus_across, mcus_down })
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
    if parts.is_empty() || first > last || last > 63 {
        return Err(Refused::Damaged);
    }
    Ok(Scan { parts, first, last, high: approx >> 4, low: approx & 15 })
}
