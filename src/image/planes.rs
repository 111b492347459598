use super::Size;

/// One component: rows top-down, no padding, one byte a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Samples across and down; for chroma usually fewer than the picture's.
    pub size: Size,
    /// `size.width() * size.height()` samples, 0 to 255.
    pub samples: Vec<u8>,
}

/// A picture as full-range BT.601 YCbCr planes (JFIF), each with its own subsampling.
///
/// Chroma samples are sited at the centre of the luma samples they cover, as in JFIF. Grey pictures have luma alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    /// Size of the picture, and of the luma plane.
    pub size: Size,
    /// Y.
    pub luma: Plane,
    /// Cb and Cr, of equal size; `None` for grey.
    pub chroma: Option<[Plane; 2]>,
}
