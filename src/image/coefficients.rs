use super::Size;

/// The first zigzag coefficients of every block of one JPEG component, dequantised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoefficientPlane {
    /// Samples of the component that are picture (the blocks may cover more).
    pub size: Size,
    /// Blocks across and down, each 8×8 samples.
    pub blocks: Size,
    /// Coefficients kept of each block: a triangle of the zigzag order, 1, 3, 6, 10, 15, 21, 28, … 64.
    pub count: u8,
    /// `count` planes, one after the other; plane `k` holds coefficient `k` in zigzag order of every block, row-major.
    pub values: Vec<i16>,
}

/// A picture as DCT coefficients: what a JPEG decoder that skips the rest of each block answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coefficients {
    /// Size of the full picture.
    pub size: Size,
    /// Y, or Y, Cb and Cr.
    pub components: Vec<CoefficientPlane>,
}
