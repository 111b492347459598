//! What a device's thread is asked for, on its way to it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::worker::Order;

/// Where a device's thread takes its orders from. Others close it only when the thread does not come back from its driver:
/// what waits for it then keeps memory for nobody.
#[derive(Debug)]
pub(super) struct Orders(Mutex<Option<Receiver<Order>>>);

impl Orders {
    pub(super) const fn new(orders: Receiver<Order>) -> Self {
        Self(Mutex::new(Some(orders)))
    }

    pub(super) fn recv_timeout(&self, limit: Duration) -> Result<Order, RecvTimeoutError> {
        self.lock().as_ref().map_or(Err(RecvTimeoutError::Disconnected), |orders| orders.recv_timeout(limit))
    }

    pub(super) fn try_recv(&self) -> Result<Order, TryRecvError> {
        self.lock().as_ref().map_or(Err(TryRecvError::Disconnected), Receiver::try_recv)
    }

    /// Takes no more orders, so that whoever gives one knows at once; everything that waits.
    pub(super) fn close(&self) -> Vec<Order> {
        let orders = self.lock().take();
        orders.iter().flat_map(Receiver::try_iter).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Receiver<Order>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Drill;
    use std::sync::mpsc;

    #[test]
    fn who_orders_of_a_closed_one_knows_at_once() {
        let (give, taken) = mpsc::sync_channel(4);
        let orders = Orders::new(taken);
        give.try_send(Order::Drill(Drill::Loss)).unwrap();
        give.try_send(Order::Drill(Drill::Invalid)).unwrap();
        assert!(matches!(orders.try_recv(), Ok(Order::Drill(Drill::Loss))));
        assert_eq!(orders.close().len(), 1);
        assert!(give.try_send(Order::Drill(Drill::Loss)).is_err());
        assert!(matches!(orders.recv_timeout(Duration::from_secs(20)), Err(RecvTimeoutError::Disconnected)));
        assert!(matches!(orders.try_recv(), Err(TryRecvError::Disconnected)) && orders.close().is_empty());
    }
}
