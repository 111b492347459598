//! What each step means, apart from where the pixels live. Both backends take their tables from here.

mod blur;
mod colour;
mod filter;
mod resample;
mod smartcrop;
mod step;
mod text;
mod units;

pub use blur::BlurWeights;
pub use colour::YcbcrToRgb;
pub use filter::Filter;
pub use resample::{Bounds, WeightTable};
pub use smartcrop::{ATTENTION_SIDE, attention_window};
pub use step::{Border, Placement, Step};
<<<<<<< HEAD
pub use units::{Opacity, Sigma};

mod text;
pub use text::{TextError, TextSpec, draw as draw_text};
=======
pub use text::TextSpec;
pub use units::{Opacity, Sigma};
>>>>>>> cpu
