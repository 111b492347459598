//! What a device's thread is asked for, on its way to it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::worker::Order;

/// Where a device's thread takes its orders from. Others look in only when the thread does not come back from its driver:
/// what waits for it then keeps memory for nobody.
#[derive(Debug)]
pub(super) struct Orders(Mutex<Receiver<Order>>);

impl Orders {
    pub(super) const fn new(orders: Receiver<Order>) -> Self {
        Self(Mutex::new(orders))
    }

    pub(super) fn recv_timeout(&self, limit: Duration) -> Result<Order, RecvTimeoutError> {
        self.lock().recv_timeout(limit)
    }

    pub(super) fn try_recv(&self) -> Result<Order, TryRecvError> {
        self.lock().try_recv()
    }

    /// Everything that waits.
    pub(super) fn rest(&self) -> Vec<Order> {
        self.lock().try_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Receiver<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
