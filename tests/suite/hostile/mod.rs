//! Mutated queries and pictures, and findings of the fuzz targets, held to the laws that those targets check.
//!
//! `PHASOR_MUTATIONS` says how many mutations of each kind are tried; each is made from its number alone.

pub mod decoding;
pub mod heap;
mod mutation;
mod pictures;
pub mod planning;
mod queries;
mod random;
mod regressions;

use phasor::codecs::Limits;

/// The server's limits with pictures of at most 512×512 pixels, so that a decode stays short.
pub fn limits() -> Limits {
    Limits { pixels: 512 * 512, output_pixels: 512 * 512, side: 4096, ..Limits::default() }
}

/// How many mutations to try.
fn mutations(default: u64) -> u64 {
    let asked = std::env::var("PHASOR_MUTATIONS");
    asked.map_or(default, |text| text.parse().expect("PHASOR_MUTATIONS is a number"))
}
