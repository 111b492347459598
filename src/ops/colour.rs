//! Transfer functions and matrices.

/// Full-range BT.601 YCbCr (JFIF) → RGB, all 0 to 255, not rounded and not clamped. ITU-T T.871, section 7.
#[derive(Debug, Clone, Copy, Default)]
pub struct YcbcrToRgb;

impl YcbcrToRgb {
    /// Cr's share of red.
    pub const RED_CR: f32 = 1.402;
    /// Cb's share of green.
    pub const GREEN_CB: f32 = -0.344_136_3;
    /// Cr's share of green.
    pub const GREEN_CR: f32 = -0.714_136_3;
    /// Cb's share of blue.
    pub const BLUE_CB: f32 = 1.772;

    /// One pixel.
    #[inline]
    pub fn convert(y: f32, cb: f32, cr: f32) -> [f32; 3] {
        let (cb, cr) = (cb - 128.0, cr - 128.0);
        [y + Self::RED_CR * cr, y + Self::GREEN_CB * cb + Self::GREEN_CR * cr, y + Self::BLUE_CB * cb]
    }
}

/// Undoes the sRGB transfer function: 0 to 255 → linear light 0 to 1. IEC 61966-2-1.
pub(super) fn srgb_to_linear(encoded: f64) -> f64 {
    let c = encoded / 255.0;
    if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
}

/// Linear sRGB, 0 to 1 → CIE XYZ of D65, Y of white 100. IEC 61966-2-1.
pub(super) fn linear_to_xyz([r, g, b]: [f64; 3]) -> [f64; 3] {
    [41.24 * r + 35.76 * g + 18.05 * b, 21.26 * r + 71.52 * g + 7.22 * b, 1.93 * r + 11.92 * g + 95.05 * b]
}

/// The a* of CIELAB (green to red) of an XYZ colour with Y of white 100, white D65. CIE 15.
pub(super) fn lab_a([x, y, _]: [f64; 3]) -> f64 {
    let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
    500.0 * (f(x / 95.047) - f(y / 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neutral_chroma_leaves_grey() {
        for y in [0.0, 17.0, 255.0] {
            assert_eq!(YcbcrToRgb::convert(y, 128.0, 128.0), [y; 3]);
        }
    }

    #[test]
    fn primaries_come_back_from_ycbcr() {
        // T.871: Y = 0.299 R + 0.587 G + 0.114 B and so on, for pure red.
        let (y, cb, cr) = (76.245, -0.168_735_9 * 255.0 + 128.0, 0.5 * 255.0 + 128.0);
        let [r, g, b] = YcbcrToRgb::convert(y, cb, cr);
        assert!((r - 255.0).abs() < 0.01 && g.abs() < 0.01 && b.abs() < 0.01, "{r} {g} {b}");
    }

    #[test]
    fn grey_has_no_a_and_red_has_much() {
        let a = |rgb: [f64; 3]| lab_a(linear_to_xyz(rgb.map(srgb_to_linear)));
        assert!(a([128.0; 3]).abs() < 0.1);
        assert!((a([255.0, 0.0, 0.0]) - 80.1).abs() < 0.2);
        assert!(a([0.0, 255.0, 0.0]) < -80.0);
    }
}
