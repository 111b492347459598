//! Progressive files: coefficients in scans of rising detail. ITU-T T.81, annex G.
//!
//! All coefficients are held, with a mask for each of the three precisions that the scans go by, so that a scan passes from
//! one coefficient that it codes to the next ([`grid`]). Each scan ([`scans`]) is gone through once to count its symbols
//! ([`passes`]), which are kept to be written ([`sink`]); those of a scan of very many are found once more instead.

mod grid;
mod passes;
mod scans;
mod sink;

use super::fdct::Divisors;
use super::headers;
use super::huffman::Codes;
use super::kernels::Kernels;
use super::strips::Strips;
use super::write::Bits;

use sink::{Counted, Written};

/// Most words that a block has in a scan: a new coefficient is one, and one or two more are what comes before and behind.
const WORDS: usize = 66;

/// Most bytes that are held for so many blocks, and so many of luma; `kept`: bytes of symbols that may be.
pub(super) const fn held_bytes(blocks: u64, luma: u64, kept: usize) -> u64 {
    blocks * grid::BLOCK_BYTES + (words(luma as usize, kept) * Counted::WORD) as u64 + passes::WAITING_BYTES
}

/// Words that are kept of a scan: the longest are luma's.
const fn words(luma: usize, kept: usize) -> usize {
    let (all, most) = (luma.saturating_mul(WORDS), kept / Counted::WORD);
    if all < most { all } else { most }
}

/// Writes all scans behind the headers.
pub(super) fn encode(
    out: Vec<u8>,
    strips: &mut Strips<'_>,
    divisors: &[Divisors; 2],
    kernels: &Kernels,
    kept: usize,
) -> Vec<u8> {
    let grids = grid::grids(strips, divisors, kernels);
    let mut counted = Counted::new(words(grids[0].values.len(), kept));
    let mut bits = Bits::new(out);
    for scan in scans::of(grids.len()) {
        counted.clear();
        passes::code(scan, &grids, &mut counted);
        let tables = counted.counts.map(|counts| Codes::new(&counts));
        for (table, (codes, counts)) in tables.iter().zip(&counted.counts).enumerate() {
            if counts.iter().any(|&count| count > 0) {
                bits.bytes(&codes.segment(usize::from(scan.band.0 > 0), table));
            }
        }
        let parts: Vec<_> = scan.components.iter().map(|&c| (c, grids[c].component)).collect();
        bits.bytes(&headers::scan(&parts, scan.band, (scan.high, scan.low)));
        bits.reserve(counted.bits(&tables));
        let mut written = Written { tables: &tables, bits: &mut bits };
        if !counted.write(&mut written) {
            passes::code(scan, &grids, &mut written);
        }
        bits.fill();
    }
    bits.finish()
}

/// Bytes of coefficients and of the scan with the most symbols.
#[cfg(test)]
pub(super) fn measured(strips: &mut Strips<'_>, divisors: &[Divisors; 2], kernels: &Kernels, kept: usize) -> u64 {
    let grids = grid::grids(strips, divisors, kernels);
    let coefficients: usize =
        grids.iter().map(|grid| grid.values.capacity() * 128 + grid.at_least.capacity() * 24).sum();
    let mut counted = Counted::new(kept / Counted::WORD);
    let of = |scan| {
        counted.clear();
        passes::code(scan, &grids, &mut counted);
        counted.kept_bytes()
    };
    let most = scans::of(grids.len()).iter().map(of).max().unwrap_or(0);
    (coefficients + most) as u64
}
