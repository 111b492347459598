#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor::codecs::Format;

fuzz_target!(|bytes: &[u8]| phasor_fuzz::codec::decode(Format::Webp, bytes));
