use crate::image::Orientation;
use crate::ops::Step;

use super::draft::Draft;
use super::request::Request;

/// Applies the EXIF orientation alone.
pub(super) fn upright(draft: &mut Draft) {
    let exif = std::mem::take(&mut draft.pending);
    draft.push(Step::Orient(exif));
}

/// Turn, then left-right mirror, then top-bottom mirror, in one step. A turn asked for stands in for the EXIF
/// orientation. The mirror of EXIF 2, 4, 5 and 7 and that of `flip` are one and the same.
pub(super) fn orient(draft: &mut Draft, request: &Request<'_>) {
    let p = request.params;
    let exif = if p.rotate == 0 && !p.norotation { draft.pending } else { Orientation::UPRIGHT };
    // With `norotation` a later operation may still apply it, as long as the tag is there to say so.
    if !p.norotation || p.rotate != 0 || p.stripmeta {
        draft.pending = Orientation::UPRIGHT;
    }
    let turns = if p.rotate > 0 { quarter_turns(p.rotate) } else { exif.turns() };
    let mut orientation = Orientation::clockwise(turns);
    if exif.is_mirrored() || request.flip {
        orientation = orientation.then(Orientation::MIRROR);
    }
    if request.flop {
        orientation = orientation.then(Orientation::FLIP_VERTICAL);
    }
    draft.push(Step::Orient(orientation));
}

/// Whole quarter turns in a positive number of degrees, at most three.
fn quarter_turns(degrees: i64) -> u8 {
    (degrees / 90).min(3) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_are_lowered_to_quarter_turns_and_stop_at_270() {
        for (degrees, turns) in
            [(1, 0), (45, 0), (90, 1), (91, 1), (180, 2), (269, 2), (270, 3), (360, 3), (450, 3), (i64::MAX, 3)]
        {
            assert_eq!(quarter_turns(degrees), turns, "{degrees}");
        }
    }
}
