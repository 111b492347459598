//! Pixels and geometry. Uses no other module.

mod buf;
mod coefficients;
mod geometry;
mod luma;
mod orientation;
mod outline;
mod picture;
mod pixel;
mod planes;
mod sink;

pub use buf::{BufError, ImageBuf};
pub use coefficients::{CoefficientPlane, Coefficients};
pub use geometry::{Gravity, Point, Rect, Size};
pub use orientation::Orientation;
pub use outline::Outline;
pub use picture::{Form, Picture};
pub use pixel::{AlphaMode, PixelFormat, Rgb8};
pub use planes::{Plane, Planes};
pub use sink::{CoefficientSink, PictureSink, PlaneSink};
