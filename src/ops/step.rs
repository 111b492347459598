use std::num::NonZeroU32;

use crate::image::{Orientation, Point, Rect, Rgb8, Size};

use super::{Filter, Opacity, Sigma};

/// How added canvas is filled (`extend` in the contract).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Black; transparent black where the picture has alpha.
    Black,
    /// White; opaque white where the picture has alpha.
    White,
    /// The nearest edge pixel.
    Copy,
    /// The picture mirrored, the edge pixel repeated: … c b a | a b c …, again and again over any distance.
    Mirror,
    /// A colour; its alpha is 0 where the picture has alpha. A grey picture becomes RGB unless the colour is grey.
    Background(Rgb8),
}

/// Where an overlay lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// Once, its top left corner here, clipped to the picture.
    At(Point),
    /// Repeated over the whole picture from the top left corner.
    Tiled,
}

/// One thing done to a picture. A closed list: whoever handles steps answers for every one.
///
/// No step needs to be applied in a particular order; a plan is read from first to last.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Turn and mirror.
    Orient(Orientation),
    /// Keep a window.
    Crop(Rect),
    /// Repeat every pixel `factor` times in both directions (no interpolation), then keep `window` of the result.
    Zoom {
        /// Copies of each pixel on each axis, at least 1.
        factor: NonZeroU32,
        /// Window of the enlarged picture that is kept; inside it.
        window: Rect,
    },
    /// Antialiased resampling to exactly this size. Alpha is premultiplied while it lasts.
    Resample {
        /// Size afterwards.
        to: Size,
        /// Function used, widened by the scale when shrinking.
        filter: Filter,
    },
    /// Lay the picture on a larger canvas.
    Embed {
        /// Size of the canvas.
        into: Size,
        /// Top left corner of the picture on it; the picture is clipped to the canvas.
        at: Point,
        /// What fills the rest.
        border: Border,
    },
    /// Keep the window of this size (no larger than the picture) that draws most attention. The one step whose
    /// position is read from pixels; its size is settled.
    SmartCrop {
        /// Size afterwards.
        to: Size,
    },
    /// Gaussian blur with clamped edges. Alpha is premultiplied while it lasts.
    Blur(Sigma),
    /// Blend an overlay over the picture: `mask = min(1, overlay alpha × opacity)`, then Porter-Duff *over*. A grey
    /// picture becomes RGB under a coloured overlay; alpha is kept.
    Composite {
        /// Index into the plan's overlays.
        overlay: usize,
        /// Where it lies.
        placement: Placement,
        /// Factor on the overlay's alpha.
        opacity: Opacity,
    },
    /// Drop alpha by blending over a colour. No effect without alpha. A grey picture becomes RGB unless the colour is
    /// grey.
    Flatten(Rgb8),
    /// Drop colour: [`Rgb8::luma`]. Alpha is kept. No effect on grey pictures.
    Gray,
}

impl Step {
    /// Size of the picture after this step on one of size `input`.
    pub const fn output_size(&self, input: Size) -> Size {
        match self {
            Self::Orient(o) => o.output_size(input),
            Self::Crop(rect) | Self::Zoom { window: rect, .. } => rect.size,
            Self::Resample { to, .. } | Self::SmartCrop { to } => *to,
            Self::Embed { into, .. } => *into,
            Self::Blur(_) | Self::Composite { .. } | Self::Flatten(_) | Self::Gray => input,
        }
    }
}
