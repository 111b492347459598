use crate::image::{Orientation, Rect, Size};
use crate::ops::{Filter, Step};

/// The part of a source of this size, as stored, that the steps look at; `None` when it is all of it, or nearly. A decoder
/// may leave out the rest.
pub(super) fn window(source: Size, steps: &[Step]) -> Option<Rect> {
    let before: Vec<Size> = steps
        .iter()
        .scan(source, |size, step| {
            let before = *size;
            *size = step.output_size(before);
            Some(before)
        })
        .collect();
    let last = steps.last().zip(before.last()).map_or(source, |(step, size)| step.output_size(*size));
    let wanted = (0..steps.len())
        .zip(before)
        .rev()
        .fold(Rect::whole(last), |wanted, (i, size)| looked_at(&steps[i..], wanted, size));
    (wanted.is_inside(source) && wanted.size.area() < source.area() / 8 * 7).then_some(wanted)
}

/// What the first of these steps on a picture of this size looks at, to make a part of its result.
fn looked_at(steps: &[Step], wanted: Rect, size: Size) -> Rect {
    let Some(step) = steps.first() else { return wanted };
    match step {
        Step::Orient(orientation) => unturned(*orientation, wanted, size),
        Step::Crop(window) => {
            let margin = around(*window, &steps[1..]);
            let axis = |window: u32, first: u32, count: u32, most: u32| {
                let first = window + first;
                (first.saturating_sub(margin), first.saturating_add(count).saturating_add(margin).min(most))
            };
            let (left, right) = axis(window.left, wanted.left, wanted.size.width(), size.width());
            let (top, bottom) = axis(window.top, wanted.top, wanted.size.height(), size.height());
            Rect { left, top, size: Size::at_least_one(right.saturating_sub(left), bottom.saturating_sub(top)) }
        }
        Step::Resample { to, filter } => {
            let across = |from: u32, length: u32| spread(from..from + length, size.width(), to.width(), *filter);
            let down = |from: u32, length: u32| spread(from..from + length, size.height(), to.height(), *filter);
            let (left, right) = across(wanted.left, wanted.size.width());
            let (top, bottom) = down(wanted.top, wanted.size.height());
            Rect { left, top, size: Size::at_least_one(right - left, bottom - top) }
        }
        Step::Flatten(_) | Step::Gray | Step::Composite { .. } => wanted,
        Step::Zoom { .. } | Step::Embed { .. } | Step::SmartCrop { .. } | Step::Blur(_) => Rect::whole(size),
    }
}

/// How far beyond a window the steps behind it look: it is resampled where it lies, so what is around it takes part.
fn around(window: Rect, steps: &[Step]) -> u32 {
    let resampled = steps.iter().find_map(|step| match step {
        // Turned or not.
        Step::Resample { to, filter } => {
            let longest = window.size.width().max(window.size.height());
            Some(reach(f64::from(longest) / f64::from(to.width().min(to.height())), *filter))
        }
        _ => None,
    });
    resampled.map_or(0, |reach| reach.ceil() as u32)
}

/// How far a resampling by this scale looks to either side. Chroma, of which there may be a sample for four pixels, reaches
/// as far in its own samples, and is enlarged first.
fn reach(scale: f64, filter: Filter) -> f64 {
    const COARSEST: f64 = 4.0;
    filter.support() * scale.max(COARSEST) + 2.0 * COARSEST
}

/// The pixels of an axis that a run of pixels is made of.
fn spread(wanted: std::ops::Range<u32>, have: u32, to: u32, filter: Filter) -> (u32, u32) {
    let scale = f64::from(have) / f64::from(to);
    let margin = reach(scale, filter);
    let first = (f64::from(wanted.start) * scale - margin).floor().max(0.0);
    let end = (f64::from(wanted.end) * scale + margin).ceil().min(f64::from(have));
    (first as u32, end as u32)
}

/// The part of a picture of this size that becomes `wanted` once it is turned.
fn unturned(orientation: Orientation, wanted: Rect, size: Size) -> Rect {
    let (right, bottom) = (wanted.left + (wanted.size.width() - 1), wanted.top + (wanted.size.height() - 1));
    let (x0, y0) = orientation.source_of(wanted.left, wanted.top, size);
    let (x1, y1) = orientation.source_of(right, bottom, size);
    Rect { left: x0.min(x1), top: y0.min(y1), size: orientation.inverse().output_size(wanted.size) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Sigma;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn crop(left: u32, top: u32, width: u32, height: u32) -> Step {
        Step::Crop(Rect { left, top, size: size(width, height) })
    }

    fn resample(width: u32, height: u32) -> Step {
        Step::Resample { to: size(width, height), filter: Filter::Lanczos3 }
    }

    #[test]
    fn all_of_it_is_no_window() {
        let source = size(4000, 3000);
        assert_eq!(window(source, &[]), None);
        assert_eq!(window(source, &[resample(300, 225)]), None);
        assert_eq!(window(source, &[crop(1, 1, 3998, 2990)]), None);
        // What looks about has to see everything.
        assert_eq!(window(source, &[Step::SmartCrop { to: size(100, 100) }]), None);
        assert_eq!(window(source, &[Step::Blur(Sigma::new(3.0).unwrap()), crop(0, 0, 10, 10)]), None);
    }

    #[test]
    fn a_crop_is_its_window_and_a_resampling_reaches_beyond() {
        let source = size(4000, 3000);
        let at = |left, top, width, height| Some(Rect { left, top, size: size(width, height) });
        assert_eq!(window(source, &[crop(100, 200, 300, 400)]), at(100, 200, 300, 400));
        assert_eq!(window(source, &[crop(100, 200, 300, 400), Step::Gray]), at(100, 200, 300, 400));
        assert_eq!(window(source, &[crop(100, 200, 300, 400), crop(1, 2, 30, 40)]), at(101, 202, 30, 40));
        // Three lobes of 400 / 30 pixels and eight more; less where the picture ends.
        assert_eq!(window(source, &[crop(100, 200, 300, 400), resample(30, 40)]), at(52, 152, 396, 496));
        assert_eq!(window(source, &[crop(0, 0, 300, 400), resample(30, 40)]), at(0, 0, 348, 448));
        // By ten, three lobes of ten pixels and eight more.
        assert_eq!(window(source, &[resample(400, 300), crop(100, 50, 20, 10)]), at(962, 462, 276, 176));
        assert_eq!(window(source, &[resample(400, 300), crop(0, 290, 20, 10)]), at(0, 2862, 238, 138));
    }

    #[test]
    fn turns_turn_the_window() {
        let source = size(4000, 3000);
        let turn = Step::Orient(Orientation::clockwise(1));
        // Turned clockwise, the first column is the last row.
        let found = window(source, &[turn, crop(0, 0, 100, 50)]).unwrap();
        assert_eq!(found, Rect { left: 0, top: 2900, size: size(50, 100) });
    }
}
