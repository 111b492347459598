//! The thread that owns a device: it gathers what is ready, records, submits, polls, and makes a new device when the
//! old one is lost. While one thread waits inside `poll`, others that submit would block; so nobody else does either.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use wgpu::{Buffer, MapMode, PollType};

use crate::telemetry::events;

use super::device::{Device, OpenError};
use super::pool::Use;
use super::record::{Held, record};
use super::staging::Program;

/// Programs and bytes of one submission.
const BATCH: usize = 32;
const BATCH_BYTES: u64 = 256 << 20;
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
}

/// A program and who waits for it.
pub(super) struct Order {
    pub(super) program: Program,
    /// Gets the mapped result; dropped when there will be none.
    pub(super) answer: SyncSender<Buffer>,
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
}

/// Serves until the device is lost or `stop` is set.
fn serve(device: &Arc<Device>, orders: &Receiver<Order>, counters: &Counters, stop: &AtomicBool) {
    let mut flights: VecDeque<Flight> = VecDeque::new();
    while !device.is_lost() && !stop.load(Ordering::Acquire) {
        let batch = match gather(orders, flights.is_empty(), flights.len() < DEPTH) {
            Gathered::Batch(batch) => batch,
            Gathered::Nothing => Vec::new(),
            Gathered::Closed => return,
        };
        if !batch.is_empty() {
            flights.push_back(submit(device, batch, counters));
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
    Batch(Vec<Order>),
    Nothing,
    Closed,
}

/// What is ready; waits when the device has nothing to do.
fn gather(orders: &Receiver<Order>, idle: bool, room: bool) -> Gathered {
    if !room {
        return Gathered::Nothing;
    }
    let first = if idle {
        // Wakes now and then to see whether the device is lost.
        match orders.recv_timeout(Duration::from_millis(100)) {
            Ok(order) => order,
            Err(RecvTimeoutError::Timeout) => return Gathered::Nothing,
            Err(RecvTimeoutError::Disconnected) => return Gathered::Closed,
        }
    } else {
        match orders.try_recv() {
            Ok(order) => order,
            Err(TryRecvError::Empty) => return Gathered::Nothing,
            Err(TryRecvError::Disconnected) => return Gathered::Nothing,
        }
    };
    let mut bytes = first.program.bytes_up();
    let mut batch = vec![first];
    while batch.len() < BATCH
        && bytes < BATCH_BYTES
        && let Ok(order) = orders.try_recv()
    {
        bytes += order.program.bytes_up();
        batch.push(order);
    }
    Gathered::Batch(batch)
}

fn submit(device: &Arc<Device>, batch: Vec<Order>, counters: &Counters) -> Flight {
    let programs: Vec<&Program> = batch.iter().map(|order| &order.program).collect();
    let (commands, held) = record(device, &programs);
    let index = device.queue.submit([commands]);
    counters.submissions.fetch_add(1, Ordering::Relaxed);
    counters.pictures.fetch_add(batch.len() as u64, Ordering::Relaxed);
    let open = Arc::new(AtomicUsize::new(batch.len()));
    let mut flight =
        Flight { index, since: Instant::now(), open: Arc::clone(&open), device: Vec::new(), staging: Vec::new() };
    for (Order { program, answer }, Held { device: buffers, readback }) in batch.into_iter().zip(held) {
        counters.bytes_up.fetch_add(program.bytes_up(), Ordering::Relaxed);
        counters.bytes_down.fetch_add(program.bytes_down(), Ordering::Relaxed);
        flight.device.extend(buffers);
        flight.staging.push(program.staging.clone());
        let (open, life, result) = (Arc::clone(&open), Arc::clone(device), readback.clone());
        readback.map_async(MapMode::Read, ..program.bytes_down(), move |mapped| {
            match mapped {
                Ok(()) => {
                    if let Err(mpsc::TrySendError::Disconnected(buffer) | mpsc::TrySendError::Full(buffer)) =
                        answer.try_send(result)
                    {
                        // Nobody waits any more.
                        buffer.unmap();
                        life.pool.put(Use::Readback, buffer);
                    }
                }
                Err(_) => life.give_up(),
            }
            open.fetch_sub(1, Ordering::AcqRel);
        });
    }
    flight
}

/// Everything of a flight was computed and mapped: its buffers are free.
fn land(device: &Arc<Device>, flight: Flight) {
    for buffer in flight.device {
        device.pool.put(Use::Device, buffer);
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
