use super::error::PlanError;
use super::params::Params;

/// The image endpoints, which are also the operations of a pipeline (except `info` and `pipeline` itself).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// Inside the box, on a canvas.
    Resize,
    /// Inside the box.
    Fit,
    /// Covering or inside the box, also upwards.
    Enlarge,
    /// A window.
    Extract,
    /// Covering the box, cut by gravity.
    Crop,
    /// Covering the box, cut where attention is.
    SmartCrop,
    /// Stretched, or scaled to one side.
    Thumbnail,
    /// Pixels repeated.
    Zoom,
    /// Turned.
    Rotate,
    /// Turned upright, nothing else.
    AutoRotate,
    /// Mirrored left-right.
    Flip,
    /// Mirrored top-bottom.
    Flop,
    /// Another format.
    Convert,
    /// Text over the picture.
    Watermark,
    /// A picture over the picture.
    WatermarkImage,
    /// Gaussian blur.
    Blur,
    /// Facts as JSON.
    Info,
    /// Several of these in one request.
    Pipeline,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Resize,
        Self::Fit,
        Self::Enlarge,
        Self::Extract,
        Self::Crop,
        Self::SmartCrop,
        Self::Thumbnail,
        Self::Zoom,
        Self::Rotate,
        Self::AutoRotate,
        Self::Flip,
        Self::Flop,
        Self::Convert,
        Self::Watermark,
        Self::WatermarkImage,
        Self::Blur,
        Self::Info,
        Self::Pipeline,
    ];

    /// The path segment, and the name that `-disable-endpoints` knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resize => "resize",
            Self::Fit => "fit",
            Self::Enlarge => "enlarge",
            Self::Extract => "extract",
            Self::Crop => "crop",
            Self::SmartCrop => "smartcrop",
            Self::Thumbnail => "thumbnail",
            Self::Zoom => "zoom",
            Self::Rotate => "rotate",
            Self::AutoRotate => "autorotate",
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

    /// The endpoint of a path segment (case-sensitive).
    pub fn from_path_segment(segment: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.name() == segment)
    }

    /// The name inside a pipeline, where there is one.
    pub const fn operation_name(self) -> Option<&'static str> {
        match self {
            Self::WatermarkImage => Some("watermarkImage"),
            Self::Info | Self::Pipeline => None,
            other => Some(other.name()),
        }
    }

    /// The operation of that name inside a pipeline (case-sensitive).
    pub fn from_operation_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|endpoint| endpoint.operation_name() == Some(name))
    }

    /// Whether another picture may be laid over the source: then the source alone does not say what the answer is.
    pub fn may_lay_pictures(self, params: &Params) -> bool {
        match self {
            Self::WatermarkImage => true,
            Self::Pipeline => {
                let is_mark = |name: &str| Self::from_operation_name(name) == Some(Self::WatermarkImage);
                params.operations.iter().any(|operation| is_mark(&operation.name))
            }
            _ => false,
        }
    }

    /// Whether what the operation cannot do without is there. Zero counts as missing, a negative number (which only a
    /// pipeline can hold) as given.
    ///
    /// # Errors
    /// [`PlanError::Missing`].
    pub(super) fn check_required(self, p: &Params) -> Result<(), PlanError> {
        let neither = p.width == 0 && p.height == 0;
        let not_both = p.width == 0 || p.height == 0;
        let missing = match self {
            Self::Resize | Self::Crop | Self::SmartCrop if neither => "param: height or width",
            Self::Thumbnail if neither => "params: width or height",
            Self::Fit | Self::Enlarge if not_both => "params: height, width",
            Self::Extract if p.areawidth == 0 || p.areaheight == 0 => "params: areawidth or areaheight",
            Self::Zoom if p.factor == 0 => "param: factor",
            Self::Zoom if (p.top > 0 || p.left > 0) && p.areawidth == 0 && p.areaheight == 0 => {
                "params: areawidth, areaheight"
            }
            Self::Rotate if p.rotate == 0 => "param: rotate",
            Self::Watermark if p.text.is_empty() => "param: text",
            Self::WatermarkImage if p.image.is_empty() => "param: image",
            Self::Blur if p.sigma == 0.0 && p.minampl == 0.0 => "param: sigma or minampl",
            // `/convert` is checked where its type is read: `auto` may come to nothing.
            _ => return Ok(()),
        };
        Err(PlanError::Missing(missing))
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_endpoint() {
        for endpoint in Endpoint::ALL {
            assert_eq!(Endpoint::from_path_segment(endpoint.name()), Some(endpoint));
            if let Some(name) = endpoint.operation_name() {
                assert_eq!(Endpoint::from_operation_name(name), Some(endpoint));
            }
        }
        assert_eq!(Endpoint::from_path_segment("Resize"), None);
        assert_eq!(Endpoint::from_operation_name("watermarkimage"), None);
        assert_eq!(Endpoint::from_operation_name("info"), None);
        assert_eq!(Endpoint::from_operation_name(""), None);
    }
}
