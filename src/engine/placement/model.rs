//! How long a backend takes: a fixed time and a time for each unit of work, measured at the start and corrected by what
//! is observed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::gpu::Source;
use crate::backend::{BackendError, Checkpoint, NeverCancelled};
use crate::image::{ImageBuf, Picture, PixelFormat, Size};
use crate::ops::{Filter, Step};

/// Work in bytes that are read or written, about: the input, and what each step makes; a blur goes over its picture
/// several times.
pub(super) fn work(source: &Source<'_>, steps: &[Step]) -> u64 {
    let picture = match source {
        Source::Here(picture) => picture,
        Source::Coming(outline) => return to_do(outline.bytes(), outline.size(), steps),
    };
    let input = match picture {
        Picture::Packed(buf) => buf.pixels().len() as u64,
        Picture::Planes(planes) | Picture::Narrow(planes) => {
            let chroma = planes.chroma.iter().flatten().map(|plane| plane.samples.len()).sum::<usize>();
            (planes.luma.samples.len() + chroma) as u64
        }
        Picture::Coefficients(all) => all.components.iter().map(|c| 2 * c.values.len() as u64).sum(),
    };
    to_do(input, picture.size(), steps)
}

fn to_do(input: u64, mut size: Size, steps: &[Step]) -> u64 {
    let mut sum = input;
    for step in steps {
        let before = size.area();
        size = step.output_size(size);
        sum += match step {
            Step::Blur(_) => 16 * before,
            Step::Resample { .. } => 8 * size.area(),
            _ => 4 * size.area(),
        };
    }
    sum
}

/// Weight of the newest observation.
const NEWEST: f64 = 0.05;

/// Why there is no model of a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unmeasured {
    /// It made another picture than it should.
    Wrong,
    /// It made none.
    Failed(BackendError),
}

/// Seconds: `factor × (fixed + work × per_unit)`.
#[derive(Debug)]
pub(super) struct Model {
    fixed: f64,
    per_unit: f64,
    factor: Mutex<f64>,
}

/// As an ordinary core shrinks: 1 GB/s and no fixed cost.
impl Default for Model {
    fn default() -> Self {
        Self { fixed: 0.0, per_unit: 1e-9, factor: Mutex::new(1.0) }
    }
}

impl Model {
    /// Measures a backend with a small and a large picture.
    ///
    /// # Errors
    /// When it gives none, or a wrong one.
    pub(super) fn measured(
        run: impl Fn(Picture, &[Step], &dyn Checkpoint) -> Result<ImageBuf, BackendError>,
    ) -> Result<Self, Unmeasured> {
        let mut best = [f64::MAX; 2];
        let mut works = [0; 2];
        for (place, side) in [(0, 64), (1, 1024)] {
            let size = Size::at_least_one(side, side);
            let pixels = vec![93; ImageBuf::byte_len(size, PixelFormat::Rgb8) as usize];
            let picture = ImageBuf::new(size, PixelFormat::Rgb8, pixels).map_err(|_| Unmeasured::Wrong)?;
            let picture = Picture::from(picture);
            let to = Size::at_least_one(side / 4, side / 4);
            let steps = [Step::Resample { to, filter: Filter::Lanczos3 }];
            works[place] = work(&Source::Here(&picture), &steps);
            // The first run makes buffers.
            for _ in 0..4 {
                let again = picture.clone();
                let begun = Instant::now();
                let made = run(again, &steps, &NeverCancelled).map_err(Unmeasured::Failed)?;
                best[place] = best[place].min(begun.elapsed().as_secs_f64());
                // An adapter that cannot do this cannot serve.
                if made.size() != to || made.pixels().iter().any(|&p| p != 93) {
                    return Err(Unmeasured::Wrong);
                }
            }
        }
        let per_unit = ((best[1] - best[0]) / (works[1] - works[0]) as f64).max(1e-12);
        let fixed = (best[0] - works[0] as f64 * per_unit).max(0.0);
        Ok(Self { fixed, per_unit, factor: Mutex::new(1.0) })
    }

    /// Time of a job behind `pending` work.
    pub(super) fn predict(&self, work: u64, pending: u64) -> Duration {
        let factor = *self.factor.lock().unwrap_or_else(PoisonError::into_inner);
        Duration::from_secs_f64((factor * self.plain(work, pending)).clamp(0.0, 1e6))
    }

    /// As [`Self::predict`], as it was measured, without corrections.
    pub(super) fn measurement(&self, work: u64, pending: u64) -> Duration {
        Duration::from_secs_f64(self.plain(work, pending).clamp(0.0, 1e6))
    }

    /// Corrects the model by a job that took so long.
    pub(super) fn observe(&self, work: u64, pending: u64, took: Duration) {
        let ratio = (took.as_secs_f64() / self.plain(work, pending).max(1e-9)).clamp(0.01, 100.0);
        let mut factor = self.factor.lock().unwrap_or_else(PoisonError::into_inner);
        *factor += NEWEST * (ratio - *factor);
    }

    /// Takes so long whatever the work.
    #[cfg(test)]
    pub(super) const fn constant(seconds: f64) -> Self {
        Self { fixed: seconds, per_unit: 0.0, factor: Mutex::new(1.0) }
    }

    fn plain(&self, work: u64, pending: u64) -> f64 {
        self.fixed + (work as f64 + pending as f64) * self.per_unit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Backend, CpuBackend};

    #[test]
    fn a_model_learns_what_it_sees() {
        let model = Model::default();
        assert!(model.predict(2_000_000, 0) > model.predict(1_000_000, 0));
        assert!(model.predict(1_000_000, 5_000_000) > model.predict(1_000_000, 0));
        for _ in 0..200 {
            model.observe(1_000_000, 0, Duration::from_millis(5));
        }
        let predicted = model.predict(1_000_000, 0).as_secs_f64();
        assert!((predicted - 0.005).abs() < 0.0002, "{predicted}");
    }

    #[test]
    fn a_backend_that_is_wrong_or_fails_is_not_measured() {
        assert!(Model::measured(|p, steps, never| CpuBackend.run(p, &[], steps, never)).is_ok());
        let lost = Model::measured(|_, _, _| Err(BackendError::DeviceLost)).err();
        assert_eq!(lost, Some(Unmeasured::Failed(BackendError::DeviceLost)));
        let wrong = |p, steps: &[Step], never: &dyn Checkpoint| {
            let made = CpuBackend.run(p, &[], steps, never)?;
            let pixels = made.pixels().iter().map(|p| p ^ 1).collect();
            Ok(ImageBuf::new(made.size(), made.format(), pixels).unwrap())
        };
        assert_eq!(Model::measured(wrong).err(), Some(Unmeasured::Wrong));
    }
}
