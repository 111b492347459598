//! Pixels in, pixels out. The CPU backend does every step; the GPU backend those that it is worth it for.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
mod order;

use crate::image::{ImageBuf, Picture};
use crate::ops::Step;

pub use cpu::CpuBackend;
#[cfg(feature = "gpu")]
pub use gpu::GpuBackend;

/// Why a backend gave no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// The plan asks for something impossible, such as a window outside the picture.
    #[error("{0}")]
    Impossible(String),
    /// The request ended (client gone, deadline passed) before the work did.
    #[error("cancelled")]
    Cancelled,
    /// The device is gone; the job must be done again elsewhere.
    #[error("device lost")]
    DeviceLost,
}

/// Asked between and inside long steps whether to go on.
pub trait Checkpoint: Sync {
    /// `true` once nobody waits for the result any more.
    fn is_cancelled(&self) -> bool;
}

/// A checkpoint that always says go on.
#[derive(Debug, Clone, Copy, Default)]
pub struct NeverCancelled;

impl Checkpoint for NeverCancelled {
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Carries out steps on pictures.
pub trait Backend: Send + Sync {
    /// Name for logs and metrics: `cpu`, `gpu0`, …
    fn name(&self) -> &str;

    /// Whether [`Backend::run`] can do all of this.
    fn supports(&self, input: &Picture, steps: &[Step]) -> bool;

    /// Does the steps in order and answers with packed samples, straight alpha. Blocks: call it off the async threads.
    /// The size afterwards is what [`Step::output_size`] foretold.
    ///
    /// # Errors
    /// See [`BackendError`].
    fn run(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        steps: &[Step],
        checkpoint: &dyn Checkpoint,
    ) -> Result<ImageBuf, BackendError>;
}
