//! Weight tables of one component of a picture whose components have samples of their own number.

use std::sync::Arc;

use crate::image::{CoefficientPlane, Coefficients, Plane, Rect, Size};

use super::{BlockWeights, Filter, WeightTable};

/// Tables, across and down, that resample `window` of a `picture` to `to`, over the samples of one of its planes. The
/// result has a sample for each `step` pixels (across, down) of `to`, rounded up, in the middle of them.
///
/// Chroma that is shrunk to all pixels of `to` is shrunk as if it had been enlarged to the picture's size first, linearly,
/// which is how general decoders do it: the weights of both are one table.
pub fn plane_weights(
    picture: Size,
    plane: &Plane,
    window: Rect,
    to: Size,
    step: (u32, u32),
    filter: Filter,
) -> (Arc<WeightTable>, Arc<WeightTable>) {
    let axis = |picture: u32, plane: u32, first: u32, count: u32, (to, step): (u32, u32)| {
        let ratio = subsampling(picture, plane);
        let (outputs, reach) = coarse(to, step);
        let from = f64::from(first) / ratio;
        let end = from + f64::from(count) * reach / ratio;
        // Linear interpolation is what decoders do to chroma; sharper filters ring on its coarse samples.
        if ratio == 2.0 && step == 1 && count > to {
            let window = f64::from(first)..f64::from(first + count);
            return WeightTable::shared_interpolated((plane, picture), window, outputs, filter);
        }
        let filter = if end - from < f64::from(outputs) && ratio > 1.0 { Filter::Triangle } else { filter };
        WeightTable::shared(plane, from..end, outputs, filter)
    };
    let (left, width) = (window.left, window.size.width());
    let (top, height) = (window.top, window.size.height());
    (
        axis(picture.width(), plane.size.width(), left, width, (to.width(), step.0)),
        axis(picture.height(), plane.size.height(), top, height, (to.height(), step.1)),
    )
}

/// Samples of one for each `step` of `to` pixels, and the part of the picture that they span: more than all of it where
/// the last one stands for fewer.
fn coarse(to: u32, step: u32) -> (u32, f64) {
    let outputs = to.div_ceil(step);
    (outputs, f64::from(outputs) * f64::from(step) / f64::from(to))
}

/// Picture samples that one plane sample covers along an axis. The last of an odd side covers less than that, so the
/// quotient of the lengths is not the answer.
fn subsampling(picture: u32, plane: u32) -> f64 {
    [1, 2, 4, 3, 8, 6]
        .into_iter()
        .find(|&s| picture.div_ceil(s) == plane)
        .map_or_else(|| f64::from(picture) / f64::from(plane), f64::from)
}

/// Tables, columns and rows, that resample a whole picture to `to` from the blocks of one of its components; with `step`
/// as in [`plane_weights`].
pub fn component_weights(
    picture: &Coefficients,
    component: &CoefficientPlane,
    to: Size,
    step: (u32, u32),
    filter: Filter,
) -> (Arc<BlockWeights>, Arc<BlockWeights>) {
    let luma = picture.components.first().map_or(component.size, |luma| luma.size);
    // A plane's samples cover the picture in whole steps of its sampling factor, also where the last is cut off.
    let span_x = spanned(picture.size.width(), luma.width(), component.size.width());
    let span_y = spanned(picture.size.height(), luma.height(), component.size.height());
    let k = frequencies(picture.count);
    let axis = |picture: u32, samples: u32, span: f64, to: u32, step: u32| {
        let (outputs, reach) = coarse(to, step);
        // As in `plane_weights`.
        if span * 2.0 == f64::from(picture) && step == 1 && picture > to {
            return BlockWeights::shared_interpolated(filter, (samples, picture), outputs, k);
        }
        BlockWeights::shared(filter, samples as usize, 0.0, span * reach, outputs as usize, k)
    };
    let (whole, part) = (picture.size, component.size);
    (
        axis(whole.width(), part.width(), span_x, to.width(), step.0),
        axis(whole.height(), part.height(), span_y, to.height(), step.1),
    )
}

/// Samples of a component that the whole picture spans: `picture / factor`, where `factor` is how many luma samples a
/// sample of the component covers (1 to 4, maybe 4/3 or 3/2).
fn spanned(picture: u32, luma: u32, component: u32) -> f64 {
    // Recover the exact ratio: component = ceil(luma × h / h_max) with factors of 1 to 4.
    for (h, h_max) in [(1, 1), (1, 2), (1, 4), (1, 3), (2, 3), (3, 4)] {
        if component == (luma * h).div_ceil(h_max) {
            return f64::from(picture) * f64::from(h) / f64::from(h_max);
        }
    }
    f64::from(component)
}

/// Frequencies on each axis of a triangle of `count` coefficients.
fn frequencies(count: u8) -> usize {
    (1..8).find(|k| k * (k + 1) / 2 >= usize::from(count)).unwrap_or(8)
}
