//! Threads that take picture after picture until the time is over.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::codecs;

use super::backends::Worker;
use super::pictures::{Item, Pictures};
use super::progress::Bar;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// File to file.
    Request,
    /// Pixels to pixels.
    Steps,
}

impl Work {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Steps => "steps",
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measured {
    pub(super) done: u64,
    pub(super) failed: u64,
    pub(super) fell_back: u64,
    /// Megapixels of the sources of all that were done.
    pub(super) megapixels: f64,
    /// Seconds from the first to the last.
    pub(super) wall: f64,
    /// Seconds of each picture, sorted.
    pub(super) latencies: Vec<f32>,
}

impl Measured {
    /// Runs `threads` threads for so many seconds; each picture that was begun is finished.
    pub(super) fn of(
        pictures: &Pictures,
        worker: &Worker<'_>,
        work: Work,
        threads: usize,
        seconds: f64,
        bar: &Bar<'_>,
    ) -> Self {
        let (next, done, fell_back, failed) =
            (AtomicUsize::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let begun = Instant::now();
        let end = begun + Duration::from_secs_f64(seconds);
        let parts: Vec<(Vec<f32>, f64)> = std::thread::scope(|scope| {
            let running: Vec<_> = (0..threads)
                .map(|_| {
                    scope.spawn(|| {
                        let (mut latencies, mut megapixels) = (Vec::new(), 0.0);
                        while Instant::now() < end {
                            let at = next.fetch_add(1, Ordering::Relaxed) % pictures.list.len();
                            let Some(item) = pictures.list.get(at) else { break };
                            match one(pictures, item, worker, work) {
                                Some((took, fallen)) => {
                                    latencies.push(took.as_secs_f32());
                                    megapixels += item.header.size.area() as f64 / 1e6;
                                    done.fetch_add(1, Ordering::Relaxed);
                                    fell_back.fetch_add(u64::from(fallen), Ordering::Relaxed);
                                }
                                None => {
                                    failed.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                        (latencies, megapixels)
                    })
                })
                .collect();
            while running.iter().any(|thread| !thread.is_finished()) {
                std::thread::sleep(Duration::from_millis(20));
                bar.show(begun.elapsed().as_secs_f64() / seconds, done.load(Ordering::Relaxed));
            }
            running.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        let wall = begun.elapsed().as_secs_f64();
        let megapixels = parts.iter().map(|(_, megapixels)| megapixels).sum();
        let mut latencies: Vec<f32> = parts.into_iter().flat_map(|(latencies, _)| latencies).collect();
        latencies.sort_by(f32::total_cmp);
        Self {
            done: latencies.len() as u64,
            failed: failed.into_inner(),
            fell_back: fell_back.into_inner(),
            megapixels,
            wall,
            latencies,
        }
    }

    /// The latency that this share of all pictures kept below, in milliseconds.
    pub(super) fn quantile(&self, share: f64) -> Option<f64> {
        let last = self.latencies.len().checked_sub(1)?;
        let at = (last as f64 * share).round() as usize;
        self.latencies.get(at).map(|&seconds| f64::from(seconds) * 1e3)
    }
}

/// One picture: how long it took, and whether the CPU had to help a GPU out.
fn one(pictures: &Pictures, item: &Item, worker: &Worker<'_>, work: Work) -> Option<(Duration, bool)> {
    match (work, &item.decoded) {
        (Work::Steps, decoded) => {
            // The backend may use the picture up.
            let picture = decoded.clone()?;
            let begun = Instant::now();
            let made = worker.run(picture, &item.plan.steps, codecs::form(&item.plan.encode)).ok()?;
            Some((begun.elapsed(), made.fell_back))
        }
        (Work::Request, _) => {
            let begun = Instant::now();
            let decoded =
                codecs::decode(&item.bytes, &item.header, &item.plan.decode, &pictures.limits, &|| false).ok()?;
            let made = worker.run(decoded.picture, &item.plan.steps, codecs::form(&item.plan.encode)).ok()?;
            codecs::encode_picture(&made.picture, &decoded.metadata, &item.plan.encode).ok()?;
            Some((begun.elapsed(), made.fell_back))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_latencies() {
        let measured = Measured { latencies: (0..=100).map(|ms| ms as f32 / 1e3).collect(), ..Measured::default() };
        assert!((measured.quantile(0.5).unwrap() - 50.0).abs() < 1e-3);
        assert!((measured.quantile(0.99).unwrap() - 99.0).abs() < 1e-3);
        assert_eq!(Measured::default().quantile(0.5), None);
    }
}
