//! [`super::plain`] for processors with AVX2, to the bit.

use std::arch::x86_64::{
    __m128i, __m256, _mm256_add_ps, _mm256_cvtepi16_epi32, _mm256_cvtepi32_ps, _mm256_cvttps_epi32, _mm256_max_ps,
    _mm256_min_ps, _mm256_mul_ps, _mm256_packus_epi16, _mm256_packus_epi32, _mm256_permutevar8x32_epi32,
    _mm256_set1_ps, _mm256_setr_epi32, _mm256_setzero_ps, _mm256_setzero_si256, _mm256_sub_ps,
};

use crate::codecs::jpeg::turn_avx2::turned;

use super::{ROOT_2, Samples, Scaled, TURN, TURN_DIFFERENCE, TURN_SUM};

/// The transform.
pub(super) fn transform(coefficients: &[i16; 64], table: &Scaled) -> Samples {
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has AVX2.
    unsafe {
        enabled(coefficients, table)
    }
}

#[target_feature(enable = "avx2")]
fn enabled(coefficients: &[i16; 64], Scaled(table): &Scaled) -> Samples {
    let coefficients: &[[i16; 8]; 8] = bytemuck::cast_ref(coefficients);
    let table: &[[f32; 8]; 8] = bytemuck::cast_ref(table);
    let mut lanes = [_mm256_setzero_ps(); 8];
    for k in 0..8 {
        let whole: __m128i = bytemuck::cast(coefficients[k]);
        let factors: __m256 = bytemuck::cast(table[k]);
        lanes[k] = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(whole)), factors);
    }
    let rows = axis(turned(axis(lanes)));
    let mut whole = [_mm256_setzero_si256(); 8];
    for k in 0..8 {
        let raised = _mm256_add_ps(rows[k], _mm256_set1_ps(128.5));
        let bounded = _mm256_min_ps(_mm256_max_ps(raised, _mm256_setzero_ps()), _mm256_set1_ps(255.0));
        whole[k] = _mm256_cvttps_epi32(bounded);
    }
    // Packing works within halves: words come out as 0 2 4 6 of the low halves, then of the high ones.
    let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    let packed = |first: usize| {
        let low = _mm256_packus_epi32(whole[first], whole[first + 1]);
        let high = _mm256_packus_epi32(whole[first + 2], whole[first + 3]);
        _mm256_permutevar8x32_epi32(_mm256_packus_epi16(low, high), order)
    };
    bytemuck::cast([packed(0), packed(4)])
}

/// As `axis` of the twin.
#[target_feature(enable = "avx2")]
fn axis(f: [__m256; 8]) -> [__m256; 8] {
    let times = |a, factor| _mm256_mul_ps(a, _mm256_set1_ps(factor));
    let (add, sub) = (|a, b| _mm256_add_ps(a, b), |a, b| _mm256_sub_ps(a, b));
    let (even_sum, even_difference) = (add(f[0], f[4]), sub(f[0], f[4]));
    let sum_26 = add(f[2], f[6]);
    let difference_26 = sub(times(sub(f[2], f[6]), ROOT_2), sum_26);
    let even = [
        add(even_sum, sum_26),
        add(even_difference, difference_26),
        sub(even_difference, difference_26),
        sub(even_sum, sum_26),
    ];
    let (sum_53, difference_53) = (add(f[5], f[3]), sub(f[5], f[3]));
    let (sum_17, difference_17) = (add(f[1], f[7]), sub(f[1], f[7]));
    let odd_0 = add(sum_17, sum_53);
    let turn = times(add(difference_53, difference_17), TURN);
    let odd_1 = sub(sub(turn, times(difference_53, TURN_SUM)), odd_0);
    let odd_2 = sub(times(sub(sum_17, sum_53), ROOT_2), odd_1);
    let odd_3 = sub(sub(turn, times(difference_17, TURN_DIFFERENCE)), odd_2);
    [
        add(even[0], odd_0),
        add(even[1], odd_1),
        add(even[2], odd_2),
        add(even[3], odd_3),
        sub(even[3], odd_3),
        sub(even[2], odd_2),
        sub(even[1], odd_1),
        sub(even[0], odd_0),
    ]
}
