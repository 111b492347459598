use super::{DecodeError, Format};
use crate::image::Size;

/// Budgets charged before anything is allocated from a number that a file claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels (width × height) of an input picture.
    pub pixels: u64,
    /// Most pixels of an output, or of any picture between two steps.
    pub output_pixels: u64,
    /// Longest side of any picture.
    pub side: u32,
    /// Most EXIF and XMP bytes kept, each; more is dropped.
    pub metadata_bytes: usize,
    /// Most bytes of an (inflated) ICC profile; more is dropped.
    pub icc_bytes: usize,
    /// Most scans of a JPEG.
    pub jpeg_scans: u32,
    /// Most chunks of a PNG.
    pub png_chunks: u32,
    /// Most bytes of an SVG document.
    pub svg_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pixels: 18_000_000,
            output_pixels: 64_000_000,
            side: 65_500,
            metadata_bytes: 4 << 20,
            icc_bytes: 1 << 20,
            jpeg_scans: 100,
            png_chunks: 10_000,
            svg_bytes: 2 << 20,
        }
    }
}

impl Limits {
    /// The size of an input picture, from the numbers in its header.
    ///
    /// # Errors
    /// [`DecodeError::TooManyPixels`] by `self.pixels` and `self.side`; [`DecodeError::Malformed`] when a side is zero.
    pub(super) fn input_size(&self, format: Format, width: u32, height: u32) -> Result<Size, DecodeError> {
        let size = Size::new(width, height).ok_or_else(|| DecodeError::malformed(format, "width or height is zero"))?;
        if size.area() > self.pixels || width.max(height) > self.side {
            return Err(DecodeError::TooManyPixels);
        }
        Ok(size)
    }
}
