//! The thread that owns a device: it gathers what is ready, records, submits, polls, and makes a new device when the
//! old one is lost. While one thread waits inside `poll`, others that submit would block; so nobody else does either.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollType};

use crate::telemetry::events;

use super::bandwidth::copy_bandwidth;
use super::device::{Device, OpenError};
use super::pool::Use;
use super::record::{Recorded, Recorder, TIMES};
use super::results::{Ready, Results};
use super::staging::Program;
use super::thread_time::thread_time;
use super::timer::Stopwatch;

/// Programs of one submission, and bytes of their inputs and of their work memory.
const BATCH: usize = 32;
const BATCH_BYTES: [u64; 2] = [256 << 20, 512 << 20];
/// Submissions in flight.
const DEPTH: usize = 3;
/// Longest time that a wait for the device keeps new programs waiting.
const WAIT: Duration = Duration::from_micros(300);
/// A submission that takes longer hangs.
const HANG: Duration = Duration::from_secs(5);
/// Pauses between attempts at a new device.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) submissions: AtomicU64,
    pub(super) pictures: AtomicU64,
    pub(super) bytes_up: AtomicU64,
    pub(super) bytes_down: AtomicU64,
    pub(super) losses: AtomicU64,
    /// Nanoseconds in which passes ran, where the device has a clock.
    pub(super) busy: AtomicU64,
    /// Bytes that the passes read and wrote at least.
    pub(super) touched: AtomicU64,
    /// Nanoseconds that the device's thread computed to lay out, record and submit.
    pub(super) submitting: AtomicU64,
}

/// What a device's thread is asked for.
pub(super) enum Order {
    Picture(Box<Job>),
    /// Bytes copied in a second, measured when nothing else is done.
    Bandwidth {
        software: bool,
        answer: SyncSender<Option<f64>>,
    },
}

/// A program and who waits for it.
pub(super) struct Job {
    pub(super) program: Program,
    /// Gets the mapped result; dropped when there will be none.
    pub(super) answer: SyncSender<Ready>,
    /// When it was ordered.
    pub(super) since: Instant,
}

/// The device's current life; `None` while there is none.
pub(super) type Current = Arc<RwLock<Option<Life>>>;

/// A device and the way to its thread.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) device: Arc<Device>,
    pub(super) orders: SyncSender<Order>,
}

/// The life that goes on now.
pub(super) fn current(lives: &Current) -> Option<Life> {
    lives.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Opens the device and starts its thread. The thread ends when `stop` is set and the device is given up.
pub(super) fn start(
    name: &str,
    open: impl Fn() -> Result<Device, OpenError> + Send + 'static,
    counters: Arc<Counters>,
    stop: Arc<AtomicBool>,
) -> Result<Current, OpenError> {
    let lives = Current::default();
    let first = open()?;
    let (life, orders) = live(first);
    set(&lives, Some(life.clone()));
    let theirs = Arc::clone(&lives);
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let mut life = Some((life, orders));
            let mut pause = BACKOFF.0;
            while !stop.load(Ordering::Acquire) {
                let Some((now, orders)) = life.take() else {
                    match open() {
                        Ok(device) => {
                            let (next, orders) = live(device);
                            set(&theirs, Some(next.clone()));
                            life = Some((next, orders));
                        }
                        Err(error) => {
                            events::gpu_unopened("rebuilt", &error.to_string());
                            std::thread::sleep(pause);
                            pause = (pause * 2).min(BACKOFF.1);
                        }
                    }
                    continue;
                };
                let begun = Instant::now();
                let device = Arc::clone(&now.device);
                drop(now);
                serve(&device, &orders, &counters, &stop);
                set(&theirs, None);
                if stop.load(Ordering::Acquire) {
                    break;
                }
                counters.losses.fetch_add(1, Ordering::Relaxed);
                events::gpu_lost();
                device.device.destroy();
                // A device that dies at once is not asked again at once.
                pause = if begun.elapsed() > Duration::from_secs(10) { BACKOFF.0 } else { (pause * 2).min(BACKOFF.1) };
                std::thread::sleep(pause.min(Duration::from_secs(1)));
            }
            set(&theirs, None);
        })
        .map_err(|e| OpenError(e.to_string()))?;
    Ok(lives)
}

fn live(device: Device) -> (Life, Receiver<Order>) {
    // Whoever waits holds a thread of the pool, so there are never many.
    let (orders, received) = mpsc::sync_channel(1024);
    (Life { device: Arc::new(device), orders }, received)
}

fn set(lives: &Current, life: Option<Life>) {
    *lives.write().unwrap_or_else(PoisonError::into_inner) = life;
}

/// A submission that the device works on.
struct Flight {
    index: wgpu::SubmissionIndex,
    since: Instant,
    /// Results that are not mapped yet.
    open: Arc<AtomicUsize>,
    device: Vec<Buffer>,
    staging: Vec<Buffer>,
    stopwatch: Option<Stopwatch>,
}

/// Serves until the device is lost or `stop` is set.
fn serve(device: &Arc<Device>, orders: &Receiver<Order>, counters: &Arc<Counters>, stop: &AtomicBool) {
    let mut flights: VecDeque<Flight> = VecDeque::new();
    let mut recorder = Recorder::default();
    let mut queue = Queue { orders, left: None, limit: device.limits.binding };
    while !device.is_lost() && !stop.load(Ordering::Acquire) {
        let batch = match queue.gather(flights.is_empty(), flights.len() < DEPTH) {
            Gathered::Batch(batch) => batch,
            Gathered::Nothing => Vec::new(),
            Gathered::Bandwidth { software, answer } => {
                // Whoever asked may be gone.
                let _ = answer.try_send(copy_bandwidth(device, software));
                continue;
            }
            Gathered::Closed => return,
        };
        if !batch.is_empty() {
            let begun = thread_time();
            match submit(device, &mut recorder, batch, counters) {
                Some(flight) => flights.push_back(flight),
                None => device.give_up(),
            }
            let took = thread_time().saturating_sub(begun);
            counters.submitting.fetch_add(took.as_nanos() as u64, Ordering::Relaxed);
        } else if let Some(oldest) = flights.front() {
            let index = Some(oldest.index.clone());
            // An error is a timeout, or a loss that the flag tells too.
            let _ = device.device.poll(PollType::Wait { submission_index: index, timeout: Some(WAIT) });
        }
        let _ = device.device.poll(PollType::Poll);
        while let Some(flight) = flights.front() {
            if flight.open.load(Ordering::Acquire) == 0 {
                if let Some(flight) = flights.pop_front() {
                    land(device, flight);
                }
            } else if flight.since.elapsed() > HANG {
                events::gpu_complained("no answer within the deadline");
                device.give_up();
                break;
            } else {
                break;
            }
        }
    }
    // Dropping the orders that are left tells those who wait.
    device.give_up();
}

enum Gathered {
    Batch(Vec<Job>),
    Bandwidth { software: bool, answer: SyncSender<Option<f64>> },
    Nothing,
    Closed,
}

/// The orders, and one that was taken but did not fit into the batch.
struct Queue<'a> {
    orders: &'a Receiver<Order>,
    left: Option<Order>,
    /// Bytes of a binding.
    limit: u64,
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
            Ok(Order::Bandwidth { software, answer }) if idle => return Gathered::Bandwidth { software, answer },
            Ok(order) => {
                self.left = Some(order);
                return Gathered::Nothing;
            }
            Err(RecvTimeoutError::Timeout) => return Gathered::Nothing,
            Err(RecvTimeoutError::Disconnected) => return Gathered::Closed,
        };
        let limits = BATCH_BYTES.map(|bytes| bytes.min(self.limit));
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

/// `None` when the device does not even give memory.
fn submit(device: &Arc<Device>, recorder: &mut Recorder, batch: Vec<Job>, counters: &Arc<Counters>) -> Option<Flight> {
    let programs: Vec<&Program> = batch.iter().map(|job| &job.program).collect();
    let recorded = recorder.record(device, &programs)?;
    let Recorded { commands, device: buffers, staging, readback, outputs, bytes_down, stopwatch, bytes_up } = recorded;
    let index = device.queue.submit([commands]);
    let add = |counter: &AtomicU64, n: u64| counter.fetch_add(n, Ordering::Relaxed);
    add(&counters.submissions, 1);
    events::gpu_submitted(batch.len());
    add(&counters.pictures, batch.len() as u64);
    add(&counters.bytes_up, bytes_up + batch.iter().map(|job| job.program.bytes_up).sum::<u64>());
    add(&counters.bytes_down, bytes_down);
    add(&counters.touched, batch.iter().map(|job| job.program.touched()).sum());
    let open = Arc::new(AtomicUsize::new(1));
    let mut staging = vec![staging];
    staging.extend(batch.iter().map(|job| job.program.staging.clone()));
    let flight = Flight { index, since: Instant::now(), open: Arc::clone(&open), device: buffers, staging, stopwatch };
    let waited = |job: Job| (job.answer, flight.since.saturating_duration_since(job.since));
    let answers: Vec<_> = batch.into_iter().map(waited).zip(outputs).collect();
    let (life, buffer, counters) = (Arc::clone(device), readback.clone(), Arc::clone(counters));
    let timed = flight.stopwatch.is_some();
    readback.map_async(MapMode::Read, ..bytes_down, move |mapped| {
        if mapped.is_ok() {
            let results = Arc::new(Results { device: Arc::clone(&life), buffer });
            if timed && let Some(timer) = &life.timer {
                let times = results.buffer.get_mapped_range(bytes_down - TIMES..bytes_down);
                counters.busy.fetch_add(times.map_or(0, |times| timer.elapsed(&times)), Ordering::Relaxed);
            }
            for ((answer, waited), at) in answers {
                // Whoever asked may be gone.
                let _ = answer.try_send(Ready { results: Arc::clone(&results), at, waited });
            }
        } else {
            life.give_up();
        }
        open.fetch_sub(1, Ordering::AcqRel);
    });
    Some(flight)
}

/// Everything of a flight was computed and mapped: its buffers are free.
fn land(device: &Arc<Device>, flight: Flight) {
    for buffer in flight.device {
        device.pool.put(Use::Device, buffer);
    }
    if let (Some(timer), Some(watch)) = (&device.timer, flight.stopwatch) {
        timer.put(watch);
    }
    for buffer in flight.staging {
        let (life, mapped) = (Arc::clone(device), buffer.clone());
        buffer.map_async(MapMode::Write, .., move |result| {
            if result.is_ok() {
                life.pool.put(Use::Staging, mapped);
            }
        });
    }
}
