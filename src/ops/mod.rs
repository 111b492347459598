//! What each step means, apart from where the pixels live. Both backends take their tables from here.

mod block_weights;
mod blur;
mod colour;
mod component;
mod filter;
mod resample;
pub(crate) mod shared;
mod smartcrop;
mod step;
mod text;
mod units;

pub use block_weights::{BlockWeights, ZIGZAG};
pub use blur::BlurWeights;
pub use colour::YcbcrToRgb;
pub use component::{component_weights, plane_weights};
pub use filter::Filter;
pub use resample::{Bounds, WeightTable};
pub use smartcrop::{ATTENTION_SIDE, attention_window};
pub use step::{Border, Placement, Step};
pub use text::{TextError, TextSpec, draw as draw_text};
pub use units::{Opacity, Sigma};
