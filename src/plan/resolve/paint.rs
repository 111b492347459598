use crate::image::{Point, Rgb8};
use crate::ops::{Opacity, Placement, Sigma, Step, TextSpec};
use crate::plan::{Overlay, Params, PlanError};

use super::draft::Draft;

/// Longest watermark text.
pub const MAX_TEXT_BYTES: usize = 1024;
/// Below this a Gaussian has no second tap worth the name.
const SMALLEST_SIGMA: f64 = 0.2;
/// Beyond this, dots an inch are no use: a ten-point letter is taller than any picture.
const MOST_DPI: i64 = 100_000;

/// Blurs when there is a sigma.
pub(super) fn blur(draft: &mut Draft, p: &Params) -> Result<(), PlanError> {
    if p.sigma < SMALLEST_SIGMA {
        return Ok(());
    }
    let sigma = Sigma::new(p.sigma).ok_or(PlanError::SigmaTooLarge)?;
    draft.push(Step::Blur(sigma));
    Ok(())
}

/// Lays a text over the picture (4.18).
pub(super) fn text(draft: &mut Draft, p: &Params) -> Result<(), PlanError> {
    if p.text.len() > MAX_TEXT_BYTES {
        return Err(PlanError::TextTooLong);
    }
    let longest = i64::from(draft.size.width().max(draft.size.height()));
    let sixth = i64::from(draft.size.width() / 6);
    let given = |value: i64, default: i64| if value > 0 { value } else { default };
    let width = given(p.textwidth, sixth);
    // A margin as long as the picture already leaves room for one tile only, so more changes nothing.
    let margin = given(p.margin, width).min(longest);
    let side = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
    let spec = TextSpec {
        text: p.text.clone(),
        font: if p.font.is_empty() { "sans 10".to_owned() } else { p.font.clone() },
        dpi: side(given(p.dpi, 150).min(MOST_DPI)),
        width: side(width.clamp(1, i64::from(u16::MAX))),
        margin: side(margin),
        colour: p.color.unwrap_or(Rgb8::BLACK),
    };
    let opacity = if p.opacity > 0.0 { p.opacity.min(1.0) } else { 0.25 };
    let placement = if p.noreplicate { Placement::At(Point::default()) } else { Placement::Tiled };
    overlay(draft, Overlay::Text(spec), placement, opacity);
    Ok(())
}

/// Lays a picture over the picture (4.19).
pub(super) fn image(draft: &mut Draft, p: &Params, optional: bool) -> Result<(), PlanError> {
    let (width, height) = (i64::from(draft.size.width()), i64::from(draft.size.height()));
    if p.left >= width || p.top >= height {
        return Err(PlanError::OverlayOutside);
    }
    let opacity = if p.opacity > 0.0 { p.opacity } else { 1.0 };
    let mark = Overlay::Image { url: p.image.clone(), optional };
    // The reference composites with alpha and keeps it.
    draft.alpha = true;
    overlay(draft, mark, Placement::At(Point { x: p.left, y: p.top }), opacity);
    Ok(())
}

fn overlay(draft: &mut Draft, overlay: Overlay, placement: Placement, opacity: f64) {
    let index = draft.overlays.len();
    draft.overlays.push(overlay);
    draft.push(Step::Composite { overlay: index, placement, opacity: Opacity::new(opacity) });
}

/// Blends what has alpha over `background`; black counts as none.
pub(super) fn flatten(draft: &mut Draft, p: &Params) {
    if let Some(background) = p.background.filter(|&colour| colour != Rgb8::BLACK) {
        draft.push(Step::Flatten(background));
    }
}
