//! What drawing a tree takes, estimated before it is drawn: layers at once, and operations on pixels.
//!
//! The estimate follows resvg's renderer: groups with opacity, masks, clips or filters get a layer of their own, up to
//! five times the canvas on each axis; patterns are drawn anew for each path that they fill. What is shared (patterns,
//! masks, clip paths) is weighed once, so that nesting which multiplies the work does not multiply the weighing.

use std::collections::HashMap;

use resvg::usvg::{self, Group, Node, Paint, Transform, filter};

use super::over_limit;
use crate::codecs::{DecodeError, Limits};
use crate::image::Size;

/// Most operations of a drawing; some seconds of work.
const MAX_OPERATIONS: f64 = 3e9;

/// An estimate; huge for absurd drawings, never NaN.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Cost {
    /// Pixels touched, times the work on each.
    operations: f64,
    /// Pixels of the layers that live at the same time.
    layers: f64,
}

impl Cost {
    /// What drawing `tree` on a canvas of `canvas` takes.
    pub(super) fn of(tree: &usvg::Tree, canvas: Size) -> Self {
        let mut scale =
            Scale { canvas: canvas.area() as f64, canvas_height: canvas.height().into(), known: HashMap::new() };
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
        if self.operations > MAX_OPERATIONS {
            return Err(over_limit("the work to draw", MAX_OPERATIONS as u64));
        }
        Ok((self.layers * 4.0) as u64)
    }

    /// One after the other.
    fn then(self, next: Self) -> Self {
        Self { operations: self.operations + next.operations, layers: self.layers.max(next.layers) }
    }

    /// Inside layers of `pixels` pixels, each worked on `times` times.
    fn inside(self, pixels: f64, layers: f64, times: f64) -> Self {
        Self { operations: self.operations + pixels * times, layers: self.layers + pixels * layers }
    }
}

/// Operations for an edge in one row of pixels.
const EDGE_ROW: f64 = 100.0;

struct Scale {
    /// Pixels of the canvas.
    canvas: f64,
    /// Rows of the canvas.
    canvas_height: f64,
    /// Costs of shared parts by address; the tree outlives this. Equal parts at other scales count as the first.
    known: HashMap<usize, Cost>,
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
        cost = cost.inside(pixels, 1.0, 2.0);
        for filter in group.filters() {
            let mut alive = 2.0;
            for primitive in filter.primitives() {
                // Named results live on to the end of the filter.
                alive += 1.0;
                cost = cost.then(self.primitive(primitive.kind(), pixels, transform));
            }
            cost = cost.inside(pixels, alive, 4.0 * alive);
        }
        let mut clip = group.clip_path();
        while let Some(shape) = clip {
            let inner = self.shared(shape, |scale| scale.group(shape.root(), transform));
            cost = cost.then(inner).inside(pixels, 2.0, 4.0);
            clip = shape.clip_path();
        }
        let mut mask = group.mask();
        while let Some(shape) = mask {
            let inner = self.shared(shape, |scale| scale.group(shape.root(), transform));
            cost = cost.then(inner).inside(pixels, 2.0, 6.0);
            mask = shape.mask();
        }
        cost
    }

    fn path(&mut self, path: &usvg::Path, transform: Transform) -> Cost {
        let bounds = path.stroke_bounding_box();
        let covered = self.area(bounds.width(), bounds.height(), transform, 1.0);
        // Edges cost by the rows that they cross, four times over for smoothness.
        let (_, sy) = transform.get_scale();
        let points = path.data().points();
        let most = self.canvas_height;
        let rows: f64 = points.windows(2).map(|w| (f64::from((w[1].y - w[0].y).abs() * sy) + 1.0).min(most)).sum();
        let mut cost = Cost { operations: covered + EDGE_ROW * rows, layers: 0.0 };
        let paints = [path.fill().map(usvg::Fill::paint), path.stroke().map(usvg::Stroke::paint)];
        for paint in paints.into_iter().flatten() {
            if let Paint::Pattern(pattern) = paint {
                let transform = transform.pre_concat(pattern.transform());
                let tile = area(pattern.rect().width(), pattern.rect().height(), transform);
                let inner = self.shared(&**pattern, |scale| scale.group(pattern.root(), transform));
                cost = cost.then(inner.inside(tile, 1.0, 2.0));
            }
        }
        if let Some(dashes) = path.stroke().and_then(|stroke| stroke.dasharray()) {
            // tiny-skia gives up at a million dashes; each becomes a shape.
            let period: f32 = dashes.iter().sum();
            let length = f64::from(bounds.width() + bounds.height()) * path.data().len() as f64;
            cost.operations += (length / f64::from(period).max(1e-9)).min(1e6) * 600.0;
        }
        cost
    }

    /// The work of one filter primitive on a layer of `pixels`.
    fn primitive(&mut self, kind: &filter::Kind, pixels: f64, transform: Transform) -> Cost {
        let each = match kind {
            filter::Kind::Turbulence(f) => 60.0 * f64::from(f.num_octaves()),
            filter::Kind::ConvolveMatrix(f) => 4.0 * f64::from(f.matrix().columns()) * f64::from(f.matrix().rows()),
            filter::Kind::Morphology(f) => {
                let (sx, sy) = transform.get_scale();
                let wide = (f64::from(f.radius_x().get() * sx) * 2.0 + 1.0).min(pixels);
                let high = (f64::from(f.radius_y().get() * sy) * 2.0 + 1.0).min(pixels);
                4.0 * (wide * high).min(pixels)
            }
            filter::Kind::DiffuseLighting(_) | filter::Kind::SpecularLighting(_) => 60.0,
            filter::Kind::GaussianBlur(_) | filter::Kind::DropShadow(_) => 40.0,
            filter::Kind::Merge(f) => 4.0 * f.inputs().len() as f64,
            filter::Kind::Image(f) => {
                let inner = self.shared(f, |scale| scale.group(f.root(), transform));
                return inner.inside(pixels, 1.0, 4.0);
            }
            _ => 8.0,
        };
        Cost::default().inside(pixels, 1.0, each)
    }

    /// The cost of something that several parts of the tree refer to, found once.
    fn shared<T>(&mut self, part: &T, find: impl FnOnce(&mut Self) -> Cost) -> Cost {
        let address = std::ptr::from_ref(part).addr();
        if let Some(cost) = self.known.get(&address) {
            return *cost;
        }
        let cost = find(self);
        self.known.insert(address, cost);
        cost
    }

    /// Pixels of a box under a transform, at most `times` canvases.
    fn area(&self, width: f32, height: f32, transform: Transform, times: f64) -> f64 {
        area(width, height, transform).min(self.canvas * times)
    }
}

fn area(width: f32, height: f32, transform: Transform) -> f64 {
    let (sx, sy) = transform.get_scale();
    let side = |length: f32, scale: f32| {
        let pixels = f64::from(length) * f64::from(scale) + 4.0;
        if pixels.is_finite() { pixels.max(1.0) } else { 1e12 }
    };
    side(width, sx) * side(height, sy)
}
