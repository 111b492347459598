#![no_main]
//! Sequential files that are sound up to their scans at least, held to one of the decoder's laws each.

use libfuzzer_sys::fuzz_target;
use phasor_fuzz::jpeg::{Form, check};

fuzz_target!(|bytes: &[u8]| check(Form::Sequential, bytes));
