//! Tests of the whole walk from text to plan.

mod laws;
mod recorded;
mod snapshots;

use super::*;
use crate::codecs::{Format, Header, Limits, OutputFormat, Space};
use crate::query::Query;

/// The header of an 8-bit RGB picture.
fn header(width: u32, height: u32, format: Format) -> Header {
    Header {
        format,
        size: Size::new(width, height).unwrap(),
        exif_orientation: 0,
        alpha: false,
        space: Space::Srgb,
        channels: 3,
        profile: false,
        scratch_bytes: 0,
    }
}

/// What stands between a request line and the message or the plan.
fn plan(endpoint: &str, query: &str, header: &Header, negotiated: Option<OutputFormat>) -> Result<Plan, String> {
    let params = parse(&Query::parse(query.as_bytes())).map_err(|e| e.to_string())?;
    let endpoint = Endpoint::from_path_segment(endpoint).unwrap();
    resolve(endpoint, &params, header, &Limits::default(), negotiated).map_err(|e| e.to_string())
}
