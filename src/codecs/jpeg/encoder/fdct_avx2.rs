//! [`super::fdct::plain`] for processors with AVX2, to the bit.

use std::arch::x86_64::{
    __m128i, __m256, __m256i, _mm_cvtsi64_si128, _mm256_add_ps, _mm256_cmpeq_epi16, _mm256_cvtepi32_ps,
    _mm256_cvtepu8_epi32, _mm256_cvtps_epi32, _mm256_movemask_epi8, _mm256_mul_ps, _mm256_packs_epi16,
    _mm256_packs_epi32, _mm256_permute4x64_epi64, _mm256_set1_ps, _mm256_setr_ps, _mm256_setzero_ps,
    _mm256_setzero_si256, _mm256_sub_ps,
};

use crate::codecs::jpeg::turn_avx2::turned;

use super::fdct::{Block, Divisors, HALF_ROOT, MIDDLE, Samples, TURN, TURN_HIGH, TURN_LOW, in_zigzag};

/// The transform.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn transform(samples: &Samples, Divisors(divisors): &Divisors) -> Block {
    let divisors: &[[f32; 8]; 8] = bytemuck::cast_ref(divisors);
    let mut lanes = [_mm256_setzero_ps(); 8];
    for (lanes, row) in lanes.iter_mut().zip(samples) {
        let eight: __m128i = _mm_cvtsi64_si128(i64::from_ne_bytes(*row));
        *lanes = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(eight));
    }
    let mut columns = axis(turned(axis(lanes)));
    columns[0] = _mm256_sub_ps(columns[0], _mm256_setr_ps(MIDDLE, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0));
    let mut whole = [_mm256_setzero_si256(); 8];
    for k in 0..8 {
        let factors: __m256 = bytemuck::cast(divisors[k]);
        whole[k] = _mm256_cvtps_epi32(_mm256_mul_ps(columns[k], factors));
    }
    // Packing works within halves: words come out as the first columns' halves, then the second's.
    let packed = |k: usize| {
        const ORDER: i32 = 0b11_01_10_00;
        _mm256_permute4x64_epi64::<ORDER>(_mm256_packs_epi32(whole[k], whole[k + 1]))
    };
    let pairs = [packed(0), packed(2), packed(4), packed(6)];
    let zeros = |a: __m256i, b: __m256i| {
        let zero = |pair| _mm256_cmpeq_epi16(pair, _mm256_setzero_si256());
        _mm256_movemask_epi8(_mm256_packs_epi16(zero(a), zero(b)))
    };
    // And so do bytes: columns 0, 2, 1, 3.
    let [a, c, b, d] = (!zeros(pairs[0], pairs[1])).to_le_bytes();
    let [e, g, f, h] = (!zeros(pairs[2], pairs[3])).to_le_bytes();
    Block { values: bytemuck::cast(pairs), present: in_zigzag([a, b, c, d, e, f, g, h]) }
}

/// As `axis` of the twin.
#[inline]
#[target_feature(enable = "avx2")]
fn axis(x: [__m256; 8]) -> [__m256; 8] {
    let times = |a, factor| _mm256_mul_ps(a, _mm256_set1_ps(factor));
    let (add, sub) = (|a, b| _mm256_add_ps(a, b), |a, b| _mm256_sub_ps(a, b));
    let [sum_07, sum_16, sum_25, sum_34] = [add(x[0], x[7]), add(x[1], x[6]), add(x[2], x[5]), add(x[3], x[4])];
    let [apart_07, apart_16, apart_25, apart_34] = [sub(x[0], x[7]), sub(x[1], x[6]), sub(x[2], x[5]), sub(x[3], x[4])];
    let (outer, inner) = (add(sum_07, sum_34), add(sum_16, sum_25));
    let (outer_apart, inner_apart) = (sub(sum_07, sum_34), sub(sum_16, sum_25));
    let diagonal = times(add(inner_apart, outer_apart), HALF_ROOT);

    let (low, middle, high) = (add(apart_34, apart_25), add(apart_25, apart_16), add(apart_16, apart_07));
    let both = times(sub(low, high), TURN);
    let low = add(times(low, TURN_LOW), both);
    let high = add(times(high, TURN_HIGH), both);
    let middle = times(middle, HALF_ROOT);
    let (up, down) = (add(apart_07, middle), sub(apart_07, middle));
    [
        add(outer, inner),
        add(up, high),
        add(outer_apart, diagonal),
        sub(down, low),
        sub(outer, inner),
        add(down, low),
        sub(outer_apart, diagonal),
        sub(up, high),
    ]
}
