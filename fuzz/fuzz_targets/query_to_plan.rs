//! A query string for every endpoint. Input: four bytes for the endpoint and the picture, then the query as written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor_fuzz::planning;

fuzz_target!(|bytes: &[u8]| planning::check_query_file(bytes));
