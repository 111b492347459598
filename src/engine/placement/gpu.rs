//! An adapter as the engine sees it: what it is predicted to take, measured at the start, and what waits for it.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::backend::{Backend, GpuBackend};
use crate::telemetry::events;

use super::model::Model;

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
        let report = self.backend.adapter();
        let before = self.backend.stats().losses;
        let Some(model) = Model::measured(|p, steps, never| self.backend.run(p, &[], steps, never)) else {
            let stats = self.backend.stats();
            if stats.losses > before || !stats.alive {
                return Measured::Lost;
            }
            events::gpu_unfit(&report.name);
            return Measured::Unfit;
        };
        events::gpu_opened(report.index, &report.name, &report.driver, report.software);
        // It is measured once.
        drop(self.model.set(model));
        Measured::Fit
    }

    /// Measures it when it has a device. The thread ends with the adapter, or with who uses it.
    pub(super) fn measure_later(self: &Arc<Self>) -> std::io::Result<()> {
        let gpu = Arc::downgrade(self);
        let wait = move || {
            let mut lost = 0;
            while let Some(gpu) = gpu.upgrade() {
                // One that failed may come back, too.
                if gpu.backend.stats().alive {
                    match gpu.measure() {
                        Measured::Lost if lost < LOST_AT_MOST => lost += 1,
                        Measured::Lost => return events::gpu_unfit(&gpu.backend.adapter().name),
                        Measured::Fit | Measured::Unfit => return,
                    }
                }
                drop(gpu);
                std::thread::sleep(Duration::from_millis(100));
            }
        };
        std::thread::Builder::new().name("gpu-measure".to_owned()).spawn(wait).map(drop)
    }
}

/// What came out of measuring an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measured {
    Fit,
    /// It gave no picture, or a wrong one.
    Unfit,
    /// Its device was lost meanwhile, which may happen at any time and says little.
    Lost,
}

/// So often a device may be lost while it is measured before the adapter is left alone.
const LOST_AT_MOST: u32 = 3;
