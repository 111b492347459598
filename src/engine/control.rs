use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::backend::Checkpoint;

/// The life of one request, as the work sees it: ends when the client goes away or the deadline passes.
#[derive(Debug, Clone)]
pub(super) struct Control {
    cancelled: Arc<AtomicBool>,
    deadline: Instant,
}

impl Control {
    pub(super) fn new(deadline: Instant) -> Self {
        Self { cancelled: Arc::default(), deadline }
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Nobody waits any more.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Checkpoint for Control {
    fn is_cancelled(&self) -> bool {
        // Reading the clock is some 25 ns; checkpoints are bands of rows apart.
        self.cancelled.load(Ordering::Relaxed) || Instant::now() >= self.deadline
    }
}

/// Cancels when dropped: an async waiter that goes away takes its work with it.
#[derive(Debug)]
pub(super) struct CancelOnDrop(pub(super) Control);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
