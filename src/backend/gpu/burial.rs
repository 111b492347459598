//! What is left of a device that was lost, and how it is let go of: a driver may wait there for work that hangs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backend::BackendError;

use super::device::Device;
use super::lives::Life;
use super::threads::beside;
use super::worker::{Flight, Order};

/// What a device leaves: nobody waits for it any more.
#[derive(Default)]
pub(super) struct Remains {
    pub(super) flights: VecDeque<Flight>,
    pub(super) queued: Vec<Order>,
}

impl Remains {
    /// Tells those who wait. Some results may never be mapped.
    pub(super) fn tell(&self) {
        let flying = self.flights.iter().flat_map(|flight| flight.tickets.iter());
        let queued = self.queued.iter().filter_map(|order| match order {
            Order::Picture(job) => Some(&job.ticket),
            Order::Sign(ticket) => Some(ticket),
            Order::Bandwidth { .. } | Order::Drill(_) => None,
        });
        for ticket in flying.chain(queued) {
            ticket.0.tell(Err(BackendError::DeviceLost));
        }
    }
}

/// How long those who hold memory of a lost device, and its driver, may take until it is left as it is.
const GRACE: Duration = Duration::from_secs(60);

/// Destroys what is left of a device. A driver may wait there for work that hangs: nobody waits for the driver.
pub(super) fn bury(device: Arc<Device>, remains: Remains) {
    beside((device, remains), |(device, remains)| {
        drop(remains);
        let mut gone = device.destroy(GRACE);
        let begun = Instant::now();
        // The last one who lets go of it waits for the driver: this thread, not one that has work to do.
        while gone && Arc::strong_count(&device) > 1 {
            std::thread::sleep(Duration::from_millis(5));
            gone = begun.elapsed() < GRACE;
        }
        if !gone {
            // Its memory may be in use; what lies idle is not.
            device.pool.close();
            std::mem::forget(device);
        }
    });
}

/// Gives back what a device keeps whose thread may never come back: what lies idle, and what waits.
pub(super) fn forsake(life: Life) {
    beside(life, |life| {
        let queued = life.taken.upgrade().map(|orders| orders.close()).unwrap_or_default();
        let remains = Remains { queued, ..Remains::default() };
        remains.tell();
        drop(remains);
        life.device.pool.close();
    });
}
