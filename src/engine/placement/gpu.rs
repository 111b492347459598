//! An adapter as the engine sees it: what it is predicted to take, measured at the start, and what waits for it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::backend::{Backend, BackendError, GpuBackend};
use crate::telemetry::events;

use super::model::{Model, Unmeasured};

/// An adapter, and how long it takes.
#[derive(Debug)]
pub(super) struct Gpu {
    pub(super) backend: GpuBackend,
    /// Measured as soon as there is a device; until then it is not used.
    pub(super) model: OnceLock<Model>,
    /// Work that waits or is being done.
    pub(super) pending: AtomicU64,
}

impl Gpu {
    /// An adapter that was not measured yet.
    pub(super) fn new(backend: GpuBackend) -> Self {
        Self { backend, model: OnceLock::new(), pending: AtomicU64::new(0) }
    }

    /// Measures it, which is its self-test too.
    pub(super) fn measure(&self) -> Measured {
        self.judge(Model::measured(|p, steps, never| self.backend.run(p, &[], steps, never)))
    }

    /// What a measurement says of it.
    fn judge(&self, measured: Result<Model, Unmeasured>) -> Measured {
        let report = self.backend.adapter();
        match measured {
            Ok(model) => {
                events::gpu_opened(report.index, &report.name, &report.driver, report.software);
                // It is measured once.
                drop(self.model.set(model));
                Measured::Fit
            }
            Err(Unmeasured::Wrong | Unmeasured::Failed(BackendError::Impossible(_))) => {
                events::gpu_unfit(&report.name);
                Measured::Unfit
            }
            Err(Unmeasured::Failed(BackendError::OutOfMemory)) => Measured::Short,
            // Whoever asked may hear of it before the device's thread does: what that has counted says nothing.
            Err(Unmeasured::Failed(
                BackendError::DeviceLost | BackendError::Hung | BackendError::Refused | BackendError::Cancelled,
            )) => Measured::Lost,
        }
    }

    /// Measures it when it has a device. The thread ends with the adapter, or with who uses it.
    pub(super) fn measure_later(self: &Arc<Self>) -> std::io::Result<()> {
        let gpu = Arc::downgrade(self);
        let wait = move || {
            let (mut lost, mut pause) = (0, LOOK);
            while let Some(gpu) = gpu.upgrade() {
                // One that failed may come back, too.
                if gpu.backend.stats().alive {
                    let measured = match gpu.measure() {
                        // A driver that misses memory for itself: the device was lost of it.
                        Measured::Short if !gpu.backend.stats().alive => Measured::Lost,
                        measured => measured,
                    };
                    match measured {
                        Measured::Fit | Measured::Unfit => return,
                        Measured::Lost if lost < LOST_AT_MOST => lost += 1,
                        Measured::Lost => return events::gpu_unfit(&gpu.backend.adapter().name),
                        // Requests may hold it for long, and come first.
                        Measured::Short => pause = (2 * pause).min(LONGEST),
                    }
                }
                drop(gpu);
                std::thread::sleep(pause);
            }
        };
        std::thread::Builder::new().name("gpu-measure".to_owned()).spawn(wait).map(drop)
    }
}

/// What came out of measuring an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measured {
    Fit,
    /// It made a wrong picture, or does not do what it must.
    Unfit,
    /// Its device was lost meanwhile, which may happen at any time and says little.
    Lost,
    /// Others had the memory.
    Short,
}

/// So often a device may be lost while it is measured before the adapter is left alone.
const LOST_AT_MOST: u32 = 3;
/// How often it is looked whether there is a device, or memory: that at last as seldom as this.
const LOOK: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::gpu::Wanted;

    /// Whoever waits for a picture may be told before the device's thread knows, and counts it.
    #[test]
    fn what_a_measurement_says_of_an_adapter_is_what_it_was_told() {
        let wanted = Wanted { adapter: Some("0".to_owned()), software: true, ..Wanted::default() };
        let Some(backend) = GpuBackend::open_all(&wanted).into_iter().next() else {
            assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
            eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
            return;
        };
        let gpu = Gpu::new(backend);
        assert!(gpu.backend.stats().alive && gpu.backend.stats().losses == 0);
        for (error, said) in [
            (BackendError::DeviceLost, Measured::Lost),
            (BackendError::Hung, Measured::Lost),
            (BackendError::Refused, Measured::Lost),
            (BackendError::OutOfMemory, Measured::Short),
            (BackendError::Impossible("too large".to_owned()), Measured::Unfit),
        ] {
            assert_eq!(gpu.judge(Model::measured(|_, _, _| Err(error.clone()))), said, "{error}");
        }
        assert_eq!(gpu.judge(Err(Unmeasured::Wrong)), Measured::Unfit);
        assert!(gpu.model.get().is_none());
    }
}
