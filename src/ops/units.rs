/// Standard deviation of a Gaussian blur in output pixels: above 0, at most 1000.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Sigma(f64);

impl Sigma {
    /// Largest value taken.
    pub const MAX: f64 = 1000.0;

    /// A standard deviation, or `None` unless `0 < value <= 1000`.
    pub fn new(value: f64) -> Option<Self> {
        (value > 0.0 && value <= Self::MAX).then_some(Self(value))
    }

    /// The value in pixels.
    pub const fn get(self) -> f64 {
        self.0
    }
}

/// A factor on the alpha of an overlay: finite, at least 0; the product with alpha is clamped to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Opacity(f32);

impl Opacity {
    /// Alpha as it is.
    pub const FULL: Self = Self(1.0);

    /// A factor; not-a-number and negative values count as 0, large ones as 256 (beyond which nothing changes).
    pub fn new(value: f64) -> Self {
        // `max` and `min` drop NaN, `clamp` would pass it on.
        Self(value.max(0.0).min(256.0) as f32)
    }

    /// The factor.
    pub const fn get(self) -> f32 {
        self.0
    }

    /// Alpha sample of an overlay → coverage, 0 to [`Self::FULL_COVERAGE`]. Sixteen bits, so that a faint overlay keeps
    /// its steps.
    pub fn coverage(self) -> [u32; 256] {
        std::array::from_fn(|alpha| {
            let covered = (alpha as f32 / 255.0 * self.0).min(1.0);
            (covered * Self::FULL_COVERAGE as f32).round() as u32
        })
    }

    /// Coverage of what hides everything below.
    pub const FULL_COVERAGE: u32 = 65535;
}
