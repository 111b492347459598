//! Steps → passes: what is uploaded, which shaders run over which places, and what comes back. No device is needed to
//! write a recipe; whether it can be written and fits is whether the backend supports a plan.

mod arrange;
mod resample;

use std::sync::Arc;

use crate::backend::{order, planar};
use crate::image::{Coefficients, Form, ImageBuf, Outline, Picture, PixelFormat, Planes, Rect, Size};
use crate::ops::{Filter, Step};

use super::shaders::{Shader, workgroups};
use super::tables::{Table, TableCache};
use super::uniforms::{Params, WORDS};

/// What a device takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one buffer as a shader sees it.
    pub(super) binding: u64,
    /// Bytes of everything that a job keeps on the device and in staging memory.
    pub(super) job: u64,
}

/// Bytes of all tables of a job.
pub(super) const TABLE_BYTES: u64 = 16 << 20;

/// Why there is no recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("a step that the GPU does not do")]
    Step,
    #[error("nothing to do")]
    Nothing,
    #[error("a window outside the picture, planes that lack samples, or an overlay that is not there")]
    Impossible,
    #[error("too large for a buffer of the device")]
    TooLarge,
}

/// A part of a recipe's memory on the device.
pub(super) type Slot = usize;

/// Where something lies, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In what was uploaded.
    Input(u32),
    /// In a slot.
    Work(Slot, u32),
}

/// What a word of a job's parameters points to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Pointer {
    #[default]
    Nowhere,
    /// A table, by its place in the recipe's list.
    Table(usize),
    /// A word of what was uploaded.
    Input(u32),
}

/// A shader over one picture.
#[derive(Debug)]
pub(super) struct Pass {
    /// Passes of one stage do not depend on each other.
    pub(super) stage: u32,
    pub(super) shader: Shader,
    pub(super) src: Place,
    pub(super) dst: Place,
    pub(super) places: [Pointer; 4],
    /// The header is filled in when the batch is laid out.
    pub(super) params: [u32; WORDS],
    /// Workgroups in a row, and in all.
    pub(super) tiles: u32,
    pub(super) groups: u32,
}

/// What a GPU begins with.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// A picture.
    Here(&'a Picture),
    /// A picture without samples: a decoder will hand them over.
    Coming(&'a Outline),
}

impl<'a> From<&'a Picture> for Source<'a> {
    fn from(picture: &'a Picture) -> Self {
        Self::Here(picture)
    }
}

impl Source<'_> {
    const fn size(&self) -> Size {
        match self {
            Self::Here(picture) => picture.size(),
            Self::Coming(outline) => outline.size(),
        }
    }
}

/// Planes or coefficients, and whether their samples are still to come.
#[derive(Debug, Clone, Copy)]
struct Given<'a, T> {
    picture: &'a T,
    coming: bool,
}

/// Packed samples that were not uploaded yet.
#[derive(Debug, Clone, Copy)]
struct Unsent<'a> {
    size: Size,
    format: PixelFormat,
    /// `None`: still to come.
    pixels: Option<&'a [u8]>,
}

impl<'a> From<&'a ImageBuf> for Unsent<'a> {
    fn from(buf: &'a ImageBuf) -> Self {
        Self { size: buf.size(), format: buf.format(), pixels: Some(buf.pixels()) }
    }
}

impl Unsent<'_> {
    /// Bytes from row to row.
    const fn pitch(&self) -> usize {
        self.size.width() as usize * self.format.channels()
    }
}

/// Where rows are before they go up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rows<'a> {
    /// From the first byte of the first row to the last of the last.
    Here(&'a [u8]),
    /// Part of a plane that is still to come: its number, its first row, and its first byte in each row.
    Coming { plane: usize, top: u32, left: u32 },
    /// All coefficients of a component that is still to come, without gaps: its number, and blocks across and down.
    Blocks { component: usize, across: u32, down: u32 },
}

/// Rows of bytes that go up; in staging memory and on the device rows begin at whole words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upload<'a> {
    pub(super) bytes: Rows<'a>,
    /// Bytes of a row that go up, and from row to row.
    pub(super) row: usize,
    pub(super) pitch: usize,
    pub(super) rows: usize,
    /// Where it goes to: byte of the staging memory, word of the input.
    pub(super) staging: u64,
    pub(super) input: u32,
    /// The stage before which it must be there.
    pub(super) stage: u32,
}

impl Rows<'_> {
    fn are_those(self, other: Self) -> bool {
        match (self, other) {
            (Self::Here(one), Self::Here(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }
}

impl Upload<'_> {
    /// Bytes on the device.
    pub(super) const fn len(&self) -> u64 {
        (self.row.next_multiple_of(4) * self.rows) as u64
    }
}

/// A picture and what is done to it, ready to be staged.
#[derive(Debug)]
pub(super) struct Recipe<'a> {
    pub(super) uploads: Vec<Upload<'a>>,
    /// Bytes of staging memory, and of the input on the device; the latter are fewer where parts follow each other in
    /// the same place.
    pub(super) staging: u64,
    pub(super) input: u64,
    /// Bytes of each slot, a multiple of 4.
    pub(super) slots: Vec<u64>,
    pub(super) tables: Vec<Arc<Table>>,
    pub(super) passes: Vec<Pass>,
    /// The picture that comes out; it fills its slot.
    pub(super) output: Output,
}

/// What comes out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Output {
    Packed(Packed),
    /// Y, Cb and Cr of a picture of this size, one after the other in one slot, each a grey picture of its own.
    Planes {
        size: Size,
        planes: [Packed; 3],
    },
}

impl Output {
    /// Where it begins.
    pub(super) const fn place(&self) -> Place {
        match self {
            Self::Packed(packed) => packed.place,
            Self::Planes { planes: [luma, ..], .. } => luma.place,
        }
    }
}

/// A packed picture on the device, rows padded to whole words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed {
    pub(super) place: Place,
    pub(super) size: Size,
    pub(super) format: PixelFormat,
}

impl Packed {
    /// Words of a row.
    pub(super) const fn pitch(&self) -> u32 {
        pitch(self.size.width(), self.format)
    }
}

/// Words of a row.
const fn pitch(width: u32, format: PixelFormat) -> u32 {
    // No picture has rows of gigabytes: its bytes were counted before.
    (width as u64 * format.channels() as u64).div_ceil(4) as u32
}

/// A picture between two steps.
#[derive(Debug, Clone, Copy)]
enum Held<'a> {
    /// A window of a picture that was not uploaded yet.
    Host(Unsent<'a>, Rect),
    Device(Packed),
}

impl Held<'_> {
    const fn size(&self) -> Size {
        match self {
            Self::Host(_, window) => window.size,
            Self::Device(packed) => packed.size,
        }
    }

    const fn format(&self) -> PixelFormat {
        match self {
            Self::Host(unsent, _) => unsent.format,
            Self::Device(packed) => packed.format,
        }
    }
}

impl<'a> Recipe<'a> {
    /// Writes the recipe.
    ///
    /// # Errors
    /// See [`Unfit`].
    pub(super) fn new(
        picture: impl Into<Source<'a>>,
        overlays: &'a [ImageBuf],
        (steps, form): (&[Step], Form),
        limits: &Limits,
        cache: &'a TableCache,
    ) -> Result<Self, Unfit> {
        let picture = picture.into();
        let steps = order::cheaper(steps, picture.size());
        let mut writer = Writer::new(*limits, overlays, cache);
        if let Some(planar) = planar(picture.size(), &steps, form).filter(|planar| planar.turn.is_upright())
            && let Some(output) = writer.kept_in_planes(picture, &planar)?
        {
            return Ok(writer.finished(output));
        }
        let (mut held, mut rest) = writer.begin(picture, &steps)?;
        loop {
            (held, rest) = match rest {
                [] => break,
                // The resampling reads the window where it lies.
                [Step::Crop(window), Step::Resample { to, filter }, rest @ ..] => {
                    let held = writer.crop(held, *window)?;
                    (writer.resample(held, *to, *filter)?, rest)
                }
                [step, rest @ ..] => (writer.step(held, step)?, rest),
            };
        }
        let Held::Device(output) = held else { return Err(Unfit::Nothing) };
        let Place::Work(..) = output.place else { return Err(Unfit::Nothing) };
        Ok(writer.finished(Output::Packed(output)))
    }
}

struct Writer<'a> {
    limits: Limits,
    overlays: &'a [ImageBuf],
    cache: &'a TableCache,
    uploads: Vec<Upload<'a>>,
    staging: u64,
    input: u64,
    slots: Vec<u64>,
    work: u64,
    tables: Vec<Arc<Table>>,
    table_bytes: u64,
    passes: Vec<Pass>,
    stage: u32,
}

impl<'a> Writer<'a> {
    fn new(limits: Limits, overlays: &'a [ImageBuf], cache: &'a TableCache) -> Self {
        // Places are 32-bit numbers of bytes or words, with room for those of threads past the end.
        let limits = Limits { binding: limits.binding.min(1 << 31), ..limits };
        Self {
            limits,
            overlays,
            cache,
            uploads: Vec::new(),
            staging: 0,
            input: 0,
            slots: Vec::new(),
            work: 0,
            tables: Vec::new(),
            table_bytes: 0,
            passes: Vec::new(),
            stage: 0,
        }
    }

    fn finished(self, output: Output) -> Recipe<'a> {
        let Self { uploads, staging, input, slots, tables, passes, .. } = self;
        Recipe { uploads, staging, input, slots, tables, passes, output }
    }

    fn fits(&self) -> Result<(), Unfit> {
        let Limits { binding, job } = self.limits;
        let all = self.staging.saturating_add(self.input).saturating_add(self.work);
        let fits =
            self.input <= binding && self.work <= binding && all <= job && self.table_bytes <= TABLE_BYTES.min(binding);
        if fits { Ok(()) } else { Err(Unfit::TooLarge) }
    }

    /// Memory of `words` words.
    fn slot(&mut self, words: u64) -> Result<Slot, Unfit> {
        let bytes = words.max(1).saturating_mul(4);
        self.work = self.work.saturating_add(bytes);
        self.fits()?;
        self.slots.push(bytes);
        Ok(self.slots.len() - 1)
    }

    fn packed(&mut self, size: Size, format: PixelFormat) -> Result<Packed, Unfit> {
        let words = u64::from(pitch(size.width(), format)) * u64::from(size.height());
        Ok(Packed { place: Place::Work(self.slot(words)?, 0), size, format })
    }

    fn table(&mut self, table: &Arc<Table>) -> Result<Pointer, Unfit> {
        if let Some(at) = self.tables.iter().position(|known| known.id == table.id) {
            return Ok(Pointer::Table(at));
        }
        self.table_bytes += 4 * table.words.len() as u64;
        self.fits()?;
        self.tables.push(Arc::clone(table));
        Ok(Pointer::Table(self.tables.len() - 1))
    }

    /// Adds rows of bytes to what goes up before the first stage; answers their first word.
    fn upload(&mut self, bytes: Rows<'a>, row: usize, pitch: usize, rows: usize) -> Result<u32, Unfit> {
        // The same rows twice (an overlay used twice) go up once.
        let known = self
            .uploads
            .iter()
            .find(|up| up.bytes.are_those(bytes) && (up.row, up.pitch, up.rows, up.stage) == (row, pitch, rows, 0));
        if let Some(known) = known {
            return Ok(known.input);
        }
        let upload =
            Upload { bytes, row, pitch, rows, staging: self.staging, input: (self.input / 4) as u32, stage: 0 };
        self.staging += upload.len();
        self.input += upload.len();
        self.fits()?;
        self.uploads.push(upload);
        Ok(upload.input)
    }

    /// Adds the whole window of a picture.
    fn upload_window(&mut self, unsent: Unsent<'a>, window: Rect) -> Result<u32, Unfit> {
        let channels = unsent.format.channels();
        let (pitch, row) = (unsent.pitch(), window.size.width() as usize * channels);
        let (left, rows) = (window.left as usize * channels, window.size.height() as usize);
        let part = match unsent.pixels {
            Some(pixels) => {
                // From the first byte of the window to its last.
                let first = window.top as usize * pitch + left;
                Rows::Here(pixels.get(first..first + (rows - 1) * pitch + row).unwrap_or(&[]))
            }
            None => Rows::Coming { plane: 0, top: window.top, left: left as u32 },
        };
        self.upload(part, row, pitch, rows)
    }

    /// The picture on the device.
    fn on_device(&mut self, held: Held<'a>) -> Result<Packed, Unfit> {
        match held {
            Held::Device(packed) => Ok(packed),
            Held::Host(unsent, window) => {
                let place = Place::Input(self.upload_window(unsent, window)?);
                Ok(Packed { place, size: window.size, format: unsent.format })
            }
        }
    }

    /// A pass over `across` × `down` threads, in the current stage.
    fn pass(
        &mut self,
        shader: Shader,
        [src, dst]: [Place; 2],
        places: [Pointer; 4],
        [across, down]: [u32; 2],
        params: &impl Params,
    ) -> Result<(), Unfit> {
        let (tiles, groups) = workgroups(across, down);
        // A batch's workgroups are counted in 32 bits.
        let groups = u32::try_from(groups).ok().filter(|&groups| groups < 1 << 24).ok_or(Unfit::TooLarge)?;
        self.passes.push(Pass { stage: self.stage, shader, src, dst, places, params: params.words(), tiles, groups });
        Ok(())
    }

    /// What follows needs what was written so far.
    const fn next_stage(&mut self) {
        self.stage += 1;
    }

    /// Packed samples of any form of a picture, and the steps that are left.
    fn begin<'s>(&mut self, picture: Source<'a>, steps: &'s [Step]) -> Result<(Held<'a>, &'s [Step]), Unfit> {
        let whole = |unsent: Unsent<'a>| Held::Host(unsent, Rect::whole(unsent.size));
        match picture {
            Source::Here(Picture::Packed(buf)) => Ok((whole(buf.into()), steps)),
            Source::Coming(&Outline::Packed { size, format }) => {
                Ok((whole(Unsent { size, format, pixels: None }), steps))
            }
            Source::Here(Picture::Planes(picture)) => {
                self.begin_in_planes(Given { picture, coming: false }, false, steps)
            }
            Source::Here(Picture::Narrow(picture)) => {
                self.begin_in_planes(Given { picture, coming: false }, true, steps)
            }
            Source::Coming(Outline::Planes(picture)) => {
                self.begin_in_planes(Given { picture, coming: true }, false, steps)
            }
            Source::Coming(Outline::Narrow(picture)) => {
                self.begin_in_planes(Given { picture, coming: true }, true, steps)
            }
            Source::Here(Picture::Coefficients(picture)) => {
                self.begin_in_blocks(Given { picture, coming: false }, steps)
            }
            Source::Coming(Outline::Coefficients(picture)) => {
                self.begin_in_blocks(Given { picture, coming: true }, steps)
            }
        }
    }

    fn begin_in_blocks<'s>(
        &mut self,
        picture: Given<'a, Coefficients>,
        steps: &'s [Step],
    ) -> Result<(Held<'a>, &'s [Step]), Unfit> {
        let [Step::Resample { to, filter }, rest @ ..] = steps else { return Err(Unfit::Step) };
        Ok((self.coefficients(picture, *to, *filter)?, rest))
    }

    fn begin_in_planes<'s>(
        &mut self,
        planes: Given<'a, Planes>,
        narrow: bool,
        steps: &'s [Step],
    ) -> Result<(Held<'a>, &'s [Step]), Unfit> {
        let size = planes.picture.size;
        match steps {
            [Step::Resample { to, filter }, rest @ ..] => {
                Ok((self.planes(planes, narrow, (Rect::whole(size), *to), *filter)?, rest))
            }
            [Step::Crop(window), Step::Resample { to, filter }, rest @ ..] => {
                Ok((self.planes(planes, narrow, (*window, *to), *filter)?, rest))
            }
            // At the luma's own size every filter here is the identity.
            _ => Ok((self.planes(planes, narrow, (Rect::whole(size), size), Filter::Triangle)?, steps)),
        }
    }

    fn step(&mut self, held: Held<'a>, step: &Step) -> Result<Held<'a>, Unfit> {
        match step {
            Step::Orient(orientation) => self.orient(held, *orientation),
            Step::Crop(window) => self.crop(held, *window),
            Step::Zoom { factor, window } => self.zoom(held, *factor, *window),
            Step::Resample { to, filter } => self.resample(held, *to, *filter),
            Step::Embed { into, at, border } => self.embed(held, *into, *at, *border),
            Step::Blur(sigma) => self.blur(held, *sigma),
            Step::Composite { overlay, placement, opacity } => self.composite(held, *overlay, *placement, *opacity),
            Step::Flatten(over) => self.flatten(held, *over),
            Step::Gray => self.gray(held),
            // Its window is known only when the pixels were looked at.
            Step::SmartCrop { .. } => Err(Unfit::Step),
        }
    }
}

#[cfg(test)]
mod tests;
