//! Steps on the CPU.

use crate::image::{ImageBuf, Picture};
use crate::ops::Step;

use super::{Backend, BackendError, Checkpoint};

/// Does every step on the calling thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuBackend;

impl Backend for CpuBackend {
    fn name(&self) -> &str {
        "cpu"
    }

    fn supports(&self, _input: &Picture, _steps: &[Step]) -> bool {
        true
    }

    fn run(
        &self,
        _picture: Picture,
        _overlays: &[ImageBuf],
        _steps: &[Step],
        _checkpoint: &dyn Checkpoint,
    ) -> Result<ImageBuf, BackendError> {
        Err(BackendError::Impossible("not there yet".into()))
    }
}
