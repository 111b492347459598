//! Steps on a GPU, with wgpu compute shaders; many pictures a submission. The only code that names wgpu.

mod adapter;
mod bandwidth;
mod device;
mod layout;
mod pool;
mod recipe;
mod record;
mod resident;
mod results;
mod shaders;
mod staging;
mod tables;
mod thread_time;
mod timer;
mod uniforms;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::image::{Form, ImageBuf, Picture};
use crate::ops::Step;
use crate::telemetry::events;

use super::{Backend, BackendError, Checkpoint};

pub use adapter::{AdapterReport, Wanted, adapters, hardware_may_be_there};
pub use device::OpenError;

use device::Device;
use recipe::Recipe;
use staging::Program;
use tables::TableCache;
use worker::{Counters, Current, Job, Life, Order, current};

/// How often who waits for the device looks whether waiting still makes sense.
const LOOK: Duration = Duration::from_millis(10);
/// Who has waited for so long gets the picture elsewhere.
const PATIENCE: Duration = Duration::from_secs(6);

/// One adapter with its thread.
#[derive(Debug)]
pub struct GpuBackend {
    name: String,
    report: AdapterReport,
    tables: TableCache,
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
    /// Time in which passes ran, by the device's clock; `None` where it has none.
    pub busy: Option<Duration>,
    /// Bytes that the passes read and wrote at least.
    pub bytes_touched: u64,
    /// Processor time of the device's thread for laying out, recording and submitting.
    pub submitting: Duration,
    /// Devices lost.
    pub losses: u64,
    /// Whether there is a device now.
    pub alive: bool,
}

/// A picture made on a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuPicture {
    /// In the form that was wanted, or packed samples, straight alpha.
    pub picture: Picture,
    /// Bytes that went up for it.
    pub bytes_up: u64,
    /// Bytes that came back.
    pub bytes_down: u64,
    /// How long it waited until its batch was submitted.
    pub waited: Duration,
}

impl GpuBackend {
    /// Opens every adapter that is wanted. Adapters that cannot be opened are logged and left out.
    pub fn open_all(wanted: &Wanted) -> Vec<Self> {
        let found = adapter::found().into_iter().enumerate().map(|(i, a)| (adapter::report(i, &a), a));
        found
            .filter(|(report, _)| wanted.takes(report))
            .filter_map(|(report, adapter)| {
                let name = report.name.clone();
                let largest_binding = wanted.largest_binding.unwrap_or(u64::MAX);
                Self::open(report, adapter, largest_binding)
                    .inspect_err(|error| events::gpu_unopened(&name, &error.to_string()))
                    .ok()
            })
            .collect()
    }

    fn open(report: AdapterReport, adapter: wgpu::Adapter, largest_binding: u64) -> Result<Self, OpenError> {
        let (counters, stop) = (Arc::default(), Arc::default());
        let name = format!("gpu{}", report.index);
        let open = move || Device::open(&adapter, largest_binding);
        let lives = worker::start(&name, open, Arc::clone(&counters), Arc::clone(&stop))?;
        Ok(Self { name, report, tables: TableCache::default(), lives, counters, stop })
    }

    /// The adapter.
    pub const fn adapter(&self) -> &AdapterReport {
        &self.report
    }

    /// What was counted.
    pub fn stats(&self) -> GpuStats {
        let of = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        let life = current(&self.lives);
        let timed = life.as_ref().is_some_and(|life| life.device.timer.is_some());
        GpuStats {
            busy: timed.then(|| Duration::from_nanos(of(&self.counters.busy))),
            bytes_touched: of(&self.counters.touched),
            submitting: Duration::from_nanos(of(&self.counters.submitting)),
            submissions: of(&self.counters.submissions),
            pictures: of(&self.counters.pictures),
            bytes_up: of(&self.counters.bytes_up),
            bytes_down: of(&self.counters.bytes_down),
            losses: of(&self.counters.losses),
            alive: life.is_some(),
        }
    }

    /// Bytes that the device reads and writes in a second when it copies within its memory, measured now; `None` when
    /// there is no device. Blocks until other work is done.
    pub fn measure_copy_bandwidth(&self) -> Option<f64> {
        let life = current(&self.lives)?;
        let (answer, answered) = mpsc::sync_channel(1);
        life.orders.try_send(Order::Bandwidth { software: self.report.software, answer }).ok()?;
        answered.recv_timeout(PATIENCE).ok()?
    }

    /// Whether the device does these steps with these overlays, and at this size.
    pub fn takes(&self, picture: &Picture, overlays: &[ImageBuf], steps: &[Step]) -> bool {
        let limits = current(&self.lives).map(|life| life.device.limits);
        let work = (steps, Form::Packed);
        limits.is_some_and(|limits| Recipe::new(picture, overlays, work, &limits, &self.tables).is_ok())
    }

    /// Does the steps as [`Backend::run_to`], leaving the picture to whoever must do it again elsewhere.
    ///
    /// # Errors
    /// [`BackendError::Impossible`] when the device does not do these steps or not at this size,
    /// [`BackendError::DeviceLost`] when it gave no answer, [`BackendError::Cancelled`].
    pub fn attempt(
        &self,
        picture: &Picture,
        overlays: &[ImageBuf],
        (steps, form): (&[Step], Form),
        checkpoint: &dyn Checkpoint,
    ) -> Result<GpuPicture, BackendError> {
        let life = current(&self.lives).ok_or(BackendError::DeviceLost)?;
        let recipe = Recipe::new(picture, overlays, (steps, form), &life.device.limits, &self.tables)
            .map_err(|e| BackendError::Impossible(e.to_string()))?;
        let output = recipe.output;
        let program = Program::new(recipe, &life.device).map_err(|_| BackendError::DeviceLost)?;
        let (bytes_up, bytes_down) = (program.bytes_up, program.bytes_down());
        let (answer, answered) = mpsc::sync_channel(1);
        life.orders
            .try_send(Order::Picture(Box::new(Job { program, answer, since: Instant::now() })))
            .map_err(|_| BackendError::DeviceLost)?;
        let ready = awaited(&life, &answered, checkpoint)?;
        let (waited, picture) = (ready.waited, ready.picture(&output).ok_or(BackendError::DeviceLost)?);
        drop(ready);
        // What came from a device that was lost meanwhile is not believed.
        if life.device.is_lost() {
            return Err(BackendError::DeviceLost);
        }
        Ok(GpuPicture { picture, bytes_up, bytes_down, waited })
    }

    /// Destroys the device as a driver's reset would; it is rebuilt in the background. For tests of just that.
    pub fn lose_device(&self) {
        if let Some(life) = current(&self.lives) {
            life.device.device.destroy();
        }
    }
}

/// Waits for a result as long as that makes sense.
fn awaited(
    life: &Life,
    answered: &mpsc::Receiver<results::Ready>,
    checkpoint: &dyn Checkpoint,
) -> Result<results::Ready, BackendError> {
    let begun = Instant::now();
    loop {
        match answered.recv_timeout(LOOK) {
            Ok(ready) => return Ok(ready),
            Err(RecvTimeoutError::Disconnected) => return Err(BackendError::DeviceLost),
            Err(RecvTimeoutError::Timeout) => {
                super::cpu::cancelled(checkpoint)?;
                if life.device.is_lost() || begun.elapsed() > PATIENCE {
                    return Err(BackendError::DeviceLost);
                }
            }
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

    /// Without overlays; see [`GpuBackend::takes`].
    fn supports(&self, input: &Picture, steps: &[Step]) -> bool {
        self.takes(input, &[], steps)
    }

    fn run_to(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        steps: &[Step],
        form: Form,
        checkpoint: &dyn Checkpoint,
    ) -> Result<Picture, BackendError> {
        self.attempt(&picture, overlays, (steps, form), checkpoint).map(|made| made.picture)
    }
}
