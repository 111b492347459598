//! The inner loops, of which there are twins.

use super::blocks::{self, Part};
use super::colour;
use super::fdct::{self, Divisors};
use super::strips::Component;
use super::symbols::Symbols;
use super::write::{self, Bits, Tables};

/// A row of RGB → rows of Y, Cb and Cr.
pub(super) type Full = fn(&[u8], &mut [u8], &mut [u8], &mut [u8]);
/// Two rows of RGB → two of Y, one of Cb and Cr.
pub(super) type Quarter = fn([&[u8]; 2], (&mut [u8], &mut [u8]), &mut [u8], &mut [u8]);
/// See [`blocks::strip`].
pub(super) type Strip = fn(&[Part<'_>], &[Component], usize, &[Divisors; 2], &mut [i16; 3], &mut Symbols);
/// See [`fdct`].
pub(super) type Transform = fn(&fdct::Samples, &Divisors) -> fdct::Block;
/// See [`write::words`].
pub(super) type Write = fn(&[u16], &Tables, &mut Bits);

/// A set of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernels {
    pub(super) full: Full,
    pub(super) quarter: Quarter,
    pub(super) strip: Strip,
    pub(super) transform: Transform,
    pub(super) write: Write,
}

impl Kernels {
    /// The fastest that this processor runs.
    pub(super) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::avx2::runs() {
            return super::avx2::KERNELS;
        }
        Self::PLAIN
    }

    /// Those for every processor.
    pub(super) const PLAIN: Self = Self {
        full: colour::full,
        quarter: colour::quarter,
        strip: plain_strip,
        transform: fdct::plain,
        write: plain_write,
    };
}

fn plain_strip(
    parts: &[Part<'_>],
    layout: &[Component],
    mcus: usize,
    divisors: &[Divisors; 2],
    predictors: &mut [i16; 3],
    symbols: &mut Symbols,
) {
    blocks::strip(parts, layout, mcus, divisors, predictors, symbols, fdct::plain);
}

fn plain_write(words: &[u16], tables: &Tables, bits: &mut Bits) {
    write::words(words, tables, bits);
}
