//! Steps → passes: what is uploaded, which shaders run over which buffers, and what comes back. No device is needed to
//! write a recipe; whether it can be written and fits is whether the backend supports a plan.

use crate::backend::order;
use crate::image::{Coefficients, ImageBuf, Orientation, Picture, PixelFormat, Planes, Rect, Rgb8, Size};
use crate::ops::{BlurWeights, Filter, Sigma, Step, WeightTable, component_weights, plane_weights};

use super::shaders::Shader;
use super::tables::{Tables, used};
use super::uniforms;

/// What a device takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes of one buffer as a shader sees it.
    pub(super) binding: u64,
    /// Bytes of all buffers of a job.
    pub(super) job: u64,
    /// Workgroups on an axis of a dispatch.
    pub(super) workgroups: u64,
}

/// Why there is no recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("a step that the GPU does not do")]
    Step,
    #[error("nothing to do")]
    Nothing,
    #[error("a window outside the picture, or planes that lack samples")]
    Impossible,
    #[error("too large for a buffer of the device")]
    TooLarge,
}

/// A buffer of a recipe.
pub(super) type Slot = usize;

/// The buffer that the input is uploaded to.
pub(super) const INPUT: Slot = 0;

/// The parameters of a pass.
#[derive(Debug, Clone, Copy)]
pub(super) enum Params {
    Resample(uniforms::Resample),
    Blocks(uniforms::Blocks),
    Move(uniforms::Move),
    Colour(uniforms::Colour),
}

impl Params {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Resample(p) => bytemuck::bytes_of(p),
            Self::Blocks(p) => bytemuck::bytes_of(p),
            Self::Move(p) => bytemuck::bytes_of(p),
            Self::Colour(p) => bytemuck::bytes_of(p),
        }
    }
}

/// One dispatch.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) shader: Shader,
    pub(super) src: Slot,
    pub(super) dst: Slot,
    pub(super) params: Params,
    pub(super) workgroups: [u32; 2],
}

/// A picture and what is done to it, ready to be recorded.
#[derive(Debug)]
pub(super) struct Recipe<'a> {
    /// Parts of the input and where they begin, in bytes, a multiple of 4.
    pub(super) input: Vec<(u64, &'a [u8])>,
    /// Bytes of each buffer, a multiple of 4.
    pub(super) buffers: Vec<u64>,
    pub(super) tables: Tables,
    pub(super) passes: Vec<Pass>,
    /// The picture that comes out.
    pub(super) output: Packed,
}

/// A packed picture on the device.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed {
    pub(super) slot: Slot,
    pub(super) size: Size,
    pub(super) format: PixelFormat,
}

impl<'a> Recipe<'a> {
    /// Writes the recipe.
    ///
    /// # Errors
    /// See [`Unfit`].
    pub(super) fn new(picture: &'a Picture, steps: &[Step], limits: &Limits) -> Result<Self, Unfit> {
        let steps = order::cheaper(steps, picture.size());
        let mut writer = Writer::new(*limits);
        let (mut held, mut rest) = writer.begin(picture, &steps)?;
        loop {
            (held, rest) = match rest {
                [] => break,
                // The resampling reads the window where it lies.
                [Step::Crop(window), Step::Resample { to, filter }, rest @ ..] => {
                    (writer.resample(held, *window, *to, *filter)?, rest)
                }
                [step, rest @ ..] => (writer.step(held, step)?, rest),
            };
        }
        if writer.passes.is_empty() {
            return Err(Unfit::Nothing);
        }
        let Writer { input, buffers, tables, passes, .. } = writer;
        Ok(Self { input, buffers, tables, passes, output: held })
    }
}

/// Samples on the device, of 8 bits or of 32: sample `c` of pixel (x, y) lies at `at + y × pitch + x × step + c`.
#[derive(Debug, Clone, Copy)]
struct Samples {
    slot: Slot,
    shader: Shader,
    at: u32,
    pitch: u32,
    step: u32,
    channels: u32,
    alpha: bool,
}

/// An axis along which is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Across = 0,
    Down = 1,
}

struct Writer<'a> {
    limits: Limits,
    bytes: u64,
    input: Vec<(u64, &'a [u8])>,
    buffers: Vec<u64>,
    tables: Tables,
    passes: Vec<Pass>,
}

impl<'a> Writer<'a> {
    fn new(limits: Limits) -> Self {
        // Places in buffers are 32-bit numbers, with room for those of threads past the end.
        let limits = Limits { binding: limits.binding.min(1 << 31), ..limits };
        Self { limits, bytes: 0, input: Vec::new(), buffers: vec![0], tables: Tables::default(), passes: Vec::new() }
    }

    /// Counts bytes of a buffer.
    fn charge(&mut self, bytes: u64) -> Result<u64, Unfit> {
        let bytes = bytes.checked_next_multiple_of(4).ok_or(Unfit::TooLarge)?;
        self.bytes = self.bytes.saturating_add(bytes);
        if bytes > self.limits.binding || self.bytes > self.limits.job { Err(Unfit::TooLarge) } else { Ok(bytes) }
    }

    fn buffer(&mut self, bytes: u64) -> Result<Slot, Unfit> {
        let bytes = self.charge(bytes)?;
        self.buffers.push(bytes);
        Ok(self.buffers.len() - 1)
    }

    /// A buffer of 32-bit samples.
    fn floats(&mut self, samples: u64) -> Result<Slot, Unfit> {
        self.buffer(samples.saturating_mul(4))
    }

    fn packed(&mut self, size: Size, format: PixelFormat) -> Result<Packed, Unfit> {
        Ok(Packed { slot: self.buffer(ImageBuf::byte_len(size, format))?, size, format })
    }

    /// Adds a part of the input; answers where it begins, in bytes.
    fn upload(&mut self, part: &'a [u8]) -> Result<u32, Unfit> {
        let at = self.buffers[INPUT];
        self.charge(part.len() as u64)?;
        let end = (at + part.len() as u64).next_multiple_of(4);
        if end > self.limits.binding {
            return Err(Unfit::TooLarge);
        }
        self.buffers[INPUT] = end;
        self.input.push((at, part));
        Ok(at as u32)
    }

    /// `extent`: width, height and channels of the result.
    fn pass(&mut self, shader: Shader, slots: [Slot; 2], extent: [u32; 3], params: Params) -> Result<(), Unfit> {
        let [width, height, channels] = extent;
        let workgroups = shader.workgroups(width, height, channels);
        if workgroups.iter().any(|&n| n > self.limits.workgroups) {
            return Err(Unfit::TooLarge);
        }
        let [src, dst] = slots;
        self.passes.push(Pass { shader, src, dst, params, workgroups: workgroups.map(|n| n as u32) });
        Ok(())
    }

    /// Packed samples of any form of a picture, and the steps that are left.
    fn begin<'s>(&mut self, picture: &'a Picture, steps: &'s [Step]) -> Result<(Packed, &'s [Step]), Unfit> {
        match (picture, steps) {
            (Picture::Packed(buf), _) => {
                self.upload(buf.pixels())?;
                Ok((Packed { slot: INPUT, size: buf.size(), format: buf.format() }, steps))
            }
            (Picture::Planes(planes), [Step::Resample { to, filter }, rest @ ..]) => {
                Ok((self.planes(planes, Rect::whole(planes.size), *to, *filter)?, rest))
            }
            (Picture::Planes(planes), [Step::Crop(window), Step::Resample { to, filter }, rest @ ..]) => {
                Ok((self.planes(planes, *window, *to, *filter)?, rest))
            }
            // At the luma's own size every filter here is the identity.
            (Picture::Planes(planes), _) => {
                Ok((self.planes(planes, Rect::whole(planes.size), planes.size, Filter::Triangle)?, steps))
            }
            (Picture::Coefficients(coefficients), [Step::Resample { to, filter }, rest @ ..]) => {
                Ok((self.coefficients(coefficients, *to, *filter)?, rest))
            }
            (Picture::Coefficients(_), _) => Err(Unfit::Step),
        }
    }

    fn step(&mut self, held: Packed, step: &Step) -> Result<Packed, Unfit> {
        match step {
            Step::Orient(orientation) => self.orient(held, *orientation),
            Step::Crop(window) => self.crop(held, *window),
            Step::Resample { to, filter } => self.resample(held, Rect::whole(held.size), *to, *filter),
            Step::Blur(sigma) => self.blur(held, *sigma),
            Step::Flatten(over) => self.flatten(held, *over),
            Step::Gray => self.gray(held),
            Step::Zoom { .. } | Step::Embed { .. } | Step::SmartCrop { .. } | Step::Composite { .. } => {
                Err(Unfit::Step)
            }
        }
    }

    fn orient(&mut self, held: Packed, orientation: Orientation) -> Result<Packed, Unfit> {
        if orientation.is_upright() {
            return Ok(held);
        }
        let size = orientation.output_size(held.size);
        let from = |x: u32, y: u32| {
            let (x, y) = orientation.source_of(x.min(size.width() - 1), y.min(size.height() - 1), held.size);
            y.wrapping_mul(held.size.width()).wrapping_add(x)
        };
        let origin = from(0, 0);
        let steps = [from(1, 0).wrapping_sub(origin), from(0, 1).wrapping_sub(origin)];
        self.moved(held, size, origin, steps)
    }

    fn crop(&mut self, held: Packed, window: Rect) -> Result<Packed, Unfit> {
        if !window.is_inside(held.size) {
            return Err(Unfit::Impossible);
        }
        if window == Rect::whole(held.size) {
            return Ok(held);
        }
        let width = held.size.width();
        // The buffer was found to fit, so its pixels can be counted in 32 bits.
        let origin = window.top.wrapping_mul(width).wrapping_add(window.left);
        self.moved(held, window.size, origin, [1, width])
    }

    fn moved(&mut self, held: Packed, size: Size, origin: u32, [right, down]: [u32; 2]) -> Result<Packed, Unfit> {
        let out = self.packed(size, held.format)?;
        let [width, height, channels] = extent(out);
        let params = uniforms::Move { width, height, channels, origin, right, down, ..Default::default() };
        self.pass(Shader::MovePixels, [held.slot, out.slot], extent(out), Params::Move(params))?;
        Ok(out)
    }

    fn flatten(&mut self, held: Packed, over: Rgb8) -> Result<Packed, Unfit> {
        if !held.format.has_alpha() {
            return Ok(held);
        }
        let format = PixelFormat::of(held.format.is_gray() && over.is_gray(), false);
        self.recoloured(held, format, 0, over)
    }

    fn gray(&mut self, held: Packed) -> Result<Packed, Unfit> {
        if held.format.is_gray() {
            return Ok(held);
        }
        self.recoloured(held, PixelFormat::of(true, held.format.has_alpha()), 1, Rgb8::BLACK)
    }

    fn recoloured(&mut self, held: Packed, format: PixelFormat, operation: u32, over: Rgb8) -> Result<Packed, Unfit> {
        let out = self.packed(held.size, format)?;
        let params = uniforms::Colour {
            pixels: held.size.area() as u32,
            src_channels: held.format.channels() as u32,
            channels: format.channels() as u32,
            operation,
            over: [u32::from(over.r), u32::from(over.g), u32::from(over.b), 0],
        };
        self.pass(Shader::Recolour, [held.slot, out.slot], extent(out), Params::Colour(params))?;
        Ok(out)
    }

    fn resample(&mut self, held: Packed, window: Rect, to: Size, filter: Filter) -> Result<Packed, Unfit> {
        if !window.is_inside(held.size) {
            return Err(Unfit::Impossible);
        }
        let across = WeightTable::new(window.size.width(), to.width(), filter);
        let down = WeightTable::new(window.size.height(), to.height(), filter);
        if across.is_identity() && down.is_identity() {
            return self.crop(held, window);
        }
        let mut samples = samples_of(held);
        samples.at = window.top * samples.pitch + window.left * samples.step;
        let axes = [Axes { across, down }];
        let (sums, lanes, axis) = self.first_sums(&[samples], &axes)?;
        let lanes = vec![lanes[0]; samples.channels as usize];
        self.store(sums, &by_channel(lanes), axis, (to, held.format), Colour::Kept)
    }

    /// Sums along the axis that leaves fewer samples, of each of some planes of samples, one after the other in one
    /// buffer. Answers the buffer, for each plane where and with which table the other axis is to be summed, and that
    /// axis.
    fn first_sums(&mut self, planes: &[Samples], axes: &[Axes]) -> Result<(Slot, Vec<[u32; 4]>, Axis), Unfit> {
        let area = |axis: Axis| -> u64 {
            let of = |a: &Axes| match axis {
                Axis::Down => u64::from(a.down.dst_len()) * span(&a.across),
                Axis::Across => u64::from(a.across.dst_len()) * span(&a.down),
            };
            planes.iter().zip(axes).map(|(plane, axes)| of(axes) * u64::from(plane.channels)).sum()
        };
        let axis = if area(Axis::Down) <= area(Axis::Across) { Axis::Down } else { Axis::Across };
        let slot = self.floats(area(axis))?;
        let mut at = 0;
        let mut lanes = Vec::with_capacity(planes.len());
        let mut other = axis;
        for (plane, axes) in planes.iter().zip(axes) {
            let mut plane = *plane;
            let (table, width, height, rest, shift);
            match axis {
                Axis::Down => {
                    let (first, end) = used(&axes.across);
                    plane.at += first * plane.step;
                    (table, width, height) = (&axes.down, end - first, axes.down.dst_len());
                    (rest, shift, other) = (&axes.across, first, Axis::Across);
                }
                Axis::Across => {
                    let (first, end) = used(&axes.down);
                    plane.at += first * plane.pitch;
                    (table, width, height) = (&axes.across, axes.across.dst_len(), end - first);
                    (rest, shift, other) = (&axes.down, first, Axis::Down);
                }
            }
            let table = self.tables.add(table, 0);
            self.sum(&plane, table, axis, [width, height], (slot, at))?;
            lanes.push([at, width * plane.channels, plane.channels, self.tables.add(rest, shift)]);
            at += width * height * plane.channels;
        }
        Ok((slot, lanes, other))
    }

    /// One axis of sums into `dst`, a buffer and the first sample in it.
    fn sum(
        &mut self,
        src: &Samples,
        table: u32,
        axis: Axis,
        [width, height]: [u32; 2],
        (dst, dst_at): (Slot, u32),
    ) -> Result<(), Unfit> {
        let params = uniforms::Resample {
            width,
            height,
            channels: src.channels,
            axis: axis as u32,
            alpha: u32::from(src.alpha),
            dst_at,
            lanes: [[src.at, src.pitch, src.step, table], [0; 4], [0; 4], [0; 4]],
            ..Default::default()
        };
        self.pass(src.shader, [src.slot, dst], [width, height, src.channels], Params::Resample(params))
    }

    /// The last axis of sums, and samples of 8 bits.
    fn store(
        &mut self,
        sums: Slot,
        lanes: &[[u32; 4]; 4],
        axis: Axis,
        (to, format): (Size, PixelFormat),
        colour: Colour,
    ) -> Result<Packed, Unfit> {
        let out = self.packed(to, format)?;
        let params = uniforms::Resample {
            width: to.width(),
            height: to.height(),
            channels: format.channels() as u32,
            axis: axis as u32,
            alpha: u32::from(format.has_alpha()),
            colour: colour as u32,
            lanes: *lanes,
            ..Default::default()
        };
        self.pass(Shader::StoreBytes, [sums, out.slot], extent(out), Params::Resample(params))?;
        Ok(out)
    }

    fn blur(&mut self, held: Packed, sigma: Sigma) -> Result<Packed, Unfit> {
        let (width, height) = (held.size.width(), held.size.height());
        let across = BlurWeights::new(width, sigma);
        let down = BlurWeights::new(height, sigma);
        let samples = samples_of(held);
        let channels = samples.channels;
        let first = Axes { across: across.down, down: down.down };
        let (Some(up_across), Some(up_down)) = (across.up, down.up) else {
            let (sums, lanes, axis) = self.first_sums(&[samples], &[first])?;
            let lanes = by_channel(vec![lanes[0]; channels as usize]);
            return self.store(sums, &lanes, axis, (held.size, held.format), Colour::Kept);
        };
        let coarse = [first.across.dst_len(), first.down.dst_len()];
        let (sums, lanes, axis) = self.first_sums(&[samples], &[first])?;
        let [at, pitch, step, table] = lanes[0];
        let sums = Samples { slot: sums, shader: Shader::SumFloats, at, pitch, step, channels, alpha: false };
        let grid = self.floats(u64::from(coarse[0]) * u64::from(coarse[1]) * u64::from(channels))?;
        self.sum(&sums, table, axis, coarse, (grid, 0))?;
        // Back up: down the grid's columns, then across.
        let grid = Samples { slot: grid, at: 0, pitch: coarse[0] * channels, step: channels, ..sums };
        let tall = self.floats(u64::from(coarse[0]) * u64::from(height) * u64::from(channels))?;
        let table = self.tables.add(&up_down, 0);
        self.sum(&grid, table, Axis::Down, [coarse[0], height], (tall, 0))?;
        let lane = [0, grid.pitch, channels, self.tables.add(&up_across, 0)];
        let lanes = by_channel(vec![lane; channels as usize]);
        self.store(tall, &lanes, Axis::Across, (held.size, held.format), Colour::Kept)
    }

    /// Resamples planes, each at its own ratio, and makes RGB (or grey) of the result.
    fn planes(&mut self, planes: &'a Planes, window: Rect, to: Size, filter: Filter) -> Result<Packed, Unfit> {
        if !window.is_inside(planes.size) {
            return Err(Unfit::Impossible);
        }
        let all: Vec<_> = std::iter::once(&planes.luma).chain(planes.chroma.iter().flatten()).collect();
        let mut samples = Vec::with_capacity(all.len());
        let mut axes = Vec::with_capacity(all.len());
        for plane in all {
            if plane.samples.len() as u64 != plane.size.area() {
                return Err(Unfit::Impossible);
            }
            let (across, down) = plane_weights(planes.size, plane, window, to, filter);
            axes.push(Axes { across, down });
            let at = self.upload(&plane.samples)?;
            let pitch = plane.size.width();
            let shader = Shader::SumBytes;
            samples.push(Samples { slot: INPUT, shader, at, pitch, step: 1, channels: 1, alpha: false });
        }
        let (sums, lanes, axis) = self.first_sums(&samples, &axes)?;
        let (format, colour) = of_planes(lanes.len());
        self.store(sums, &planar(lanes), axis, (to, format), colour)
    }

    /// Resamples a whole picture straight from its coefficients: RGB, or grey where there is one component.
    fn coefficients(&mut self, picture: &'a Coefficients, to: Size, filter: Filter) -> Result<Packed, Unfit> {
        if !matches!(picture.components.len(), 1 | 3) {
            return Err(Unfit::Impossible);
        }
        let (width, height) = (to.width(), to.height());
        let area = width.checked_mul(height).ok_or(Unfit::TooLarge)?;
        let order = self.tables.add_zigzag();
        let sums = self.floats(u64::from(area) * picture.components.len() as u64)?;
        let identity = self.tables.add_identity(width);
        let mut lanes = Vec::with_capacity(picture.components.len());
        for (component, dst_at) in picture.components.iter().zip((0..).step_by(area as usize)) {
            let plane = component.blocks.area();
            if component.values.len() as u64 != plane * u64::from(picture.count) {
                return Err(Unfit::Impossible);
            }
            let (columns, rows) = component_weights(picture, component, to, filter);
            let blocks = component.blocks.width();
            let frequencies = columns.frequencies as u32;
            let gathered_width = frequencies * blocks;
            let gathered = self.floats(u64::from(gathered_width) * u64::from(height))?;
            let first = uniforms::Blocks {
                width: gathered_width,
                height,
                blocks,
                frequencies,
                count: u32::from(picture.count),
                plane: plane as u32,
                // In values of two bytes.
                src_at: self.upload(bytemuck::cast_slice(&component.values))? / 2,
                table: self.tables.add_blocks(&rows),
                order,
                ..Default::default()
            };
            let extent = [gathered_width, height, 1];
            self.pass(Shader::BlocksDown, [INPUT, gathered], extent, Params::Blocks(first))?;
            let second =
                uniforms::Blocks { width, src_at: 0, dst_at, table: self.tables.add_blocks(&columns), ..first };
            self.pass(Shader::BlocksAcross, [gathered, sums], [width, height, 1], Params::Blocks(second))?;
            lanes.push([dst_at, width, 1, identity]);
        }
        let (format, colour) = of_planes(lanes.len());
        self.store(sums, &planar(lanes), Axis::Across, (to, format), colour)
    }
}

/// The tables of both axes.
struct Axes {
    across: WeightTable,
    down: WeightTable,
}

/// What the last sums are.
#[derive(Debug, Clone, Copy)]
enum Colour {
    /// The samples of the result.
    Kept = 0,
    /// Y, Cb and Cr of an RGB result.
    Converted = 1,
}

/// How many source pixels a table reads, from the first to the last.
fn span(table: &WeightTable) -> u64 {
    let (first, end) = used(table);
    u64::from(end - first)
}

fn extent(picture: Packed) -> [u32; 3] {
    [picture.size.width(), picture.size.height(), picture.format.channels() as u32]
}

fn samples_of(held: Packed) -> Samples {
    let channels = held.format.channels() as u32;
    Samples {
        slot: held.slot,
        shader: Shader::SumBytes,
        at: 0,
        pitch: held.size.width() * channels,
        step: channels,
        channels,
        alpha: held.format.has_alpha(),
    }
}

/// Lanes of interleaved samples: each channel is one sample further.
fn by_channel(lanes: Vec<[u32; 4]>) -> [[u32; 4]; 4] {
    let mut all = [[0; 4]; 4];
    for ((slot, [at, pitch, step, table]), c) in all.iter_mut().zip(lanes).zip(0..) {
        *slot = [at + c, pitch, step, table];
    }
    all
}

/// Lanes of planes.
fn planar(lanes: Vec<[u32; 4]>) -> [[u32; 4]; 4] {
    let mut all = [[0; 4]; 4];
    for (slot, lane) in all.iter_mut().zip(lanes) {
        *slot = lane;
    }
    all
}

/// The picture that so many planes make.
const fn of_planes(count: usize) -> (PixelFormat, Colour) {
    if count == 1 { (PixelFormat::Gray8, Colour::Kept) } else { (PixelFormat::Rgb8, Colour::Converted) }
}
