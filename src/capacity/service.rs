//! How long one picture keeps a thread or a device.

use super::random::Random;

/// The 99 % point of the normal distribution.
const Z99: f64 = 2.326_347_9;

/// A distribution of times, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Service {
    /// Always the same.
    Fixed(f64),
    /// Of this mean; as widely spread as a guess should be when nothing else is known.
    Exponential(f64),
    /// By its median and its 99 % point: many small pictures and a tail of large ones.
    Lognormal {
        /// Half are below.
        p50: f64,
        /// 99 of 100 are below.
        p99: f64,
    },
    /// As measured: evenly spaced quantiles from the least to the most, at least two, stretched to a mean.
    Measured {
        /// Sorted.
        quantiles: Vec<f64>,
        /// What they are multiplied by.
        stretch: f64,
    },
}

impl Service {
    /// Quantiles that keep a measured mean: those of a long tail alone would not.
    pub fn measured(quantiles: Vec<f64>, mean: f64) -> Self {
        let of_quantiles = mean_of(&quantiles);
        let stretch = if of_quantiles > 0.0 { mean / of_quantiles } else { 1.0 };
        Self::Measured { quantiles, stretch }
    }

    /// The mean, in seconds.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Exponential(mean) => *mean,
            Self::Lognormal { p50, p99 } => p50 * (((p99 / p50).ln() / Z99).powi(2) / 2.0).exp(),
            Self::Measured { quantiles, stretch } => mean_of(quantiles) * stretch,
        }
    }

    /// The same, so many times as long.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        match self {
            Self::Fixed(mean) => Self::Fixed(mean * factor),
            Self::Exponential(mean) => Self::Exponential(mean * factor),
            Self::Lognormal { p50, p99 } => Self::Lognormal { p50: p50 * factor, p99: p99 * factor },
            Self::Measured { quantiles, stretch } => {
                Self::Measured { quantiles: quantiles.clone(), stretch: stretch * factor }
            }
        }
    }

    pub(super) fn draw(&self, random: &mut Random) -> f64 {
        match self {
            Self::Fixed(mean) => *mean,
            Self::Exponential(mean) => mean * random.exponential(),
            Self::Lognormal { p50, p99 } => p50 * ((p99 / p50).ln() / Z99 * random.normal()).exp(),
            Self::Measured { quantiles, stretch } => {
                let at = random.unit() * (quantiles.len() - 1) as f64;
                let below = (at as usize).min(quantiles.len() - 2);
                let (low, high) = (quantiles[below], quantiles[below + 1]);
                (low + (high - low) * (at - below as f64)) * stretch
            }
        }
    }
}

/// The mean of what lies between evenly spaced quantiles.
fn mean_of(quantiles: &[f64]) -> f64 {
    let steps = quantiles.len().saturating_sub(1).max(1) as f64;
    quantiles.windows(2).map(|two| (two[0] + two[1]) / 2.0).sum::<f64>() / steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_have_the_mean_and_the_quantiles_that_are_said() {
        let mut random = Random::new(7);
        let services = [
            Service::Fixed(0.02),
            Service::Exponential(0.02),
            Service::Lognormal { p50: 0.012, p99: 0.05 },
            Service::measured(vec![0.01, 0.02, 0.03, 0.2], 0.05),
        ];
        for service in services {
            let mut drawn: Vec<f64> = (0..100_000).map(|_| service.draw(&mut random)).collect();
            let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
            assert!((mean / service.mean() - 1.0).abs() < 0.02, "{service:?}: {mean}");
            drawn.sort_by(f64::total_cmp);
            if let Service::Lognormal { p50, p99 } = service {
                assert!((drawn[50_000] / p50 - 1.0).abs() < 0.02 && (drawn[99_000] / p99 - 1.0).abs() < 0.05);
            }
        }
    }
}
