#![no_main]
//! One stream of a JPEG's data, and several that begin at guessed places, give the same coefficients or the same refusal.

use libfuzzer_sys::fuzz_target;
use phasor::codecs::jpeg::coefficients;

const COUNTS: [u8; 8] = [1, 3, 6, 10, 15, 21, 36, 64];

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (count, segment, bytes) = input;
    // The size is what the header check bounds in real use.
    let small = coefficients::planes_ahead(bytes).is_ok_and(|planes| planes.size.area() <= 1 << 16);
    if small {
        let count = COUNTS[usize::from(count) % COUNTS.len()];
        assert!(coefficients::is_same_by_several_streams(bytes, count, usize::from(segment)));
        let _ = coefficients::decode_planes(bytes, 100, &|| false);
    }
});
