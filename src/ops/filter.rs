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
}
