//! Enlarging by repeated pixels.

use std::num::NonZeroU32;

use crate::backend::{BackendError, Checkpoint};
use crate::image::{ImageBuf, Rect, Size};

use super::{cancelled, inside, made};

/// The window of a picture whose every pixel is repeated `factor` times in both directions. Only the window is made.
///
/// # Errors
/// [`BackendError::Impossible`] when the window is not inside the enlarged picture; [`BackendError::Cancelled`].
pub(super) fn zoom(
    buf: ImageBuf,
    factor: NonZeroU32,
    window: Rect,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    let factor = factor.get();
    if factor == 1 {
        return super::crop::crop(buf, window);
    }
    let enlarged =
        Size::at_least_one(buf.size().width().saturating_mul(factor), buf.size().height().saturating_mul(factor));
    inside(window, enlarged)?;
    let channels = buf.format().channels();
    let len = window.size.width() as usize * channels;
    let mut pixels = Vec::with_capacity(len * window.size.height() as usize);
    let mut last = None;
    for y in window.top..window.top + window.size.height() {
        let from = y / factor;
        if last == Some(from) {
            // The row above, once more.
            pixels.extend_from_within(pixels.len() - len..);
            continue;
        }
        cancelled(checkpoint)?;
        last = Some(from);
        let row = buf.row(from);
        let (mut x, end) = (window.left, window.left + window.size.width());
        while x < end {
            let next = (x / factor + 1).saturating_mul(factor).min(end);
            let pixel = &row[(x / factor) as usize * channels..][..channels];
            for _ in x..next {
                pixels.extend_from_slice(pixel);
            }
            x = next;
        }
    }
    made(window.size, buf.format(), pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NeverCancelled;
    use crate::image::PixelFormat;

    #[test]
    fn any_window_is_that_of_the_whole() {
        let size = Size::new(4, 3).unwrap();
        let buf = ImageBuf::new(size, PixelFormat::Rgb8, (0..36).collect()).unwrap();
        for factor in 1..5 {
            let (w, h) = (4 * factor, 3 * factor);
            for (left, top, right, bottom) in [(0, 0, w, h), (1, 2, w, h), (0, 1, w - 1, h - 1), (w - 1, h - 1, w, h)] {
                let window = Rect { left, top, size: Size::new(right - left, bottom - top).unwrap() };
                let out = zoom(buf.clone(), factor.try_into().unwrap(), window, &NeverCancelled).unwrap();
                for y in top..bottom {
                    for x in left..right {
                        assert_eq!(out.pixel(x - left, y - top), buf.pixel(x / factor, y / factor));
                    }
                }
            }
        }
    }

    #[test]
    fn window_outside_is_refused_without_overflow() {
        let buf = ImageBuf::zeroed(Size::new(4, 3).unwrap(), PixelFormat::Gray8);
        let window = Rect { left: u32::MAX, top: 0, size: Size::new(2, 2).unwrap() };
        let result = zoom(buf, u32::MAX.try_into().unwrap(), window, &NeverCancelled);
        assert!(matches!(result, Err(BackendError::Impossible(_))));
    }
}
