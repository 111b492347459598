//! What the thread that owns a device does with it: it gathers what is ready, records, submits and polls. While one thread waits
//! inside `poll`, others that submit would block; so nobody else does either.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollType};

use crate::backend::{BackendError, Drill};
use crate::telemetry::events;

use super::bandwidth::copy_bandwidth;
use super::burial::Remains;
use super::crew::Terms;
use super::device::Device;
use super::drill::{exhaust, hang, invalid};
use super::fate::Cause;
use super::gather::{Gathered, Queue};
use super::orders::Orders;
use super::pool::Lent;
use super::record::{Recorded, Recorder, TIMES};
use super::results::{Ready, Results};
use super::staging::Program;
use super::thread_time::thread_time;
use super::timer::Stopwatch;
use super::waiter::Ticket;

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

/// Serves until the device is lost or stopping is asked for; what somebody waits for then.
pub(super) fn serve(device: &Arc<Device>, orders: &Orders, counters: &Arc<Counters>, terms: &Terms) -> Remains {
    let mut flights = VecDeque::new();
    let mut queue = Queue::new(orders, device);
    let turns = AssertUnwindSafe(|| take_turns(device, &mut queue, &mut flights, counters, terms));
    if catch_unwind(turns).is_err() {
        events::gpu_complained("the device's thread panicked");
    }
    device.give_up(Cause::Lost);
    Remains { flights, queued: queue.rest() }
}

fn take_turns(
    device: &Arc<Device>,
    queue: &mut Queue<'_>,
    flights: &mut VecDeque<Flight>,
    counters: &Arc<Counters>,
    terms: &Terms,
) {
    let mut recorder = Recorder::default();
    let mut shortages = device.pool.shortages();
    while !device.is_lost() && !terms.stop.load(Ordering::Acquire) {
        device.show_sign();
        let batch = match queue.gather(flights.len()) {
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
                    Drill::Exhausted => exhaust(device),
                }
                continue;
            }
            Gathered::Closed => return,
        };
        if !batch.is_empty() {
            let begun = thread_time();
            match submit(device, &mut recorder, batch, counters) {
                Ok(flight) => flights.push_back(flight),
                Err((BackendError::OutOfMemory, batch)) => queue.give_back(batch, flights.len()),
                // Dropped, its tickets tell.
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

/// Submits a batch.
///
/// # Errors
/// As [`Recorder::record`], and the batch.
fn submit(
    device: &Arc<Device>,
    recorder: &mut Recorder,
    batch: Vec<Job>,
    counters: &Arc<Counters>,
) -> Result<Flight, (BackendError, Vec<Job>)> {
    let programs: Vec<&Program> = batch.iter().map(|job| &job.program).collect();
    let recorded = match recorder.record(device, &programs) {
        Ok(recorded) => recorded,
        Err(error) => return Err((error, batch)),
    };
    let Recorded { commands, device: buffers, staging, readback, outputs, bytes_down, stopwatch, bytes_up } = recorded;
    let Some(index) = device.submit(commands) else { return Err((BackendError::DeviceLost, batch)) };
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
