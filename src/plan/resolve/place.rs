use crate::image::{Gravity, Point, Rect, Rgb8, Size};
use crate::ops::{Border, Step};
use crate::plan::{Extend, Params, PlanError};

use super::draft::Bounds;
use super::request::{Area, Request};
use super::scale::Frame;

/// Longest side of a crop or an area.
pub const MAX_WINDOW_SIDE: u32 = 16_383;

/// The limit of crops, before that of whole pictures: a window that is too long is refused as such, however large the
/// scaled picture would be.
///
/// # Errors
/// [`PlanError::WindowTooLarge`].
pub(super) fn check_window(request: &Request<'_>, frame: &Frame) -> Result<(), PlanError> {
    let smart = request.gravity == Gravity::Smart;
    let fits = frame.scaled.0 <= frame.width && frame.scaled.1 <= frame.height;
    let crops = frame.transforms && !fits && (smart || request.crop && !request.force);
    let longest = frame.width.min(frame.scaled.0).max(frame.height.min(frame.scaled.1));
    if crops && longest > u64::from(MAX_WINDOW_SIDE) {
        return Err(PlanError::WindowTooLarge);
    }
    Ok(())
}

/// Step 8 of the common path: what becomes of the scaled picture, the first rule that applies. The step may be one that
/// changes nothing.
///
/// # Errors
/// Areas outside the picture, windows that are too large, a canvas beyond the bounds.
pub(super) fn place(
    request: &Request<'_>,
    frame: &Frame,
    scaled: Size,
    bounds: Bounds,
) -> Result<Option<Step>, PlanError> {
    let wanted = || clipped(frame, scaled);
    let fits = u64::from(scaled.width()) <= frame.width && u64::from(scaled.height()) <= frame.height;
    if request.gravity == Gravity::Smart {
        return Ok(if fits { None } else { Some(Step::SmartCrop { to: wanted() }) });
    }
    if request.crop && !request.force {
        return Ok(if fits { None } else { Some(Step::Crop(request.gravity.window(scaled, wanted()))) });
    }
    if request.embed {
        let into = bounds.size(frame.width, frame.height)?;
        let free = |canvas: u32, picture: u32| (i64::from(canvas) - i64::from(picture)) / 2;
        let at = Point { x: free(into.width(), scaled.width()), y: free(into.height(), scaled.height()) };
        return Ok(Some(Step::Embed { into, at, border: border(request.params) }));
    }
    request.area.map(|area| window(area, frame, scaled).map(Step::Crop)).transpose()
}

/// The part of the target that the picture can fill.
fn clipped(frame: &Frame, scaled: Size) -> Size {
    let side = |target: u64, have: u32| u32::try_from(target).unwrap_or(u32::MAX).min(have);
    Size::at_least_one(side(frame.width, scaled.width()), side(frame.height, scaled.height()))
}

/// The area of the scaled picture; negative offsets count as 0.
fn window(area: Area, frame: &Frame, scaled: Size) -> Result<Rect, PlanError> {
    let side = |asked: i64, target: u64| match asked {
        0 => Ok(target),
        asked => u64::try_from(asked).map_err(|_| PlanError::BadArea),
    };
    let (width, height) = (side(area.width, frame.width)?, side(area.height, frame.height)?);
    if width > u64::from(MAX_WINDOW_SIDE) || height > u64::from(MAX_WINDOW_SIDE) {
        return Err(PlanError::WindowTooLarge);
    }
    let offset = |asked: i64| u32::try_from(asked.max(0)).map_err(|_| PlanError::BadArea);
    let size = Size::new(width as u32, height as u32).ok_or(PlanError::BadArea)?;
    let rect = Rect { left: offset(area.left)?, top: offset(area.top)?, size };
    if rect.is_inside(scaled) { Ok(rect) } else { Err(PlanError::BadArea) }
}

/// What fills the canvas around an embedded picture.
fn border(p: &Params) -> Border {
    match p.extend {
        Extend::Black => Border::Black,
        Extend::White => Border::White,
        Extend::Copy => Border::Copy,
        Extend::Mirror => Border::Mirror,
        Extend::Background => Border::Background(p.background.unwrap_or(Rgb8::BLACK)),
    }
}
