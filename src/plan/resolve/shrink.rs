use crate::codecs::{Detail, Shrink};
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

/// From so strong a shrink on, the frequencies `k` of each axis of a block that serve. Fewer than these would be further
/// from the ideal picture than what decoders make that shrink by 8, 4 and 2 while they load: from 16, 8 and 4 on they do,
/// if twice the wanted size shall be left (`docs/performance.md`).
const FREQUENCIES: [(f64, u8); 4] = [(16.0, 2), (8.0, 3), (5.0, 5), (4.0, 6)];

/// How much of a JPEG serves the steps. For a shrink the zigzag coefficients of each block with `u + v < k`, where `k`
/// grows as the picture shrinks less; for a weak one the planes at full size.
pub(super) fn detail(source: Size, steps: &[Step]) -> Detail {
    let mut size = source;
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Orient(orientation) => size = orientation.output_size(size),
            Step::Resample { to, filter: Filter::Lanczos3 } => {
                let scale = |have: u32, want: u32| f64::from(have) / f64::from(want);
                let least = scale(size.width(), to.width()).min(scale(size.height(), to.height()));
                let serves = FREQUENCIES.into_iter().find(|&(from, _)| least >= from);
                return serves.map_or(Detail::Planes, |(_, k)| Detail::Coefficients(triangle(k)));
            }
            // A window of planes is resampled where it lies.
            Step::Crop(_) => {
                let resampled = matches!(steps.get(i + 1), Some(Step::Resample { .. }));
                return if resampled { Detail::Planes } else { Detail::Samples };
            }
            Step::Resample { .. } => return Detail::Planes,
            _ => return Detail::Samples,
        }
    }
    Detail::Samples
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
    fn the_less_it_shrinks_the_more_is_read() {
        let source = size(4000, 3000);
        let detail = |steps: &[Step]| detail(source, steps);
        assert_eq!(detail(&[resample(100, 75)]), Detail::Coefficients(3));
        assert_eq!(detail(&[resample(250, 188)]), Detail::Coefficients(6));
        assert_eq!(detail(&[resample(250, 187)]), Detail::Coefficients(3));
        assert_eq!(detail(&[resample(300, 225)]), Detail::Coefficients(6));
        assert_eq!(detail(&[resample(501, 375)]), Detail::Coefficients(15));
        assert_eq!(detail(&[resample(800, 600)]), Detail::Coefficients(15));
        assert_eq!(detail(&[resample(1000, 750)]), Detail::Coefficients(21));
        assert_eq!(detail(&[resample(1001, 750)]), Detail::Planes);
        // The axis that shrinks least counts, as it lies in the file.
        assert_eq!(detail(&[resample(100, 2999)]), Detail::Planes);
        let turn = Step::Orient(Orientation::clockwise(1));
        assert_eq!(detail(&[turn, resample(225, 300)]), Detail::Coefficients(6));
        let crop = Step::Crop(Rect { left: 0, top: 0, size: size(800, 800) });
        assert_eq!(detail(&[crop.clone(), resample(10, 10)]), Detail::Planes);
        // What becomes RGB at its own size is decoded to it.
        assert_eq!(detail(&[crop, Step::Gray, resample(10, 10)]), Detail::Samples);
        assert_eq!(detail(&[]), Detail::Samples);
    }
}
