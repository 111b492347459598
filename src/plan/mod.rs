//! What will be done: text and header in, [`Plan`] out. Pure functions: no I/O, no clock, no async.
//!
//! [`parse`] types the query, [`Params::requested_type`] and [`negotiate()`] settle the output format, and [`resolve()`]
//! settles everything else against the picture's header.

mod choices;
mod endpoint;
mod error;
mod goquote;
mod info;
mod negotiate;
mod number;
mod operations;
mod params;
mod resolve;
mod table;
#[cfg(test)]
mod tests;

use crate::codecs::{DecodeSpec, EncodeSpec};
use crate::image::Size;
use crate::ops::Step;

pub use choices::Extend;
pub use endpoint::Endpoint;
pub use error::PlanError;
pub use goquote::quote;
pub use info::info_json;
pub use negotiate::negotiate;
pub use operations::{MAX_JSON_BYTES, MAX_OPERATIONS, Operation};
pub use params::{ParamError, ParamFault, Params, RequestedType, parse};
pub use resolve::{MAX_TEXT_BYTES, MAX_WINDOW_SIDE, resolve};
pub use table::{Kind, PARAMS, ParamSpec};

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

impl Plan {
    /// Size of the answer for a source of `size` as stored.
    pub fn output_size(&self, size: Size) -> Size {
        self.steps.iter().fold(size, |size, step| step.output_size(size))
    }
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
