use crate::image::Rgb8;

/// A text watermark, every number settled. The drawn tile is (text width + margin) × (text height + margin) with the
/// text's top left at (100, 100), clipped; section 4.18 of the contract.
#[derive(Debug, Clone, PartialEq)]
pub struct TextSpec {
    /// Plain text, at most 1 KiB; may hold newlines.
    pub text: String,
    /// Pango-like description: family names, style words, size in points (`sans bold 12`).
    pub font: String,
    /// Dots an inch, for points → pixels.
    pub dpi: u32,
    /// Wrap width in pixels, at least 1.
    pub width: u32,
    /// Added to the text's box on both axes to make the tile, in pixels.
    pub margin: u32,
    /// Colour of the text.
    pub colour: Rgb8,
}

/// Why a text cannot be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Drawing panicked.
    #[error("text cannot be drawn")]
    Internal,
}

/// Draws a text tile.
///
/// # Errors
/// See [`TextError`].
pub fn draw(spec: &TextSpec, picture: crate::image::Size) -> Result<crate::image::ImageBuf, TextError> {
    let _ = (spec, picture);
    Err(TextError::Internal)
}
