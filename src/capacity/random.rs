//! Numbers by chance, the same ones in every run.

/// SplitMix64 (Steele, Lea and Flood, 2014): enough for queues, and a few lines.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between 0 and 1, never either.
    pub(super) fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Exponential with mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }

    /// Normal with mean 0 and deviation 1, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Below `n`, which is not 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right() {
        let mut random = Random::new(1);
        let n = 200_000;
        let mean = |mut next: Box<dyn FnMut() -> f64 + '_>| (0..n).map(|_| next()).sum::<f64>() / f64::from(n);
        assert!((mean(Box::new(|| random.unit())) - 0.5).abs() < 0.005);
        assert!((mean(Box::new(|| random.exponential())) - 1.0).abs() < 0.01);
        assert!(mean(Box::new(|| random.normal())).abs() < 0.01);
        assert!((mean(Box::new(|| random.normal().powi(2))) - 1.0).abs() < 0.02);
        assert!((mean(Box::new(|| random.below(5) as f64)) - 2.0).abs() < 0.02);
    }
}
