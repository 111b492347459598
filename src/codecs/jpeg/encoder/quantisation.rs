//! Quantisation tables by quality.

use crate::codecs::jpeg::zigzag::ZIGZAG;

/// T.81, tables K.1 and K.2, row by row.
#[rustfmt::skip]
const LUMA: [u8; 64] = [
    16, 11, 10, 16,  24,  40,  51,  61,
    12, 12, 14, 19,  26,  58,  60,  55,
    14, 13, 16, 24,  40,  57,  69,  56,
    14, 17, 22, 29,  51,  87,  80,  62,
    18, 22, 37, 56,  68, 109, 103,  77,
    24, 35, 55, 64,  81, 104, 113,  92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103,  99,
];
#[rustfmt::skip]
const CHROMA: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
];

/// Steps of 1 to 255 in zigzag order. Quality 50 is the standard's table; the scale is the Independent JPEG Group's, by
/// which all that speak of a JPEG's quality mean the same.
pub(super) fn table(quality: u8, luma: bool) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    let base = if luma { &LUMA } else { &CHROMA };
    ZIGZAG.map(|(u, v)| {
        let step = u32::from(base[usize::from(8 * v + u)]);
        ((step * percent + 50) / 100).clamp(1, 255) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_is_the_standard_and_a_hundred_all_ones() {
        assert_eq!(table(50, true)[..6], [16, 11, 12, 14, 12, 10]);
        assert_eq!(table(50, false)[..6], [17, 18, 18, 24, 21, 24]);
        assert_eq!(table(100, true), [1; 64]);
        assert_eq!(table(1, false), [255; 64]);
        // 16 and 11 at 75: half, rounded up.
        assert_eq!(table(75, true)[..2], [8, 6]);
    }
}
