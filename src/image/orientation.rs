use super::Size;

/// One of the eight ways to turn and mirror a picture: quarter turns clockwise, then an optional left-right mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orientation {
    turns: u8,
    mirrored: bool,
}

impl Orientation {
    /// Leaves the picture alone.
    pub const UPRIGHT: Self = Self { turns: 0, mirrored: false };
    /// Mirrors left and right.
    pub const MIRROR: Self = Self { turns: 0, mirrored: true };
    /// Mirrors top and bottom.
    pub const FLIP_VERTICAL: Self = Self { turns: 2, mirrored: true };

    /// Turns clockwise by `quarters` times 90 degrees.
    pub const fn clockwise(quarters: u8) -> Self {
        Self { turns: quarters % 4, mirrored: false }
    }

    /// What must be done to a picture with this EXIF orientation tag (1 to 8) to show it upright. Anything else counts
    /// as 1. TIFF 6.0, tag 274.
    pub const fn from_exif(tag: u16) -> Self {
        let (turns, mirrored) = match tag {
            2 => (0, true),
            3 => (2, false),
            4 => (2, true),
            5 => (1, true),
            6 => (1, false),
            7 => (3, true),
            8 => (3, false),
            _ => (0, false),
        };
        Self { turns, mirrored }
    }

    /// The EXIF orientation tag, 1 to 8, of a picture that must be turned so.
    pub const fn exif(self) -> u16 {
        match (self.turns, self.mirrored) {
            (0, false) => 1,
            (0, true) => 2,
            (2, false) => 3,
            (2, true) => 4,
            (1, true) => 5,
            (1, false) => 6,
            (_, true) => 7,
            (_, false) => 8,
        }
    }

    /// Quarter turns clockwise, 0 to 3, done before the mirror.
    pub const fn turns(self) -> u8 {
        self.turns
    }

    /// Whether a left-right mirror follows the turns.
    pub const fn is_mirrored(self) -> bool {
        self.mirrored
    }

    /// Whether nothing changes.
    pub const fn is_upright(self) -> bool {
        self.turns == 0 && !self.mirrored
    }

    /// Whether width and height are exchanged.
    pub const fn transposes(self) -> bool {
        self.turns % 2 == 1
    }

    /// Size after turning a picture of `size`.
    pub const fn output_size(self, size: Size) -> Size {
        if self.transposes() { size.transposed() } else { size }
    }

    /// The single orientation that equals doing `self`, then `next`.
    pub const fn then(self, next: Self) -> Self {
        // A turn after a mirror is the opposite turn before it.
        let turns = if self.mirrored { self.turns + 4 - next.turns } else { self.turns + next.turns };
        Self { turns: turns % 4, mirrored: self.mirrored != next.mirrored }
    }

    /// The orientation that undoes `self`.
    pub const fn inverse(self) -> Self {
        if self.mirrored { self } else { Self { turns: (4 - self.turns) % 4, mirrored: false } }
    }

    /// Where the output pixel `(x, y)` comes from in a source of `size` (the size before turning).
    pub const fn source_of(self, x: u32, y: u32, size: Size) -> (u32, u32) {
        let out = self.output_size(size);
        let x = if self.mirrored { out.width() - 1 - x } else { x };
        match self.turns {
            0 => (x, y),
            1 => (y, size.height() - 1 - x),
            2 => (size.width() - 1 - x, size.height() - 1 - y),
            _ => (size.width() - 1 - y, x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Orientation> {
        (1..=8).map(Orientation::from_exif)
    }

    #[test]
    fn exif_tags_stand_for_themselves() {
        for tag in 1..=8 {
            assert_eq!(Orientation::from_exif(tag).exif(), tag);
        }
    }

    #[test]
    fn composition_agrees_with_doing_one_after_the_other() {
        let size = Size::new(5, 3).unwrap();
        for a in all() {
            for b in all() {
                let both = a.then(b);
                let middle = a.output_size(size);
                let out = both.output_size(size);
                assert_eq!(out, b.output_size(middle));
                for y in 0..out.height() {
                    for x in 0..out.width() {
                        let (mx, my) = b.source_of(x, y, middle);
                        assert_eq!(both.source_of(x, y, size), a.source_of(mx, my, size), "{a:?} {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn inverse_undoes() {
        for a in all() {
            assert!(a.then(a.inverse()).is_upright());
            assert!(a.inverse().then(a).is_upright());
        }
    }

    #[test]
    fn exif_six_turns_clockwise() {
        // A 2x1 picture "AB" turned clockwise is A above B.
        let o = Orientation::from_exif(6);
        let size = Size::new(2, 1).unwrap();
        assert_eq!(o.source_of(0, 0, size), (0, 0));
        assert_eq!(o.source_of(0, 1, size), (1, 0));
        // EXIF 5 is the transpose.
        let o = Orientation::from_exif(5);
        let size = Size::new(4, 3).unwrap();
        assert_eq!(o.source_of(2, 3, size), (3, 2));
    }
}
