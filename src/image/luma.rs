//! Colour → grey through linear light.

use std::sync::LazyLock;

/// Shares of red, green and blue in grey, of 10. The reference converts sRGB to grey this way (libvips, `scRGB2BW`):
/// rounder numbers than BT.709's, and on linear light rather than on the encoded samples.
const SHARES: [u32; 3] = [2, 7, 1];

/// Linear light is kept in 16 bits, times the shares' sum.
const FULL: u32 = 65535;

/// Bits of precision dropped before encoding; 13 107 steps are left.
const DROPPED: u32 = 50;

struct Tables {
    linear: [u16; 256],
    encoded: Vec<u8>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let linear = std::array::from_fn(|i| {
        let c = i as f64 / 255.0;
        let l = if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        (l * f64::from(FULL)).round() as u16
    });
    let encoded = (0..=FULL * 10 / DROPPED)
        .map(|i| {
            let l = f64::from(i * DROPPED) / f64::from(FULL * 10);
            let c = if l <= 0.003_130_8 { l * 12.92 } else { 1.055 * l.powf(1.0 / 2.4) - 0.055 };
            (c * 255.0).round() as u8
        })
        .collect();
    Tables { linear, encoded }
});

/// Grey of an sRGB colour: 0.2 R + 0.7 G + 0.1 B of the linear light, encoded again. Equal samples stay as they are.
pub(super) fn luma(r: u8, g: u8, b: u8) -> u8 {
    let tables = &*TABLES;
    let sum: u32 =
        [r, g, b].iter().zip(SHARES).map(|(&c, share)| u32::from(tables.linear[usize::from(c)]) * share).sum();
    tables.encoded[((sum + DROPPED / 2) / DROPPED) as usize]
}

#[cfg(test)]
mod tests {
    use super::luma;

    #[test]
    fn grey_stays() {
        for v in 0..=255 {
            assert_eq!(luma(v, v, v), v);
        }
    }

    #[test]
    fn saturated_colours_are_what_the_reference_answers() {
        // Measured on libvips 8.14, which interpolates in a short table: one level off here and there.
        for (rgb, want) in [
            ([255, 0, 0], 124),
            ([0, 255, 0], 218),
            ([0, 0, 255], 89),
            ([255, 255, 0], 244),
            ([255, 0, 255], 148),
            ([10, 200, 50], 171),
            ([200, 100, 50], 126),
            ([30, 30, 90], 40),
        ] {
            let [r, g, b] = rgb;
            assert!(luma(r, g, b).abs_diff(want) <= 1, "{rgb:?}: {} {want}", luma(r, g, b));
        }
    }
}
