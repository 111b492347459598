/// Width and height in pixels, never zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// A size, or `None` when a side is zero.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 { None } else { Some(Self { width, height }) }
    }

    /// A size whose sides are raised to 1 where they are 0.
    pub const fn at_least_one(width: u32, height: u32) -> Self {
        Self { width: if width == 0 { 1 } else { width }, height: if height == 0 { 1 } else { height } }
    }

    /// Width in pixels, at least 1.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// Number of pixels; cannot overflow.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Width and height exchanged.
    pub const fn transposed(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// Whether `self` is no larger than `other` on both sides.
    pub const fn fits_in(self, other: Self) -> bool {
        self.width <= other.width && self.height <= other.height
    }
}

impl std::fmt::Debug for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// A position in pixels from the top left corner; may lie outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Point {
    /// Pixels to the right.
    pub x: i64,
    /// Pixels down.
    pub y: i64,
}

/// A non-empty window of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns and rows.
    pub size: Size,
}

impl Rect {
    /// The window that is the whole picture.
    pub const fn whole(size: Size) -> Self {
        Self { left: 0, top: 0, size }
    }

    /// Whether every pixel of the window lies in a picture of `size`.
    pub const fn is_inside(self, size: Size) -> bool {
        self.left as u64 + self.size.width as u64 <= size.width as u64
            && self.top as u64 + self.size.height as u64 <= size.height as u64
    }
}

impl std::fmt::Debug for Rect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+{}+{}", self.size, self.left, self.top)
    }
}

/// Which part is kept when a picture is cropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Gravity {
    /// The middle.
    #[default]
    Centre,
    /// The top edge.
    North,
    /// The right edge.
    East,
    /// The bottom edge.
    South,
    /// The left edge.
    West,
    /// The part with the highest attention score.
    Smart,
}

impl Gravity {
    /// The window of `want` (clipped to `have`) that this gravity keeps of a picture of size `have`. The centre is
    /// `(have - want + 1) / 2`, as the contract has it. `Smart` counts as the centre here.
    pub fn window(self, have: Size, want: Size) -> Rect {
        let width = have.width.min(want.width);
        let height = have.height.min(want.height);
        let (free_x, free_y) = (have.width - width, have.height - height);
        let (centre_x, centre_y) = (free_x.div_ceil(2), free_y.div_ceil(2));
        let (left, top) = match self {
            Self::Centre | Self::Smart => (centre_x, centre_y),
            Self::North => (centre_x, 0),
            Self::South => (centre_x, free_y),
            Self::East => (free_x, centre_y),
            Self::West => (0, centre_y),
        };
        Rect { left, top, size: Size { width, height } }
    }
}
