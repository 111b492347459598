use crate::image::{Orientation, Rect};

/// How much smaller than stored a decoder may answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Shrink {
    /// Full size.
    #[default]
    One,
    /// Half on each axis.
    Half,
    /// A quarter on each axis.
    Quarter,
    /// An eighth on each axis.
    Eighth,
}

impl Shrink {
    /// 1, 2, 4 or 8.
    pub const fn divisor(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Half => 2,
            Self::Quarter => 4,
            Self::Eighth => 8,
        }
    }
}

/// How much of a JPEG a resampling needs. The decoder of lossy WebP answers with planes where coefficients are asked for;
/// others, and these two where they must, with all samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Detail {
    /// All samples.
    #[default]
    Samples,
    /// All samples, each component at its own size.
    Planes,
    /// So many coefficients of each block.
    Coefficients(Kept),
}

/// How many coefficients of each block of a JPEG are kept, in zigzag order: 1, 3, 6, 10, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kept {
    /// Of components that have a sample for each pixel.
    pub full: u8,
    /// Of those that have fewer, as chroma often does: there a block spans more of the picture.
    pub sparse: u8,
}

impl Kept {
    /// The same of all components.
    #[must_use]
    pub const fn all(count: u8) -> Self {
        Self { full: count, sparse: count }
    }
}

/// What is asked of a decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeSpec {
    /// Smallest size that still serves the plan; decoders that cannot shrink answer at full size.
    pub shrink: Shrink,
    /// What serves the first resampling, where that comes first.
    pub detail: Detail,
    /// The part of the picture, as stored, that the steps look at, where that is not all of it. Decoders may leave the
    /// rest undefined; the size of the answer is that of the whole picture all the same.
    pub window: Option<Rect>,
}

/// A format that can be asked for with `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputFormat {
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// TIFF.
    Tiff,
    /// GIF; recognised, not written.
    Gif,
    /// SVG; recognised, not written.
    Svg,
    /// PDF; recognised, not written.
    Pdf,
}

impl OutputFormat {
    /// The value of `type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Tiff => "tiff",
            Self::Gif => "gif",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
        }
    }

    /// Content-Type of an answer.
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Tiff => "image/tiff",
            Self::Gif => "image/gif",
            Self::Svg => "image/svg+xml",
            Self::Pdf => "application/pdf",
        }
    }

    /// Whether this build writes such files.
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp | Self::Tiff)
    }

    /// Whether the format can hold alpha.
    pub const fn holds_alpha(self) -> bool {
        !matches!(self, Self::Jpeg)
    }
}

impl std::fmt::Display for OutputFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Colour of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OutputSpace {
    /// RGB, also for grey pictures (three equal channels), as the contract has it.
    #[default]
    Srgb,
    /// One channel (and alpha where there is alpha).
    Gray,
}

/// Which metadata goes into the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetadataPolicy {
    /// EXIF (embedded preview dropped) and XMP.
    pub exif: bool,
    /// How the picture still has to be turned; becomes the orientation tag of kept EXIF.
    pub orientation: Orientation,
    /// ICC profile.
    pub icc: bool,
}

impl MetadataPolicy {
    /// Keep everything.
    pub const KEEP: Self = Self { exif: true, icc: true, orientation: Orientation::UPRIGHT };
    /// Drop everything.
    pub const STRIP: Self = Self { exif: false, icc: false, orientation: Orientation::UPRIGHT };
}

/// What is asked of an encoder. Knobs that a format lacks are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodeSpec {
    /// Format.
    pub format: OutputFormat,
    /// JPEG and WebP quality, 1 to 100.
    pub quality: u8,
    /// PNG (and TIFF) effort, 1 to 9.
    pub compression: u8,
    /// Progressive JPEG.
    pub interlace: bool,
    /// 8-bit indexed PNG.
    pub palette: bool,
    /// WebP without loss.
    pub lossless: bool,
    /// Colour of the output.
    pub space: OutputSpace,
    /// Alpha channel even where every pixel is opaque, in formats that hold one.
    pub alpha: bool,
    /// Which metadata is kept.
    pub metadata: MetadataPolicy,
}

impl EncodeSpec {
    /// The contract's defaults for a format: quality 75, compression 6, metadata kept.
    pub const fn new(format: OutputFormat) -> Self {
        Self {
            format,
            quality: 75,
            compression: 6,
            interlace: false,
            palette: false,
            lossless: false,
            space: OutputSpace::Srgb,
            alpha: false,
            metadata: MetadataPolicy::KEEP,
        }
    }
}
