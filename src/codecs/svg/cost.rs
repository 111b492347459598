//! What drawing a tree takes, estimated before it is drawn: layers at once, and time.
//!
//! The estimate follows resvg's renderer: groups with opacity, masks, clips or filters get a layer of their own, up to
//! five times the canvas on each axis; patterns are drawn anew for each path that they fill. What is shared (patterns,
//! masks, clip paths) is weighed once, so that nesting which multiplies the work does not multiply the weighing.

use std::collections::HashMap;

use resvg::usvg::{self, Group, Node, Paint, Transform, filter};

use super::over_limit;
use crate::codecs::{DecodeError, Limits};
use crate::image::Size;

/// Longest estimate allowed. Estimates are upper bounds for most pictures; what draws at this pace is rare.
const MAX_NANOSECONDS: f64 = 5e9;

// Nanoseconds a pixel of a slow core, measured on pictures of 1 to 16 megapixels.
const FILL: f64 = 16.0;
const SHADED_FILL: f64 = 30.0;
const LAYER: f64 = 25.0;
const MASK: f64 = 50.0;
const PRIMITIVE: f64 = 40.0;
/// For a pixel of height of an edge.
const EDGE: f64 = 20.0;
/// For a pixel of length of a line.
const LINE: f64 = 60.0;
/// The same for lines thinner than a pixel, which take another way.
const HAIRLINE: f64 = 450.0;
/// For a dash.
const DASH: f64 = 600.0;
/// For a pixel of the window that a morphology filter looks at for each pixel.
const MORPHOLOGY: f64 = 4.0;
/// For blurs by less than [`BOX_BLUR_FROM`], which take another way, and the others.
const FINE_BLUR: f64 = 400.0;
const BLUR: f64 = 150.0;
/// Standard deviation in pixels.
const BOX_BLUR_FROM: f32 = 2.0;
/// For a path, however small.
const PATH: f64 = 2000.0;

/// An estimate; huge for absurd drawings, never NaN.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// Time to draw.
    nanoseconds: f64,
    /// Pixels of the layers that live at the same time.
    layers: f64,
}

impl Cost {
    /// What drawing `tree` on a canvas of `canvas` takes.
    pub(super) fn of(tree: &usvg::Tree, canvas: Size) -> Self {
        let mut scale = Scale {
            canvas: canvas.area() as f64,
            width: canvas.width().into(),
            height: canvas.height().into(),
            known: HashMap::new(),
        };
        scale.group(tree.root(), Transform::identity())
    }

    /// Bytes for layers, if the drawing is within bounds.
    ///
    /// # Errors
    /// [`DecodeError::OverLimit`].
    pub(super) fn within(self, limits: &Limits) -> Result<u64, DecodeError> {
        // Eight full canvases, as if each of the largest pictures allowed had so many layers.
        let most = limits.pixels.saturating_mul(8);
        if self.layers > most as f64 {
            return Err(over_limit("the area of layers", most));
        }
        if self.nanoseconds > MAX_NANOSECONDS {
            return Err(over_limit("the time to draw in nanoseconds", MAX_NANOSECONDS as u64));
        }
        Ok((self.layers * 4.0) as u64)
    }

    /// One after the other.
    fn then(self, next: Self) -> Self {
        Self { nanoseconds: self.nanoseconds + next.nanoseconds, layers: self.layers.max(next.layers) }
    }

    /// Inside layers of `pixels` pixels, each worked on `times` times.
    fn inside(self, pixels: f64, layers: f64, times: f64) -> Self {
        Self { nanoseconds: self.nanoseconds + pixels * times, layers: self.layers + pixels * layers }
    }
}

struct Scale {
    /// Pixels of the canvas.
    canvas: f64,
    width: f64,
    height: f64,
    /// Costs of shared parts by address and scale; the tree outlives this.
    known: HashMap<(usize, i8), Cost>,
}

impl Scale {
    fn group(&mut self, group: &Group, transform: Transform) -> Cost {
        let transform = transform.pre_concat(group.transform());
        let mut cost = Cost::default();
        for child in group.children() {
            cost = cost.then(match child {
                Node::Group(group) => self.group(group, transform),
                Node::Text(text) => self.group(text.flattened(), transform),
                Node::Path(path) => self.path(path, transform),
                Node::Image(_) => Cost::default(),
            });
        }
        if !group.should_isolate() {
            return cost;
        }
        let pixels =
            self.area(group.layer_bounding_box().width(), group.layer_bounding_box().height(), transform, 25.0);
        cost = cost.inside(pixels, 1.0, LAYER);
        for filter in group.filters() {
            let mut alive = 2.0;
            for primitive in filter.primitives() {
                // Named results live on to the end of the filter.
                alive += 1.0;
                cost = cost.then(self.primitive(primitive.kind(), pixels, transform));
            }
            cost = cost.inside(pixels, alive, PRIMITIVE * alive);
        }
        let mut clip = group.clip_path();
        while let Some(shape) = clip {
            let inner = self.shared(shape, transform, |scale| scale.group(shape.root(), transform));
            cost = cost.then(inner).inside(pixels, 2.0, MASK);
            clip = shape.clip_path();
        }
        let mut mask = group.mask();
        while let Some(shape) = mask {
            let inner = self.shared(shape, transform, |scale| scale.group(shape.root(), transform));
            cost = cost.then(inner).inside(pixels, 2.0, MASK);
            mask = shape.mask();
        }
        cost
    }

    fn path(&mut self, path: &usvg::Path, transform: Transform) -> Cost {
        let bounds = path.stroke_bounding_box();
        let covered = self.area(bounds.width(), bounds.height(), transform, 1.0);
        let (sx, sy) = transform.get_scale();
        let (mut rows, mut length) = (0.0, 0.0);
        for pair in path.data().points().windows(2) {
            let (dx, dy) = ((pair[1].x - pair[0].x) * sx, (pair[1].y - pair[0].y) * sy);
            let high = f64::from(dy.abs()).min(self.height) + 1.0;
            rows += high;
            length += f64::from(dx.abs()).min(self.width) + high;
        }
        let mut cost = Cost { nanoseconds: PATH, layers: 0.0 };
        if let Some(fill) = path.fill() {
            cost = cost.then(self.paint(fill.paint(), covered, transform));
            cost.nanoseconds += EDGE * rows;
        }
        if let Some(stroke) = path.stroke() {
            let width = f64::from(stroke.width().get() * sx.max(sy));
            cost = cost.then(self.paint(stroke.paint(), (length * width).min(covered), transform));
            cost.nanoseconds += length * if width <= 1.0 { HAIRLINE } else { LINE };
            if let Some(dashes) = stroke.dasharray() {
                // tiny-skia gives up at a million dashes.
                let period = f64::from(dashes.iter().sum::<f32>() * sx.min(sy)).max(1e-9);
                cost.nanoseconds += (length / period * dashes.len() as f64).min(1e6) * DASH;
            }
        }
        cost
    }

    /// Filling `pixels` pixels.
    fn paint(&mut self, paint: &Paint, pixels: f64, transform: Transform) -> Cost {
        match paint {
            Paint::Color(_) => Cost::default().inside(pixels, 0.0, FILL),
            Paint::LinearGradient(_) | Paint::RadialGradient(_) => Cost::default().inside(pixels, 0.0, SHADED_FILL),
            Paint::Pattern(pattern) => {
                let transform = transform.pre_concat(pattern.transform());
                let tile = area(pattern.rect().width(), pattern.rect().height(), transform);
                let inner = self.shared(&**pattern, transform, |scale| scale.group(pattern.root(), transform));
                inner.inside(tile, 1.0, LAYER).inside(pixels, 0.0, SHADED_FILL)
            }
        }
    }

    /// The work of one filter primitive on a layer of `pixels`.
    fn primitive(&mut self, kind: &filter::Kind, pixels: f64, transform: Transform) -> Cost {
        let each = match kind {
            filter::Kind::Turbulence(f) => 120.0 * f64::from(f.num_octaves()),
            filter::Kind::ConvolveMatrix(f) => 8.0 * f64::from(f.matrix().columns()) * f64::from(f.matrix().rows()),
            filter::Kind::Morphology(f) => {
                let (sx, sy) = transform.get_scale();
                let wide = (f64::from(f.radius_x().get() * sx) * 2.0 + 1.0).min(pixels);
                let high = (f64::from(f.radius_y().get() * sy) * 2.0 + 1.0).min(pixels);
                MORPHOLOGY * (wide * high).min(pixels)
            }
            filter::Kind::DiffuseLighting(_) | filter::Kind::SpecularLighting(_) => 100.0,
            filter::Kind::GaussianBlur(f) => blur(f.std_dev_x().get(), f.std_dev_y().get(), transform),
            filter::Kind::DropShadow(f) if is_far(f.dx(), f.dy(), transform) => f64::INFINITY,
            filter::Kind::DropShadow(f) => blur(f.std_dev_x().get(), f.std_dev_y().get(), transform),
            filter::Kind::Offset(f) if is_far(f.dx(), f.dy(), transform) => f64::INFINITY,
            filter::Kind::Merge(f) => LAYER * f.inputs().len() as f64,
            filter::Kind::Image(f) => {
                let inner = self.shared(f, transform, |scale| scale.group(f.root(), transform));
                return inner.inside(pixels, 1.0, LAYER);
            }
            _ => 0.0,
        };
        Cost::default().inside(pixels, 1.0, each)
    }

    /// The cost of something that several parts of the tree refer to, found once for each power of two of its area, so
    /// that a small use does not stand for a large one.
    fn shared<T>(&mut self, part: &T, transform: Transform, find: impl FnOnce(&mut Self) -> Cost) -> Cost {
        let (sx, sy) = transform.get_scale();
        let octave = (f64::from(sx) * f64::from(sy)).log2().ceil().clamp(-24.0, 24.0) as i8;
        let key = (std::ptr::from_ref(part).addr(), octave);
        if let Some(cost) = self.known.get(&key) {
            return *cost;
        }
        let cost = find(self);
        self.known.insert(key, cost);
        cost
    }

    /// Pixels of a box under a transform, at most `times` canvases.
    fn area(&self, width: f32, height: f32, transform: Transform, times: f64) -> f64 {
        area(width, height, transform).min(self.canvas * times)
    }
}

/// Whether pixels move so far that resvg, which counts them in 32 bits, would panic.
fn is_far(dx: f32, dy: f32, transform: Transform) -> bool {
    let (sx, sy) = transform.get_scale();
    let near = |length: f32| length.abs() < 1e9;
    !(near(dx * sx) && near(dy * sy))
}

/// Nanoseconds a pixel of a blur.
fn blur(x: f32, y: f32, transform: Transform) -> f64 {
    let (sx, sy) = transform.get_scale();
    if x * sx < BOX_BLUR_FROM && y * sy < BOX_BLUR_FROM { FINE_BLUR } else { BLUR }
}

fn area(width: f32, height: f32, transform: Transform) -> f64 {
    let (sx, sy) = transform.get_scale();
    let side = |length: f32, scale: f32| {
        let pixels = f64::from(length) * f64::from(scale) + 4.0;
        if pixels.is_finite() { pixels.max(1.0) } else { 1e12 }
    };
    side(width, sx) * side(height, sy)
}
