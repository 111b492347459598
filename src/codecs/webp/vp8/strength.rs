/// Limits of the loop filter (sections 9.6, 15.2 and 15.3) for a macroblock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Strength {
    /// 0: nothing is filtered.
    pub(super) level: u8,
    pub(super) interior: u8,
    pub(super) high_variance: u8,
}

impl Strength {
    /// For a level up to 63 and a sharpness up to 7.
    pub(super) fn new(level: u8, sharpness: u8) -> Self {
        let interior = match sharpness {
            0 => level,
            1..=4 => (level >> 1).min(9 - sharpness),
            _ => (level >> 2).min(9 - sharpness),
        };
        let high_variance = match level {
            0..15 => 0,
            15..40 => 1,
            _ => 2,
        };
        Self { level, interior: interior.max(1), high_variance }
    }

    /// At the edges of macroblocks.
    pub(super) fn outer(&self) -> u8 {
        2 * (self.level + 2) + self.interior
    }

    /// At the edges of subblocks.
    pub(super) fn inner(&self) -> u8 {
        2 * self.level + self.interior
    }
}
