use super::{Coefficients, ImageBuf, Planes, Size};

/// What lies between a decoder and a backend. The plan asks for a form, a decoder may answer with a richer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// Interleaved samples.
    Packed(ImageBuf),
    /// YCbCr planes at their own subsampling.
    Planes(Planes),
    /// The same in the range of video: luma 16 to 235, chroma 16 to 240 around 128. They become full after they are
    /// resampled, so that nothing is rounded twice.
    Narrow(Planes),
    /// JPEG coefficients.
    Coefficients(Coefficients),
}

/// The form in which a picture is wanted by whoever comes next. What is asked for need not be given: a picture that is not
/// in planes already stays packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Form {
    /// Interleaved samples.
    #[default]
    Packed,
    /// Full-range BT.601 YCbCr planes, as JPEG holds them.
    Planes {
        /// Picture samples across and down that a chroma sample stands for: 1 or 2.
        across: u32,
        /// As above.
        down: u32,
    },
}

impl Picture {
    /// Size of the picture that this stands for.
    pub const fn size(&self) -> Size {
        match self {
            Self::Packed(p) => p.size(),
            Self::Planes(p) | Self::Narrow(p) => p.size,
            Self::Coefficients(c) => c.size,
        }
    }
}

impl From<ImageBuf> for Picture {
    fn from(buf: ImageBuf) -> Self {
        Self::Packed(buf)
    }
}
