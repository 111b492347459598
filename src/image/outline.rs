use super::{Coefficients, ImageBuf, PixelFormat, Planes, Size};

/// A picture without its samples: what a decoder will hand over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outline {
    /// Interleaved samples, as one plane.
    Packed {
        /// Of the picture.
        size: Size,
        /// Layout of a pixel.
        format: PixelFormat,
    },
    /// Hollow planes.
    Planes(Planes),
    /// The same in the range of video, see [`Picture::Narrow`](super::Picture::Narrow).
    Narrow(Planes),
    /// Hollow coefficients.
    Coefficients(Coefficients),
}

impl Outline {
    /// Size of the picture.
    pub const fn size(&self) -> Size {
        match self {
            Self::Packed { size, .. } => *size,
            Self::Planes(planes) | Self::Narrow(planes) => planes.size,
            Self::Coefficients(all) => all.size,
        }
    }

    /// Bytes of what will be handed over.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Packed { size, format } => ImageBuf::byte_len(*size, *format),
            Self::Planes(planes) | Self::Narrow(planes) => planes.each().map(|plane| plane.size.area()).sum(),
            Self::Coefficients(all) => all.components.iter().map(|c| 2 * c.blocks.area() * u64::from(c.count)).sum(),
        }
    }
}
