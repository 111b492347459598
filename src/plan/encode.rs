use crate::codecs::{EncodeSpec, Format, MetadataPolicy, OutputFormat, OutputSpace};

use super::params::Params;

/// The output format of a `type` that names one; any case.
pub(super) fn named(name: &str) -> Option<OutputFormat> {
    Some(match name.to_ascii_lowercase().as_str() {
        "jpeg" => OutputFormat::Jpeg,
        "png" => OutputFormat::Png,
        "webp" => OutputFormat::Webp,
        "tiff" => OutputFormat::Tiff,
        "gif" => OutputFormat::Gif,
        "svg" => OutputFormat::Svg,
        "pdf" => OutputFormat::Pdf,
        _ => return None,
    })
}

/// The format that a source keeps when no `type` is given; `None` where nothing like it is written.
pub(super) const fn of_source(format: Format) -> Option<OutputFormat> {
    match format {
        Format::Jpeg => Some(OutputFormat::Jpeg),
        Format::Png => Some(OutputFormat::Png),
        Format::Webp => Some(OutputFormat::Webp),
        Format::Tiff => Some(OutputFormat::Tiff),
        Format::Gif
        | Format::Svg
        | Format::Pdf
        | Format::Heif
        | Format::Avif
        | Format::Bmp
        | Format::Ico
        | Format::Jxl => None,
    }
}

/// Settles every knob: the contract's defaults where nothing, zero or nonsense was asked.
pub(super) fn spec(format: OutputFormat, params: &Params, metadata: MetadataPolicy) -> EncodeSpec {
    let within = |value: i64, most: i64, default: u8| if (1..=most).contains(&value) { value as u8 } else { default };
    EncodeSpec {
        quality: within(params.quality, 100, 75),
        compression: within(params.compression, 9, 6),
        interlace: params.interlace,
        palette: params.palette,
        space: if params.bw { OutputSpace::Gray } else { OutputSpace::Srgb },
        metadata,
        ..EncodeSpec::new(format)
    }
}
