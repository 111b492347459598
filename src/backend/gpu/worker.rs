//! The thread that owns a device: it gathers what is ready, records, submits, polls, and makes a new device when the
//! old one is lost. While one thread waits inside `poll`, others that submit would block; so nobody else does either.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollType};

use crate::backend::{BackendError, Drill};
use crate::telemetry::events;

use super::bandwidth::copy_bandwidth;
use super::device::{Device, OpenError, SHARES};
use super::drill::{hang, invalid};
use super::fate::Cause;
use super::lives::{Heir, Life, Lives};
use super::opening::{Unmade, within};
use super::pool::Lent;
use super::record::{Recorded, Recorder, TIMES};
use super::results::{Ready, Results};
use super::staging::Program;
use super::thread_time::thread_time;
use super::timer::Stopwatch;
use super::waiter::Ticket;

/// Programs of one submission, and bytes of their inputs and of their work memory.
const BATCH: usize = 32;
const BATCH_BYTES: [u64; 2] = [256 << 20, 512 << 20];
/// Submissions in flight.
const DEPTH: usize = 3;
/// Jobs that may wait for a device: those that it works on, and the next two batches. More would only hold memory.
pub(super) const MOST_WAITING: u64 = ((DEPTH + 2) * BATCH) as u64;
/// Longest time that a wait for the device keeps new programs waiting.
const WAIT: Duration = Duration::from_micros(300);
/// A submission that takes longer hangs, unless something else is said.
pub(super) const HANG: Duration = Duration::from_secs(5);
/// Opening a device may take so long at first, unless something else is said; each time that it takes longer, twice as long
/// the next time, up to [`LONGEST`]: a driver may compile for long, but not for ever.
pub(super) const OPENING: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(960);
/// Loading the drivers may take so long in any case.
pub(super) const LOADING: Duration = Duration::from_secs(10);
/// Pauses between attempts at a new device.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) submissions: AtomicU64,
    pub(super) pictures: AtomicU64,
    pub(super) bytes_up: AtomicU64,
    pub(super) bytes_copied: AtomicU64,
    pub(super) bytes_down: AtomicU64,
    pub(super) losses: AtomicU64,
    pub(super) given_up: AtomicU64,
    /// Nanoseconds in which passes ran, where the device has a clock.
    pub(super) busy: AtomicU64,
    /// Bytes that the passes read and wrote at least.
    pub(super) touched: AtomicU64,
    /// Nanoseconds that the device's thread computed to lay out, record and submit.
    pub(super) submitting: AtomicU64,
    /// Jobs that wait for a result now, and nanoseconds that all waited.
    pub(super) waiting: AtomicU64,
    pub(super) waited: AtomicU64,
}

/// What a device's thread is asked for.
pub(super) enum Order {
    Picture(Box<Job>),
    /// Bytes copied in a second, measured when nothing else is done.
    Bandwidth {
        software: bool,
        answer: SyncSender<Option<f64>>,
    },
    /// Taking it is the sign that the thread still takes orders.
    Sign(Ticket),
    Drill(Drill),
}

/// A program and who waits for it.
pub(super) struct Job {
    pub(super) program: Program,
    pub(super) ticket: Ticket,
    /// When it was ordered.
    pub(super) since: Instant,
}

/// How a device's thread is told to stop, and how long a submission, and opening a device, may take.
#[derive(Debug, Clone)]
pub(super) struct Terms {
    pub(super) stop: Arc<AtomicBool>,
    pub(super) deadline: Duration,
    pub(super) opening: Duration,
}

/// What makes a device.
pub(super) type Opener = dyn Fn() -> Result<Device, OpenError> + Send + Sync;

/// A device's threads: the one that serves, and those that were given up.
#[derive(Clone)]
pub(super) struct Crew {
    pub(super) name: String,
    pub(super) open: Arc<Opener>,
    pub(super) lives: Lives,
    pub(super) counters: Arc<Counters>,
    pub(super) terms: Terms,
}

impl Crew {
    /// Opens the device and starts its thread, which goes on trying if the driver does not come back in time. The thread ends
    /// when `stop` is set and the device is given up.
    pub(super) fn start(&self) -> Result<(), OpenError> {
        let life = match self.opened(0) {
            Ok(device) => {
                let (life, orders) = live(0, device);
                self.lives.set(0, Some(life.clone()));
                Some((life, orders))
            }
            Err(Unopened::Refused(error)) => return Err(error),
            Err(Unopened::Stuck { .. }) => None,
        };
        let tries = u32::from(life.is_none());
        self.spawn(0, life, tries).map_err(|e| OpenError(e.to_string()))
    }

    /// A device, unless the driver does not come back: then the thread that went there is given up. `tries`: how often
    /// that happened before.
    fn opened(&self, tries: u32) -> Result<Device, Unopened> {
        let open = Arc::clone(&self.open);
        let crew = self.clone();
        let late = move |made: Result<Device, OpenError>| {
            if let Ok(device) = made {
                bury(Arc::new(device));
            }
            if let Some(next) = crew.lives.came_back() {
                crew.replace(next, tries + 1);
            }
        };
        let limit = 2_u32.checked_pow(tries).and_then(|times| self.terms.opening.checked_mul(times));
        let limit = limit.unwrap_or(LONGEST).min(LONGEST.max(self.terms.opening));
        match within(limit, move || open(), late) {
            Ok(made) => made.map_err(Unopened::Refused),
            Err(Unmade::NoThread(error)) => Err(Unopened::Refused(OpenError(error.to_string()))),
            Err(Unmade::Stuck(late)) => {
                self.counters.given_up.fetch_add(1, Ordering::Relaxed);
                let again = self.lives.went_away();
                events::gpu_given_up(again);
                // Counted before it can come back.
                drop(late);
                Err(Unopened::Stuck { again })
            }
        }
    }

    /// A thread does not come back from the driver: nobody goes there any more, and another one takes its place.
    pub(super) fn give_up(&self, thread: u64) {
        if let Some(life) = self.lives.current().filter(|life| life.thread == thread) {
            life.device.give_up(Cause::Hung);
        }
        let Some(heir) = self.lives.give_up(thread) else { return };
        self.counters.losses.fetch_add(1, Ordering::Relaxed);
        self.counters.given_up.fetch_add(1, Ordering::Relaxed);
        events::gpu_given_up(heir != Heir::Nobody);
        if let Heir::Thread(next) = heir {
            self.replace(next, 0);
        }
    }

    /// Sends another thread, which opens a new device.
    fn replace(&self, next: u64, tries: u32) {
        if let Err(error) = self.spawn(next, None, tries) {
            events::gpu_unopened("rebuilt", &error.to_string());
        }
    }

    fn spawn(&self, thread: u64, life: Option<(Life, Receiver<Order>)>, tries: u32) -> std::io::Result<()> {
        let crew = self.clone();
        std::thread::Builder::new().name(self.name.clone()).spawn(move || crew.work(thread, life, tries)).map(drop)
    }

    /// Serves, and makes a new device whenever the old one is lost. `tries`: how often the driver did not come back from
    /// opening one.
    fn work(&self, thread: u64, mut life: Option<(Life, Receiver<Order>)>, mut tries: u32) {
        let Self { lives, counters, terms, .. } = self;
        let longer = |pause: Duration| (pause * 2).min(BACKOFF.1);
        let mut pause = BACKOFF.0;
        if life.is_none() {
            // A driver that kept a thread is not asked again at once.
            pause = (0..thread).fold(pause, |pause, _| longer(pause));
            std::thread::sleep(pause);
        }
        while !terms.stop.load(Ordering::Acquire) {
            let Some((now, orders)) = life.take() else {
                match self.opened(tries) {
                    Ok(device) => {
                        let (next, orders) = live(thread, device);
                        lives.set(thread, Some(next.clone()));
                        life = Some((next, orders));
                        tries = 0;
                        continue;
                    }
                    Err(Unopened::Stuck { again: false }) => return,
                    Err(Unopened::Stuck { again: true }) => tries += 1,
                    Err(Unopened::Refused(error)) => events::gpu_unopened("rebuilt", &error.to_string()),
                }
                std::thread::sleep(pause);
                pause = longer(pause);
                continue;
            };
            let begun = Instant::now();
            let device = Arc::clone(&now.device);
            drop(now);
            serve(&device, &orders, counters, terms);
            drop(orders);
            let serves = lives.set(thread, None);
            if terms.stop.load(Ordering::Acquire) {
                break;
            }
            bury(device);
            if !serves {
                if let Some(next) = lives.came_back() {
                    self.replace(next, 0);
                }
                return;
            }
            counters.losses.fetch_add(1, Ordering::Relaxed);
            events::gpu_lost();
            // A device that dies at once is not asked again at once.
            pause = if begun.elapsed() > Duration::from_secs(10) { BACKOFF.0 } else { longer(pause) };
            std::thread::sleep(pause.min(Duration::from_secs(1)));
        }
        lives.set(thread, None);
    }
}

/// Why there is no device now.
enum Unopened {
    Refused(OpenError),
    /// The driver did not come back; `again`: whether another thread may be sent there, or the first that comes back does it.
    Stuck {
        again: bool,
    },
}

/// How long those who hold memory of a lost device, and its driver, may take until it is left as it is.
const GRACE: Duration = Duration::from_secs(60);

/// Destroys what is left of a device. A driver may wait there for work that hangs: nobody waits for the driver.
fn bury(device: Arc<Device>) {
    let theirs = Arc::clone(&device);
    let bury = move || {
        let mut gone = theirs.destroy(GRACE);
        let begun = Instant::now();
        // The last one who lets go of it waits for the driver: this thread, not one that has work to do.
        while gone && Arc::strong_count(&theirs) > 1 {
            std::thread::sleep(Duration::from_millis(5));
            gone = begun.elapsed() < GRACE;
        }
        if !gone {
            std::mem::forget(theirs);
        }
    };
    // Without a thread nothing is destroyed: it could be this one that the driver keeps.
    if std::thread::Builder::new().name("gpu-bury".to_owned()).spawn(bury).is_err() {
        std::mem::forget(device);
    }
}

fn live(thread: u64, device: Device) -> (Life, Receiver<Order>) {
    // Never full: no more jobs wait than may.
    let (orders, received) = mpsc::sync_channel(1024);
    (Life { device: Arc::new(device), orders, thread }, received)
}

/// A submission that the device works on.
struct Flight {
    index: wgpu::SubmissionIndex,
    since: Instant,
    /// Results that are not mapped yet.
    open: Arc<AtomicUsize>,
    device: [Lent; 3],
    staging: Vec<Lent>,
    stopwatch: Option<Stopwatch>,
    tickets: Arc<Vec<Ticket>>,
}

/// Serves until the device is lost or stopping is asked for.
fn serve(device: &Arc<Device>, orders: &Receiver<Order>, counters: &Arc<Counters>, terms: &Terms) {
    let mut flights: VecDeque<Flight> = VecDeque::new();
    let mut recorder = Recorder::default();
    let mut queue = Queue { orders, left: None, limits: device.batch_limits() };
    let mut shortages = device.pool.shortages();
    while !device.is_lost() && !terms.stop.load(Ordering::Acquire) {
        let batch = match queue.gather(flights.is_empty(), flights.len() < DEPTH) {
            Gathered::Batch(batch) => batch,
            Gathered::Nothing => Vec::new(),
            Gathered::Bandwidth { software, answer } => {
                // Whoever asked may be gone.
                let _ = answer.try_send(copy_bandwidth(device, software));
                continue;
            }
            Gathered::Drill(drill) => {
                match drill {
                    Drill::Loss => {
                        // First: what others then complain of is no news.
                        device.give_up(Cause::Lost);
                        device.device.destroy();
                    }
                    Drill::Hang(about) => hang(device, about),
                    Drill::Invalid => invalid(device),
                    Drill::Stuck(about) => device.stick(about),
                }
                continue;
            }
            Gathered::Closed => return,
        };
        if !batch.is_empty() {
            let begun = thread_time();
            match submit(device, &mut recorder, batch, counters) {
                Ok(flight) => flights.push_back(flight),
                // Those who wait have been told.
                Err(BackendError::OutOfMemory) => {}
                Err(_) => device.give_up(Cause::Lost),
            }
            let took = thread_time().saturating_sub(begun);
            counters.submitting.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        } else if let Some(oldest) = flights.front() {
            let index = Some(oldest.index.clone());
            device.poll(PollType::Wait { submission_index: index, timeout: Some(WAIT) });
        }
        device.poll(PollType::Poll);
        while let Some(flight) = flights.front() {
            if flight.open.load(Ordering::Acquire) == 0 {
                if let Some(flight) = flights.pop_front() {
                    land(device, flight);
                }
            } else if flight.since.elapsed() > terms.deadline {
                events::gpu_complained("no answer within the deadline");
                device.give_up(Cause::Hung);
                break;
            } else {
                break;
            }
        }
        let now = device.pool.shortages();
        if now != shortages {
            // Somebody waits for memory, maybe for what lies idle here.
            device.pool.evict();
            shortages = now;
        }
    }
    device.give_up(Cause::Lost);
    // Those whose results may never be mapped; dropping the orders that are left tells the others.
    for ticket in flights.iter().flat_map(|flight| flight.tickets.iter()) {
        ticket.0.tell(Err(BackendError::DeviceLost));
    }
}

enum Gathered {
    Batch(Vec<Job>),
    Bandwidth { software: bool, answer: SyncSender<Option<f64>> },
    Drill(Drill),
    Nothing,
    Closed,
}

/// The orders, and one that was taken but did not fit into the batch.
struct Queue<'a> {
    orders: &'a Receiver<Order>,
    left: Option<Order>,
    /// Bytes of the inputs and of the work memory of a batch.
    limits: [u64; 2],
}

impl Device {
    /// Bytes of the inputs and of the work memory of a batch.
    fn batch_limits(&self) -> [u64; 2] {
        BATCH_BYTES.map(|bytes| bytes.min(self.limits.binding).min(self.pool.on_device() / SHARES))
    }
}

impl Queue<'_> {
    /// What is ready; waits when the device has nothing to do.
    fn gather(&mut self, idle: bool, room: bool) -> Gathered {
        if !room {
            return Gathered::Nothing;
        }
        let first = match self.left.take() {
            Some(order) => Ok(order),
            // Wakes now and then to see whether the device is lost.
            None if idle => self.orders.recv_timeout(Duration::from_millis(100)),
            None => self.orders.try_recv().map_err(|_| RecvTimeoutError::Timeout),
        };
        let first = match first {
            Ok(Order::Picture(job)) => *job,
            Ok(Order::Drill(drill)) => return Gathered::Drill(drill),
            Ok(Order::Sign(ticket)) => {
                drop(ticket);
                return Gathered::Nothing;
            }
            Ok(Order::Bandwidth { software, answer }) if idle => return Gathered::Bandwidth { software, answer },
            Ok(order) => {
                self.left = Some(order);
                return Gathered::Nothing;
            }
            Err(RecvTimeoutError::Timeout) => return Gathered::Nothing,
            Err(RecvTimeoutError::Disconnected) => return Gathered::Closed,
        };
        let limits = self.limits;
        let mut all = first.program.memory();
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(order) = self.orders.try_recv()
        {
            let Order::Picture(job) = order else {
                self.left = Some(order);
                break;
            };
            let [input, work] = job.program.memory();
            let sum = [all[0] + input, all[1] + work];
            if sum[0] > limits[0] || sum[1] > limits[1] {
                self.left = Some(Order::Picture(job));
                break;
            }
            all = sum;
            batch.push(*job);
        }
        Gathered::Batch(batch)
    }
}

/// Submits a batch.
///
/// # Errors
/// As [`Recorder::record`]; those who wait have been told.
fn submit(
    device: &Arc<Device>,
    recorder: &mut Recorder,
    batch: Vec<Job>,
    counters: &Arc<Counters>,
) -> Result<Flight, BackendError> {
    let programs: Vec<&Program> = batch.iter().map(|job| &job.program).collect();
    let recorded = recorder.record(device, &programs).inspect_err(|error| {
        for job in &batch {
            job.ticket.0.tell(Err(error.clone()));
        }
    })?;
    let Recorded { commands, device: buffers, staging, readback, outputs, bytes_down, stopwatch, bytes_up } = recorded;
    let index = device.submit(commands).ok_or(BackendError::DeviceLost)?;
    let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
    add(&counters.submissions, 1);
    events::gpu_submitted(batch.len());
    add(&counters.pictures, batch.len() as u64);
    add(&counters.bytes_up, bytes_up + batch.iter().map(|job| job.program.bytes_up).sum::<u64>());
    add(&counters.bytes_copied, batch.iter().map(|job| job.program.bytes_copied).sum::<u64>());
    add(&counters.bytes_down, bytes_down);
    add(&counters.touched, batch.iter().map(|job| job.program.touched()).sum());
    let open = Arc::new(AtomicUsize::new(1));
    let mut used = Vec::with_capacity(batch.len() + 1);
    used.push(staging);
    let mut tickets = Vec::with_capacity(batch.len());
    let mut waits = Vec::with_capacity(batch.len());
    let now = Instant::now();
    for Job { program, ticket, since } in batch {
        used.push(program.staging);
        tickets.push(ticket);
        waits.push(now.saturating_duration_since(since));
    }
    let tickets = Arc::new(tickets);
    let (life, waiting, counters) = (Arc::clone(device), Arc::clone(&tickets), Arc::clone(counters));
    let timed = stopwatch.is_some();
    let done = Arc::clone(&open);
    let mapped: Buffer = Buffer::clone(&readback);
    mapped.map_async(MapMode::Read, ..bytes_down, move |mapped| {
        // What came from a device that was lost meanwhile is not believed.
        if mapped.is_ok() && !life.is_lost() {
            let results = Arc::new(Results::new(Arc::clone(&life), readback));
            if timed && let Some(timer) = &life.timer {
                let busy = results.read(bytes_down - TIMES..bytes_down, |times| timer.elapsed(times));
                counters.busy.fetch_add(busy.unwrap_or(0), Ordering::Relaxed);
            }
            for ((ticket, waited), at) in waiting.iter().zip(waits).zip(outputs) {
                ticket.0.tell(Ok(Ready { results: Arc::clone(&results), at, waited }));
            }
        } else {
            life.give_up(Cause::Lost);
        }
        done.fetch_sub(1, Ordering::AcqRel);
    });
    Ok(Flight { index, since: now, open, device: buffers, staging: used, stopwatch, tickets })
}

/// Everything of a flight was computed and mapped: its buffers are free.
fn land(device: &Arc<Device>, flight: Flight) {
    for buffer in flight.device {
        device.pool.put(buffer);
    }
    if let (Some(timer), Some(watch)) = (&device.timer, flight.stopwatch) {
        timer.put(watch);
    }
    for lent in flight.staging {
        let (life, buffer) = (Arc::clone(device), Buffer::clone(&lent));
        buffer.map_async(MapMode::Write, .., move |result| {
            if result.is_ok() {
                life.pool.put(lent);
            }
        });
    }
}
