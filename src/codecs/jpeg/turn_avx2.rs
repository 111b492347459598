//! Turning a block in registers, for the transforms both ways.

use std::arch::x86_64::{__m256, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps};

/// Rows become columns.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn turned(r: [__m256; 8]) -> [__m256; 8] {
    let pairs = [
        _mm256_unpacklo_ps(r[0], r[1]),
        _mm256_unpackhi_ps(r[0], r[1]),
        _mm256_unpacklo_ps(r[2], r[3]),
        _mm256_unpackhi_ps(r[2], r[3]),
        _mm256_unpacklo_ps(r[4], r[5]),
        _mm256_unpackhi_ps(r[4], r[5]),
        _mm256_unpacklo_ps(r[6], r[7]),
        _mm256_unpackhi_ps(r[6], r[7]),
    ];
    const LOW: i32 = 0b01_00_01_00;
    const HIGH: i32 = 0b11_10_11_10;
    let fours = [
        _mm256_shuffle_ps::<LOW>(pairs[0], pairs[2]),
        _mm256_shuffle_ps::<HIGH>(pairs[0], pairs[2]),
        _mm256_shuffle_ps::<LOW>(pairs[1], pairs[3]),
        _mm256_shuffle_ps::<HIGH>(pairs[1], pairs[3]),
        _mm256_shuffle_ps::<LOW>(pairs[4], pairs[6]),
        _mm256_shuffle_ps::<HIGH>(pairs[4], pairs[6]),
        _mm256_shuffle_ps::<LOW>(pairs[5], pairs[7]),
        _mm256_shuffle_ps::<HIGH>(pairs[5], pairs[7]),
    ];
    [
        _mm256_permute2f128_ps::<0x20>(fours[0], fours[4]),
        _mm256_permute2f128_ps::<0x20>(fours[1], fours[5]),
        _mm256_permute2f128_ps::<0x20>(fours[2], fours[6]),
        _mm256_permute2f128_ps::<0x20>(fours[3], fours[7]),
        _mm256_permute2f128_ps::<0x31>(fours[0], fours[4]),
        _mm256_permute2f128_ps::<0x31>(fours[1], fours[5]),
        _mm256_permute2f128_ps::<0x31>(fours[2], fours[6]),
        _mm256_permute2f128_ps::<0x31>(fours[3], fours[7]),
    ]
}
