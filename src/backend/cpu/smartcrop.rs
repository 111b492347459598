//! Keeping the window that draws most attention.

use crate::backend::{BackendError, Checkpoint};
use crate::image::{ImageBuf, Rect, Size};
use crate::ops::{ATTENTION_SIDE, Filter, WeightTable, attention_window};

use super::resample::{Samples, convolve};

/// Crops to size `to` by attention.
///
/// # Errors
/// [`BackendError::Impossible`] when `to` is larger than the picture; [`BackendError::Cancelled`].
pub(super) fn smartcrop(buf: ImageBuf, to: Size, checkpoint: &dyn Checkpoint) -> Result<ImageBuf, BackendError> {
    super::inside(Rect { left: 0, top: 0, size: to }, buf.size())?;
    if to == buf.size() {
        return Ok(buf);
    }
    let side = ATTENTION_SIDE as u32;
    let across = WeightTable::new(buf.size().width(), side, Filter::Lanczos3);
    let down = WeightTable::new(buf.size().height(), side, Filter::Lanczos3);
    let reduced = convolve(Samples::of(&buf), &across, &down, checkpoint)?;
    let mut small = [[0; 3]; ATTENTION_SIDE * ATTENTION_SIDE];
    let gray = buf.format().is_gray();
    for (small, pixel) in small.iter_mut().zip(reduced.chunks_exact(buf.format().channels())) {
        *small = if gray { [pixel[0]; 3] } else { [pixel[0], pixel[1], pixel[2]] };
    }
    let window = attention_window(&small, buf.size(), to);
    super::crop::crop(buf, window)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NeverCancelled;
    use crate::image::PixelFormat;

    #[test]
    fn keeps_the_coloured_spot_of_a_dull_picture() {
        let mut buf = ImageBuf::new(Size::new(300, 100).unwrap(), PixelFormat::Rgb8, vec![70; 90_000]).unwrap();
        for y in 40..60 {
            for x in 220..240 {
                buf.row_mut(y)[x * 3..][..3].copy_from_slice(&[230, 150, 120]);
            }
        }
        let out = smartcrop(buf, Size::new(60, 60).unwrap(), &NeverCancelled).unwrap();
        let spot = out.pixels().chunks_exact(3).filter(|p| p[0] == 230).count();
        assert_eq!(spot, 400);
    }

    #[test]
    fn a_window_larger_than_the_picture_is_refused() {
        let buf = ImageBuf::zeroed(Size::new(4, 3).unwrap(), PixelFormat::Gray8);
        assert!(smartcrop(buf, Size::new(4, 4).unwrap(), &NeverCancelled).is_err());
    }
}
