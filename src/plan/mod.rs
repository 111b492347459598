//! What will be done: text and header in, [`Plan`] out. Pure functions: no I/O, no clock, no async.

mod encode;
mod endpoint;
mod geometry;
mod info;
mod negotiate;
mod number;
mod operations;
mod params;
mod resolve;
mod table;
mod watermark;

use crate::codecs::{DecodeSpec, EncodeSpec};
use crate::ops::Step;

pub use endpoint::Endpoint;
pub use info::info_json;
pub use negotiate::negotiate;
pub use operations::Operation;
pub use params::{Extend, ParamError, Params, parse};
pub use resolve::{PlanError, resolve};
pub use table::{Kind, PARAMS, Param};

/// Everything settled: what to decode, which steps, how to encode. Its `Debug` text is what snapshot tests compare.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is asked of the decoder.
    pub decode: DecodeSpec,
    /// What must be fetched or drawn before the steps start; steps name them by index.
    pub overlays: Vec<Overlay>,
    /// From first to last.
    pub steps: Vec<Step>,
    /// What is asked of the encoder.
    pub encode: EncodeSpec,
}

/// A picture laid over another.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// A watermark picture to fetch.
    Image {
        /// Where from, as the client wrote it.
        url: String,
        /// A failing fetch or decode leaves the overlay out instead of failing the request (`ignore_failure`).
        optional: bool,
    },
    /// Text to draw on a transparent tile.
    Text(crate::ops::TextSpec),
}

#[cfg(test)]
mod tests;
