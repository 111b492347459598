//! Where there is to choose from: the GPUs and the CPU. Known at the start, or later, where drivers take long to say it.

use std::sync::{Arc, OnceLock};

use crate::backend::{Backend, Checkpoint, CpuBackend, GpuBackend};
use crate::ops::Step;
use crate::telemetry::events;

use super::gpu::{Gpu, Measured};
use super::model::Model;

/// What is called with adapters that come late.
pub(super) type Later = Box<dyn FnOnce(Vec<GpuBackend>) + Send>;

/// The GPUs and the CPU, as they are predicted. With no GPU there is nothing to choose, and nothing predicted.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) gpus: Vec<Arc<Gpu>>,
    pub(super) cpu: Model,
}

impl Places {
    /// Opens adapters, and measures them and the CPU. Those that `open` hands over later take part from then on, if there are
    /// none until then and the places are still in use.
    pub(super) fn open(open: impl FnOnce(Later) -> Vec<GpuBackend>) -> std::io::Result<Arc<OnceLock<Self>>> {
        let known: Arc<OnceLock<Self>> = Arc::default();
        let theirs = Arc::downgrade(&known);
        let opened = open(Box::new(move |late| {
            if let Some(known) = theirs.upgrade() {
                // The first is heard.
                drop(known.set(Self::found_late(late)));
            }
        }));
        if !opened.is_empty() {
            let found = Self::found(opened)?;
            drop(known.set(found));
        }
        Ok(known)
    }

    fn found(opened: Vec<GpuBackend>) -> std::io::Result<Self> {
        let mut gpus = Vec::new();
        for backend in opened {
            let gpu = Arc::new(Gpu::new(backend));
            // A driver that is slow to open a device, or loses it, holds up nobody: the server begins on the CPU.
            let measured = if gpu.backend.stats().alive { gpu.measure() } else { Measured::Lost };
            match measured {
                Measured::Fit => {}
                Measured::Unfit => continue,
                Measured::Lost | Measured::Short => gpu.measure_later()?,
            }
            gpus.push(gpu);
        }
        Ok(Self::with(gpus))
    }

    /// They are there before they are measured: whoever asks whether GPUs take part hears it before one does.
    fn found_late(opened: Vec<GpuBackend>) -> Self {
        let gpus = opened.into_iter().map(|backend| Arc::new(Gpu::new(backend)));
        let measured = |gpu: &Arc<Gpu>| {
            let begun = gpu.measure_later();
            begun.inspect_err(|e| events::gpu_unopened(&gpu.backend.adapter().name, &e.to_string())).is_ok()
        };
        Self::with(gpus.filter(measured).collect())
    }

    fn with(gpus: Vec<Arc<Gpu>>) -> Self {
        let measured = |p, steps: &[Step], never: &dyn Checkpoint| CpuBackend.run(p, &[], steps, never);
        let cpu = if gpus.is_empty() { None } else { Model::measured(measured).ok() };
        Self { gpus, cpu: cpu.unwrap_or_default() }
    }
}
