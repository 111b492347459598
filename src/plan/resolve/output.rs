use crate::codecs::{EncodeSpec, MetadataPolicy, OutputFormat, OutputSpace};
use crate::image::Rgb8;
use crate::ops::Step;
use crate::plan::{Params, PlanError};

use super::draft::Draft;

/// Steps 12 and 13 of the common path: grey, what the format cannot hold, and how it is written.
///
/// # Errors
/// A format without encoder, a side that it cannot say.
pub(super) fn settle(draft: &mut Draft, p: &Params) -> Result<(), PlanError> {
    let format = draft.require_encoder()?;
    if let Some(limit) = longest_side(format)
        && (draft.size.width() > limit || draft.size.height() > limit)
    {
        return Err(PlanError::SideTooLong { format, limit });
    }
    let mut metadata = MetadataPolicy { orientation: draft.pending, ..draft.metadata };
    if p.colorspace == OutputSpace::Gray {
        // An RGB profile cannot describe grey samples.
        metadata.icc &= draft.gray;
        draft.push(Step::Gray);
    }
    if p.stripmeta {
        metadata = MetadataPolicy::STRIP;
    }
    metadata.icc &= !p.noprofile;
    draft.metadata = metadata;
    if !format.holds_alpha() {
        draft.push(Step::Flatten(Rgb8::BLACK));
    }
    let within = |value: i64, most: u8, default: u8| match u8::try_from(value) {
        Ok(value) if (1..=most).contains(&value) => value,
        _ => default,
    };
    let defaults = EncodeSpec::new(format);
    draft.encode = Some(EncodeSpec {
        quality: within(p.quality, 100, defaults.quality),
        compression: within(p.compression, 9, defaults.compression),
        interlace: p.interlace,
        palette: p.palette,
        space: p.colorspace,
        alpha: draft.alpha,
        metadata,
        ..defaults
    });
    Ok(())
}

/// Longest side that a format can say, in pixels.
const fn longest_side(format: OutputFormat) -> Option<u32> {
    match format {
        OutputFormat::Jpeg => Some(65_535),
        OutputFormat::Webp => Some(16_383),
        OutputFormat::Png | OutputFormat::Tiff | OutputFormat::Gif | OutputFormat::Svg | OutputFormat::Pdf => None,
    }
}
