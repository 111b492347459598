//! Keeping a window.

use crate::backend::BackendError;
use crate::image::{ImageBuf, Rect};

use super::{inside, made};

/// The window `rect` of a picture, moved to the front of the same buffer.
///
/// # Errors
/// [`BackendError::Impossible`] when the window is not inside.
pub(super) fn crop(buf: ImageBuf, rect: Rect) -> Result<ImageBuf, BackendError> {
    inside(rect, buf.size())?;
    if rect == Rect::whole(buf.size()) {
        return Ok(buf);
    }
    let (format, stride) = (buf.format(), buf.stride());
    let from = rect.top as usize * stride + rect.left as usize * format.channels();
    let len = rect.size.width() as usize * format.channels();
    let mut pixels = buf.into_pixels();
    for y in 0..rect.size.height() as usize {
        let row = from + y * stride;
        pixels.copy_within(row..row + len, y * len);
    }
    pixels.truncate(len * rect.size.height() as usize);
    // A small window must not hold on to a large picture's memory.
    pixels.shrink_to_fit();
    made(rect.size, format, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{PixelFormat, Size};

    #[test]
    fn keeps_the_window_and_refuses_one_outside() {
        let size = Size::new(5, 4).unwrap();
        let buf = ImageBuf::new(size, PixelFormat::GrayAlpha8, (0..40).collect()).unwrap();
        let rect = Rect { left: 2, top: 1, size: Size::new(3, 2).unwrap() };
        let out = crop(buf.clone(), rect).unwrap();
        assert_eq!(out.pixels(), [14, 15, 16, 17, 18, 19, 24, 25, 26, 27, 28, 29]);
        let outside = Rect { left: 3, ..rect };
        assert!(matches!(crop(buf, outside), Err(BackendError::Impossible(_))));
    }
}
