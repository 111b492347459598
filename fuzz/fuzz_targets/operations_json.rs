//! The operations of a pipeline. Input: three bytes for the picture, then JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor_fuzz::planning;

fuzz_target!(|bytes: &[u8]| planning::check_operations_file(bytes));
