#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    phasor_fuzz::codec::probe(bytes);
});
