//! Text and image watermarks: sections 4.18 and 4.19 of the contract.

use crate::image::{Point, Rgb8};
use crate::ops::{Opacity, Placement, Step, TextSpec};

use super::Overlay;
use super::geometry::positive;
use super::params::Params;
use super::resolve::{PlanError, State};

/// Longest watermark text in bytes.
const LONGEST: usize = 1024;

pub(super) fn text(state: &mut State<'_>, params: &Params) -> Result<(), PlanError> {
    if params.text.len() > LONGEST {
        return Err(PlanError::Failed(format!("watermark text is longer than {LONGEST} bytes")));
    }
    let or = |value: i64, default: u32| if value > 0 { positive(value) } else { default };
    let width = or(params.textwidth, (state.size.width() / 6).max(1));
    let spec = TextSpec {
        text: params.text.clone(),
        font: if params.font.is_empty() { "sans 10".into() } else { params.font.clone() },
        dpi: or(params.dpi, 150),
        width,
        margin: or(params.margin, width),
        colour: match params.color.as_slice() {
            &[r, g, b, ..] => Rgb8 { r, g, b },
            _ => Rgb8::BLACK,
        },
    };
    let opacity = if params.opacity > 0.0 { params.opacity.min(1.0) } else { 0.25 };
    let placement = if params.noreplicate { Placement::At(Point::default()) } else { Placement::Tiled };
    compose(state, Overlay::Text(spec), placement, opacity)
}

pub(super) fn image(state: &mut State<'_>, params: &Params, optional: bool) -> Result<(), PlanError> {
    let (left, top) = (positive(params.left), positive(params.top));
    if left >= state.size.width() || top >= state.size.height() {
        return Err(PlanError::Failed("embed: bad dimensions".into()));
    }
    let opacity = if params.opacity > 0.0 { params.opacity } else { 1.0 };
    let overlay = Overlay::Image { url: params.image.clone(), optional };
    compose(state, overlay, Placement::At(Point { x: left.into(), y: top.into() }), opacity)
}

fn compose(state: &mut State<'_>, overlay: Overlay, placement: Placement, opacity: f64) -> Result<(), PlanError> {
    let index = state.overlays.len();
    state.overlays.push(overlay);
    state.gray = false;
    state.push(Step::Composite { overlay: index, placement, opacity: Opacity::new(opacity) })
}
