#![no_main]
//! A lossy picture's chunk gives what image-webp makes of it, or is refused.

use libfuzzer_sys::fuzz_target;

fuzz_target!(|chunk: &[u8]| assert!(phasor::codecs::is_same_by_image_webp(chunk)));
