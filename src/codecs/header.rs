use crate::image::{Orientation, Size};

/// A picture format that is recognised, whether or not this build reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG (ITU-T T.81).
    Jpeg,
    /// PNG, APNG.
    Png,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
    /// TIFF.
    Tiff,
    /// SVG.
    Svg,
    /// PDF.
    Pdf,
    /// HEIF with HEVC.
    Heif,
    /// AVIF.
    Avif,
    /// Windows bitmap.
    Bmp,
    /// Windows icon.
    Ico,
    /// JPEG XL.
    Jxl,
}

impl Format {
    /// The name in `/info` and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Heif => "heif",
            Self::Avif => "avif",
            Self::Bmp => "bmp",
            Self::Ico => "ico",
            Self::Jxl => "jxl",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// How colour is stored, in the words of `/info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// 8-bit RGB or YCbCr, palettes included.
    Srgb,
    /// 8-bit grey or bilevel.
    Gray,
    /// CMYK or YCCK.
    Cmyk,
    /// 16-bit RGB.
    Rgb16,
    /// 16-bit grey.
    Gray16,
}

impl Space {
    /// The name in `/info`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Srgb => "srgb",
            Self::Gray => "b-w",
            Self::Cmyk => "cmyk",
            Self::Rgb16 => "rgb16",
            Self::Gray16 => "grey16",
        }
    }
}

/// What is known before decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Format by content.
    pub format: Format,
    /// Size as stored, before EXIF orientation; of the first frame or page.
    pub size: Size,
    /// EXIF orientation tag as stored: 1 to 8, or 0 when there is none (or an odd value).
    pub exif_orientation: u16,
    /// Whether the decoded picture has alpha.
    pub alpha: bool,
    /// How colour is stored.
    pub space: Space,
    /// Channels as `/info` counts them: alpha included, CMYK 4.
    pub channels: u8,
    /// Whether there is an ICC profile.
    pub profile: bool,
    /// Whether decoding needs a buffer beside the pixels (progressive JPEG coefficients, interlaced PNG, …): bytes.
    pub scratch_bytes: u64,
}

impl Header {
    /// What turns the stored picture upright.
    pub const fn orientation(&self) -> Orientation {
        Orientation::from_exif(self.exif_orientation)
    }

    /// Whether the decoded picture is grey (with or without alpha).
    pub const fn is_gray(&self) -> bool {
        matches!(self.space, Space::Gray | Space::Gray16)
    }
}
