use super::{Coefficients, ImageBuf, Planes, Size};

/// What lies between a decoder and a backend. The plan asks for a form, a decoder may answer with a richer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// Interleaved samples.
    Packed(ImageBuf),
    /// YCbCr planes at their own subsampling.
    Planes(Planes),
    /// JPEG coefficients.
    Coefficients(Coefficients),
}

impl Picture {
    /// Size of the picture that this stands for.
    pub const fn size(&self) -> Size {
        match self {
            Self::Packed(p) => p.size(),
            Self::Planes(p) => p.size,
            Self::Coefficients(c) => c.size,
        }
    }
}

impl From<ImageBuf> for Picture {
    fn from(buf: ImageBuf) -> Self {
        Self::Packed(buf)
    }
}
