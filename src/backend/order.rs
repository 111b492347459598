//! Puts steps into a cheaper order that gives the same picture.

use crate::image::{Orientation, Rect, Size};
use crate::ops::Step;

/// Moves turns behind the crops and shrinks that follow them, turned alike, so that the full-size picture is never
/// turned; joins neighbouring turns. `size` is the picture's before the first step.
pub(super) fn cheaper(steps: &[Step], mut size: Size) -> Vec<Step> {
    let mut out = Vec::with_capacity(steps.len());
    let mut pending = Orientation::UPRIGHT;
    // `size` is that of the picture not yet turned by `pending`.
    for step in steps {
        let turned = pending.output_size(size);
        let moved = match step {
            Step::Orient(orientation) => {
                pending = pending.then(*orientation);
                continue;
            }
            Step::Crop(rect) if rect.is_inside(turned) => Step::Crop(before(pending, *rect, size)),
            Step::Resample { to, filter } if to.area() <= size.area() => {
                Step::Resample { to: pending.inverse().output_size(*to), filter: *filter }
            }
            other => {
                if !pending.is_upright() {
                    out.push(Step::Orient(pending));
                    pending = Orientation::UPRIGHT;
                }
                size = turned;
                other.clone()
            }
        };
        size = moved.output_size(size);
        out.push(moved);
    }
    if !pending.is_upright() {
        out.push(Step::Orient(pending));
    }
    out
}

/// The window of a picture of `size` that becomes `rect` once the picture is turned.
fn before(orientation: Orientation, rect: Rect, size: Size) -> Rect {
    let (right, bottom) = (rect.left + (rect.size.width() - 1), rect.top + (rect.size.height() - 1));
    let (x0, y0) = orientation.source_of(rect.left, rect.top, size);
    let (x1, y1) = orientation.source_of(right, bottom, size);
    Rect { left: x0.min(x1), top: y0.min(y1), size: orientation.inverse().output_size(rect.size) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Filter;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    #[test]
    fn a_turn_goes_behind_crop_and_shrink() {
        let turn = Orientation::clockwise(1);
        let crop = Rect { left: 1, top: 2, size: size(10, 20) };
        let shrink = |w, h| Step::Resample { to: size(w, h), filter: Filter::Lanczos3 };
        let steps = [Step::Orient(turn), Step::Crop(crop), shrink(4, 9)];
        // Turned clockwise, the top row is the left column read from the bottom up.
        let want =
            [Step::Crop(Rect { left: 2, top: 30 - 1 - 10, size: size(20, 10) }), shrink(9, 4), Step::Orient(turn)];
        assert_eq!(cheaper(&steps, size(40, 30)), want);
    }

    #[test]
    fn an_enlargement_stays_behind_the_turn_and_turns_that_cancel_vanish() {
        let grow = Step::Resample { to: size(100, 100), filter: Filter::Lanczos3 };
        let steps = [Step::Orient(Orientation::MIRROR), grow.clone()];
        assert_eq!(cheaper(&steps, size(40, 30)), steps);
        let steps = [Step::Orient(Orientation::MIRROR), Step::Orient(Orientation::MIRROR), Step::Gray];
        assert_eq!(cheaper(&steps, size(40, 30)), [Step::Gray]);
    }

    #[test]
    fn an_impossible_crop_is_left_for_the_backend_to_refuse() {
        let crop = Step::Crop(Rect { left: 35, top: 0, size: size(10, 1) });
        let steps = [Step::Orient(Orientation::clockwise(1)), crop];
        assert_eq!(cheaper(&steps, size(40, 30)), steps);
    }
}
