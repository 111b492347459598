//! Steps on a GPU, with wgpu compute shaders; many pictures a submission. The only code that names wgpu.

mod adapter;
mod bandwidth;
mod burial;
mod coming;
mod crew;
mod device;
mod drill;
mod fate;
mod gather;
mod holds;
mod layout;
mod lives;
mod orders;
mod pool;
mod recipe;
mod record;
mod resident;
mod results;
mod shaders;
mod shortage;
mod staging;
mod tables;
mod thread_time;
mod threads;
mod timer;
mod uniforms;
mod waiter;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::image::{CoefficientSink, Form, ImageBuf, Picture, PlaneSink};
use crate::ops::Step;
use crate::telemetry::events;

use super::{Backend, BackendError, Checkpoint, Drill};

pub use adapter::{AdapterReport, Wanted, adapters, hardware_may_be_there};
pub use device::OpenError;
pub use recipe::Source;

use crew::{Crew, Terms};
use device::Device;
use lives::{Life, Lives};
use pool::Accounts;
use recipe::{Output, Recipe};
use staging::{Open, Program};
use tables::TableCache;
use waiter::{Ticket, Waiter, Watch};
use worker::{Counters, Job, Order};

/// How often who waits in a call looks whether waiting still makes sense.
const LOOK: Duration = Duration::from_millis(10);
/// Who has waited for so much longer than a submission may take gets the picture elsewhere.
const PATIENCE: Duration = Duration::from_secs(1);

/// One adapter with its thread.
#[derive(Debug)]
pub struct GpuBackend {
    name: String,
    report: AdapterReport,
    tables: TableCache,
    lives: Lives,
    counters: Arc<Counters>,
    accounts: Accounts,
    watch: Watch,
    terms: Terms,
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
    /// Of those, bytes of pictures that were decoded elsewhere and copied; the others were decoded to where they go up from.
    pub bytes_copied: u64,
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
    /// Of those, how many because their thread did not come back from the driver.
    pub given_up: u64,
    /// Whether there is a device now.
    pub alive: bool,
    /// Whether none is being opened: too many threads are away in the driver, until one of them comes back.
    pub failed: bool,
    /// Jobs that wait for the device now.
    pub waiting: u64,
    /// Time that all jobs waited, in sum.
    pub waited: Duration,
    /// Bytes of host memory that staging and readback buffers take now, idle ones too.
    pub host_memory: u64,
    /// Bytes of device memory that buffers take now, idle ones too.
    pub device_memory: u64,
}

/// A picture made on a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuPicture {
    /// In the form that was wanted, or packed samples, straight alpha.
    pub picture: Picture,
    /// Bytes that went up for it.
    pub bytes_up: u64,
    /// Of those, bytes that were decoded elsewhere and copied.
    pub bytes_copied: u64,
    /// Bytes that came back.
    pub bytes_down: u64,
    /// How long it waited until its batch was submitted.
    pub waited: Duration,
}

/// What a GPU would do, laid out; nothing was written yet.
#[derive(Debug)]
pub struct Prepared<'a> {
    backend: &'a GpuBackend,
    life: Life,
    recipe: Recipe<'a>,
}

impl Prepared<'_> {
    /// Takes mapped memory and copies into it what is there.
    ///
    /// # Errors
    /// [`BackendError::DeviceLost`], [`BackendError::OutOfMemory`].
    pub fn open(self) -> Result<Filling, BackendError> {
        let (life, open) = self.take_memory()?;
        Ok(Filling { life, open: Some(open) })
    }

    /// As [`Self::open`], of a picture that is there.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn stage(self) -> Result<Staged, BackendError> {
        let (life, open) = self.take_memory()?;
        Ok(Staged { life, program: open.closed() })
    }

    fn take_memory(self) -> Result<(Life, Open), BackendError> {
        let Self { backend, life, recipe } = self;
        let open = Open::new(recipe, &life.device);
        if open.is_err() {
            backend.ask_for_a_sign(&life);
        }
        Ok((life, open?))
    }
}

/// A picture on its way into mapped memory: what a decoder hands over is written where the device reads it.
#[derive(Debug)]
pub struct Filling {
    life: Life,
    /// There until it is closed.
    open: Option<Open>,
}

impl Filling {
    /// Everything was handed over.
    pub fn close(mut self) -> Staged {
        let Some(open) = self.open.take() else { unreachable!("closing takes it away") };
        Staged { life: self.life.clone(), program: open.closed() }
    }
}

/// A decoder that gave up leaves memory that is as good as new.
impl Drop for Filling {
    fn drop(&mut self) {
        if let Some(open) = self.open.take() {
            self.life.device.pool.put(open.abandoned());
        }
    }
}

impl PlaneSink for Filling {
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]) {
        if let Some(open) = &mut self.open {
            open.rows(plane, first, samples);
        }
    }
}

impl CoefficientSink for Filling {
    fn values(&mut self, component: usize, coefficient: usize, first: usize, values: &[i16]) {
        if let Some(open) = &mut self.open {
            open.values(component, coefficient, first, values);
        }
    }
}

/// A picture on its way to a GPU: everything that goes up is in mapped memory.
#[derive(Debug)]
pub struct Staged {
    life: Life,
    program: Program,
}

/// A picture that a GPU made, still in mapped memory.
#[derive(Debug)]
pub struct Answer {
    life: Life,
    ready: results::Ready,
    output: Output,
    bytes_up: u64,
    bytes_copied: u64,
    bytes_down: u64,
}

impl Answer {
    /// Copies the picture out.
    ///
    /// # Errors
    /// [`BackendError::DeviceLost`] when the device was lost meanwhile: then nothing that it made is believed.
    pub fn picture(self) -> Result<GpuPicture, BackendError> {
        let Self { life, ready, output, bytes_up, bytes_copied, bytes_down } = self;
        let (waited, picture) = (ready.waited, ready.picture(&output).ok_or_else(|| life.device.told())?);
        drop(ready);
        if life.device.is_lost() {
            return Err(life.device.told());
        }
        Ok(GpuPicture { picture, bytes_up, bytes_copied, bytes_down, waited })
    }
}

/// What the drivers say there is; if they say it too late, there is nothing, and `late` gets it.
fn found(wanted: &Wanted, late: impl FnOnce(Vec<wgpu::Adapter>) + Send + 'static) -> Vec<wgpu::Adapter> {
    let limit = wanted.loading.unwrap_or_else(|| wanted.opening.unwrap_or(crew::OPENING).max(crew::LOADING));
    let late = |found: Option<_>| {
        if let Some(found) = found {
            late(found);
        }
    };
    threads::within("gpu-open", limit, adapter::found, late).unwrap_or_else(|why| {
        events::gpu_unopened("all", &format!("the drivers do not answer: {why:?}"));
        Vec::new()
    })
}

impl GpuBackend {
    /// Opens every adapter that is wanted, side by side: a driver that is slow, or does not come back, is waited for once,
    /// however many adapters it has. Adapters that cannot be opened are logged and left out; those whose driver does not come
    /// back from it in time have no device yet, and are tried again in the background. There are none where the drivers do not
    /// even say in time which adapters there are.
    pub fn open_all(wanted: &Wanted) -> Vec<Self> {
        Self::open_found(found(wanted, drop), wanted)
    }

    /// As [`Self::open_all`]; `later` gets the adapters of drivers that say too late which there are, on a thread of its own.
    pub fn open_all_or_later(wanted: &Wanted, later: impl FnOnce(Vec<Self>) + Send + 'static) -> Vec<Self> {
        let theirs = wanted.clone();
        Self::open_found(found(wanted, move |found| later(Self::open_found(found, &theirs))), wanted)
    }

    fn open_found(found: Vec<wgpu::Adapter>, wanted: &Wanted) -> Vec<Self> {
        let found = found.into_iter().enumerate().map(|(i, a)| (adapter::report(i, &a), a));
        let found: Vec<_> = found.filter(|(report, _)| wanted.takes(report)).collect();
        let names: Vec<_> = found.iter().map(|(report, _)| report.name.clone()).collect();
        let opened = threads::side_by_side(found, |(report, adapter)| Self::open(report, adapter, wanted));
        let opened = opened.into_iter().zip(&names);
        opened
            .filter_map(|(opened, name)| opened.inspect_err(|e| events::gpu_unopened(name, &e.to_string())).ok())
            .collect()
    }

    fn open(report: AdapterReport, adapter: wgpu::Adapter, wanted: &Wanted) -> Result<Self, OpenError> {
        let counters: Arc<Counters> = Arc::default();
        let terms = Terms {
            stop: Arc::default(),
            deadline: wanted.deadline.unwrap_or(worker::HANG),
            opening: wanted.opening.unwrap_or(crew::OPENING),
        };
        let most = wanted.memory.unwrap_or(u64::MAX);
        let accounts = Accounts::new(wanted.budget.clone(), adapter::is_unified(&adapter), most);
        let name = format!("gpu{}", report.index);
        let largest_binding = wanted.largest_binding.unwrap_or(u64::MAX);
        let theirs = accounts.clone();
        let open = move || Device::open(&adapter, largest_binding, &theirs);
        let lives = Lives::default();
        let crew = Crew {
            name: name.clone(),
            open: Arc::new(open),
            lives: lives.clone(),
            counters: Arc::clone(&counters),
            terms: terms.clone(),
        };
        crew.start()?;
        let lost = move |thread| crew.give_up(thread);
        let watch = Watch::start(&name, terms.deadline + PATIENCE, lost).map_err(|error| {
            // Nobody would end the device's thread.
            terms.stop.store(true, Ordering::Release);
            OpenError(error.to_string())
        })?;
        Ok(Self { name, report, tables: TableCache::default(), lives, counters, accounts, watch, terms })
    }

    /// The adapter.
    pub const fn adapter(&self) -> &AdapterReport {
        &self.report
    }

    /// What was counted.
    pub fn stats(&self) -> GpuStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let life = self.lives.current();
        let timed = life.as_ref().is_some_and(|life| life.device.timer.is_some());
        GpuStats {
            busy: timed.then(|| Duration::from_nanos(of(&self.counters.busy))),
            bytes_touched: of(&self.counters.touched),
            submitting: Duration::from_nanos(of(&self.counters.submitting)),
            submissions: of(&self.counters.submissions),
            pictures: of(&self.counters.pictures),
            bytes_up: of(&self.counters.bytes_up),
            bytes_copied: of(&self.counters.bytes_copied),
            bytes_down: of(&self.counters.bytes_down),
            losses: of(&self.counters.losses),
            given_up: of(&self.counters.given_up),
            // Whoever finds it lost may know before its thread does.
            alive: life.is_some_and(|life| !life.device.is_lost()),
            failed: self.lives.has_failed(),
            waiting: of(&self.counters.waiting),
            waited: Duration::from_nanos(of(&self.counters.waited)),
            host_memory: self.accounts.host.used(),
            device_memory: self.accounts.device.used(),
        }
    }

    /// Bytes that the device reads and writes in a second when it copies within its memory, measured now; `None` when
    /// there is no device. Blocks until other work is done.
    pub fn measure_copy_bandwidth(&self) -> Option<f64> {
        let life = self.lives.current()?;
        let (answer, answered) = mpsc::sync_channel(1);
        life.orders.try_send(Order::Bandwidth { software: self.report.software, answer }).ok()?;
        answered.recv_timeout(self.terms.deadline + PATIENCE).ok()?
    }

    /// Whether it makes sense to bring another picture: not so many wait that it would only hold memory.
    pub fn has_room(&self) -> bool {
        self.counters.waiting.load(Ordering::Relaxed) < gather::MOST_WAITING
    }

    /// Lays out what the device would do.
    ///
    /// # Errors
    /// [`BackendError::Impossible`] when the device does not do these steps or not at this size,
    /// [`BackendError::DeviceLost`] when there is none.
    pub fn prepare<'a>(
        &'a self,
        source: Source<'a>,
        overlays: &'a [ImageBuf],
        work: (&[Step], Form),
    ) -> Result<Prepared<'a>, BackendError> {
        let life = self.lives.current().ok_or(BackendError::DeviceLost)?;
        if life.device.is_lost() {
            // Its thread is about to see that, or never will.
            self.ask_for_a_sign(&life);
            return Err(life.device.told());
        }
        let recipe = Recipe::new(source, overlays, work, &life.device.limits, &self.tables)
            .map_err(|e| BackendError::Impossible(e.to_string()))?;
        Ok(Prepared { backend: self, life, recipe })
    }

    /// Has the watch see to it that the device's thread still takes orders. A thread that does not come back from the driver
    /// may keep everybody from its memory, and then nobody waits for it who would find it out.
    fn ask_for_a_sign(&self, life: &Life) {
        if life.device.asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let device = Arc::clone(&life.device);
        let given = Box::new(move |_| device.asked.store(false, Ordering::Release));
        let waiter = Arc::new(Waiter::new(life.thread, given));
        self.watch.add(&waiter);
        drop(life.orders.try_send(Order::Sign(Ticket(waiter))));
    }

    /// Submits what was staged. `done` is called exactly once, on a thread that must not be kept: with what the device
    /// made, or with why it made nothing ([`BackendError::DeviceLost`], [`BackendError::OutOfMemory`]).
    pub fn submit(&self, staged: Staged, done: impl FnOnce(Result<Answer, BackendError>) + Send + 'static) {
        let Staged { life, program } = staged;
        let (output, bytes_down) = (program.output, program.bytes_down());
        let Program { bytes_up, bytes_copied, .. } = program;
        let (counters, their, begun) = (Arc::clone(&self.counters), life.clone(), Instant::now());
        counters.waiting.fetch_add(1, Ordering::Relaxed);
        let waiter = Arc::new(Waiter::new(
            life.thread,
            Box::new(move |result| {
                counters.waiting.fetch_sub(1, Ordering::Relaxed);
                counters.waited.fetch_add(begun.elapsed().as_nanos() as u64, Ordering::Relaxed);
                done(match result {
                    Ok(ready) => Ok(Answer { life: their, ready, output, bytes_up, bytes_copied, bytes_down }),
                    // Who did not hear why is told now.
                    Err(BackendError::DeviceLost) => Err(their.device.told()),
                    Err(other) => Err(other),
                });
            }),
        ));
        self.watch.add(&waiter);
        // An order that is refused is dropped, which tells.
        let _ = life.orders.try_send(Order::Picture(Box::new(Job { program, ticket: Ticket(waiter), since: begun })));
    }

    /// Does the steps as [`Backend::run_to`], leaving the picture to whoever must do it again elsewhere.
    ///
    /// # Errors
    /// As [`Self::prepare`], [`Prepared::stage`] and [`Answer::picture`], and [`BackendError::Cancelled`].
    pub fn attempt(
        &self,
        picture: &Picture,
        overlays: &[ImageBuf],
        work: (&[Step], Form),
        checkpoint: &dyn Checkpoint,
    ) -> Result<GpuPicture, BackendError> {
        let staged = self.prepare(Source::Here(picture), overlays, work)?.stage()?;
        let (answer, answered) = mpsc::sync_channel(1);
        self.submit(staged, move |result| {
            // Whoever asked may be gone.
            let _ = answer.try_send(result);
        });
        loop {
            match answered.recv_timeout(LOOK) {
                Ok(answer) => return answer?.picture(),
                Err(RecvTimeoutError::Disconnected) => return Err(BackendError::DeviceLost),
                Err(RecvTimeoutError::Timeout) => super::cpu::cancelled(checkpoint)?,
            }
        }
    }

    /// Makes the device fail in some way; it is rebuilt in the background. For tests of just that.
    pub fn drill(&self, drill: Drill) {
        let Some(life) = self.lives.current() else { return };
        // A full queue is trouble enough.
        drop(life.orders.try_send(Order::Drill(drill)));
    }
}

impl Drop for GpuBackend {
    fn drop(&mut self) {
        self.terms.stop.store(true, Ordering::Release);
        self.watch.stop();
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> &str {
        &self.name
    }

    /// Without overlays; see [`GpuBackend::prepare`].
    fn supports(&self, input: &Picture, steps: &[Step]) -> bool {
        self.prepare(Source::Here(input), &[], (steps, Form::Packed)).is_ok()
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
