use super::resample::TIE;

/// The resampling function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Filter {
    /// Nearest neighbour.
    Nearest,
    /// Area average.
    Box,
    /// Linear interpolation, widened when shrinking.
    Triangle,
    /// Catmull-Rom cubic (B = 0, C = 1/2).
    CatmullRom,
    /// Mitchell-Netravali cubic (B = C = 1/3).
    Mitchell,
    /// Lanczos windowed sinc with three lobes; the contract's filter.
    #[default]
    Lanczos3,
}

impl Filter {
    /// Radius in source pixels at scale 1; a shrink widens it by the scale.
    pub const fn support(self) -> f64 {
        match self {
            Self::Nearest => 0.0,
            Self::Box => 0.5,
            Self::Triangle => 1.0,
            Self::CatmullRom | Self::Mitchell => 2.0,
            Self::Lanczos3 => 3.0,
        }
    }

    /// The function at `x` source pixels from the centre, not normalised over a set of taps; 0 outside the support.
    /// The cubics are those of Mitchell and Netravali, "Reconstruction Filters in Computer Graphics" (1988).
    pub fn weight(self, x: f64) -> f64 {
        let r = x.abs();
        match self {
            Self::Nearest => f64::from(u8::from(r <= 0.5)),
            // Half open, so that a pixel on the border between two outputs goes to one of them.
            Self::Box => f64::from(u8::from(TIE - 0.5 < x && x <= TIE + 0.5)),
            Self::Triangle => (1.0 - r).max(0.0),
            Self::CatmullRom => cubic(r, 0.0, 0.5),
            Self::Mitchell => cubic(r, 1.0 / 3.0, 1.0 / 3.0),
            Self::Lanczos3 if r < 3.0 => sinc(r) * sinc(r / 3.0),
            Self::Lanczos3 => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

/// The cubic of parameters B and C at distance `r` >= 0.
fn cubic(r: f64, b: f64, c: f64) -> f64 {
    if r < 1.0 {
        ((12.0 - 9.0 * b - 6.0 * c) * r.powi(3) + (-18.0 + 12.0 * b + 6.0 * c) * r.powi(2) + 6.0 - 2.0 * b) / 6.0
    } else if r < 2.0 {
        ((-b - 6.0 * c) * r.powi(3)
            + (6.0 * b + 30.0 * c) * r.powi(2)
            + (-12.0 * b - 48.0 * c) * r
            + 8.0 * b
            + 24.0 * c)
            / 6.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMOOTH: [Filter; 4] = [Filter::Triangle, Filter::CatmullRom, Filter::Mitchell, Filter::Lanczos3];

    #[test]
    fn filters_are_even_and_end_at_their_support() {
        for filter in SMOOTH {
            for i in 0..40 {
                let x = f64::from(i) * 0.1;
                assert!((filter.weight(x) - filter.weight(-x)).abs() < 1e-15);
            }
            assert!(filter.weight(filter.support()).abs() < 1e-12);
            assert!(filter.weight(filter.support() - 0.05) != 0.0);
        }
    }

    #[test]
    fn interpolating_filters_are_one_at_zero_and_zero_at_other_pixels() {
        for filter in [Filter::Triangle, Filter::CatmullRom, Filter::Lanczos3] {
            assert_eq!(filter.weight(0.0), 1.0);
            for i in 1..4 {
                assert!(filter.weight(f64::from(i)).abs() < 1e-12, "{filter:?} {i}");
            }
        }
        // Mitchell blurs a little: 8/9 in the middle, 1/18 beside.
        assert!((Filter::Mitchell.weight(0.0) - 8.0 / 9.0).abs() < 1e-12);
        assert!((Filter::Mitchell.weight(1.0) - 1.0 / 18.0).abs() < 1e-12);
    }
}
