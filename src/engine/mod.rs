//! Carries plans out: admission, then decode → steps → encode on a fixed pool, never on async threads.

use std::time::Instant;

use bytes::Bytes;

use crate::backend::BackendError;
use crate::budget::MemoryBudget;
use crate::codecs::{DecodeError, EncodeError, Header, Limits, OutputFormat};
use crate::image::Size;
use crate::plan::Plan;

/// What the engine may use.
#[derive(Debug, Clone)]
pub struct Config {
    /// Threads of the pool.
    pub cpus: usize,
    /// Jobs that may wait for a thread; one more is refused.
    pub max_queue: usize,
    /// Budgets of the decoders.
    pub limits: Limits,
}

/// Why the engine gave no picture.
#[derive(Debug, thiserror::Error)]
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
    /// The job panicked: a bug, which costs this one request.
    #[error("Internal error")]
    Panicked,
    /// The client went away.
    #[error("Cancelled")]
    Cancelled,
    /// The source cannot be decoded.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A watermark picture cannot be decoded.
    #[error("{0}")]
    Overlay(DecodeError),
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
}

/// The pool, its queue and its budget.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    budget: MemoryBudget,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new(config: Config, budget: MemoryBudget) -> std::io::Result<Self> {
        Ok(Self { config, budget })
    }

    /// The decoders' budgets.
    pub const fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// The memory budget, shared with the sources.
    pub const fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    /// Reads the header; formats whose header is expensive (SVG) are read on the pool.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn probe(&self, source: &Bytes, deadline: Instant) -> Result<Header, EngineError> {
        let _ = deadline;
        Ok(crate::codecs::probe(source, &self.config.limits)?)
    }

    /// Makes one picture. Dropping the future cancels the work at its next checkpoint.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn run(&self, job: Job, deadline: Instant) -> Result<Output, EngineError> {
        let _ = (job, deadline);
        Err(EngineError::Panicked)
    }
}
