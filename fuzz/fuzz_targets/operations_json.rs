//! The operations of a pipeline. Input: three bytes for the picture, then JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor::plan::Endpoint;
use phasor_fuzz::planning;

fuzz_target!(|bytes: &[u8]| {
    let Some((&picture, json)) = bytes.split_first_chunk::<3>() else { return };
    let escaped: String = json.iter().map(|b| format!("%{b:02x}")).collect();
    let raw = format!("operations={escaped}");
    planning::check(Endpoint::Pipeline, raw.as_bytes(), &planning::source(picture));
});
