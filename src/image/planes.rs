use super::Size;

/// One component: rows top-down, no padding, one byte a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Samples across and down; usually fewer than the picture's for chroma.
    pub size: Size,
    /// `size.width() * size.height()` samples, 0 to 255.
    pub samples: Vec<u8>,
}

/// A picture as full-range BT.601 YCbCr planes (JFIF), each with its own subsampling.
///
/// Chroma samples are sited at the centre of the luma samples they cover, as in JFIF. Grey pictures have luma alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    /// Size of the picture. A decoder that was asked for less detail answers with a smaller luma plane.
    pub size: Size,
    /// Y.
    pub luma: Plane,
    /// Cb and Cr, of equal size; `None` for grey.
    pub chroma: Option<[Plane; 2]>,
}
