//! Sums: resampling of packed samples, planes and coefficients, and blur. Down first, which leaves fewer rows, then
//! across while samples of 8 bits are written.

use std::sync::Arc;

use crate::backend::Planar;
use crate::image::{Coefficients, Outline, Picture, PixelFormat, Planes, Rect, Size};
use crate::ops::{Filter, Sigma};

use super::super::shaders::Shader;
use super::super::tables::Table;
use super::super::uniforms;
use super::{Given, Held, Output, Packed, Place, Pointer, Rows, Slot, Source as Begin, Unfit, Upload, Writer, pitch};

/// A picture or plane of 8-bit samples that sums are made of.
struct Samples<'a> {
    source: Source<'a>,
    /// First pixel and first row of the window in it.
    left: u32,
    top: u32,
    /// Samples a pixel.
    channels: u32,
    /// As `alpha` in `sum.wgsl`.
    alpha: u32,
    /// How many such parts share the input.
    parts: u64,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    /// Bytes, and bytes from row to row.
    Host(&'a [u8], usize),
    /// A plane, or packed samples, still to come: its number, and bytes from row to row.
    Coming(usize, usize),
    /// First word, and words from row to row.
    Device(Place, u32),
}

/// The tables of both axes.
struct Axes {
    across: Arc<Table>,
    down: Arc<Table>,
}

/// Where a channel of sums lies in its slot: sample 0 of row 0, samples from row to row, and from pixel to pixel.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    at: u32,
    pitch: u32,
    step: u32,
}

/// Sums down the columns: their slot, where each plane lies in it, and what sums it across.
type Sums = (Slot, Vec<Lane>, Vec<Arc<Table>>);

/// What the last sums are, as `flags` in `store.wgsl`.
const ALPHA: u32 = 1;
const YCC: u32 = 2;
const NARROW_LUMA: u32 = 4;
const NARROW_CHROMA: u32 = 8;

impl<'a> Writer<'a> {
    pub(super) fn resample(&mut self, held: Held<'a>, to: Size, filter: Filter) -> Result<Held<'a>, Unfit> {
        let size = held.size();
        let across = self.cache.resample(size.width(), to.width(), filter);
        let down = self.cache.resample(size.height(), to.height(), filter);
        if across.identity && down.identity {
            return Ok(held);
        }
        let samples = samples_of(held);
        let format = held.format();
        let axes = Axes { across, down };
        let words = samples.words(&axes);
        let sums = self.slot(4 * u64::from(words) * u64::from(to.height()))?;
        let lane = self.sum_down(&samples, &axes, (sums, 0))?;
        self.next_stage();
        let lanes = by_channel(lane, samples.channels);
        self.store(sums, &lanes, &vec![axes.across; lanes.len()], (to, format), flags_of(format))
    }

    pub(super) fn blur(&mut self, held: Held<'a>, sigma: Sigma) -> Result<Held<'a>, Unfit> {
        let (size, format) = (held.size(), held.format());
        let (width, height) = (size.width(), size.height());
        let (across, up_across) = self.cache.blur(width, sigma);
        let (down, up_down) = self.cache.blur(height, sigma);
        let samples = samples_of(held);
        let channels = samples.channels;
        let axes = Axes { across, down };
        let words = samples.words(&axes);
        let sums = self.slot(4 * u64::from(words) * u64::from(axes.down.len()))?;
        let lane = self.sum_down(&samples, &axes, (sums, 0))?;
        self.next_stage();
        let (Some(up_across), Some(up_down)) = (up_across, up_down) else {
            let lanes = by_channel(lane, channels);
            return self.store(sums, &lanes, &vec![axes.across; lanes.len()], (size, format), flags_of(format));
        };
        // On a coarse grid; then back up, down its columns and across.
        let row = axes.across.len() * channels;
        let grid = self.slot(u64::from(row) * u64::from(axes.down.len()))?;
        let rows = [axes.down.len(), lane.pitch];
        self.sum_floats([Place::Work(sums, lane.at), Place::Work(grid, 0)], &axes.across, (0, channels), row, rows)?;
        self.next_stage();
        let tall = self.slot(u64::from(row) * u64::from(height))?;
        self.sum_floats([Place::Work(grid, 0), Place::Work(tall, 0)], &up_down, (1, channels), row, [height, row])?;
        self.next_stage();
        let lanes = by_channel(Lane { at: 0, pitch: row, step: channels }, channels);
        self.store(tall, &lanes, &vec![up_across; lanes.len()], (size, format), flags_of(format))
    }

    /// Resamples planes, each at its own ratio, and makes RGB (or grey) of the result. `narrow`: see [`Picture::Narrow`].
    pub(super) fn planes(
        &mut self,
        planes: Given<'a, Planes>,
        narrow: bool,
        (window, to): (Rect, Size),
        filter: Filter,
    ) -> Result<Held<'a>, Unfit> {
        let (sums, lanes, tables) = self.plane_sums(planes, window, (to, (1, 1)), filter)?;
        let (format, flags) = of_planes(lanes.len());
        let range = if narrow { NARROW_LUMA | NARROW_CHROMA } else { 0 };
        self.store(sums, &lanes, &tables, (to, format), flags | range)
    }

    /// Resamples a whole picture straight from its coefficients: RGB, or grey where there is one component.
    pub(super) fn coefficients(
        &mut self,
        picture: Given<'a, Coefficients>,
        to: Size,
        filter: Filter,
    ) -> Result<Held<'a>, Unfit> {
        let (sums, lanes, tables) = self.coefficient_sums(picture, (to, (1, 1)), filter)?;
        let (format, flags) = of_planes(lanes.len());
        self.store(sums, &lanes, &tables, (to, format), flags)
    }

    /// A picture that comes in planes or coefficients, and stays in planes; `None` for other pictures, grey ones too.
    pub(super) fn kept_in_planes(&mut self, picture: Begin<'a>, planar: &Planar) -> Result<Option<Output>, Unfit> {
        let Planar { window, to, filter, step, .. } = *planar;
        // As `flags` in `store.wgsl`, of each plane.
        let ranges = match picture {
            Begin::Here(Picture::Narrow(_)) | Begin::Coming(Outline::Narrow(_)) => {
                [NARROW_LUMA, NARROW_CHROMA, NARROW_CHROMA]
            }
            _ => [0; 3],
        };
        let (sums, lanes, tables) = match picture {
            Begin::Here(Picture::Planes(picture) | Picture::Narrow(picture)) if picture.chroma.is_some() => {
                self.plane_sums(Given { picture, coming: false }, window, (to, step), filter)?
            }
            Begin::Coming(Outline::Planes(picture) | Outline::Narrow(picture)) if picture.chroma.is_some() => {
                self.plane_sums(Given { picture, coming: true }, window, (to, step), filter)?
            }
            Begin::Here(Picture::Coefficients(picture)) if is_in_planes(picture, window) => {
                self.coefficient_sums(Given { picture, coming: false }, (to, step), filter)?
            }
            Begin::Coming(Outline::Coefficients(picture)) if is_in_planes(picture, window) => {
                self.coefficient_sums(Given { picture, coming: true }, (to, step), filter)?
            }
            _ => return Ok(None),
        };
        let chroma = Size::at_least_one(to.width().div_ceil(step.0), to.height().div_ceil(step.1));
        let sizes = [to, chroma, chroma];
        let words = sizes.map(|size| u64::from(pitch(size.width(), PixelFormat::Gray8)) * u64::from(size.height()));
        let slot = self.slot(words.iter().sum())?;
        let mut at = 0;
        let mut planes = sizes.map(|size| Packed { place: Place::Work(slot, 0), size, format: PixelFormat::Gray8 });
        for (plane, words) in planes.iter_mut().zip(words) {
            // The slot was found to fit, so its words can be counted in 32 bits.
            plane.place = Place::Work(slot, at as u32);
            at += words;
        }
        for (((plane, lane), table), range) in planes.iter().zip(&lanes).zip(&tables).zip(ranges) {
            self.store_at(*plane, sums, &[*lane], std::slice::from_ref(table), range)?;
        }
        self.next_stage();
        Ok(Some(Output::Planes { size: to, planes }))
    }

    /// The sums down the columns of planes, and where each lies.
    fn plane_sums(
        &mut self,
        Given { picture: planes, coming }: Given<'a, Planes>,
        window: Rect,
        (to, step): (Size, (u32, u32)),
        filter: Filter,
    ) -> Result<Sums, Unfit> {
        if !window.is_inside(planes.size) {
            return Err(Unfit::Impossible);
        }
        let mut parts = Vec::with_capacity(3);
        let mut floats = 0;
        for (number, plane) in planes.each().enumerate() {
            if plane.samples.len() as u64 != if coming { 0 } else { plane.size.area() } {
                return Err(Unfit::Impossible);
            }
            let step = if parts.is_empty() { (1, 1) } else { step };
            let [across, down] = self.cache.plane(planes.size, plane, window, (to, step), filter);
            let pitch = plane.size.width() as usize;
            let source = if coming { Source::Coming(number, pitch) } else { Source::Host(&plane.samples, pitch) };
            let samples = Samples { source, left: 0, top: 0, channels: 1, alpha: 0, parts: 3 };
            let axes = Axes { across, down };
            let begin = floats;
            floats += 4 * u64::from(samples.words(&axes)) * u64::from(axes.down.len());
            parts.push((samples, axes, begin));
        }
        let sums = self.slot(floats)?;
        let mut lanes = Vec::with_capacity(parts.len());
        let mut tables = Vec::with_capacity(parts.len());
        for (samples, axes, begin) in parts {
            // The slot was found to fit, so its samples can be counted in 32 bits.
            lanes.push(self.sum_down(&samples, &axes, (sums, begin as u32))?);
            tables.push(axes.across);
        }
        self.next_stage();
        Ok((sums, lanes, tables))
    }

    /// The samples of each component of coefficients, as sums that need no more than to be stored.
    fn coefficient_sums(
        &mut self,
        Given { picture, coming }: Given<'a, Coefficients>,
        (to, step): (Size, (u32, u32)),
        filter: Filter,
    ) -> Result<Sums, Unfit> {
        if !matches!(picture.components.len(), 1 | 3) {
            return Err(Unfit::Impossible);
        }
        let zigzag = self.cache.zigzag();
        let order = self.table(&zigzag)?;
        let chroma = (to.width().div_ceil(step.0), to.height().div_ceil(step.1));
        let sizes = [(to.width(), to.height()), chroma, chroma];
        let areas = sizes.map(|(width, height)| u64::from(width) * u64::from(height));
        let sums = self.slot(areas.iter().take(picture.components.len()).sum())?;
        let mut at = 0;
        let mut seconds = Vec::with_capacity(3);
        let mut lanes = Vec::with_capacity(3);
        let mut tables = Vec::with_capacity(3);
        for (i, (component, (width, height))) in picture.components.iter().zip(sizes).enumerate() {
            let plane = component.blocks.area();
            let values = plane * u64::from(component.count);
            if component.values.len() as u64 != if coming { 0 } else { values } {
                return Err(Unfit::Impossible);
            }
            let step = if i == 0 { (1, 1) } else { step };
            let [columns, rows] = self.cache.blocks(picture, component, (to, step), filter);
            let blocks = component.blocks.width();
            let frequencies = frequencies(component.count);
            let gathered_width = frequencies.checked_mul(blocks).ok_or(Unfit::TooLarge)?;
            let gathered = self.slot(u64::from(gathered_width) * u64::from(height))?;
            let part = if coming {
                Rows::Blocks { component: i, across: blocks, down: component.blocks.height() }
            } else {
                Rows::Here(bytemuck::cast_slice(&component.values))
            };
            let bytes = usize::try_from(2 * values).map_err(|_| Unfit::TooLarge)?;
            let input = self.upload(part, bytes, bytes, 1)?;
            let first = uniforms::Blocks {
                width: gathered_width,
                height,
                blocks,
                frequencies,
                count: u32::from(component.count),
                plane: plane as u32,
                ..Default::default()
            };
            let places = [self.table(&rows)?, order, Pointer::Nowhere, Pointer::Nowhere];
            let extent = [gathered_width, height];
            self.pass(Shader::BlocksDown, [Place::Input(input), Place::Work(gathered, 0)], places, extent, &first)?;
            seconds.push((gathered, at as u32, columns, uniforms::Blocks { width, ..first }));
            lanes.push(Lane { at: at as u32, pitch: width, step: 1 });
            tables.push(self.cache.identity(width));
            at += areas[i];
        }
        self.next_stage();
        for (gathered, at, columns, second) in seconds {
            let places = [self.table(&columns)?, order, Pointer::Nowhere, Pointer::Nowhere];
            let ends = [Place::Work(gathered, 0), Place::Work(sums, at)];
            self.pass(Shader::BlocksAcross, ends, places, [second.width, second.height], &second)?;
        }
        self.next_stage();
        Ok((sums, lanes, tables))
    }

    /// Sums down the columns, as floats into `dst`, a slot and the first sample in it. Only what the tables read goes
    /// up; what is larger than a buffer goes up in bands of rows, one after the other.
    fn sum_down(&mut self, samples: &Samples<'a>, axes: &Axes, (dst, at): (Slot, u32)) -> Result<Lane, Unfit> {
        let rows = axes.down.len();
        let words = samples.words(axes);
        let places = [self.table(&axes.down)?, Pointer::Nowhere, Pointer::Nowhere, Pointer::Nowhere];
        let (first, _) = axes.across.used(0, axes.across.len());
        let sum = uniforms::Sum { width: words, dst_pitch: 4 * words, alpha: samples.alpha, ..Default::default() };
        let lane = |skipped: u32| Lane {
            // Sample 0 of the window may lie before what was summed; places wrap around.
            at: at.wrapping_add(samples.left * samples.channels).wrapping_sub(skipped),
            pitch: 4 * words,
            step: samples.channels,
        };
        match samples.source {
            Source::Device(place, pitch) => {
                let skipped = (samples.left + first) * samples.channels / 4;
                let place = advanced(place, samples.top.wrapping_mul(pitch).wrapping_add(skipped));
                let sum = uniforms::Sum { height: rows, src_pitch: pitch, ..sum };
                self.pass(Shader::SumWords, [place, Place::Work(dst, at)], places, [words, rows], &sum)?;
                Ok(lane(4 * skipped))
            }
            Source::Host(_, pitch) | Source::Coming(_, pitch) => {
                let (_, end) = axes.across.used(0, axes.across.len());
                let channels = samples.channels as usize;
                let row = (end - first) as usize * channels;
                let column = (samples.left + first) as usize * channels;
                let sum = uniforms::Sum { src_pitch: words, ..sum };
                let mut place = None;
                for (from, to) in self.bands(&axes.down, 4 * u64::from(words), samples.parts)? {
                    let (top, bottom) = axes.down.used(from, to);
                    let rows = (bottom - top) as usize;
                    let begin = (samples.top + top) as usize * pitch + column;
                    let part = match samples.source {
                        Source::Coming(plane, _) => Rows::Coming { plane, top: samples.top + top, left: column as u32 },
                        Source::Host(bytes, _) => {
                            Rows::Here(bytes.get(begin..begin + (rows - 1) * pitch + row).ok_or(Unfit::Impossible)?)
                        }
                        Source::Device(..) => return Err(Unfit::Impossible),
                    };
                    let input = match place {
                        None => self.upload(part, row, pitch, rows)?,
                        Some(input) => {
                            self.next_stage();
                            self.upload_again(part, row, pitch, rows, input)?
                        }
                    };
                    place = Some(input);
                    // The table counts rows from the top of the window.
                    let src = Place::Input(input.wrapping_sub(top.wrapping_mul(words)));
                    let height = to - from;
                    let sum = uniforms::Sum { height, first_row: from, ..sum };
                    let ends = [src, Place::Work(dst, at + from * 4 * words)];
                    self.pass(Shader::SumWords, ends, places, [words, height], &sum)?;
                }
                Ok(lane(column as u32))
            }
        }
    }

    /// Runs of a table's rows whose source rows, of so many bytes, fit into this part's share of the input.
    fn bands(&self, table: &Table, row: u64, parts: u64) -> Result<Vec<(u32, u32)>, Unfit> {
        let room = (self.limits.binding / parts).min(self.limits.binding.saturating_sub(self.input)) / row.max(1);
        let mut bands = Vec::new();
        let mut from = 0;
        while from < table.len() {
            let fits = |to: u32| {
                let (first, end) = table.used(from, to);
                u64::from(end - first) <= room
            };
            if !fits(from + 1) {
                return Err(Unfit::TooLarge);
            }
            // As many as fit.
            let (mut to, mut beyond) = (from + 1, table.len() + 1);
            while beyond - to > 1 {
                let middle = to + (beyond - to) / 2;
                if fits(middle) { to = middle } else { beyond = middle }
            }
            bands.push((from, to));
            from = to;
        }
        Ok(bands)
    }

    /// Adds rows that go up before the current stage, to where others were before.
    fn upload_again(
        &mut self,
        bytes: Rows<'a>,
        row: usize,
        pitch: usize,
        rows: usize,
        input: u32,
    ) -> Result<u32, Unfit> {
        let upload = Upload { bytes, row, pitch, rows, staging: self.staging, input, stage: self.stage };
        self.staging += upload.len();
        self.input = self.input.max(4 * u64::from(input) + upload.len());
        self.fits()?;
        self.uploads.push(upload);
        Ok(input)
    }

    /// Sums over floats along `axis` (0 across, 1 down) into rows of `width` samples. `rows`: their number, and samples
    /// from row to row of the source.
    fn sum_floats(
        &mut self,
        ends: [Place; 2],
        table: &Arc<Table>,
        (axis, channels): (u32, u32),
        width: u32,
        [height, src_pitch]: [u32; 2],
    ) -> Result<(), Unfit> {
        let places = [self.table(table)?, Pointer::Nowhere, Pointer::Nowhere, Pointer::Nowhere];
        let sum = uniforms::Sum { width, height, src_pitch, dst_pitch: width, axis, channels, ..Default::default() };
        self.pass(Shader::SumFloats, ends, places, [width, height], &sum)
    }

    /// The last axis of sums, and samples of 8 bits.
    fn store(
        &mut self,
        sums: Slot,
        lanes: &[Lane],
        tables: &[Arc<Table>],
        (to, format): (Size, PixelFormat),
        flags: u32,
    ) -> Result<Held<'a>, Unfit> {
        let out = self.packed(to, format)?;
        self.store_at(out, sums, lanes, tables, flags)?;
        self.next_stage();
        Ok(Held::Device(out))
    }

    /// As [`Self::store`], into a place that there is, in the current stage.
    fn store_at(
        &mut self,
        out: Packed,
        sums: Slot,
        lanes: &[Lane],
        tables: &[Arc<Table>],
        flags: u32,
    ) -> Result<(), Unfit> {
        let (width, height) = (out.size.width(), out.size.height());
        let mut store = uniforms::Store {
            width,
            height,
            dst_pitch: out.pitch(),
            channels: out.format.channels() as u32,
            flags,
            xx: 1,
            yy: 1,
            ..Default::default()
        };
        let mut places = [Pointer::Nowhere; 4];
        for (c, (lane, table)) in lanes.iter().zip(tables).enumerate().take(4) {
            (store.at[c], store.pitch[c], store.step[c]) = (lane.at, lane.pitch, lane.step);
            places[c] = self.table(table)?;
        }
        self.pass(Shader::StoreBytes, [Place::Work(sums, 0), out.place], places, [out.pitch(), height], &store)
    }
}

impl Samples<'_> {
    /// Words of a row that the table across reads.
    fn words(&self, axes: &Axes) -> u32 {
        let (first, end) = axes.across.used(0, axes.across.len());
        let (begin, end) = ((self.left + first) * self.channels, (self.left + end) * self.channels);
        match self.source {
            Source::Host(..) | Source::Coming(..) => (end - begin).div_ceil(4),
            Source::Device(..) => end.div_ceil(4) - begin / 4,
        }
    }
}

fn samples_of(held: Held<'_>) -> Samples<'_> {
    let format = held.format();
    let channels = format.channels() as u32;
    let alpha = match (format.has_alpha(), channels) {
        (true, 4) => 1,
        (true, _) => 2,
        (false, _) => 0,
    };
    let (source, left, top) = match held {
        Held::Host(unsent, window) => {
            let pitch = unsent.pitch();
            let source = unsent.pixels.map_or(Source::Coming(0, pitch), |pixels| Source::Host(pixels, pitch));
            (source, window.left, window.top)
        }
        Held::Device(packed) => (Source::Device(packed.place, packed.pitch()), 0, 0),
    };
    Samples { source, left, top, channels, alpha, parts: 1 }
}

/// Whether coefficients can stay planes: all of a picture that has colour.
fn is_in_planes(picture: &Coefficients, window: Rect) -> bool {
    window == Rect::whole(picture.size) && picture.components.len() == 3
}

/// `words` further.
const fn advanced(place: Place, words: u32) -> Place {
    match place {
        Place::Input(at) => Place::Input(at.wrapping_add(words)),
        Place::Work(slot, at) => Place::Work(slot, at.wrapping_add(words)),
    }
}

/// Lanes of interleaved samples: each channel is one sample further.
fn by_channel(lane: Lane, channels: u32) -> Vec<Lane> {
    (0..channels).map(|c| Lane { at: lane.at.wrapping_add(c), ..lane }).collect()
}

const fn flags_of(format: PixelFormat) -> u32 {
    if format.has_alpha() { ALPHA } else { 0 }
}

/// The picture that so many planes make.
const fn of_planes(count: usize) -> (PixelFormat, u32) {
    if count == 1 { (PixelFormat::Gray8, 0) } else { (PixelFormat::Rgb8, YCC) }
}

/// Frequencies on each axis of a triangle of `count` coefficients.
fn frequencies(count: u8) -> u32 {
    (1..8).find(|k| k * (k + 1) / 2 >= u32::from(count)).unwrap_or(8)
}
