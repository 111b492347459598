/// An image endpoint, or an operation of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is the endpoint of its name; the contract says what it does")]
pub enum Endpoint {
    Resize,
    Fit,
    Enlarge,
    Extract,
    Crop,
    Smartcrop,
    Thumbnail,
    Zoom,
    Rotate,
    Autorotate,
    Flip,
    Flop,
    Convert,
    Watermark,
    WatermarkImage,
    Blur,
    Info,
    Pipeline,
}

impl Endpoint {
    /// All of them, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::Resize,
        Self::Fit,
        Self::Enlarge,
        Self::Extract,
        Self::Crop,
        Self::Smartcrop,
        Self::Thumbnail,
        Self::Zoom,
        Self::Rotate,
        Self::Autorotate,
        Self::Flip,
        Self::Flop,
        Self::Convert,
        Self::Watermark,
        Self::WatermarkImage,
        Self::Blur,
        Self::Info,
        Self::Pipeline,
    ];

    /// The path segment, which is also the name for figures and for `-disable-endpoints`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resize => "resize",
            Self::Fit => "fit",
            Self::Enlarge => "enlarge",
            Self::Extract => "extract",
            Self::Crop => "crop",
            Self::Smartcrop => "smartcrop",
            Self::Thumbnail => "thumbnail",
            Self::Zoom => "zoom",
            Self::Rotate => "rotate",
            Self::Autorotate => "autorotate",
            Self::Flip => "flip",
            Self::Flop => "flop",
            Self::Convert => "convert",
            Self::Watermark => "watermark",
            Self::WatermarkImage => "watermarkimage",
            Self::Blur => "blur",
            Self::Info => "info",
            Self::Pipeline => "pipeline",
        }
    }

    /// The endpoint of a path segment; case counts.
    pub fn from_path_segment(segment: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|e| e.name() == segment)
    }

    /// The operation of this name in a pipeline; case counts.
    pub fn from_operation(name: &str) -> Option<Self> {
        match name {
            "watermarkImage" => Some(Self::WatermarkImage),
            "watermarkimage" | "info" | "pipeline" => None,
            _ => Self::from_path_segment(name),
        }
    }

    /// Whether the answer is facts instead of a picture.
    pub const fn is_info(self) -> bool {
        matches!(self, Self::Info)
    }
}
