//! Carries plans out: admission, then decode → steps → encode on a fixed pool, never on async threads.

mod allocator;
mod control;
mod cost;
#[cfg(feature = "gpu")]
mod gpus;
mod placement;
mod pool;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::backend::BackendError;
pub use crate::backend::Drill;
use crate::budget::MemoryBudget;
use crate::codecs::{DecodeError, EncodeError, Format, Header, Limits, OutputFormat};
use crate::image::Size;
use crate::plan::Plan;

#[cfg(feature = "gpu")]
pub use gpus::listing as gpu_listing;
pub use placement::{GpuConfig, GpuMode, Placed};

use control::{CancelOnDrop, Control};
use placement::Placement;
use pool::{Pool, Refused};

/// What the engine may use.
#[derive(Debug, Clone)]
pub struct Config {
    /// Threads of the pool.
    pub cpus: usize,
    /// Jobs that may wait for a thread; one more is refused.
    pub max_queue: usize,
    /// Budgets of the decoders.
    pub limits: Limits,
    /// Which GPUs are used, and when.
    pub gpu: GpuConfig,
}

/// Why the engine gave no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The queue is full, the memory budget is used up, or the wait would pass the deadline.
    #[error("Server is busy")]
    Busy {
        /// When to come back.
        retry_after_seconds: u32,
    },
    /// The deadline passed.
    #[error("Timeout")]
    Deadline,
    /// This one job needs more memory than there is in all.
    #[error("Image needs {needed} bytes of memory, the limit is {limit}")]
    TooLarge {
        /// Bytes needed.
        needed: u64,
        /// Bytes there are.
        limit: u64,
    },
    /// A step or an encoder panicked: a bug, which costs this one request.
    #[error("Internal error")]
    Panicked,
    /// The source cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A watermark picture cannot be decoded.
    #[error("Unsupported image format")]
    Overlay(DecodeError),
    /// A text watermark cannot be drawn.
    #[error("{0}")]
    Text(String),
    /// A step failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// The result cannot be encoded.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

/// One picture to make.
#[derive(Debug)]
pub struct Job {
    /// Bytes of the source.
    pub source: Bytes,
    /// What [`Engine::probe`] said of them.
    pub header: Header,
    /// What to do.
    pub plan: Plan,
    /// For each overlay of the plan: the fetched bytes of an image, `None` for a text or a missing optional image.
    pub overlays: Vec<Option<Bytes>>,
}

/// An encoded picture.
#[derive(Debug, Clone)]
pub struct Output {
    /// The file.
    pub bytes: Bytes,
    /// Its format.
    pub format: OutputFormat,
    /// Its size.
    pub size: Size,
    /// Where the time went.
    pub timings: Timings,
    /// Where the steps were done.
    pub placed: Placed,
}

/// Wall time of each stage of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for a thread and for memory.
    pub queue: Duration,
    /// Bytes to pixels, overlays too.
    pub decode: Duration,
    /// Waiting until a GPU began with the steps.
    pub device_wait: Duration,
    /// Steps, without that wait and the next.
    pub steps: Duration,
    /// Waiting for a thread that encodes, or takes over what a GPU made.
    pub encode_wait: Duration,
    /// Pixels to bytes.
    pub encode: Duration,
}

/// Counters and gauges of the engine at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Jobs that wait.
    pub queued: u64,
    /// How long a job that came now would wait.
    pub queue_delay: Duration,
    /// Threads of the pool.
    pub threads: u64,
    /// Those at work.
    pub running: u64,
    /// Jobs refused because the queue was full, since the start.
    pub shed_queue: u64,
    /// Jobs refused because they would have waited past their deadline, since the start.
    pub shed_late: u64,
    /// Jobs that panicked, since the start.
    pub panics: u64,
}

#[derive(Debug, Default)]
struct Counters {
    shed_queue: AtomicU64,
    shed_late: AtomicU64,
    panics: AtomicU64,
}

/// The pool, its queue and its budget.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    budget: MemoryBudget,
    pool: Pool,
    placement: Arc<Placement>,
    counters: Arc<Counters>,
}

impl Engine {
    /// Starts the threads and opens the GPUs.
    ///
    /// # Errors
    /// When the system gives no threads, or a GPU must be used and there is none.
    pub fn new(config: Config, budget: MemoryBudget) -> std::io::Result<Self> {
        // Threads get an arena when they first allocate: before any are started is the time to say how many there are.
        allocator::share_arenas(config.cpus);
        let pool = Pool::new(config.cpus, config.max_queue, budget.clone())?;
        let placement = Arc::new(Placement::new(&config.gpu, &budget)?);
        Ok(Self { config, budget, pool, placement, counters: Arc::default() })
    }

    /// The decoders' budgets.
    pub const fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// The memory budget, shared with the sources.
    pub const fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Whether GPUs take part: then two answers to one request may differ in their last bits.
    pub fn has_gpus(&self) -> bool {
        !self.placement.each().is_empty()
    }

    /// What each GPU did.
    pub fn gpu_figures(&self) -> Vec<crate::telemetry::events::GpuFigures> {
        self.placement.each()
    }

    /// Makes the GPUs fail in some way; they are rebuilt in the background. For drills of just that.
    pub fn drill_gpus(&self, drill: Drill) {
        self.placement.drill(drill);
    }

    /// Counters and gauges now.
    pub fn stats(&self) -> Stats {
        Stats {
            queued: self.pool.queued() as u64,
            queue_delay: self.pool.delay(),
            threads: self.config.cpus.max(1) as u64,
            running: self.pool.running(),
            shed_queue: self.counters.shed_queue.load(Ordering::Relaxed),
            shed_late: self.counters.shed_late.load(Ordering::Relaxed),
            panics: self.counters.panics.load(Ordering::Relaxed),
        }
    }

    /// Reads the header; a format whose header is the whole document (SVG) is read on the pool.
    ///
    /// # Errors
    /// See [`EngineError`]; a panicking decoder counts as a damaged file.
    pub async fn probe(&self, source: &Bytes, deadline: Instant) -> Result<Header, EngineError> {
        if crate::codecs::sniff(source) != Some(Format::Svg) {
            return work::probe(source, &self.config.limits, &self.counters.panics);
        }
        let (source, limits, counters) = (source.clone(), self.config.limits, Arc::clone(&self.counters));
        // A parsed document is several times its text; what the tree takes is known behind that.
        let bytes = (source.len() as u64).saturating_mul(16);
        let total = self.budget.total();
        self.on_pool(bytes, deadline, move |charge, _, answer, _| {
            let _ = answer.send(work::probe_charged(&source, &limits, &counters.panics, (charge, bytes, total)));
        })
        .await
    }

    /// Makes one picture. Dropping the future cancels the work at its next checkpoint and frees its place in the queue.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn run(&self, job: Job, deadline: Instant) -> Result<Output, EngineError> {
        let bytes = cost::peak_bytes(&job.plan, &job.header);
        let (limits, counters) = (self.config.limits, Arc::clone(&self.counters));
        let (finisher, placement) = (self.pool.finisher(), Arc::clone(&self.placement));
        self.on_pool(bytes, deadline, move |charge, queue, answer, control| {
            let stages = work::Stages { limits, counters, control, placement, finisher };
            stages.run(job, queue, charge, answer);
        })
        .await
    }

    /// Waits for a place on the pool and for what is done there, no longer than the deadline.
    async fn on_pool<T: Send + 'static>(
        &self,
        bytes: u64,
        deadline: Instant,
        body: impl FnOnce(crate::budget::Charge, Duration, oneshot::Sender<Result<T, EngineError>>, Control)
        + Send
        + 'static,
    ) -> Result<T, EngineError> {
        if bytes > self.budget.total() {
            return Err(EngineError::TooLarge { needed: bytes, limit: self.budget.total() });
        }
        let (answer, answered) = oneshot::channel();
        let control = Control::new(deadline);
        let guard = CancelOnDrop(control.clone());
        let for_body = control.clone();
        self.pool
            .submit(
                control,
                bytes,
                Box::new(move |charge, waited| {
                    // Without a charge the job was cancelled before its turn; dropping `answer` says so.
                    if let Some(charge) = charge {
                        body(charge, waited, answer, for_body);
                    }
                }),
            )
            .map_err(|refused| {
                match refused {
                    Refused::QueueFull => &self.counters.shed_queue,
                    Refused::TooLate => &self.counters.shed_late,
                }
                .fetch_add(1, Ordering::Relaxed);
                EngineError::Busy { retry_after_seconds: self.pool.retry_after_seconds() }
            })?;
        let outcome = tokio::time::timeout_at(deadline.into(), answered).await;
        drop(guard);
        match outcome {
            Ok(Ok(Err(
                EngineError::Backend(BackendError::Cancelled) | EngineError::Decode(DecodeError::Cancelled),
            ))) => Err(EngineError::Deadline),
            Ok(Ok(result)) => result,
            // The sender was dropped unused: cancelled in the queue by its deadline, since we are still here to wait.
            Ok(Err(_)) | Err(_) => Err(EngineError::Deadline),
        }
    }
}
