//! Rate limit: the generic cell rate algorithm (GCRA, ITU-T I.371), for each endpoint and method on its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much is let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second in the long run, 1…10⁹.
    pub per_second: u32,
    /// Requests that may come at once on top of the one that is due.
    pub burst: u32,
}

/// A rate that cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Zero, or more than one a nanosecond.
    #[error("-concurrency must lie between 1 and 1000000000 requests per second, not {0}")]
    PerSecond(u32),
}

impl Rate {
    /// # Errors
    /// A rate of zero, or of more than one request a nanosecond.
    pub const fn check(&self) -> Result<(), RateError> {
        match self.per_second {
            1..=1_000_000_000 => Ok(()),
            other => Err(RateError::PerSecond(other)),
        }
    }
}

/// What the limiter says about one request. Seconds are rounded up, as the headers carry them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// `X-Ratelimit-Limit`: the burst and one.
    pub limit: u64,
    /// `X-Ratelimit-Remaining`: requests that would pass right now.
    pub remaining: u64,
    /// `X-Ratelimit-Reset`: seconds until nothing is used up any more.
    pub reset: u64,
    /// `Retry-After` in seconds; `Some` means that the request is refused.
    pub retry_after: Option<u64>,
}

impl Verdict {
    /// Whether the request may go on.
    pub const fn admitted(&self) -> bool {
        self.retry_after.is_none()
    }
}

/// The limiter. It remembers one instant for each endpoint and method that was ever asked for; both are names from
/// the program, so its memory is bounded by the routes.
#[derive(Debug)]
pub struct Throttle {
    /// Time between two requests at the nominal rate.
    interval: Duration,
    /// How far ahead of the nominal schedule requests may run: the interval times (burst + 1).
    tolerance: Duration,
    limit: u64,
    /// The theoretical arrival time of the next request.
    due: Mutex<HashMap<(&'static str, &'static str), Instant>>,
}

impl Throttle {
    /// # Errors
    /// See [`Rate::check`].
    pub fn new(rate: Rate) -> Result<Self, RateError> {
        rate.check()?;
        let limit = u64::from(rate.burst) + 1;
        // Whole nanoseconds, rounded down, as the reference's interval is.
        let nanos = 1_000_000_000 / u64::from(rate.per_second);
        let interval = Duration::from_nanos(nanos);
        let tolerance = Duration::from_nanos(nanos.saturating_mul(limit));
        Ok(Self { interval, tolerance, limit, due: Mutex::new(HashMap::new()) })
    }

    /// Counts one request for `endpoint` and `method` at `now` and says whether it may go on. A refused request uses
    /// nothing up.
    pub fn check(&self, endpoint: &'static str, method: &'static str, now: Instant) -> Verdict {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = due.entry((endpoint, method)).or_insert(now);
        let ahead = slot.saturating_duration_since(now);
        let wanted = ahead + self.interval;
        let (ahead, retry_after) = if wanted > self.tolerance {
            (ahead, Some(ceil_seconds(wanted - self.tolerance)))
        } else {
            *slot = now + wanted;
            (wanted, None)
        };
        let left = self.tolerance.saturating_sub(ahead).as_nanos() / self.interval.as_nanos().max(1);
        let remaining = u64::try_from(left).unwrap_or(u64::MAX);
        Verdict { limit: self.limit, remaining, reset: ceil_seconds(ahead), retry_after }
    }
}

fn ceil_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(remaining: u64, reset: u64, retry_after: Option<u64>) -> Verdict {
        Verdict { limit: 3, remaining, reset, retry_after }
    }

    /// Recorded from the reference with `-concurrency 1 -burst 2`.
    #[test]
    fn numbers_are_the_references() {
        let throttle = Throttle::new(Rate { per_second: 1, burst: 2 }).unwrap();
        let start = Instant::now();
        let ms = |n| start + Duration::from_millis(n);
        assert_eq!(throttle.check("health", "GET", ms(0)), verdict(2, 1, None));
        assert_eq!(throttle.check("health", "GET", ms(10)), verdict(1, 2, None));
        assert_eq!(throttle.check("health", "GET", ms(20)), verdict(0, 3, None));
        assert_eq!(throttle.check("health", "GET", ms(30)), verdict(0, 3, Some(1)));
        assert_eq!(throttle.check("health", "GET", ms(40)), verdict(0, 3, Some(1)));
        assert_eq!(throttle.check("health", "POST", ms(50)), verdict(2, 1, None));
        assert_eq!(throttle.check("health", "GET", ms(2340)), verdict(1, 2, None));
    }

    #[test]
    fn a_rested_limiter_forgets_everything_but_saves_nothing_up() {
        let throttle = Throttle::new(Rate { per_second: 10, burst: 0 }).unwrap();
        let start = Instant::now();
        assert!(throttle.check("resize", "GET", start).admitted());
        assert!(!throttle.check("resize", "GET", start).admitted());
        let later = start + Duration::from_secs(3600);
        assert!(throttle.check("resize", "GET", later).admitted());
        assert!(!throttle.check("resize", "GET", later).admitted());
    }

    #[test]
    fn the_long_run_rate_is_kept() {
        let throttle = Throttle::new(Rate { per_second: 7, burst: 5 }).unwrap();
        let start = Instant::now();
        let admitted = (0..100_000u64)
            .filter(|i| throttle.check("crop", "GET", start + Duration::from_micros(i * 100)).admitted())
            .count();
        // Ten seconds at seven a second, and the burst of five and one.
        assert!((75..=76).contains(&admitted), "{admitted}");
    }

    #[test]
    fn impossible_rates_are_refused() {
        assert!(Throttle::new(Rate { per_second: 0, burst: 1 }).is_err());
        assert!(Throttle::new(Rate { per_second: 1_000_000_001, burst: 1 }).is_err());
        let throttle = Throttle::new(Rate { per_second: 1, burst: u32::MAX }).unwrap();
        assert!(throttle.check("crop", "GET", Instant::now()).admitted());
    }
}
