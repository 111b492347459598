//! What the thread that owns a device does with it: it gathers what is ready, records, submits and polls. While one thread waits
//! inside `poll`, others that submit would block; so nobody else does either.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollType};

use crate::backend::{BackendError, Drill};
use crate::telemetry::events;

use super::bandwidth::copy_bandwidth;
use super::crew::Terms;
use super::device::{Device, SHARES};
use super::drill::{hang, invalid};
use super::fate::Cause;
use super::orders::Orders;
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
    /// First, so that it tells before the program's memory goes.
    pub(super) ticket: Ticket,
    pub(super) program: Program,
    /// When it was ordered.
    pub(super) since: Instant,
}

/// A submission that the device works on.
pub(super) struct Flight {
    index: wgpu::SubmissionIndex,
    /// When it was submitted, or the one before it was done.
    since: Instant,
    /// Results that are not mapped yet.
    open: Arc<AtomicUsize>,
    device: [Lent; 3],
    staging: Vec<Lent>,
    stopwatch: Option<Stopwatch>,
    pub(super) tickets: Arc<Vec<Ticket>>,
}

/// Serves until the device is lost or stopping is asked for; what is in flight then, for which somebody waits.
pub(super) fn serve(
    device: &Arc<Device>,
    orders: &Orders,
    counters: &Arc<Counters>,
    terms: &Terms,
) -> VecDeque<Flight> {
    let mut flights = VecDeque::new();
    let turns = AssertUnwindSafe(|| take_turns(device, orders, &mut flights, counters, terms));
    if catch_unwind(turns).is_err() {
        events::gpu_complained("the device's thread panicked");
    }
    device.give_up(Cause::Lost);
    flights
}

fn take_turns(
    device: &Arc<Device>,
    orders: &Orders,
    flights: &mut VecDeque<Flight>,
    counters: &Arc<Counters>,
    terms: &Terms,
) {
    let mut recorder = Recorder::default();
    let mut queue = Queue { orders, left: None, limits: device.batch_limits() };
    let mut shortages = device.pool.shortages();
    while !device.is_lost() && !terms.stop.load(Ordering::Acquire) {
        device.show_sign();
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
                    Drill::Panic => device.panic(),
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
                // It was behind that one until now.
                if let Some(next) = flights.front_mut() {
                    next.since = Instant::now();
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
    orders: &'a Orders,
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
    // Weak: what is never called back must not keep the device that would call.
    let (life, waiting, counters) = (Arc::downgrade(device), Arc::clone(&tickets), Arc::clone(counters));
    let timed = stopwatch.is_some();
    let done = Arc::clone(&open);
    let mapped: Buffer = Buffer::clone(&readback);
    mapped.map_async(MapMode::Read, ..bytes_down, move |mapped| {
        let Some(life) = life.upgrade() else { return };
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
        let (life, buffer) = (Arc::downgrade(device), Buffer::clone(&lent));
        buffer.map_async(MapMode::Write, .., move |result| {
            if result.is_ok()
                && let Some(life) = life.upgrade()
            {
                life.pool.put(lent);
            }
        });
    }
}
