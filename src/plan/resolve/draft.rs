use crate::codecs::{DecodeSpec, Detail, EncodeSpec, Format, Header, Limits, MetadataPolicy, OutputFormat, Space};
use crate::image::{Orientation, Rgb8, Size};
use crate::ops::{Border, Step};
use crate::plan::{Overlay, Plan, PlanError};

use super::shrink::{detail, shrink};
use super::window::window;

/// How large a picture may be, between steps and at the end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pixels: u64,
    side: u32,
}

impl Bounds {
    /// The limits, or the source where that is larger: it has been let in, so what is no larger is no news.
    fn new(limits: &Limits, source: Size) -> Self {
        Self {
            pixels: limits.output_pixels.max(source.area()),
            side: limits.side.max(source.width()).max(source.height()),
        }
    }

    /// # Errors
    /// [`PlanError::TooManyPixels`] for a size beyond the bounds.
    pub(super) const fn check(self, size: Size) -> Result<(), PlanError> {
        if size.width() > self.side || size.height() > self.side || size.area() > self.pixels {
            return Err(PlanError::TooManyPixels);
        }
        Ok(())
    }

    /// The size of these sides (0 counts as 1).
    ///
    /// # Errors
    /// [`PlanError::TooManyPixels`] beyond the bounds.
    pub(super) fn size(self, width: u64, height: u64) -> Result<Size, PlanError> {
        let side = |side: u64| u32::try_from(side).map_err(|_| PlanError::TooManyPixels);
        let size = Size::at_least_one(side(width)?, side(height)?);
        self.check(size)?;
        Ok(size)
    }
}

/// A plan under way: the picture as it would be after the steps so far.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) bounds: Bounds,
    /// Size after the steps so far.
    pub(super) size: Size,
    /// EXIF orientation that is still to be applied; applied once.
    pub(super) pending: Orientation,
    /// Whether there is alpha.
    pub(super) alpha: bool,
    /// Whether there is certainly no colour.
    pub(super) gray: bool,
    /// Format of the output so far; `None` when the source's is one that nobody can ask for.
    pub(super) format: Option<OutputFormat>,
    /// Metadata not dropped so far.
    pub(super) metadata: MetadataPolicy,
    /// How the last operation would write the picture.
    pub(super) encode: Option<EncodeSpec>,
    /// Whether the source is a JPEG.
    jpeg: bool,
    /// What the steps lay over the picture.
    pub(super) overlays: Vec<Overlay>,
    steps: Vec<Step>,
}

impl Draft {
    pub(super) fn new(header: &Header, limits: &Limits) -> Self {
        Self {
            bounds: Bounds::new(limits, header.size),
            size: header.size,
            pending: header.orientation(),
            alpha: header.alpha,
            gray: header.is_gray(),
            format: output_format(header.format),
            // The pixels become RGB, so a CMYK profile would be wrong.
            metadata: MetadataPolicy { icc: header.space != Space::Cmyk, ..MetadataPolicy::KEEP },
            encode: None,
            jpeg: header.format == Format::Jpeg,
            overlays: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Adds a step, unless it changes nothing; neighbouring turns become one.
    pub(super) fn push(&mut self, step: Step) {
        let before = self.size;
        self.size = step.output_size(before);
        let step = match (step, self.steps.last()) {
            (Step::Orient(next), Some(Step::Orient(last))) => {
                let both = last.then(next);
                self.steps.pop();
                Step::Orient(both)
            }
            (step, _) => step,
        };
        let idle = match &step {
            Step::Orient(orientation) => orientation.is_upright(),
            Step::Crop(window) => window.size == before,
            Step::Resample { to, .. } | Step::SmartCrop { to } => *to == before,
            Step::Embed { into, at, .. } => *into == before && at.x == 0 && at.y == 0,
            Step::Flatten(_) => !self.alpha,
            Step::Gray => self.gray,
            Step::Zoom { .. } | Step::Blur(_) | Step::Composite { .. } => false,
        };
        match &step {
            Step::Flatten(_) => self.alpha = false,
            Step::Gray => self.gray = true,
            // A border's colour and an overlay may bring colour.
            Step::Embed { border: Border::Background(Rgb8 { r, g, b }), .. } if r != g || g != b => self.gray = false,
            Step::Composite { .. } => self.gray = false,
            _ => {}
        }
        if !idle {
            self.steps.push(step);
        }
    }

    /// The format to write.
    ///
    /// # Errors
    /// [`PlanError::FormatNotWritten`] for one that is only read.
    pub(super) fn require_encoder(&self) -> Result<OutputFormat, PlanError> {
        self.format.filter(|format| format.is_written()).ok_or(PlanError::FormatNotWritten)
    }

    /// The plan for a source of this size as stored.
    ///
    /// # Errors
    /// [`PlanError::FormatNotWritten`] when every operation failed and the source's format cannot be written.
    pub(super) fn into_plan(self, source: Size) -> Result<Plan, PlanError> {
        let encode = match self.encode {
            Some(encode) => encode,
            None => EncodeSpec {
                metadata: MetadataPolicy { orientation: self.pending, ..self.metadata },
                alpha: self.alpha,
                ..EncodeSpec::new(self.require_encoder()?)
            },
        };
        let exact = encode.lossless || matches!(encode.format, OutputFormat::Png | OutputFormat::Tiff);
        let decode = DecodeSpec {
            shrink: shrink(source, &self.steps),
            // Strong shrinks of a JPEG need few coefficients; other sources gain too little for any difference.
            detail: if exact && !self.jpeg { Detail::Samples } else { detail(source, &self.steps, exact) },
            window: window(source, &self.steps),
        };
        Ok(Plan { decode, overlays: self.overlays, steps: self.steps, encode })
    }
}

/// The output format of the same name.
const fn output_format(format: Format) -> Option<OutputFormat> {
    match format {
        Format::Jpeg => Some(OutputFormat::Jpeg),
        Format::Png => Some(OutputFormat::Png),
        Format::Webp => Some(OutputFormat::Webp),
        Format::Tiff => Some(OutputFormat::Tiff),
        Format::Gif => Some(OutputFormat::Gif),
        Format::Svg => Some(OutputFormat::Svg),
        Format::Pdf => Some(OutputFormat::Pdf),
        Format::Heif | Format::Avif | Format::Bmp | Format::Ico | Format::Jxl => None,
    }
}
