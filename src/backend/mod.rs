//! Pixels in, pixels out. The CPU backend does every step; the GPU backend those that it is worth it for.

pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
mod order;

use crate::image::{Form, ImageBuf, Orientation, Picture, Rect, Size};
use crate::ops::{Filter, Step};

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
    /// The device gave no answer in time; the job must be done again elsewhere.
    #[error("the device gave no answer in time")]
    Hung,
    /// The device refused a command; the job must be done again elsewhere.
    #[error("the device refused a command")]
    Refused,
    /// The memory that a device may use is in use; the job must be done elsewhere.
    #[error("no memory left for the device")]
    OutOfMemory,
}

/// A way in which a device can fail, to be tried on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drill {
    /// The device is destroyed, as a driver's reset does.
    Loss,
    /// It computes something else for about so long before it goes on.
    Hang(std::time::Duration),
    /// It is given a command that is wrong.
    Invalid,
    /// Its thread does not come back from the driver for so long.
    Stuck(std::time::Duration),
    /// A call to the driver panics, as it does where the driver says in it that the device is lost.
    Panic,
    /// It is asked for more memory than there is, for something that nobody can do without.
    Exhausted,
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

    /// Does the steps in order. The answer is in the form that is wanted or in packed samples, straight alpha. Blocks:
    /// call it off the async threads. The size afterwards is what [`Step::output_size`] foretold.
    ///
    /// # Errors
    /// See [`BackendError`].
    fn run_to(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        steps: &[Step],
        form: Form,
        checkpoint: &dyn Checkpoint,
    ) -> Result<Picture, BackendError>;

    /// [`Backend::run_to`] packed samples.
    ///
    /// # Errors
    /// See [`BackendError`].
    fn run(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        steps: &[Step],
        checkpoint: &dyn Checkpoint,
    ) -> Result<ImageBuf, BackendError> {
        match self.run_to(picture, overlays, steps, Form::Packed, checkpoint)? {
            Picture::Packed(buf) => Ok(buf),
            _ => Err(BackendError::Impossible("packed samples were asked for".into())),
        }
    }
}

/// The window, size and filter of steps that leave planes as planes: a resampling, of a window maybe, and a turn by which
/// no chroma sample comes to lie across two. `steps` are in their cheapest order.
fn planar(size: Size, steps: &[Step], form: Form) -> Option<Planar> {
    let Form::Planes { across, down } = form else { return None };
    let (window, to, filter, rest) = match steps {
        [Step::Resample { to, filter }, rest @ ..] => (Rect::whole(size), *to, *filter, rest),
        [Step::Crop(window), Step::Resample { to, filter }, rest @ ..] => (*window, *to, *filter, rest),
        _ => return None,
    };
    let turn = match rest {
        [] => Orientation::UPRIGHT,
        [Step::Orient(turn)] => *turn,
        _ => return None,
    };
    let whole = to.width().is_multiple_of(across) && to.height().is_multiple_of(down) && across == down;
    (turn.is_upright() || whole).then_some(Planar { window, to, filter, step: (across, down), turn })
}

/// See [`planar`].
#[derive(Debug, Clone, Copy)]
struct Planar {
    window: Rect,
    to: Size,
    filter: Filter,
    /// Pixels that a chroma sample stands for.
    step: (u32, u32),
    turn: Orientation,
}
