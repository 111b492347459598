//! Which scans a file has. ITU-T T.81, G.1.1.

/// A scan, by the names of T.81's figure B.4.
pub(super) struct Scan {
    /// One component, unless it holds means.
    pub(super) components: &'static [usize],
    /// Ss and Se: the first and the last coefficient of the zigzag order.
    pub(super) band: (u32, u32),
    /// Ah: bits that were left out before it; 0 for the first scan of a coefficient.
    pub(super) high: u32,
    /// Al: bits that are left out still.
    pub(super) low: u32,
}

/// The scans of a file of one component, or of three.
pub(super) const fn of(components: usize) -> &'static [Scan] {
    if components == 1 { &GRAY } else { &COLOUR }
}

const fn scan(components: &'static [usize], band: (u32, u32), high: u32, low: u32) -> Scan {
    Scan { components, band, high, low }
}

/// As the Independent JPEG Group's library does by default: colours early, the finest bits of luma last.
const COLOUR: [Scan; 10] = [
    scan(&[0, 1, 2], (0, 0), 0, 1),
    scan(&[0], (1, 5), 0, 2),
    scan(&[2], (1, 63), 0, 1),
    scan(&[1], (1, 63), 0, 1),
    scan(&[0], (6, 63), 0, 2),
    scan(&[0], (1, 63), 2, 1),
    scan(&[0, 1, 2], (0, 0), 1, 0),
    scan(&[2], (1, 63), 1, 0),
    scan(&[1], (1, 63), 1, 0),
    scan(&[0], (1, 63), 1, 0),
];
const GRAY: [Scan; 6] = [
    scan(&[0], (0, 0), 0, 1),
    scan(&[0], (1, 5), 0, 2),
    scan(&[0], (6, 63), 0, 2),
    scan(&[0], (1, 63), 2, 1),
    scan(&[0], (0, 0), 1, 0),
    scan(&[0], (1, 63), 1, 0),
];
