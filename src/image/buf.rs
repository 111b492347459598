use super::{AlphaMode, PixelFormat, Size};

/// Packed samples: rows top-down, no padding, so row stride = width × channels bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct ImageBuf {
    size: Size,
    format: PixelFormat,
    alpha: AlphaMode,
    pixels: Vec<u8>,
}

/// Why an [`ImageBuf`] cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BufError {
    /// The number of bytes is not width × height × channels.
    #[error("a {size} {format:?} picture needs {want} bytes, not {got}")]
    Length {
        /// Size claimed.
        size: Size,
        /// Format claimed.
        format: PixelFormat,
        /// Bytes needed.
        want: u64,
        /// Bytes given.
        got: usize,
    },
}

impl ImageBuf {
    /// Wraps samples: straight alpha where the format has alpha.
    ///
    /// # Errors
    /// [`BufError::Length`] unless `pixels` holds exactly width × height × channels bytes.
    pub fn new(size: Size, format: PixelFormat, pixels: Vec<u8>) -> Result<Self, BufError> {
        let want = Self::byte_len(size, format);
        if want != pixels.len() as u64 {
            return Err(BufError::Length { size, format, want, got: pixels.len() });
        }
        let alpha = if format.has_alpha() { AlphaMode::Straight } else { AlphaMode::Opaque };
        Ok(Self { size, format, alpha, pixels })
    }

    /// A picture whose every sample is zero (black; transparent where there is alpha).
    pub fn zeroed(size: Size, format: PixelFormat) -> Self {
        let alpha = if format.has_alpha() { AlphaMode::Straight } else { AlphaMode::Opaque };
        Self { size, format, alpha, pixels: vec![0; Self::byte_len(size, format) as usize] }
    }

    /// Bytes that a picture needs: width × height × channels, below 2^66 so never overflowing for real sides.
    pub const fn byte_len(size: Size, format: PixelFormat) -> u64 {
        size.area().saturating_mul(format.channels() as u64)
    }

    /// Says that the colour samples are now multiplied by alpha, or no longer. No effect without alpha.
    #[must_use]
    pub fn with_alpha_mode(mut self, mode: AlphaMode) -> Self {
        if self.format.has_alpha() {
            self.alpha = mode;
        }
        self
    }

    /// Width and height.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Layout of a pixel.
    pub const fn format(&self) -> PixelFormat {
        self.format
    }

    /// What colour means beside alpha.
    pub const fn alpha_mode(&self) -> AlphaMode {
        self.alpha
    }

    /// Bytes from one row to the next: width × channels.
    pub const fn stride(&self) -> usize {
        self.size.width() as usize * self.format.channels()
    }

    /// All samples, rows top-down.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// All samples, to be changed in place.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        &mut self.pixels
    }

    /// Gives the samples away.
    pub fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    /// Row `y` (0 = top): width × channels bytes.
    pub fn row(&self, y: u32) -> &[u8] {
        let stride = self.stride();
        &self.pixels[y as usize * stride..][..stride]
    }

    /// Row `y`, to be changed in place.
    pub fn row_mut(&mut self, y: u32) -> &mut [u8] {
        let stride = self.stride();
        &mut self.pixels[y as usize * stride..][..stride]
    }

    /// Rows from the top down.
    pub fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.stride())
    }

    /// The samples of pixel `(x, y)`.
    pub fn pixel(&self, x: u32, y: u32) -> &[u8] {
        let channels = self.format.channels();
        &self.row(y)[x as usize * channels..][..channels]
    }
}

impl std::fmt::Debug for ImageBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ImageBuf({} {:?} {:?})", self.size, self.format, self.alpha)
    }
}
