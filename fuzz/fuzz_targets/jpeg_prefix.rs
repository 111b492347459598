#![no_main]
//! The first coefficients of blocks are the first of more of them, by one stream and by several that begin anywhere.

use libfuzzer_sys::fuzz_target;
use phasor::codecs::jpeg::coefficients::laws;
use phasor_fuzz::jpeg::{Draw, Form, build, keep};

const COUNTS: [u8; 9] = [1, 3, 6, 10, 15, 21, 28, 36, 64];

fuzz_target!(|bytes: &[u8]| {
    let mut draw = Draw::new(bytes);
    let form = if draw.once_in(3) { Form::Progressive } else { Form::Sequential };
    let (few, more) = (draw.below(COUNTS.len()), draw.below(COUNTS.len()));
    let by_streams = form == Form::Sequential && draw.once_in(2);
    let segment = 1 + draw.below(80);
    let built = build(form, &mut draw);
    keep(&built.bytes);
    if !phasor_fuzz::jpeg::is_small(&built.bytes) {
        return;
    }
    if by_streams {
        laws::streams_agree(&built.bytes, COUNTS[few], segment);
    } else if built.tidy || form == Form::Sequential {
        // Scans that are jumped over would be looked into for what is behind such a marker.
        laws::prefixes_agree(&built.bytes, COUNTS[few.min(more)], COUNTS[few.max(more)]);
    }
});
