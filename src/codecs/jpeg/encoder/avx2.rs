//! The inner loops compiled for processors with AVX2 and what came with it.

use super::blocks::{self, Part};
use super::fdct::{Block, Divisors, Samples};
use super::kernels::Kernels;
use super::strips::Component;
use super::symbols::Symbols;
use super::write::{self, Bits, Tables};
use super::{colour_avx2, fdct_avx2};

/// Given away only where [`runs`] says so.
pub(super) const KERNELS: Kernels = Kernels { full, quarter, strip, transform, write };

/// Whether this processor has the features.
pub(super) fn runs() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt")
}

fn full(rgb: &[u8], luma: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `KERNELS` are given away only where the processor has AVX2.
    unsafe {
        colour_avx2::full(rgb, luma, cb, cr);
    }
}

fn quarter(rgb: [&[u8]; 2], luma: (&mut [u8], &mut [u8]), cb: &mut [u8], cr: &mut [u8]) {
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: as above.
    unsafe {
        colour_avx2::quarter(rgb, luma, cb, cr);
    }
}

fn strip(
    parts: &[Part<'_>],
    layout: &[Component],
    mcus: usize,
    divisors: &[Divisors; 2],
    predictors: &mut [i16; 3],
    symbols: &mut Symbols,
) {
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn enabled(
        parts: &[Part<'_>],
        layout: &[Component],
        mcus: usize,
        divisors: &[Divisors; 2],
        predictors: &mut [i16; 3],
        symbols: &mut Symbols,
    ) {
        blocks::strip(parts, layout, mcus, divisors, predictors, symbols, |samples, divisors| {
            fdct_avx2::transform(samples, divisors)
        });
    }
    #[allow(unsafe_code, reason = "calling code compiled for features")]
    // SAFETY: `KERNELS` are given away only where the processor has all of these.
    unsafe {
        enabled(parts, layout, mcus, divisors, predictors, symbols);
    }
}

fn write(words: &[u16], tables: &Tables, bits: &mut Bits) {
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn enabled(words: &[u16], tables: &Tables, bits: &mut Bits) {
        write::words(words, tables, bits);
    }
    #[allow(unsafe_code, reason = "calling code compiled for features")]
    // SAFETY: as above.
    unsafe {
        enabled(words, tables, bits);
    }
}

fn transform(samples: &Samples, divisors: &Divisors) -> Block {
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: as above.
    unsafe {
        fdct_avx2::transform(samples, divisors)
    }
}
