//! CPU or GPU: whichever is predicted to be done first; and the CPU whenever a GPU gives no picture.

#[cfg(feature = "gpu")]
mod model;

use std::time::Duration;

use crate::backend::{Backend, BackendError, Checkpoint, CpuBackend, Drill};
use crate::budget::MemoryBudget;
use crate::image::{Form, ImageBuf, Picture};
use crate::ops::Step;
use crate::telemetry::events::GpuFigures;

#[cfg(feature = "gpu")]
use std::sync::Arc;
#[cfg(feature = "gpu")]
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "gpu")]
use std::time::Instant;

#[cfg(feature = "gpu")]
use crate::backend::GpuBackend;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Answer, GpuPicture, Staged};
#[cfg(feature = "gpu")]
use crate::telemetry::events;
#[cfg(feature = "gpu")]
use model::Model;

/// When a GPU is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GpuMode {
    /// Never.
    #[default]
    Off,
    /// When there is a real one and it is predicted to be faster.
    Auto,
    /// Whenever it can do the steps, be it faster or not, be it real or not.
    On,
}

/// Settings of the GPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GpuConfig {
    /// When.
    pub mode: GpuMode,
    /// Which: a part of a name or a place in the list; `None`: all.
    pub adapter: Option<String>,
    /// Bytes of device memory that each may use at most; `None`: as much as the work needs, some gigabytes.
    pub memory: Option<u64>,
    /// How long a submission may take before its device counts as lost; `None`: 5 s.
    pub deadline: Option<Duration>,
}

/// Where the steps of a job were done, and what was expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// The place of the adapter in the list; `None`: the CPU.
    pub gpu: Option<usize>,
    /// Whether a GPU was tried first and gave no picture.
    pub fell_back: bool,
    /// Predicted time on the CPU; zero when nothing was predicted.
    pub cpu_estimate: Duration,
    /// Predicted time on the best GPU, waiting included; `None`: there is none, or it cannot do these steps.
    pub gpu_estimate: Option<Duration>,
    /// Bytes that went to the GPU and came back.
    pub bytes_up: u64,
    /// The latter.
    pub bytes_down: u64,
}

/// What is to be done with a picture; kept until it is done, for what a GPU does not do is done again from it.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) picture: Picture,
    pub(super) overlays: Vec<ImageBuf>,
    pub(super) steps: Vec<Step>,
    pub(super) form: Form,
}

impl Task {
    fn on_cpu(self, checkpoint: &dyn Checkpoint) -> Result<Picture, BackendError> {
        let Self { picture, overlays, steps, form } = self;
        CpuBackend.run_to(picture, &overlays, &steps, form, checkpoint)
    }
}

/// A task that was given its place.
pub(super) enum Begun {
    /// To be done here.
    Here(Rest),
    /// A GPU does it.
    Away(Away),
}

/// The backends.
#[derive(Debug)]
pub(super) struct Placement {
    #[cfg(feature = "gpu")]
    mode: GpuMode,
    #[cfg(feature = "gpu")]
    gpus: Vec<Gpu>,
    #[cfg(feature = "gpu")]
    cpu: Model,
    #[cfg(feature = "gpu")]
    decisions: AtomicU64,
}

/// The CPU alone.
#[cfg(not(feature = "gpu"))]
mod alone {
    use std::sync::Arc;

    use super::*;

    impl Placement {
        pub(in crate::engine) fn new(config: &GpuConfig, _: &MemoryBudget) -> std::io::Result<Self> {
            if config.mode == GpuMode::On {
                return Err(std::io::Error::other("--gpu on: this program was built without the gpu feature"));
            }
            Ok(Self {})
        }

        pub(in crate::engine) fn begin(self: &Arc<Self>, task: Task) -> Begun {
            Begun::Here(Rest(task))
        }

        pub(in crate::engine) fn drill(&self, _: Drill) {}

        pub(in crate::engine) fn figures(&self) -> GpuFigures {
            GpuFigures::default()
        }
    }

    /// A task.
    pub(in crate::engine) struct Rest(Task);

    impl Rest {
        pub(in crate::engine) fn finish(self, checkpoint: &dyn Checkpoint) -> Result<(Picture, Placed), BackendError> {
            Ok((self.0.on_cpu(checkpoint)?, Placed::default()))
        }
    }

    /// There is nowhere to go.
    pub(in crate::engine) enum Away {}

    impl Away {
        pub(in crate::engine) fn then(self, _: impl FnOnce(Rest) + Send + 'static) {
            match self {}
        }
    }
}
#[cfg(not(feature = "gpu"))]
pub(super) use alone::{Away, Rest};

#[cfg(feature = "gpu")]
#[derive(Debug)]
struct Gpu {
    backend: GpuBackend,
    model: Model,
    /// Work that waits or is being done.
    pending: AtomicU64,
}

/// So many decisions go by until one goes against the prediction, to see whether it still holds.
#[cfg(feature = "gpu")]
const DOUBT: u64 = 512;

#[cfg(feature = "gpu")]
impl Placement {
    /// Opens the adapters and measures them and the CPU.
    ///
    /// # Errors
    /// When a GPU must be used and there is none.
    pub(super) fn new(config: &GpuConfig, budget: &MemoryBudget) -> std::io::Result<Self> {
        use crate::backend::gpu::{Wanted, hardware_may_be_there};
        let wanted = Wanted {
            adapter: config.adapter.clone(),
            software: config.mode == GpuMode::On,
            memory: config.memory,
            deadline: config.deadline,
            budget: Some(budget.clone()),
            ..Wanted::default()
        };
        let ask = match config.mode {
            GpuMode::Off => false,
            GpuMode::Auto => hardware_may_be_there(),
            GpuMode::On => true,
        };
        let opened = if ask { GpuBackend::open_all(&wanted) } else { Vec::new() };
        if opened.is_empty() && config.mode == GpuMode::On {
            let which = config.adapter.as_deref().map_or(String::new(), |name| format!(" called {name}"));
            return Err(std::io::Error::other(format!("--gpu on: there is no GPU{which}; see phasor gpus")));
        }
        let mut gpus = Vec::new();
        for backend in opened {
            let Some(model) = Model::measured(|p, steps, never| backend.run(p, &[], steps, never)) else {
                events::gpu_unfit(&backend.adapter().name);
                continue;
            };
            let report = backend.adapter();
            events::gpu_opened(report.index, &report.name, &report.driver, report.software);
            gpus.push(Gpu { backend, model, pending: AtomicU64::new(0) });
        }
        let measured = |p, steps: &[Step], never: &dyn Checkpoint| CpuBackend.run(p, &[], steps, never);
        let cpu = if gpus.is_empty() { None } else { Model::measured(measured) };
        Ok(Self { mode: config.mode, gpus, cpu: cpu.unwrap_or_default(), decisions: AtomicU64::new(0) })
    }

    /// Decides where a task is done: where it is predicted to be done first. What goes to a GPU is copied into mapped
    /// memory here.
    pub(super) fn begin(self: &Arc<Self>, task: Task) -> Begun {
        let here =
            |task, placed, work| Begun::Here(Rest { placement: Arc::clone(self), task, placed, work, tried: None });
        if self.gpus.is_empty() || task.steps.is_empty() {
            return here(task, Placed::default(), None);
        }
        let work = model::work(&task.picture, &task.steps);
        let best = self
            .gpus
            .iter()
            .enumerate()
            .filter(|(_, gpu)| gpu.backend.has_room() && gpu.backend.takes(&task.picture, &task.overlays, &task.steps))
            .map(|(i, gpu)| (gpu.model.predict(work, gpu.pending.load(Ordering::Relaxed)), i))
            .min();
        let mut placed = Placed {
            cpu_estimate: self.cpu.predict(work, 0),
            gpu_estimate: best.map(|(estimate, _)| estimate),
            ..Placed::default()
        };
        let Some((_, gpu)) = best.filter(|(estimate, _)| self.prefers_gpu(*estimate, placed.cpu_estimate)) else {
            return here(task, placed, Some(work));
        };
        let begun = Instant::now();
        match self.gpus[gpu].backend.stage(&task.picture, &task.overlays, (&task.steps, task.form)) {
            Ok(staged) => {
                let rest = Rest { placement: Arc::clone(self), task, placed, work: Some(work), tried: None };
                Begun::Away(Away { rest, staged, gpu, work, begun })
            }
            Err(error) => {
                events::gpu_fell_back(&error.to_string());
                placed.fell_back = true;
                here(task, placed, Some(work))
            }
        }
    }

    fn prefers_gpu(&self, gpu: Duration, cpu: Duration) -> bool {
        if self.mode == GpuMode::On {
            return true;
        }
        let faster = gpu < cpu;
        let close = gpu.max(cpu) < gpu.min(cpu) * 3;
        // Now and then the other one is asked, or a wrong prediction would never be corrected.
        if close && self.decisions.fetch_add(1, Ordering::Relaxed) % DOUBT == DOUBT - 1 { !faster } else { faster }
    }

    /// Makes every device fail in some way.
    pub(super) fn drill(&self, drill: Drill) {
        for gpu in &self.gpus {
            gpu.backend.drill(drill);
        }
    }

    /// Sums over all GPUs.
    pub(super) fn figures(&self) -> GpuFigures {
        let mut sum = GpuFigures::default();
        for gpu in &self.gpus {
            let stats = gpu.backend.stats();
            sum.devices += u64::from(stats.alive);
            sum.submissions += stats.submissions;
            sum.pictures += stats.pictures;
            sum.bytes_up += stats.bytes_up;
            sum.bytes_down += stats.bytes_down;
            sum.losses += stats.losses;
        }
        sum
    }
}

/// A task that is on its way to a GPU.
#[cfg(feature = "gpu")]
pub(super) struct Away {
    rest: Rest,
    staged: Staged,
    gpu: usize,
    work: u64,
    begun: Instant,
}

#[cfg(feature = "gpu")]
impl Away {
    /// Submits it. `resume` is called once, when there is something to be done again: it must not keep the thread, and hand
    /// the rest over to one of the pool.
    pub(super) fn then(self, resume: impl FnOnce(Rest) + Send + 'static) {
        let Self { mut rest, staged, gpu, work, begun } = self;
        let placement = Arc::clone(&rest.placement);
        let Gpu { backend, pending, .. } = &placement.gpus[gpu];
        let behind = pending.fetch_add(work, Ordering::Relaxed);
        backend.submit(staged, move |answer| {
            rest.placement.gpus[gpu].pending.fetch_sub(work, Ordering::Relaxed);
            rest.tried = Some(Tried { gpu, behind, begun, answer });
            resume(rest);
        });
    }
}

/// What a GPU made of a task.
#[cfg(feature = "gpu")]
struct Tried {
    gpu: usize,
    /// Work that was before it.
    behind: u64,
    begun: Instant,
    answer: Result<Answer, BackendError>,
}

/// What is left of a task: all of it, or to copy the picture out that a GPU made.
#[cfg(feature = "gpu")]
pub(super) struct Rest {
    placement: Arc<Placement>,
    task: Task,
    placed: Placed,
    /// `None` when nothing was predicted.
    work: Option<u64>,
    tried: Option<Tried>,
}

#[cfg(feature = "gpu")]
impl Rest {
    /// Finishes the task; on the CPU if the GPU made nothing.
    ///
    /// # Errors
    /// Those of the steps, and [`BackendError::Cancelled`].
    pub(super) fn finish(self, checkpoint: &dyn Checkpoint) -> Result<(Picture, Placed), BackendError> {
        let Self { placement, task, mut placed, work, tried } = self;
        if checkpoint.is_cancelled() {
            return Err(BackendError::Cancelled);
        }
        if let Some(Tried { gpu, behind, begun, answer }) = tried {
            let gpu = &placement.gpus[gpu];
            match answer.and_then(Answer::picture) {
                Ok(GpuPicture { picture, bytes_up, bytes_down }) => {
                    gpu.model.observe(work.unwrap_or(0), behind, begun.elapsed());
                    (placed.bytes_up, placed.bytes_down) = (bytes_up, bytes_down);
                    placed.gpu = Some(gpu.backend.adapter().index);
                    events::placed("gpu");
                    return Ok((picture, placed));
                }
                Err(error) => {
                    events::gpu_fell_back(&error.to_string());
                    placed.fell_back = true;
                }
            }
        }
        let begun = Instant::now();
        let made = task.on_cpu(checkpoint)?;
        if let Some(work) = work {
            placement.cpu.observe(work, 0, begun.elapsed());
            events::placed("cpu");
        }
        Ok((made, placed))
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests;
