//! Steps on a GPU, with wgpu compute shaders; many pictures a submission. The only code that names wgpu.

mod adapter;
mod device;
mod pool;
mod recipe;
mod record;
mod shaders;
mod staging;
mod tables;
mod uniforms;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::image::{ImageBuf, Picture};
use crate::ops::Step;
use crate::telemetry::events;

use super::{Backend, BackendError, Checkpoint};

pub use adapter::{AdapterReport, Wanted, adapters, hardware_may_be_there};
pub use device::OpenError;

use device::Device;
use pool::Use;
use recipe::{Limits, Recipe};
use staging::Program;
use worker::{Counters, Current, Order, current};

/// How often who waits for the device looks whether waiting still makes sense.
const LOOK: Duration = Duration::from_millis(10);
/// Who has waited for so long gets the picture elsewhere.
const PATIENCE: Duration = Duration::from_secs(6);

/// One adapter with its thread.
#[derive(Debug)]
pub struct GpuBackend {
    name: String,
    report: AdapterReport,
    lives: Current,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
}

/// What a GPU did since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GpuStats {
    /// Submissions.
    pub submissions: u64,
    /// Pictures in them.
    pub pictures: u64,
    /// Bytes uploaded: pictures, tables, parameters.
    pub bytes_up: u64,
    /// Bytes read back.
    pub bytes_down: u64,
    /// Devices lost.
    pub losses: u64,
    /// Whether there is a device now.
    pub alive: bool,
}

impl GpuBackend {
    /// Opens every adapter that is wanted. Adapters that cannot be opened are logged and left out.
    pub fn open_all(wanted: &Wanted) -> Vec<Self> {
        let found = adapter::found().into_iter().enumerate().map(|(i, a)| (adapter::report(i, &a), a));
        found
            .filter(|(report, _)| wanted.takes(report))
            .filter_map(|(report, adapter)| {
                let name = report.name.clone();
                Self::open(report, adapter).inspect_err(|error| events::gpu_unopened(&name, &error.to_string())).ok()
            })
            .collect()
    }

    fn open(report: AdapterReport, adapter: wgpu::Adapter) -> Result<Self, OpenError> {
        let (counters, stop) = (Arc::default(), Arc::default());
        let name = format!("gpu{}", report.index);
        let lives = worker::start(&name, move || Device::open(&adapter), Arc::clone(&counters), Arc::clone(&stop))?;
        Ok(Self { name, report, lives, counters, stop })
    }

    /// The adapter.
    pub const fn adapter(&self) -> &AdapterReport {
        &self.report
    }

    /// What was counted.
    pub fn stats(&self) -> GpuStats {
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        GpuStats {
            submissions: of(&self.counters.submissions),
            pictures: of(&self.counters.pictures),
            bytes_up: of(&self.counters.bytes_up),
            bytes_down: of(&self.counters.bytes_down),
            losses: of(&self.counters.losses),
            alive: current(&self.lives).is_some(),
        }
    }

    /// Does the steps as [`Backend::run`], leaving the picture to whoever must do it again elsewhere.
    ///
    /// # Errors
    /// [`BackendError::Impossible`] when the device does not do these steps or not at this size,
    /// [`BackendError::DeviceLost`] when it gave no answer, [`BackendError::Cancelled`].
    pub fn attempt(
        &self,
        picture: &Picture,
        steps: &[Step],
        checkpoint: &dyn Checkpoint,
    ) -> Result<ImageBuf, BackendError> {
        let life = current(&self.lives).ok_or(BackendError::DeviceLost)?;
        let device = &life.device;
        let recipe =
            Recipe::new(picture, steps, &device.limits).map_err(|e| BackendError::Impossible(e.to_string()))?;
        let output = recipe.output;
        let program = Program::new(recipe, device).map_err(|_| BackendError::DeviceLost)?;
        let (answer, answered) = mpsc::sync_channel(1);
        life.orders.try_send(Order { program, answer }).map_err(|_| BackendError::DeviceLost)?;
        let begun = Instant::now();
        let result = loop {
            match answered.recv_timeout(LOOK) {
                Ok(buffer) => break buffer,
                Err(RecvTimeoutError::Disconnected) => return Err(BackendError::DeviceLost),
                Err(RecvTimeoutError::Timeout) => {
                    super::cpu::cancelled(checkpoint)?;
                    if device.is_lost() || begun.elapsed() > PATIENCE {
                        return Err(BackendError::DeviceLost);
                    }
                }
            }
        };
        let bytes = ImageBuf::byte_len(output.size, output.format);
        let pixels = match result.get_mapped_range(..bytes.next_multiple_of(4)) {
            Ok(view) => view[..bytes as usize].to_vec(),
            Err(_) => return Err(BackendError::DeviceLost),
        };
        result.unmap();
        device.pool.put(Use::Readback, result);
        // What came from a device that was lost meanwhile is not believed.
        if device.is_lost() {
            return Err(BackendError::DeviceLost);
        }
        super::cpu::made(output.size, output.format, pixels)
    }

    /// Destroys the device as a driver's reset would; it is rebuilt in the background. For tests of just that.
    pub fn lose_device(&self) {
        if let Some(life) = current(&self.lives) {
            life.device.device.destroy();
        }
    }
}

impl Drop for GpuBackend {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> &str {
        &self.name
    }

    fn supports(&self, input: &Picture, steps: &[Step]) -> bool {
        let limits: Option<Limits> = current(&self.lives).map(|life| life.device.limits);
        limits.is_some_and(|limits| Recipe::new(input, steps, &limits).is_ok())
    }

    fn run(
        &self,
        picture: Picture,
        _overlays: &[ImageBuf],
        steps: &[Step],
        checkpoint: &dyn Checkpoint,
    ) -> Result<ImageBuf, BackendError> {
        self.attempt(&picture, steps, checkpoint)
    }
}
