//! `/`: versions. Clients of imaginary probe the first three keys.

use crate::server::VERSION;

pub(in crate::server) fn json() -> String {
    format!("{{\"imaginary\":\"{VERSION}\",\"bimg\":\"{VERSION}\",\"libvips\":\"{VERSION}\",\"phasor\":\"{VERSION}\"}}")
}
