//! Parameters and header in, plan out: section 4 of the contract.
//!
//! Every operation walks the same path, one file a stretch: [`request`] says what an endpoint makes of its parameters,
//! [`orient`] turns the picture upright, [`scale`] finds its new size, [`place`] crops or embeds it, [`paint`] blurs,
//! marks and flattens it, [`output`] says how it is written. A [`draft::Draft`] is the picture as it would be by then:
//! a pipeline is the same walk again from where the last operation left it.

mod draft;
mod orient;
mod output;
mod paint;
mod place;
mod request;
mod scale;
mod shrink;
mod window;

use std::num::NonZeroU32;

use crate::codecs::{Header, Limits, OutputFormat};
use crate::image::{Rect, Size};
use crate::ops::{Filter, Step};

use super::operations::{TypedOperation, check};
use super::params::{Params, RequestedType, format_named};
use super::{Endpoint, Plan, PlanError};

use draft::Draft;
use request::Request;

pub use paint::MAX_TEXT_BYTES;
pub use place::MAX_WINDOW_SIDE;

/// Settles every number for one request. `negotiated` is what [`super::negotiate()`] made of the client's `Accept`; it
/// counts only for `type=auto`.
///
/// # Errors
/// See [`PlanError`].
pub fn resolve(
    endpoint: Endpoint,
    params: &Params,
    header: &Header,
    limits: &Limits,
    negotiated: Option<OutputFormat>,
) -> Result<Plan, PlanError> {
    let format = match params.requested_type()? {
        RequestedType::Source => None,
        RequestedType::Auto => negotiated,
        RequestedType::Format(format) => Some(format),
    };
    let mut draft = Draft::new(header, limits);
    match endpoint {
        Endpoint::Info => return Err(PlanError::NoPicture),
        Endpoint::Pipeline => resolve_pipeline(&mut draft, &check(&params.operations)?)?,
        _ => {
            if endpoint == Endpoint::Convert && format.is_none() {
                return Err(PlanError::Missing("param: type"));
            }
            apply(&mut draft, endpoint, params, format, false)?;
        }
    }
    draft.into_plan(header.size)
}

/// Walks the operations one after the other; a failing one with `ignore_failure` leaves no trace.
fn resolve_pipeline(draft: &mut Draft, operations: &[TypedOperation]) -> Result<(), PlanError> {
    for operation in operations {
        let mut next = draft.clone();
        match resolve_operation(&mut next, operation) {
            Ok(()) => *draft = next,
            Err(_) if operation.ignore_failure => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn resolve_operation(draft: &mut Draft, operation: &TypedOperation) -> Result<(), PlanError> {
    let params = &operation.params;
    // Inside a pipeline an unknown type, `auto` too, counts as none, except where it is the point.
    let format = format_named(&params.type_name);
    if operation.endpoint == Endpoint::Convert && format.is_none() {
        return Err(match params.type_name.as_str() {
            "" => PlanError::Missing("param: type"),
            name => PlanError::InvalidType(name.to_owned()),
        });
    }
    apply(draft, operation.endpoint, params, format, operation.ignore_failure)
}

/// The common path (4.0) for one operation. `optional`: a watermark picture that cannot be had is left out.
fn apply(
    draft: &mut Draft,
    endpoint: Endpoint,
    params: &Params,
    format: Option<OutputFormat>,
    optional: bool,
) -> Result<(), PlanError> {
    endpoint.check_required(params)?;
    if endpoint == Endpoint::AutoRotate {
        draft.require_encoder()?;
        orient::upright(draft);
        return output::settle(draft, &Params::default());
    }
    draft.format = format.or(draft.format);
    draft.require_encoder()?;
    let request = Request::new(endpoint, params, draft);
    orient::orient(draft, &request);
    resize(draft, &request)?;
    paint::blur(draft, params)?;
    match endpoint {
        Endpoint::Watermark => paint::text(draft, params)?,
        Endpoint::WatermarkImage => paint::image(draft, params, optional)?,
        _ => {}
    }
    paint::flatten(draft, params);
    output::settle(draft, params)
}

/// Zoom, scale and placement: sizes are reckoned from the picture before it is zoomed.
fn resize(draft: &mut Draft, request: &Request<'_>) -> Result<(), PlanError> {
    let source = draft.size;
    let zoom = zoom_factor(request)?;
    let side = |side: u32| u64::from(side) * u64::from(zoom.get());
    let zoomed = (side(source.width()), side(source.height()));
    let frame = scale::frame(request, source, zoomed);
    let resampled = frame.scaled != zoomed;
    place::check_window(request, &frame)?;
    // A zoomed picture of which only a window is kept is never made whole, so it may be larger than the limits.
    let scaled = if resampled || zoom.get() == 1 {
        draft.bounds.size(frame.scaled.0, frame.scaled.1)?
    } else {
        window_space(zoomed)?
    };
    let placed = if frame.transforms { place::place(request, &frame, scaled, draft.bounds)? } else { None };
    if zoom.get() > 1 {
        match placed {
            Some(Step::Crop(window)) if !resampled => {
                draft.bounds.check(window.size)?;
                draft.push(Step::Zoom { factor: zoom, window });
                return Ok(());
            }
            _ => {
                let whole = draft.bounds.size(zoomed.0, zoomed.1)?;
                draft.push(Step::Zoom { factor: zoom, window: Rect::whole(whole) });
            }
        }
    }
    draft.push(Step::Resample { to: scaled, filter: Filter::Lanczos3 });
    if let Some(step) = placed {
        draft.push(step);
    }
    Ok(())
}

/// Copies of each pixel on each axis, 1 without zoom.
fn zoom_factor(request: &Request<'_>) -> Result<NonZeroU32, PlanError> {
    /// What libvips takes.
    const MOST: i64 = 100_000_000;
    let factor = request.zoom.saturating_add(1);
    if !(0..=MOST).contains(&request.zoom) || factor > MOST {
        return Err(PlanError::BadZoom);
    }
    u32::try_from(factor).ok().and_then(NonZeroU32::new).ok_or(PlanError::BadZoom)
}

/// A size in which windows can be named, whether or not such a picture may be made.
fn window_space((width, height): (u64, u64)) -> Result<Size, PlanError> {
    const MOST: u64 = i32::MAX as u64;
    let side = |side: u64| if side <= MOST { Ok(side as u32) } else { Err(PlanError::TooManyPixels) };
    Ok(Size::at_least_one(side(width)?, side(height)?))
}
