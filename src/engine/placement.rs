//! CPU or GPU: whichever is predicted to be done first; and the CPU whenever a GPU gives no picture.

#[cfg(feature = "gpu")]
mod gpu;
#[cfg(feature = "gpu")]
mod model;
#[cfg(feature = "gpu")]
mod places;

use std::time::Duration;

#[cfg(feature = "gpu")]
use crate::backend::BackendError;
use crate::backend::{Backend, Checkpoint, CpuBackend, Drill};
use crate::budget::MemoryBudget;
use crate::image::{CoefficientSink, Form, ImageBuf, Outline, Picture, PlaneSink};
use crate::ops::Step;
use crate::telemetry::events::GpuFigures;

use super::EngineError;

#[cfg(feature = "gpu")]
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "gpu")]
use std::sync::{Arc, OnceLock};
#[cfg(feature = "gpu")]
use std::time::Instant;

#[cfg(feature = "gpu")]
use crate::backend::GpuBackend;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{Answer, Filling, GpuPicture, Prepared, Source, Staged};
#[cfg(feature = "gpu")]
use crate::telemetry::events;
#[cfg(feature = "gpu")]
use gpu::Gpu;
#[cfg(feature = "gpu")]
use places::Places;

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
    /// How long opening a device may take at first before its driver counts as stuck; `None`: 15 s.
    pub opening: Option<Duration>,
}

/// Where the steps of a job were done, and what was expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// The place of the adapter in the list; `None`: the CPU.
    pub gpu: Option<usize>,
    /// Whether a GPU was tried first and gave no picture.
    pub fell_back: bool,
    /// Predicted time of the steps on the CPU; zero when nothing was predicted.
    pub cpu_estimate: Duration,
    /// Predicted time of the steps on the best GPU, with the wait for it; `None`: there is none, or it cannot do them.
    pub gpu_estimate: Option<Duration>,
    /// Bytes that went to the GPU.
    pub bytes_up: u64,
    /// Of those, bytes that were not decoded to where they went from, but copied there.
    pub bytes_copied: u64,
    /// Bytes that came back.
    pub bytes_down: u64,
    /// How long the GPU let the job wait until it began.
    pub device_wait: Duration,
    /// How long what the GPU made waited for a thread that copies it out.
    pub thread_wait: Duration,
}

/// What is to be done with a picture; kept until it is done, for what a GPU does not do is done again from it.
pub(super) struct Task {
    pub(super) subject: Subject,
    pub(super) overlays: Vec<ImageBuf>,
    pub(super) steps: Vec<Step>,
    pub(super) form: Form,
}

/// The picture of a task.
pub(super) enum Subject {
    Here(Picture),
    /// It was decoded into a GPU's memory; whoever needs it here decodes it again.
    Again(Box<dyn FnOnce() -> Result<Picture, EngineError> + Send>),
}

impl Task {
    fn on_cpu(self, checkpoint: &dyn Checkpoint) -> Result<Picture, EngineError> {
        let Self { subject, overlays, steps, form } = self;
        let picture = match subject {
            Subject::Here(picture) => picture,
            Subject::Again(decode) => decode()?,
        };
        Ok(CpuBackend.run_to(picture, &overlays, &steps, form, checkpoint)?)
    }
}

/// Where a picture that is not decoded yet will be worked on.
#[allow(clippy::large_enum_variant, reason = "there is one a job, and it is moved twice")]
pub(super) enum Ahead {
    /// Nothing was decided.
    Open,
    /// Here.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "nothing is decided where there is one place"))]
    Here(Decided),
    /// On a GPU: it is decoded into its memory.
    #[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "there is no GPU"))]
    Away(Space),
}

/// A task that was given its place.
#[allow(clippy::large_enum_variant, reason = "there is one a job, and it is moved twice")]
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
    /// Not there while nothing is known of GPUs.
    #[cfg(feature = "gpu")]
    places: Arc<OnceLock<Places>>,
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

        pub(in crate::engine) fn is_a_choice(&self) -> bool {
            false
        }

        pub(in crate::engine) fn ahead(&self, _: &Outline, _: &[ImageBuf], _: (&[Step], Form)) -> Ahead {
            Ahead::Open
        }

        pub(in crate::engine) fn begin(self: &Arc<Self>, task: Task, _: Option<Decided>) -> Begun {
            Begun::Here(Rest(task))
        }

        pub(in crate::engine) fn drill(&self, _: Drill) {}

        pub(in crate::engine) fn each(&self) -> Vec<GpuFigures> {
            Vec::new()
        }
    }

    /// There is one place: nothing is decided, no other memory filled.
    #[allow(dead_code, reason = "what the build with GPUs has, so that the engine is the same")]
    pub(in crate::engine) struct Decided;

    #[allow(dead_code, reason = "as above")]
    pub(in crate::engine) struct Space;

    impl PlaneSink for Space {
        fn rows(&mut self, _: usize, _: u32, _: &[u8]) {}
    }

    impl CoefficientSink for Space {
        fn values(&mut self, _: usize, _: usize, _: usize, _: &[i16]) {}
    }

    impl Space {
        pub(in crate::engine) fn filled(self, _: &Arc<Placement>, task: Task) -> Away {
            Away(Rest(task))
        }
    }

    /// A task.
    pub(in crate::engine) struct Rest(Task);

    impl Rest {
        pub(in crate::engine) fn finish(self, checkpoint: &dyn Checkpoint) -> Result<(Picture, Placed), EngineError> {
            Ok((self.0.on_cpu(checkpoint)?, Placed::default()))
        }
    }

    /// A task that goes nowhere.
    pub(in crate::engine) struct Away(Rest);

    impl Away {
        pub(in crate::engine) fn then(self, resume: impl FnOnce(Rest) + Send + 'static) {
            resume(self.0);
        }
    }
}
#[cfg(not(feature = "gpu"))]
pub(super) use alone::{Away, Decided, Rest, Space};

/// So many decisions go by until one goes against the prediction, to see whether it still holds.
#[cfg(feature = "gpu")]
const DOUBT: u64 = 512;

#[cfg(feature = "gpu")]
impl Placement {
    /// Opens the adapters and measures them and the CPU. In `auto`, drivers that do not say in time which adapters there are
    /// are not waited for: their GPUs take part as soon as they say so.
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
            opening: config.opening,
            budget: Some(budget.clone()),
            ..Wanted::default()
        };
        let ask = match config.mode {
            GpuMode::Off => false,
            GpuMode::Auto => hardware_may_be_there(),
            GpuMode::On => true,
        };
        let open = |later| if ask { GpuBackend::open_all_or_later(&wanted, later) } else { Vec::new() };
        let places = Places::open(open)?;
        if places.get().is_none() && config.mode == GpuMode::On {
            let which = config.adapter.as_deref().map_or(String::new(), |name| format!(" called {name}"));
            return Err(std::io::Error::other(format!("--gpu on: there is no GPU{which}; see phasor gpus")));
        }
        Ok(Self { mode: config.mode, places, decisions: AtomicU64::new(0) })
    }

    fn gpus(&self) -> &[Arc<Gpu>] {
        self.places.get().map_or(&[], |places| &places.gpus)
    }

    /// Whether there is more than one place.
    pub(super) fn is_a_choice(&self) -> bool {
        !self.gpus().is_empty()
    }

    /// Decides where a picture is worked on before it is decoded, so that it can be decoded to there.
    pub(super) fn ahead(&self, outline: &Outline, overlays: &[ImageBuf], work: (&[Step], Form)) -> Ahead {
        let Some(choice) = self.choose(Source::Coming(outline), overlays, work) else { return Ahead::Open };
        let Choice { mut decided, gpu } = choice;
        let Some((gpu, prepared)) = gpu else { return Ahead::Here(decided) };
        let begun = Instant::now();
        match prepared.open() {
            Ok(filling) => Ahead::Away(Space { decided, filling, gpu, opening: begun.elapsed() }),
            Err(error) => {
                decided.fall_back(&error);
                Ahead::Here(decided)
            }
        }
    }

    /// Gives a task its place: the one that was decided, or where it is predicted to be done first. What goes to a GPU is
    /// copied into mapped memory here.
    pub(super) fn begin(self: &Arc<Self>, task: Task, decided: Option<Decided>) -> Begun {
        let here = |task, decided| Begun::Here(Rest { placement: Arc::clone(self), task, decided, tried: None });
        let Subject::Here(picture) = &task.subject else { return here(task, decided) };
        if decided.is_some() {
            return here(task, decided);
        }
        let Some(choice) = self.choose(Source::Here(picture), &task.overlays, (&task.steps, task.form)) else {
            return here(task, None);
        };
        let Choice { mut decided, gpu } = choice;
        let Some((gpu, prepared)) = gpu else { return here(task, Some(decided)) };
        let begun = Instant::now();
        match prepared.stage() {
            Ok(staged) => {
                let rest = Rest { placement: Arc::clone(self), task, decided: Some(decided), tried: None };
                Begun::Away(Away { rest, staged, gpu, opening: Duration::ZERO, begun })
            }
            Err(error) => {
                decided.fall_back(&error);
                here(task, Some(decided))
            }
        }
    }

    /// `None` when there is nothing to choose.
    fn choose<'a>(
        &'a self,
        source: Source<'a>,
        overlays: &'a [ImageBuf],
        (steps, form): (&[Step], Form),
    ) -> Option<Choice<'a>> {
        let Places { gpus, cpu } = self.places.get()?;
        if gpus.is_empty() || steps.is_empty() {
            return None;
        }
        let work = model::work(&source, steps);
        let best = gpus
            .iter()
            .enumerate()
            .filter(|(_, gpu)| gpu.backend.has_room())
            .filter_map(|(i, gpu)| {
                let model = gpu.model.get()?;
                let prepared = gpu.backend.prepare(source, overlays, (steps, form)).ok()?;
                let pending = gpu.pending.load(Ordering::Relaxed);
                Some((model.predict(work, pending), model.measurement(work, pending), i, prepared))
            })
            .min_by_key(|(estimate, ..)| *estimate);
        let placed = Placed {
            cpu_estimate: cpu.predict(work, 0),
            gpu_estimate: best.as_ref().map(|(estimate, ..)| *estimate),
            ..Placed::default()
        };
        let measured = cpu.measurement(work, 0);
        let gpu = best.filter(|best| self.prefers_gpu((best.0, placed.cpu_estimate), (best.1, measured)));
        Some(Choice { decided: Decided { placed, work }, gpu: gpu.map(|(.., i, prepared)| (i, prepared)) })
    }

    /// Whether the GPU is to do what is predicted to take so long on the GPU and on the CPU, and was so by what was measured at
    /// the start.
    fn prefers_gpu(&self, (gpu, cpu): (Duration, Duration), measured: (Duration, Duration)) -> bool {
        if self.mode == GpuMode::On {
            return true;
        }
        let faster = gpu < cpu;
        // What corrections alone have decided is never so far off that it could not change back: a device may have been shared.
        let close = gpu.max(cpu) < gpu.min(cpu) * 3 || faster != (measured.0 < measured.1);
        // Now and then the other one is asked, or a wrong prediction would never be corrected.
        if close && self.decisions.fetch_add(1, Ordering::Relaxed) % DOUBT == DOUBT - 1 { !faster } else { faster }
    }

    /// Makes every device fail in some way.
    pub(super) fn drill(&self, drill: Drill) {
        for gpu in self.gpus() {
            gpu.backend.drill(drill);
        }
    }

    /// What each GPU did.
    pub(super) fn each(&self) -> Vec<GpuFigures> {
        let of = |gpu: &Arc<Gpu>| {
            let stats = gpu.backend.stats();
            GpuFigures {
                adapter: gpu.backend.adapter().index,
                devices: u64::from(stats.alive),
                failed: stats.failed,
                losses: stats.losses,
                given_up: stats.given_up,
                submissions: stats.submissions,
                pictures: stats.pictures,
                bytes_up: stats.bytes_up,
                bytes_copied: stats.bytes_copied,
                bytes_down: stats.bytes_down,
                device_memory: stats.device_memory,
                host_memory: stats.host_memory,
                busy: stats.busy,
            }
        };
        self.gpus().iter().map(of).collect()
    }
}

/// What was decided for a task.
#[cfg(feature = "gpu")]
pub(super) struct Decided {
    placed: Placed,
    work: u64,
}

#[cfg(feature = "gpu")]
impl Decided {
    fn fall_back(&mut self, error: &BackendError) {
        let reason = match error {
            BackendError::Impossible(_) => "unsupported",
            BackendError::OutOfMemory => "memory",
            BackendError::Hung => "hung",
            BackendError::Refused => "refused",
            BackendError::Cancelled | BackendError::DeviceLost => "device_lost",
        };
        events::gpu_fell_back(reason, &error.to_string());
        self.placed.fell_back = true;
    }
}

#[cfg(feature = "gpu")]
struct Choice<'a> {
    decided: Decided,
    gpu: Option<(usize, Prepared<'a>)>,
}

/// Memory of a GPU that a picture is decoded into.
#[cfg(feature = "gpu")]
pub(super) struct Space {
    decided: Decided,
    filling: Filling,
    gpu: usize,
    /// How long it took to get.
    opening: Duration,
}

#[cfg(feature = "gpu")]
impl Space {
    /// The picture is there; `task` is what is to be done with it.
    pub(super) fn filled(self, placement: &Arc<Placement>, task: Task) -> Away {
        let Self { decided, filling, gpu, opening } = self;
        // Only now: that decoding takes long is no fault of the GPU's, and the CPU is not charged with it either.
        let begun = Instant::now();
        let rest = Rest { placement: Arc::clone(placement), task, decided: Some(decided), tried: None };
        Away { rest, staged: filling.close(), gpu, opening, begun }
    }
}

#[cfg(feature = "gpu")]
impl PlaneSink for Space {
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]) {
        self.filling.rows(plane, first, samples);
    }
}

#[cfg(feature = "gpu")]
impl CoefficientSink for Space {
    fn values(&mut self, component: usize, coefficient: usize, first: usize, values: &[i16]) {
        self.filling.values(component, coefficient, first, values);
    }
}

/// A task that is on its way to a GPU.
#[cfg(feature = "gpu")]
pub(super) struct Away {
    rest: Rest,
    staged: Staged,
    gpu: usize,
    /// Time that it cost before the picture was decoded.
    opening: Duration,
    begun: Instant,
}

#[cfg(feature = "gpu")]
impl Away {
    /// Submits it. `resume` is called once, when there is something to be done again: it must not keep the thread, and hand
    /// the rest over to one of the pool.
    pub(super) fn then(self, resume: impl FnOnce(Rest) + Send + 'static) {
        let Self { mut rest, staged, gpu, opening, begun } = self;
        let work = rest.decided.as_ref().map_or(0, |decided| decided.work);
        let placement = Arc::clone(&rest.placement);
        let Gpu { backend, pending, .. } = &*placement.gpus()[gpu];
        let behind = pending.fetch_add(work, Ordering::Relaxed);
        backend.submit(staged, move |answer| {
            rest.placement.gpus()[gpu].pending.fetch_sub(work, Ordering::Relaxed);
            let (took, told) = (opening + begun.elapsed(), Instant::now());
            rest.tried = Some(Tried { gpu, behind, took, told, answer });
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
    /// Time from the picture to the answer, without what was done between to decode it.
    took: Duration,
    told: Instant,
    answer: Result<Answer, BackendError>,
}

/// What is left of a task: all of it, or to copy the picture out that a GPU made.
#[cfg(feature = "gpu")]
pub(super) struct Rest {
    placement: Arc<Placement>,
    task: Task,
    /// `None` when nothing was predicted.
    decided: Option<Decided>,
    tried: Option<Tried>,
}

#[cfg(feature = "gpu")]
impl Rest {
    /// Finishes the task; on the CPU if the GPU made nothing.
    ///
    /// # Errors
    /// Those of the steps, and of decoding where that is done again; [`BackendError::Cancelled`].
    pub(super) fn finish(self, checkpoint: &dyn Checkpoint) -> Result<(Picture, Placed), EngineError> {
        let Self { placement, task, mut decided, tried } = self;
        if checkpoint.is_cancelled() {
            return Err(BackendError::Cancelled.into());
        }
        if let Some((Tried { gpu, behind, took, told, answer }, decided)) = tried.zip(decided.as_mut()) {
            let gpu = &placement.gpus()[gpu];
            // The pool's queue is no fault of the GPU's.
            let (thread_wait, begun) = (told.elapsed(), Instant::now());
            match answer.and_then(Answer::picture) {
                Ok(GpuPicture { picture, bytes_up, bytes_copied, bytes_down, waited: device_wait }) => {
                    if let Some(model) = gpu.model.get() {
                        model.observe(decided.work, behind, took + begun.elapsed());
                    }
                    events::placed("gpu");
                    let gpu = Some(gpu.backend.adapter().index);
                    return Ok((
                        picture,
                        Placed { gpu, bytes_up, bytes_copied, bytes_down, device_wait, thread_wait, ..decided.placed },
                    ));
                }
                Err(error) => decided.fall_back(&error),
            }
        }
        let begun = Instant::now();
        let Some(Decided { placed, work }) = decided else { return Ok((task.on_cpu(checkpoint)?, Placed::default())) };
        let is_here = matches!(task.subject, Subject::Here(_));
        let made = task.on_cpu(checkpoint)?;
        if is_here && let Some(places) = placement.places.get() {
            places.cpu.observe(work, 0, begun.elapsed());
        }
        events::placed("cpu");
        Ok((made, placed))
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests;
