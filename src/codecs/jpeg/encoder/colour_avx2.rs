//! [`super::colour`] for processors with AVX2, to the bit; the last pixels of a row are left to it.

use std::arch::x86_64::{
    __m128i, __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_hadd_epi32, _mm256_madd_epi16, _mm256_packs_epi32,
    _mm256_packus_epi16, _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_set1_epi32, _mm256_setr_epi8,
    _mm256_setr_epi32, _mm256_setr_m128i, _mm256_shuffle_epi8, _mm256_srai_epi32,
};

use super::colour::{self, CB, CR, SHARE, Y, middle, rounding};

/// Bytes of a row that 32 pixels are read from: the last four of them with four bytes more.
const READ: usize = 100;

/// Pixels, eight in a register: red and green, and blue and nothing, as words.
#[derive(Clone, Copy)]
struct Eight {
    red_green: __m256i,
    blue: __m256i,
}

/// See the twin.
#[target_feature(enable = "avx2")]
pub(super) fn full(rgb: &[u8], luma: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
    let mut done = 0;
    while let Some(bytes) = rgb.get(3 * done..).and_then(|rest| rest.first_chunk::<READ>()) {
        let pixels = read(bytes);
        let (y, b, r) = (&mut luma[done..done + 32], &mut cb[done..done + 32], &mut cr[done..done + 32]);
        y.copy_from_slice(&bytes_of(pixels.map(|eight| shifted(sum(eight, Y), rounding(0), SHARE))));
        b.copy_from_slice(&bytes_of(pixels.map(|eight| shifted(sum(eight, CB), middle(0), SHARE))));
        r.copy_from_slice(&bytes_of(pixels.map(|eight| shifted(sum(eight, CR), middle(0), SHARE))));
        done += 32;
    }
    colour::full(&rgb[3 * done..], &mut luma[done..], &mut cb[done..], &mut cr[done..]);
}

/// See the twin.
#[target_feature(enable = "avx2")]
pub(super) fn quarter(rgb: [&[u8]; 2], (above, below): (&mut [u8], &mut [u8]), cb: &mut [u8], cr: &mut [u8]) {
    let mut done = 0;
    let chunk = |row: usize, done: usize| rgb[row].get(3 * done..).and_then(|rest| rest.first_chunk::<READ>());
    while let (Some(first), Some(second)) = (chunk(0, done), chunk(1, done)) {
        let rows = [read(first), read(second)];
        for (luma, pixels) in [&mut above[done..done + 32], &mut below[done..done + 32]].into_iter().zip(rows) {
            luma.copy_from_slice(&bytes_of(pixels.map(|eight| shifted(sum(eight, Y), rounding(0), SHARE))));
        }
        let both: [Eight; 4] = std::array::from_fn(|i| Eight {
            red_green: _mm256_add_epi16(rows[0][i].red_green, rows[1][i].red_green),
            blue: _mm256_add_epi16(rows[0][i].blue, rows[1][i].blue),
        });
        let coarse = done / 2;
        for (chroma, shares) in [(&mut *cb, CB), (&mut *cr, CR)] {
            let columns = both.map(|eight| sum(eight, shares));
            chroma[coarse..coarse + 16].copy_from_slice(&paired(columns));
        }
        done += 32;
    }
    let coarse = done / 2;
    colour::quarter(
        [&rgb[0][3 * done..], &rgb[1][3 * done..]],
        (&mut above[done..], &mut below[done..]),
        &mut cb[coarse..],
        &mut cr[coarse..],
    );
}

/// 32 pixels.
#[inline]
#[target_feature(enable = "avx2")]
fn read(bytes: &[u8; READ]) -> [Eight; 4] {
    const NO: i8 = -1;
    #[rustfmt::skip]
    let red_green = _mm256_setr_epi8(
        0, NO, 1, NO, 3, NO, 4, NO, 6, NO, 7, NO, 9, NO, 10, NO,
        0, NO, 1, NO, 3, NO, 4, NO, 6, NO, 7, NO, 9, NO, 10, NO,
    );
    #[rustfmt::skip]
    let blue = _mm256_setr_epi8(
        2, NO, NO, NO, 5, NO, NO, NO, 8, NO, NO, NO, 11, NO, NO, NO,
        2, NO, NO, NO, 5, NO, NO, NO, 8, NO, NO, NO, 11, NO, NO, NO,
    );
    std::array::from_fn(|i| {
        let four = |at: usize| -> __m128i { bytemuck::pod_read_unaligned(&bytes[at..at + 16]) };
        let eight = _mm256_setr_m128i(four(24 * i), four(24 * i + 12));
        Eight { red_green: _mm256_shuffle_epi8(eight, red_green), blue: _mm256_shuffle_epi8(eight, blue) }
    })
}

/// Shares of each pixel, added up.
#[inline]
#[target_feature(enable = "avx2")]
fn sum(eight: Eight, [r, g, b]: [i16; 3]) -> __m256i {
    let pair = |low: i16, high: i16| _mm256_set1_epi32(i32::from(low as u16) | i32::from(high) << 16);
    _mm256_add_epi32(_mm256_madd_epi16(eight.red_green, pair(r, g)), _mm256_madd_epi16(eight.blue, pair(b, 0)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn shifted(sums: __m256i, offset: i32, bits: u32) -> __m256i {
    let raised = _mm256_add_epi32(sums, _mm256_set1_epi32(offset));
    // Constants that become one instruction each.
    if bits == SHARE {
        _mm256_srai_epi32::<{ SHARE as i32 }>(raised)
    } else {
        _mm256_srai_epi32::<{ SHARE as i32 + 2 }>(raised)
    }
}

/// 32 numbers as bytes. Packing works within halves, which leaves fours out of their order.
#[inline]
#[target_feature(enable = "avx2")]
fn bytes_of(numbers: [__m256i; 4]) -> [u8; 32] {
    let low = _mm256_packs_epi32(numbers[0], numbers[1]);
    let high = _mm256_packs_epi32(numbers[2], numbers[3]);
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    bytemuck::cast(_mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order))
}

/// 16 sums of neighbours, as chroma.
#[inline]
#[target_feature(enable = "avx2")]
fn paired(columns: [__m256i; 4]) -> [u8; 16] {
    // Sums come out as fours of the first, of the second, twice.
    const ORDER: i32 = 0b11_01_10_00;
    let pairs = |a, b| {
        let sums = _mm256_permute4x64_epi64::<ORDER>(_mm256_hadd_epi32(a, b));
        shifted(sums, middle(2), SHARE + 2)
    };
    let both = [pairs(columns[0], columns[1]), pairs(columns[2], columns[3])];
    let all = bytes_of([both[0], both[1], both[0], both[1]]);
    let mut half = [0; 16];
    half.copy_from_slice(&all[..16]);
    half
}
