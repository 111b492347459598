use crate::codecs::OutputFormat;

use super::params::ParamFault;

/// Why parameters and a header give no plan. The `Display` text is the contract's message.
///
/// Every variant is a client's mistake (400) except [`PlanError::TooManyPixels`] (422).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// `type` names no format. Checked before the picture is looked at.
    #[error("Unsupported output image format")]
    UnknownType,
    /// The output, or a picture between two steps, is beyond the limits.
    #[error("Image resolution is too big")]
    TooManyPixels,
    /// A parameter that the operation cannot do without.
    #[error("Error while processing the image: Missing required {0}")]
    Missing(&'static str),
    /// `convert` inside a pipeline with a type that is no format.
    #[error("Error while processing the image: Invalid image type: {0}")]
    InvalidType(String),
    /// A format that is recognised but not written, asked for or (without `type`) the source's own.
    #[error("Error while processing the image: Unsupported image output type")]
    FormatNotWritten,
    /// A parameter inside a pipeline.
    #[error("Error while processing the image: {0}")]
    OperationParam(ParamFault),
    /// A pipeline without operations.
    #[error("Error while processing the image: Missing or invalid pipeline operations JSON")]
    NoOperations,
    /// More operations than [`super::MAX_OPERATIONS`].
    #[error("Error while processing the image: Maximum allowed pipeline operations exceeded")]
    TooManyOperations,
    /// A pipeline's operation that there is not.
    #[error("Error while processing the image: Unsupported operation name: {0}")]
    UnknownOperation(String),
    /// An area that is not inside the picture.
    #[error("Error while processing the image: extract_area: bad extract area")]
    BadArea,
    /// A crop or area with a side beyond 16383.
    #[error("Error while processing the image: Maximum image size exceeded")]
    WindowTooLarge,
    /// A watermark picture that lies outside.
    #[error("Error while processing the image: embed: bad dimensions")]
    OverlayOutside,
    /// A zoom factor that is negative or absurd; the reference's words.
    #[error("Error while processing the image: zoom: parameter xfac not setzoom: parameter yfac not set")]
    BadZoom,
    /// A sigma above 1000; the reference's words.
    #[error("Error while processing the image: gaussblur: parameter sigma not set")]
    SigmaTooLarge,
    /// A watermark text above [`super::MAX_TEXT_BYTES`].
    #[error("Error while processing the image: text is at most 1024 bytes")]
    TextTooLong,
    /// A side that the output format cannot say.
    #[error("Error while processing the image: a {format} image is at most {limit} pixels wide or high")]
    SideTooLong {
        /// Format asked for.
        format: OutputFormat,
        /// Its longest side.
        limit: u32,
    },
    /// `/info` makes no picture.
    #[error("Error while processing the image: info makes no picture")]
    NoPicture,
}

impl PlanError {
    /// Whether this is the one error that is about resolution (422) instead of a bad request (400).
    pub const fn is_too_many_pixels(&self) -> bool {
        matches!(self, Self::TooManyPixels)
    }
}
