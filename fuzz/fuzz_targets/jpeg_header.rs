#![no_main]
//! Segments, put together or raw: the header check, the decoder and zune-jpeg read the same, and what is probed is decoded.

use libfuzzer_sys::fuzz_target;
use phasor::codecs::jpeg::coefficients::laws;
use phasor::codecs::{Format, sniff};

fuzz_target!(|input: (bool, &[u8])| {
    let (raw, bytes) = input;
    let built = if raw { bytes.to_vec() } else { phasor_fuzz::jpeg::segments(bytes) };
    phasor_fuzz::jpeg::keep(&built);
    if sniff(&built) != Some(Format::Jpeg) {
        return;
    }
    laws::headers_agree(&built);
    if let Some(header) = phasor_fuzz::codec::probe(&built)
        && header.size.area() <= 1 << 10
    {
        phasor_fuzz::codec::decode(Format::Jpeg, &built);
    }
});
