//! What the targets share: small limits, a measured heap, and the laws that every answer is held to.

/// The suite of the server holds mutated fixtures and replayed findings to the same laws.
#[path = "../../tests/suite/hostile/decoding.rs"]
pub mod codec;
pub mod heap;
pub mod jpeg;
#[path = "../../tests/suite/hostile/planning.rs"]
pub mod planning;

use phasor::codecs::Limits;

/// The server's limits with pictures of at most 512×512 pixels, so that an execution stays short.
pub fn limits() -> Limits {
    Limits { pixels: 512 * 512, output_pixels: 512 * 512, side: 4096, ..Limits::default() }
}
