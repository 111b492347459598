use crate::codecs::Shrink;
use crate::image::Size;
use crate::ops::{Filter, Step};

/// The smallest decoded size that still serves the steps: at least twice what the first resampling leaves, so that its
/// filter has the last word, and full size unless a resampling comes before any other step in which positions count.
pub(super) fn shrink(source: Size, steps: &[Step]) -> Shrink {
    let mut transposed = false;
    for step in steps {
        match step {
            Step::Orient(orientation) => transposed ^= orientation.transposes(),
            Step::Gray | Step::Flatten(_) => {}
            Step::Resample { to, .. } => {
                let target = if transposed { to.transposed() } else { *to };
                let serves = |by: &Shrink| {
                    let enough = |have: u32, want: u32| have.div_ceil(by.divisor()) / 2 >= want;
                    enough(source.width(), target.width()) && enough(source.height(), target.height())
                };
                return [Shrink::Eighth, Shrink::Quarter, Shrink::Half].into_iter().find(serves).unwrap_or_default();
            }
            Step::Crop(_)
            | Step::Zoom { .. }
            | Step::Embed { .. }
            | Step::SmartCrop { .. }
            | Step::Blur(_)
            | Step::Composite { .. } => return Shrink::One,
        }
    }
    Shrink::One
}

/// Frequencies a side of the block and unit of scale that a Lanczos3 shrink needs. A block of 8 samples becomes `8 / r`
/// output pixels; its filter passes little above `4 / r` half-cycles a pixel, but its skirts reach much further.
const FREQUENCIES: f64 = 28.0;
/// Block means alone come to 45 dB, however much the picture shrinks.
const LEAST_FREQUENCIES: f64 = 2.0;
/// From here on all samples cost less than their coefficients.
const MOST_FREQUENCIES: u8 = 6;

/// How many zigzag coefficients of each JPEG block serve the steps: those with `u + v < k`, where `k` grows as the
/// picture shrinks less. 0 when samples are needed, or cost less.
pub(super) fn coefficients(source: Size, steps: &[Step]) -> u8 {
    let mut size = source;
    for step in steps {
        match step {
            Step::Orient(orientation) => size = orientation.output_size(size),
            Step::Resample { to, filter: Filter::Lanczos3 } => {
                let scale = |have: u32, want: u32| f64::from(have) / f64::from(want);
                let least = scale(size.width(), to.width()).min(scale(size.height(), to.height()));
                let k = (FREQUENCIES / least).ceil().max(LEAST_FREQUENCIES);
                return if k <= f64::from(MOST_FREQUENCIES) { triangle(k as u8) } else { 0 };
            }
            _ => return 0,
        }
    }
    0
}

/// Coefficients with `u + v < k`.
const fn triangle(k: u8) -> u8 {
    k * (k + 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Orientation, Rect};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn resample(width: u32, height: u32) -> Step {
        Step::Resample { to: size(width, height), filter: Filter::Lanczos3 }
    }

    #[test]
    fn twice_the_target_is_kept_on_both_axes() {
        let source = size(1600, 800);
        assert_eq!(shrink(source, &[resample(100, 50)]), Shrink::Eighth);
        assert_eq!(shrink(source, &[resample(101, 50)]), Shrink::Quarter);
        assert_eq!(shrink(source, &[resample(100, 51)]), Shrink::Quarter);
        assert_eq!(shrink(source, &[resample(400, 200)]), Shrink::Half);
        assert_eq!(shrink(source, &[resample(401, 200)]), Shrink::One);
        assert_eq!(shrink(size(1599, 799), &[resample(100, 50)]), Shrink::Eighth);
        assert_eq!(shrink(source, &[]), Shrink::One);
    }

    #[test]
    fn turns_are_looked_through_windows_are_not() {
        let source = size(1600, 800);
        let turn = Step::Orient(Orientation::clockwise(1));
        assert_eq!(shrink(source, &[turn.clone(), resample(50, 100)]), Shrink::Eighth);
        assert_eq!(shrink(source, &[turn, resample(100, 50)]), Shrink::Quarter);
        let crop = Step::Crop(Rect { left: 0, top: 0, size: size(800, 800) });
        assert_eq!(shrink(source, &[crop, resample(10, 10)]), Shrink::One);
    }

    #[test]
    fn the_less_it_shrinks_the_more_coefficients_are_read() {
        let source = size(4000, 3000);
        assert_eq!(coefficients(source, &[resample(100, 75)]), 3);
        assert_eq!(coefficients(source, &[resample(200, 150)]), 3);
        assert_eq!(coefficients(source, &[resample(300, 225)]), 6);
        assert_eq!(coefficients(source, &[resample(800, 600)]), 21);
        assert_eq!(coefficients(source, &[resample(1600, 1200)]), 0);
        // The axis that shrinks least counts, as it lies in the file.
        assert_eq!(coefficients(source, &[resample(100, 2999)]), 0);
        let turn = Step::Orient(Orientation::clockwise(1));
        assert_eq!(coefficients(source, &[turn, resample(225, 300)]), 6);
        let crop = Step::Crop(Rect { left: 0, top: 0, size: size(800, 800) });
        assert_eq!(coefficients(source, &[crop, resample(10, 10)]), 0);
        assert_eq!(coefficients(source, &[]), 0);
    }
}
