/// How the samples of a packed picture lie in memory: 8 bits a sample, interleaved, sRGB-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// One luma sample.
    Gray8,
    /// Luma, alpha.
    GrayAlpha8,
    /// Red, green, blue.
    Rgb8,
    /// Red, green, blue, alpha.
    Rgba8,
}

impl PixelFormat {
    /// Samples, and so bytes, a pixel: 1 to 4.
    pub const fn channels(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::GrayAlpha8 => 2,
            Self::Rgb8 => 3,
            Self::Rgba8 => 4,
        }
    }

    /// Whether the last sample of each pixel is alpha.
    pub const fn has_alpha(self) -> bool {
        matches!(self, Self::GrayAlpha8 | Self::Rgba8)
    }

    /// Whether colour is a single luma sample.
    pub const fn is_gray(self) -> bool {
        matches!(self, Self::Gray8 | Self::GrayAlpha8)
    }

    /// The format with these properties.
    pub const fn of(gray: bool, alpha: bool) -> Self {
        match (gray, alpha) {
            (true, false) => Self::Gray8,
            (true, true) => Self::GrayAlpha8,
            (false, false) => Self::Rgb8,
            (false, true) => Self::Rgba8,
        }
    }
}

/// What the colour samples mean in the presence of alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlphaMode {
    /// There is no alpha sample.
    Opaque,
    /// Colour is independent of alpha. Decoders answer with this, encoders want it.
    Straight,
    /// Colour is multiplied by alpha; only ever between two steps inside a backend.
    Premultiplied,
}

/// A colour: red, green, blue, 0 to 255, sRGB-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rgb8 {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
}

impl Rgb8 {
    /// Black, the contract's stand-in for "no colour given".
    pub const BLACK: Self = Self { r: 0, g: 0, b: 0 };
    /// White.
    pub const WHITE: Self = Self { r: 255, g: 255, b: 255 };

    /// Whether the three samples are equal.
    pub const fn is_gray(self) -> bool {
        self.r == self.g && self.g == self.b
    }

    /// Grey of this colour, through linear light, as the reference converts: 0.2 R + 0.7 G + 0.1 B.
    pub fn luma(self) -> u8 {
        super::luma::luma(self.r, self.g, self.b)
    }
}
