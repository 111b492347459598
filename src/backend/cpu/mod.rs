//! Steps on the CPU.

mod blur;
mod colour;
mod composite;
mod convolution;
mod crop;
mod embed;
mod orient;
mod planes;
mod resample;
mod resample_coefficients;
mod smartcrop;
mod zoom;

use crate::image::{Form, ImageBuf, Picture, PixelFormat, Plane, Planes, Rect, Size};
use crate::ops::Step;

use super::{Backend, BackendError, Checkpoint, Planar, order};
use planes::Range;

/// Does every step on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuBackend;

impl Backend for CpuBackend {
    fn name(&self) -> &str {
        "cpu"
    }

    fn supports(&self, _input: &Picture, _steps: &[Step]) -> bool {
        true
    }

    fn run_to(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        steps: &[Step],
        form: Form,
        checkpoint: &dyn Checkpoint,
    ) -> Result<Picture, BackendError> {
        let steps = order::cheaper(steps, picture.size());
        if let Some(planar) = super::planar(picture.size(), &steps, form)
            && let Some(planes) = kept_in_planes(&picture, &planar, checkpoint)?
        {
            return Ok(Picture::Planes(planes));
        }
        let (mut buf, mut rest) = begin(picture, &steps, checkpoint)?;
        loop {
            cancelled(checkpoint)?;
            (buf, rest) = match rest {
                [] => return Ok(Picture::Packed(buf)),
                // The resampling reads the window where it lies.
                [Step::Crop(window), Step::Resample { to, filter }, rest @ ..] => {
                    inside(*window, buf.size())?;
                    (resample::resample(buf, *window, *to, *filter, checkpoint)?, rest)
                }
                [step, rest @ ..] => (apply(buf, overlays, step, checkpoint)?, rest),
            };
        }
    }
}

/// A picture that comes in planes or coefficients, and stays in planes; `None` for other pictures, grey ones too.
fn kept_in_planes(
    picture: &Picture,
    planar: &Planar,
    checkpoint: &dyn Checkpoint,
) -> Result<Option<Planes>, BackendError> {
    let Planar { window, to, filter, step, turn } = *planar;
    let [luma, cb, cr] = match picture {
        Picture::Planes(planes @ Planes { chroma: Some(_), .. }) => {
            planes::resample_apart((planes, Range::Full), (window, to), step, filter, checkpoint)?
        }
        Picture::Narrow(planes @ Planes { chroma: Some(_), .. }) => {
            planes::resample_apart((planes, Range::Narrow), (window, to), step, filter, checkpoint)?
        }
        Picture::Coefficients(all) if window == Rect::whole(all.size) && all.components.len() == 3 => {
            resample_coefficients::resample_apart(all, to, step, filter, checkpoint)?
        }
        _ => return Ok(None),
    };
    let turned = |plane: Plane| -> Result<Plane, BackendError> {
        if turn.is_upright() {
            return Ok(plane);
        }
        let buf = orient::orient(made(plane.size, PixelFormat::Gray8, plane.samples)?, turn)?;
        Ok(Plane { size: buf.size(), samples: buf.into_pixels() })
    };
    let size = turn.output_size(to);
    Ok(Some(Planes { size, luma: turned(luma)?, chroma: Some([turned(cb)?, turned(cr)?]) }))
}

/// Packed samples of any form of a picture, and the steps that are left. A crop and a resampling that come first are
/// done to the planes.
fn begin<'a>(
    picture: Picture,
    steps: &'a [Step],
    checkpoint: &dyn Checkpoint,
) -> Result<(ImageBuf, &'a [Step]), BackendError> {
    if let (Picture::Coefficients(coefficients), [Step::Resample { to, filter }, rest @ ..]) = (&picture, steps) {
        return Ok((resample_coefficients::resample(coefficients, *to, *filter, checkpoint)?, rest));
    }
    let (planes, range) = match picture {
        Picture::Packed(buf) => return Ok((buf, steps)),
        Picture::Planes(planes) => (planes, Range::Full),
        Picture::Narrow(planes) => (planes, Range::Narrow),
        Picture::Coefficients(coefficients) => (planes::inverse_dct(&coefficients, checkpoint)?, Range::Full),
    };
    let (window, to, filter, rest) = match steps {
        [Step::Resample { to, filter }, rest @ ..] => (Rect::whole(planes.size), to, filter, rest),
        [Step::Crop(window), Step::Resample { to, filter }, rest @ ..] => (*window, to, filter, rest),
        _ => return Ok((planes::packed(planes, range, checkpoint)?, steps)),
    };
    Ok((planes::resample((&planes, range), window, *to, *filter, checkpoint)?, rest))
}

fn apply(
    buf: ImageBuf,
    overlays: &[ImageBuf],
    step: &Step,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    match step {
        Step::Orient(orientation) => orient::orient(buf, *orientation),
        Step::Crop(window) => crop::crop(buf, *window),
        Step::Zoom { factor, window } => zoom::zoom(buf, *factor, *window, checkpoint),
        Step::Resample { to, filter } => {
            let whole = Rect::whole(buf.size());
            resample::resample(buf, whole, *to, *filter, checkpoint)
        }
        Step::Embed { into, at, border } => embed::embed(buf, *into, *at, *border, checkpoint),
        Step::SmartCrop { to } => smartcrop::smartcrop(buf, *to, checkpoint),
        Step::Blur(sigma) => blur::blur(buf, *sigma, checkpoint),
        Step::Composite { overlay, placement, opacity } => {
            let overlay = overlays
                .get(*overlay)
                .ok_or_else(|| BackendError::Impossible(format!("there is no overlay {overlay}")))?;
            composite::composite(buf, overlay, *placement, *opacity, checkpoint)
        }
        Step::Flatten(over) => colour::flatten(buf, *over),
        Step::Gray => colour::gray(buf),
    }
}

/// [`BackendError::Cancelled`] once nobody waits any more.
pub(super) fn cancelled(checkpoint: &dyn Checkpoint) -> Result<(), BackendError> {
    if checkpoint.is_cancelled() { Err(BackendError::Cancelled) } else { Ok(()) }
}

/// [`BackendError::Impossible`] unless the window is inside a picture of `size`.
fn inside(window: Rect, size: Size) -> Result<(), BackendError> {
    if window.is_inside(size) {
        Ok(())
    } else {
        Err(BackendError::Impossible(format!("the window {window:?} is not inside {size}")))
    }
}

/// A picture of samples made by a step.
pub(super) fn made(size: Size, format: PixelFormat, pixels: Vec<u8>) -> Result<ImageBuf, BackendError> {
    ImageBuf::new(size, format, pixels).map_err(|e| BackendError::Impossible(e.to_string()))
}

#[cfg(test)]
mod tests;
