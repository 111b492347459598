use crate::codecs::Shrink;
use crate::image::Size;
use crate::ops::Step;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Orientation, Rect};
    use crate::ops::Filter;

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
}
