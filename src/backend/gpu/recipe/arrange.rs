//! Steps pixel by pixel: turns, windows, zooms, canvases, colours, overlays.

use std::num::NonZeroU32;

use crate::image::{Orientation, PixelFormat, Point, Rect, Rgb8, Size};
use crate::ops::{Border, Opacity, Placement};

use super::super::shaders::Shader;
use super::super::uniforms;
use super::{Held, Packed, Place, Pointer, Unfit, Writer, pitch};

/// Longest side whose places can be counted with a sign, mirrored too.
const LONGEST: u32 = 1 << 29;

impl<'a> Writer<'a> {
    pub(super) fn orient(&mut self, held: Held<'a>, orientation: Orientation) -> Result<Held<'a>, Unfit> {
        if orientation.is_upright() {
            return Ok(held);
        }
        let from = self.on_device(held)?;
        let size = orientation.output_size(from.size);
        let map = Turn::new(orientation, from.size)?;
        // The last sums can be stored turned: then there is no pass of its own.
        if let Some(turned) = self.store_turned(from, size, map)? {
            return Ok(Held::Device(turned));
        }
        self.arrange(from, size, from.format, map.arrange())
    }

    pub(super) fn crop(&mut self, held: Held<'a>, window: Rect) -> Result<Held<'a>, Unfit> {
        let size = held.size();
        if !window.is_inside(size) {
            return Err(Unfit::Impossible);
        }
        if window == Rect::whole(size) {
            return Ok(held);
        }
        let from = match held {
            // Nothing else goes up.
            Held::Host(unsent, outer) => {
                let (left, top) = (outer.left + window.left, outer.top + window.top);
                return Ok(Held::Host(unsent, Rect { left, top, size: window.size }));
            }
            Held::Device(packed) => packed,
        };
        let (origin_x, origin_y) = (signed(window.left)?, signed(window.top)?);
        self.arrange(from, window.size, from.format, uniforms::Arrange { origin_x, origin_y, ..upright() })
    }

    pub(super) fn zoom(&mut self, held: Held<'a>, factor: NonZeroU32, window: Rect) -> Result<Held<'a>, Unfit> {
        let factor = factor.get();
        if factor == 1 {
            return self.crop(held, window);
        }
        let size = held.size();
        let enlarged = Size::at_least_one(size.width().saturating_mul(factor), size.height().saturating_mul(factor));
        if !window.is_inside(enlarged) {
            return Err(Unfit::Impossible);
        }
        let from = self.on_device(held)?;
        // The last pixel's place must be one, too.
        signed(window.left.saturating_add(window.size.width()))?;
        signed(window.top.saturating_add(window.size.height()))?;
        let (origin_x, origin_y) = (signed(window.left)?, signed(window.top)?);
        let arrange = uniforms::Arrange { origin_x, origin_y, factor: signed(factor)?, ..upright() };
        self.arrange(from, window.size, from.format, arrange)
    }

    pub(super) fn embed(&mut self, held: Held<'a>, into: Size, at: Point, border: Border) -> Result<Held<'a>, Unfit> {
        if at == Point::default() && into == held.size() {
            return Ok(held);
        }
        let from = self.on_device(held)?;
        let format = match border {
            Border::Background(rgb) if !rgb.is_gray() => coloured(from.format),
            _ => from.format,
        };
        let fill = match border {
            Border::White => [255; 4],
            Border::Background(rgb) if format.is_gray() => [u32::from(rgb.r), 0, 0, 0],
            Border::Background(rgb) => samples_of(rgb),
            Border::Black | Border::Copy | Border::Mirror => [0; 4],
        };
        let (number, mirror) = match border {
            Border::Black | Border::White | Border::Background(_) => (1, false),
            Border::Copy => (2, false),
            Border::Mirror => (3, true),
        };
        let origin = |at: i64, canvas: u32, side: u32| -> Result<i32, Unfit> {
            let (canvas, side) = (i64::from(signed(canvas)?), i64::from(signed(side)?));
            // Beyond either end nothing changes any more; mirrored it begins again.
            let at = if mirror { at.rem_euclid(2 * side) } else { at.clamp(-side, canvas) };
            i32::try_from(-at).map_err(|_| Unfit::TooLarge)
        };
        let arrange = uniforms::Arrange {
            origin_x: origin(at.x, into.width(), from.size.width())?,
            origin_y: origin(at.y, into.height(), from.size.height())?,
            border: number,
            fill,
            ..upright()
        };
        self.arrange(from, into, format, arrange)
    }

    fn arrange(
        &mut self,
        from: Packed,
        size: Size,
        format: PixelFormat,
        arrange: uniforms::Arrange,
    ) -> Result<Held<'a>, Unfit> {
        let out = self.packed(size, format)?;
        let arrange = uniforms::Arrange {
            width: size.width(),
            height: size.height(),
            dst_pitch: out.pitch(),
            channels: format.channels() as u32,
            src_width: from.size.width(),
            src_height: from.size.height(),
            src_pitch: from.pitch(),
            src_channels: from.format.channels() as u32,
            ..arrange
        };
        self.words(Shader::Arrange, from, out, [Pointer::Nowhere; 4], &arrange)
    }

    pub(super) fn flatten(&mut self, held: Held<'a>, over: Rgb8) -> Result<Held<'a>, Unfit> {
        let format = held.format();
        if !format.has_alpha() {
            return Ok(held);
        }
        self.recolour(held, PixelFormat::of(format.is_gray() && over.is_gray(), false), 0, over)
    }

    pub(super) fn gray(&mut self, held: Held<'a>) -> Result<Held<'a>, Unfit> {
        let format = held.format();
        if format.is_gray() {
            return Ok(held);
        }
        self.recolour(held, PixelFormat::of(true, format.has_alpha()), 1, Rgb8::BLACK)
    }

    fn recolour(&mut self, held: Held<'a>, format: PixelFormat, operation: u32, over: Rgb8) -> Result<Held<'a>, Unfit> {
        let from = self.on_device(held)?;
        let out = self.packed(from.size, format)?;
        let colour = uniforms::Colour {
            over: samples_of(over),
            width: out.size.width(),
            height: out.size.height(),
            dst_pitch: out.pitch(),
            channels: format.channels() as u32,
            src_pitch: from.pitch(),
            src_channels: from.format.channels() as u32,
            operation,
            ..Default::default()
        };
        self.words(Shader::Recolour, from, out, [Pointer::Nowhere; 4], &colour)
    }

    pub(super) fn composite(
        &mut self,
        held: Held<'a>,
        overlay: usize,
        placement: Placement,
        opacity: Opacity,
    ) -> Result<Held<'a>, Unfit> {
        let over = self.overlays.get(overlay).ok_or(Unfit::Impossible)?;
        let from = self.on_device(held)?;
        let size = over.size();
        let coverage = self.cache.coverage(opacity);
        let places = [
            Pointer::Input(self.upload_window(over.into(), Rect::whole(size))?),
            self.table(&coverage)?,
            Pointer::Nowhere,
            Pointer::Nowhere,
        ];
        let format = if over.format().is_gray() { from.format } else { coloured(from.format) };
        let out = self.packed(from.size, format)?;
        let corner = |at: i64, over: u32, side: u32| -> Result<i32, Unfit> {
            Ok(at.clamp(-i64::from(signed(over)?), i64::from(signed(side)?)) as i32)
        };
        let point = match placement {
            Placement::At(point) => point,
            Placement::Tiled => Point::default(),
        };
        let composite = uniforms::Composite {
            width: out.size.width(),
            height: out.size.height(),
            dst_pitch: out.pitch(),
            channels: format.channels() as u32,
            src_pitch: from.pitch(),
            src_channels: from.format.channels() as u32,
            over_width: size.width(),
            over_height: size.height(),
            over_pitch: pitch(size.width(), over.format()),
            over_channels: over.format().channels() as u32,
            left: corner(point.x, size.width(), from.size.width())?,
            top: corner(point.y, size.height(), from.size.height())?,
            tiled: u32::from(matches!(placement, Placement::Tiled)),
            ..Default::default()
        };
        self.words(Shader::Composite, from, out, places, &composite)
    }

    /// A pass with a thread for each word of the result.
    fn words(
        &mut self,
        shader: Shader,
        from: Packed,
        out: Packed,
        places: [Pointer; 4],
        params: &impl uniforms::Params,
    ) -> Result<Held<'a>, Unfit> {
        self.pass(shader, [from.place, out.place], places, [out.pitch(), out.size.height()], params)?;
        self.next_stage();
        Ok(Held::Device(out))
    }

    /// Has the pass that stored `from` store it turned; `None` when another kind of pass made it.
    fn store_turned(&mut self, from: Packed, size: Size, map: Turn) -> Result<Option<Packed>, Unfit> {
        let Some(last) = self.passes.last().filter(|pass| pass.shader == Shader::StoreBytes && pass.dst == from.place)
        else {
            return Ok(None);
        };
        let store: uniforms::Store = bytemuck::cast(last.params);
        // A picture is turned once: neighbouring turns were joined.
        if (store.xx, store.yy) != (1, 1) {
            return Ok(None);
        }
        let Place::Work(slot, _) = from.place else { return Ok(None) };
        let out = Packed { place: from.place, size, format: from.format };
        // Rows of another length are padded otherwise.
        let bytes = 4 * u64::from(out.pitch()) * u64::from(size.height());
        if let Some(had) = self.slots.get_mut(slot) {
            self.work = self.work - *had + bytes;
            *had = bytes;
        }
        self.fits()?;
        let store = uniforms::Store {
            width: size.width(),
            height: size.height(),
            dst_pitch: out.pitch(),
            origin_x: map.origin[0],
            origin_y: map.origin[1],
            xx: map.right[0],
            yx: map.right[1],
            xy: map.down[0],
            yy: map.down[1],
            ..store
        };
        let (src, places, stage) = (last.src, last.places, self.stage);
        self.passes.pop();
        // In the stage in which it was.
        self.stage = stage - 1;
        self.pass(Shader::StoreBytes, [src, out.place], places, [out.pitch(), size.height()], &store)?;
        self.next_stage();
        Ok(Some(out))
    }
}

/// Where the pixels of a turned picture come from: that of the first one, and how far the source moves with a step to
/// the right and a step down, each across and down.
#[derive(Debug, Clone, Copy)]
struct Turn {
    origin: [i32; 2],
    right: [i32; 2],
    down: [i32; 2],
}

impl Turn {
    /// `size` is the picture's before.
    fn new(orientation: Orientation, size: Size) -> Result<Self, Unfit> {
        signed(size.width().max(size.height()))?;
        let turned = orientation.output_size(size);
        let of = |x: u32, y: u32| {
            let (x, y) = orientation.source_of(x.min(turned.width() - 1), y.min(turned.height() - 1), size);
            [x as i32, y as i32]
        };
        let origin = of(0, 0);
        let step = |to: [i32; 2]| [to[0] - origin[0], to[1] - origin[1]];
        Ok(Self { origin, right: step(of(1, 0)), down: step(of(0, 1)) })
    }

    fn arrange(self) -> uniforms::Arrange {
        uniforms::Arrange {
            origin_x: self.origin[0],
            origin_y: self.origin[1],
            xx: self.right[0],
            yx: self.right[1],
            xy: self.down[0],
            yy: self.down[1],
            ..upright()
        }
    }
}

fn upright() -> uniforms::Arrange {
    uniforms::Arrange { xx: 1, yy: 1, factor: 1, ..Default::default() }
}

fn signed(place: u32) -> Result<i32, Unfit> {
    i32::try_from(place).ok().filter(|_| place <= LONGEST).ok_or(Unfit::TooLarge)
}

const fn coloured(format: PixelFormat) -> PixelFormat {
    PixelFormat::of(false, format.has_alpha())
}

fn samples_of(rgb: Rgb8) -> [u32; 4] {
    [u32::from(rgb.r), u32::from(rgb.g), u32::from(rgb.b), 0]
}
