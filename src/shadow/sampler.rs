//! Which requests are sampled: evenly, not by chance, so that a share of 1 % is every hundredth.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub(super) struct Sampler {
    /// The share in parts of 2^32.
    step: u64,
    sum: AtomicU64,
}

impl Sampler {
    pub(super) fn new(share: f64) -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the share is between 0 and 1")]
        let step = (share.clamp(0.0, 1.0) * (1_u64 << 32) as f64).ceil() as u64;
        Self { step, sum: AtomicU64::new(0) }
    }

    /// Whether the next one is.
    pub(super) fn picks(&self) -> bool {
        let before = self.sum.fetch_add(self.step, Ordering::Relaxed);
        before >> 32 != before.wrapping_add(self.step) >> 32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_met_and_even() {
        for (share, expected) in [(1.0, 1000), (0.5, 500), (0.01, 10), (0.0015, 1)] {
            let sampler = Sampler::new(share);
            assert_eq!((0..1000).filter(|_| sampler.picks()).count(), expected, "{share}");
        }
        let sampler = Sampler::new(0.25);
        let picked: Vec<bool> = (0..8).map(|_| sampler.picks()).collect();
        assert_eq!(picked, [false, false, false, true, false, false, false, true]);
    }
}
