//! The threads of one adapter: the one that owns its device and makes a new one when the old one is lost, and those that did
//! not come back from the driver.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::telemetry::events;

use super::burial::{Remains, bury, forsake};
use super::device::{Device, OpenError};
use super::fate::Cause;
use super::lives::{Heir, Left, Life, Lives};
use super::orders::Orders;
use super::threads::{Unmade, within};
use super::worker::{Counters, serve};

/// Opening a device may take so long at first, unless something else is said; each time that it takes longer, twice as long
/// the next time, up to [`LONGEST`]: a driver may compile for long, but not for ever.
pub(super) const OPENING: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(960);
/// Loading the drivers may take so long in any case.
pub(super) const LOADING: Duration = Duration::from_secs(10);
/// Pauses between attempts at a new device.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(30));

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
        let life = match self.opened(0, 0) {
            Ok(device) => {
                let (life, orders) = live(0, device);
                self.lives.set(0, Some(life.clone()));
                Some((life, orders))
            }
            Err(Unopened::Refused(error)) => return Err(error),
            Err(Unopened::Stuck(_)) => None,
        };
        let tries = u32::from(life.is_none());
        self.spawn(0, life, tries).map_err(|e| OpenError(e.to_string()))
    }

    /// A device, unless the driver does not come back: then the helper that went there is given up. `tries`: how often
    /// that happened before.
    fn opened(&self, thread: u64, tries: u32) -> Result<Device, Unopened> {
        let open = Arc::clone(&self.open);
        let crew = self.clone();
        let late = move |made: Option<Result<Device, OpenError>>| {
            if let Some(Ok(device)) = made {
                bury(Arc::new(device), Remains::default());
            }
            if let Some(next) = crew.lives.came_back()
                && crew.spawn(next, None, tries + 1).is_err()
            {
                // This one has nothing else to do.
                crew.work(next, None, tries + 1);
            }
        };
        let limit = 2_u32.checked_pow(tries).and_then(|times| self.terms.opening.checked_mul(times));
        let limit = limit.unwrap_or(LONGEST).min(LONGEST.max(self.terms.opening));
        match within("gpu-open", limit, move || open(), late) {
            Ok(made) => made.map_err(Unopened::Refused),
            Err(Unmade::NoThread(error)) => Err(Unopened::Refused(OpenError(error.to_string()))),
            Err(Unmade::Stuck(late)) => {
                self.counters.given_up.fetch_add(1, Ordering::Relaxed);
                let left = self.lives.went_away(thread);
                events::gpu_given_up(left == Left::Serving);
                // Counted before it can come back.
                drop(late);
                Err(Unopened::Stuck(left))
            }
        }
    }

    /// Somebody has waited too long for a thread. If it does not come back from the driver, nobody goes there any more, and
    /// another one takes its place; one that goes on is slow, and is left alone.
    pub(super) fn give_up(&self, thread: u64) {
        let stuck = |life: &Life| life.thread == thread && life.device.silence() >= self.terms.deadline;
        let Some(life) = self.lives.current().filter(stuck) else { return };
        life.device.give_up(Cause::Hung);
        let Some(heir) = self.lives.give_up(thread) else { return };
        self.counters.losses.fetch_add(1, Ordering::Relaxed);
        self.counters.given_up.fetch_add(1, Ordering::Relaxed);
        events::gpu_given_up(heir != Heir::Nobody);
        forsake(life);
        if let Heir::Thread(next) = heir
            && let Err(error) = self.spawn(next, None, 0)
        {
            events::gpu_unopened("rebuilt", &error.to_string());
            // Where nobody is away who could take the seat, there is a thread sooner or later.
            while !self.lives.vacate(next) && !self.terms.stop.load(Ordering::Acquire) {
                std::thread::sleep(Duration::from_secs(1));
                if self.spawn(next, None, 0).is_ok() {
                    break;
                }
            }
        }
    }

    fn spawn(&self, thread: u64, life: Option<(Life, Arc<Orders>)>, tries: u32) -> std::io::Result<()> {
        let crew = self.clone();
        std::thread::Builder::new().name(self.name.clone()).spawn(move || crew.work(thread, life, tries)).map(drop)
    }

    /// Serves, and makes a new device whenever the old one is lost. `tries`: how often the driver did not come back from
    /// opening one.
    fn work(&self, mut thread: u64, mut life: Option<(Life, Arc<Orders>)>, mut tries: u32) {
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
                let serves = match self.opened(thread, tries) {
                    Ok(device) => {
                        tries = 0;
                        let (next, orders) = live(thread, device);
                        if lives.set(thread, Some(next.clone())) {
                            life = Some((next, orders));
                            continue;
                        }
                        bury(next.device, Remains::default());
                        false
                    }
                    Err(Unopened::Stuck(Left::Failed)) => return,
                    Err(Unopened::Stuck(Left::GivenUp)) => false,
                    Err(Unopened::Stuck(Left::Serving)) => {
                        tries += 1;
                        true
                    }
                    Err(Unopened::Refused(error)) => {
                        events::gpu_unopened("rebuilt", &error.to_string());
                        lives.set(thread, None)
                    }
                };
                if !serves {
                    let Some(next) = lives.came_back() else { return };
                    thread = next;
                }
                std::thread::sleep(pause);
                pause = longer(pause);
                continue;
            };
            let begun = Instant::now();
            let device = Arc::clone(&now.device);
            drop(now);
            let mut remains = serve(&device, &orders, counters, terms);
            // First: whoever is told looks for what is there now.
            let serves = lives.set(thread, None);
            let stops = terms.stop.load(Ordering::Acquire);
            if serves && !stops {
                counters.losses.fetch_add(1, Ordering::Relaxed);
                events::gpu_lost();
            }
            remains.queued.extend(orders.close());
            remains.tell();
            drop(orders);
            if stops {
                break;
            }
            bury(device, remains);
            if !serves {
                let Some(next) = lives.came_back() else { return };
                thread = next;
            }
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
    /// The driver did not come back.
    Stuck(Left),
}

fn live(thread: u64, device: Device) -> (Life, Arc<Orders>) {
    // Never full: no more jobs wait than may.
    let (orders, received) = mpsc::sync_channel(1024);
    let received = Arc::new(Orders::new(received));
    (Life { device: Arc::new(device), orders, taken: Arc::downgrade(&received), thread }, received)
}
