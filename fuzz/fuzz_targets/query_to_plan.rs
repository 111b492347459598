//! A query string for every endpoint. Input: four bytes for the endpoint and the picture, then the query as written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor::plan::Endpoint;
use phasor_fuzz::planning;

fuzz_target!(|bytes: &[u8]| {
    let Some((&[which, a, b, c], raw)) = bytes.split_first_chunk::<4>() else { return };
    let endpoint = Endpoint::ALL[usize::from(which) % Endpoint::ALL.len()];
    planning::check(endpoint, raw, &planning::source([a, b, c]));
});
