//! The true sequence of blocks, joined from what lanes found at guessed places.

use super::Refused;
use super::bits::Unstuffed;
use super::lanes::Segment;
use super::pattern::Pattern;

/// The true reader of one restart interval, which takes over what lanes have found wherever one of them read the same.
pub(super) struct Truth {
    /// Bit at which the next MCU begins.
    at: usize,
    /// First bit behind the interval's data.
    end: usize,
    /// MCUs that are still to come.
    left: usize,
}

impl Truth {
    /// An interval of `mcus` MCUs in these bits of the data.
    pub(super) const fn new(bits: std::ops::Range<usize>, mcus: usize) -> Self {
        Self { at: bits.start, end: bits.end, left: mcus }
    }

    /// Reads on through a segment. `take` is given the beginnings of the blocks of whole MCUs, in their order.
    ///
    /// # Errors
    /// [`Refused::Damaged`] where the true sequence is no code, and what `take` says.
    pub(super) fn through(
        &mut self,
        segment: &Segment,
        data: &Unstuffed,
        pattern: &Pattern,
        mut take: impl FnMut(&[u32]) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let blocks = pattern.blocks.len();
        // The block that begins behind the last whole MCU may be incomplete, but it begins there.
        let whole = segment.begins.len().saturating_sub(1) / blocks;
        let Some(&last) = segment.begins.get(whole * blocks) else { return Ok(()) };
        let mut alone = Vec::new();
        while self.left > 0 && self.at < last as usize {
            let found = segment.begins[..whole * blocks].partition_point(|&begin| (begin as usize) < self.at);
            if found % blocks == 0 && segment.begins[found] as usize == self.at {
                take(&alone)?;
                alone.clear();
                let mcus = (whole - found / blocks).min(self.left);
                take(&segment.begins[found..found + mcus * blocks])?;
                self.at = segment.begins[found + mcus * blocks] as usize;
                self.left -= mcus;
            } else {
                self.at = pattern.step_over_mcu(data, self.at, &mut alone)?;
                self.left -= 1;
            }
        }
        take(&alone)
    }

    /// Reads what no lane has read, to the end of the interval.
    ///
    /// # Errors
    /// [`Refused::Damaged`] where there is no code, or less data than MCUs, and what `take` says.
    pub(super) fn finish(
        mut self,
        data: &Unstuffed,
        pattern: &Pattern,
        mut take: impl FnMut(&[u32]) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        let mut alone = Vec::new();
        while self.left > 0 && self.at <= self.end {
            alone.clear();
            self.at = pattern.step_over_mcu(data, self.at, &mut alone)?;
            self.left -= 1;
            take(&alone)?;
        }
        if self.at > self.end { Err(Refused::Damaged) } else { Ok(()) }
    }
}
