use crate::codecs::{Detail, Kept, Shrink};
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

/// From so strong a shrink on, the frequencies `k` of each axis of a block that serve, and those of chroma with fewer
/// samples. Fewer than these would be further from the ideal picture than what decoders make that shrink by 8, 4 and 2
/// while they load: from 16, 8 and 4 on they do, if twice the wanted size shall be left (`docs/performance.md`).
const FREQUENCIES: [(f64, u8, u8); 6] =
    [(16.0, 2, 2), (11.0, 2, 3), (8.5, 3, 3), (7.0, 4, 4), (5.0, 5, 5), (4.0, 6, 6)];

/// Shrinks below this one are made from all samples.
const FULL: f64 = FREQUENCIES[FREQUENCIES.len() - 1].0;

/// How much of a JPEG serves the steps. For a shrink the zigzag coefficients of each block with `u + v < k`, where `k`
/// grows as the picture shrinks less; for a weak one the planes at full size. Not so if the answer is to be exact, that is
/// written without loss: then colours that RGB does not hold are cut off before they are averaged, as by decoders to RGB.
/// A strong shrink leaves less of the difference than other errors, and so does a lossy encoder of any.
pub(super) fn detail(source: Size, steps: &[Step], exact: bool) -> Detail {
    let scale = |have: Size, want: Size| {
        let by = |have: u32, want: u32| f64::from(have) / f64::from(want);
        by(have.width(), want.width()).min(by(have.height(), want.height()))
    };
    let planes = |by: f64| if exact && by < FULL { Detail::Samples } else { Detail::Planes };
    let mut size = source;
    for (i, step) in steps.iter().enumerate() {
        match step {
            Step::Orient(orientation) => size = orientation.output_size(size),
            Step::Resample { to, filter: Filter::Lanczos3 } => {
                let least = scale(size, *to);
                let serves = FREQUENCIES.into_iter().find(|&(from, ..)| least >= from);
                let kept = serves.map(|(_, full, sparse)| Kept { full: triangle(full), sparse: triangle(sparse) });
                return kept.map_or_else(|| planes(least), Detail::Coefficients);
            }
            // A window of planes is resampled where it lies.
            Step::Crop(window) => {
                return match steps.get(i + 1) {
                    Some(Step::Resample { to, .. }) => planes(scale(window.size, *to)),
                    _ => Detail::Samples,
                };
            }
            Step::Resample { to, .. } => return planes(scale(size, *to)),
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
        let exactly = |steps: &[Step]| detail(source, steps, true);
        let detail = |steps: &[Step]| detail(source, steps, false);
        let kept = |full, sparse| Detail::Coefficients(Kept { full, sparse });
        assert_eq!(detail(&[resample(100, 75)]), kept(3, 3));
        assert_eq!(detail(&[resample(250, 188)]), kept(3, 6));
        assert_eq!(detail(&[resample(250, 187)]), kept(3, 3));
        assert_eq!(detail(&[resample(300, 225)]), kept(3, 6));
        assert_eq!(detail(&[resample(364, 273)]), kept(6, 6));
        assert_eq!(detail(&[resample(501, 375)]), kept(10, 10));
        assert_eq!(detail(&[resample(800, 600)]), kept(15, 15));
        assert_eq!(detail(&[resample(1000, 750)]), kept(21, 21));
        assert_eq!(detail(&[resample(1001, 750)]), Detail::Planes);
        // The axis that shrinks least counts, as it lies in the file.
        assert_eq!(detail(&[resample(100, 2999)]), Detail::Planes);
        let turn = Step::Orient(Orientation::clockwise(1));
        assert_eq!(detail(&[turn, resample(225, 300)]), kept(3, 6));
        let crop = Step::Crop(Rect { left: 0, top: 0, size: size(800, 800) });
        assert_eq!(detail(&[crop.clone(), resample(10, 10)]), Detail::Planes);
        // What is written without loss is cut to RGB first, where that is seen.
        assert_eq!(exactly(&[resample(1000, 750)]), kept(21, 21));
        assert_eq!(exactly(&[resample(1001, 750)]), Detail::Samples);
        assert_eq!(exactly(&[crop.clone(), resample(100, 100)]), Detail::Planes);
        assert_eq!(exactly(&[crop.clone(), resample(400, 400)]), Detail::Samples);
        // What becomes RGB at its own size is decoded to it.
        assert_eq!(detail(&[crop, Step::Gray, resample(10, 10)]), Detail::Samples);
        assert_eq!(detail(&[]), Detail::Samples);
    }
}
