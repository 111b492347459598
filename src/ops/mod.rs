//! What each step means, apart from where the pixels live. Both backends take their tables from here.

mod filter;
mod step;
mod units;

pub use filter::Filter;
pub use step::{Border, Placement, Step};
pub use units::{Opacity, Sigma};

mod text;
pub use text::{TextError, TextSpec, draw as draw_text};
