use crate::codecs::OutputFormat;

/// The format that an `Accept` header asks for: the first of WebP, PNG and JPEG from left to right, q ignored, any case.
pub fn negotiate(accept: &str) -> Option<OutputFormat> {
    accept.split(',').find_map(|item| {
        let kind = item.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "image/webp" => Some(OutputFormat::Webp),
            "image/png" => Some(OutputFormat::Png),
            "image/jpeg" => Some(OutputFormat::Jpeg),
            _ => None,
        }
    })
}
