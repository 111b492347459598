/// A box in pixels: columns `left..right`, rows `top..bottom`, `y` growing downwards. Empty unless both hold something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Bounds {
    pub(super) const EMPTY: Self = Self::new(0, 0, 0, 0);

    pub(super) const fn new(left: i32, top: i32, right: i32, bottom: i32) -> Self {
        Self { left, top, right, bottom }
    }

    pub(super) const fn is_empty(self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    /// Columns.
    pub(super) fn width(self) -> u32 {
        u32::try_from(i64::from(self.right) - i64::from(self.left)).unwrap_or(0)
    }

    /// Rows.
    pub(super) fn height(self) -> u32 {
        u32::try_from(i64::from(self.bottom) - i64::from(self.top)).unwrap_or(0)
    }

    /// Pixels.
    pub(super) fn area(self) -> u64 {
        u64::from(self.width()) * u64::from(self.height())
    }

    /// Moved; far away positions stop at the end of the range.
    pub(super) const fn moved(self, x: i32, y: i32) -> Self {
        Self::new(
            self.left.saturating_add(x),
            self.top.saturating_add(y),
            self.right.saturating_add(x),
            self.bottom.saturating_add(y),
        )
    }

    /// The box around both, empty ones counting too.
    pub(super) fn around(self, other: Self) -> Self {
        Self::new(
            self.left.min(other.left),
            self.top.min(other.top),
            self.right.max(other.right),
            self.bottom.max(other.bottom),
        )
    }

    /// What both share; may be empty.
    pub(super) fn shared(self, other: Self) -> Self {
        Self::new(
            self.left.max(other.left),
            self.top.max(other.top),
            self.right.min(other.right),
            self.bottom.min(other.bottom),
        )
    }
}
