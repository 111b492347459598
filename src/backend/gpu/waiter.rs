//! Who waits for a result is told once, whatever becomes of the device.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::backend::BackendError;

use super::results::Ready;

/// What is called with the result, on the device's thread or that of the [`Watch`]: it must be quick.
pub(super) type Done = Box<dyn FnOnce(Result<Ready, BackendError>) + Send>;

/// Somebody who waits.
pub(super) struct Waiter {
    since: Instant,
    /// Number of the thread that is to tell.
    thread: u64,
    done: Mutex<Option<Done>>,
}

impl Waiter {
    pub(super) fn new(thread: u64, done: Done) -> Self {
        Self { since: Instant::now(), thread, done: Mutex::new(Some(done)) }
    }

    /// Tells the result; only the first is heard.
    pub(super) fn tell(&self, result: Result<Ready, BackendError>) -> bool {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.map(|done| done(result)).is_some()
    }

    fn is_told(&self) -> bool {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }
}

/// The device's side of a [`Waiter`]: dropped untold, it tells that there is no result.
pub(super) struct Ticket(pub(super) Arc<Waiter>);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.tell(Err(BackendError::DeviceLost));
    }
}

/// Those who wait, in the order in which they came, and a thread that sees to it that nobody waits for ever: a driver may
/// not return from a call, and then the device's own thread cannot tell.
#[derive(Clone, Default)]
pub(super) struct Watch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    list: Mutex<List>,
    changed: Condvar,
}

#[derive(Default)]
struct List {
    waiting: VecDeque<Arc<Waiter>>,
    stopping: bool,
}

impl Watch {
    /// Starts the thread. Who has waited for `patience` is told that the device hangs; then `lost` is called with
    /// the number of the thread that should have told.
    pub(super) fn start(name: &str, patience: Duration, lost: impl Fn(u64) + Send + 'static) -> std::io::Result<Self> {
        let watch = Self::default();
        let theirs = watch.clone();
        std::thread::Builder::new().name(format!("{name}-watch")).spawn(move || theirs.run(patience, &lost))?;
        Ok(watch)
    }

    /// Puts somebody on the list.
    pub(super) fn add(&self, waiter: &Arc<Waiter>) {
        let mut list = self.lock();
        // Most have been told when the next one comes: the list stays short without the thread's help.
        while list.waiting.front().is_some_and(|first| first.is_told()) {
            list.waiting.pop_front();
        }
        list.waiting.push_back(Arc::clone(waiter));
        let first = list.waiting.len() == 1;
        drop(list);
        if first {
            self.0.changed.notify_one();
        }
    }

    /// Ends the thread.
    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.0.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, patience: Duration, lost: &dyn Fn(u64)) {
        let mut list = self.lock();
        while !list.stopping {
            while list.waiting.front().is_some_and(|first| first.is_told()) {
                list.waiting.pop_front();
            }
            let Some(first) = list.waiting.front() else {
                list = self.0.changed.wait(list).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = patience.saturating_sub(first.since.elapsed());
            if !left.is_zero() {
                list = self.0.changed.wait_timeout(list, left).unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let first = list.waiting.pop_front();
            drop(list);
            if let Some(first) = first
                && first.tell(Err(BackendError::Hung))
            {
                lost(first.thread);
            }
            list = self.lock();
        }
    }
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("waiting", &self.lock().waiting.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_ticket_that_is_dropped_tells_and_nobody_is_told_twice() {
        let (told, heard) = mpsc::channel();
        let again = told.clone();
        let waiter = Arc::new(Waiter::new(0, Box::new(move |result| told.send(result.is_err()).unwrap())));
        drop(Ticket(Arc::clone(&waiter)));
        assert!(heard.recv().unwrap());
        assert!(!waiter.tell(Err(BackendError::DeviceLost)) && waiter.is_told());
        drop(again);
        assert!(heard.recv().is_err());
    }

    #[test]
    fn who_has_waited_too_long_is_told_in_turn() {
        let (told, heard) = mpsc::channel();
        let (gone, lost) = mpsc::channel();
        let watch = Watch::start("test", Duration::from_millis(60), move |thread| gone.send(thread).unwrap()).unwrap();
        let add = |number: u32| {
            let told = told.clone();
            let waiter = Arc::new(Waiter::new(7, Box::new(move |_| told.send(number).unwrap())));
            watch.add(&waiter);
            waiter
        };
        let begun = Instant::now();
        let (first, _second) = (add(1), add(2));
        // Whoever has a result is left alone.
        first.tell(Err(BackendError::Cancelled));
        assert_eq!(heard.recv().unwrap(), 1);
        assert_eq!(heard.recv_timeout(Duration::from_secs(20)).unwrap(), 2);
        assert!(begun.elapsed() >= Duration::from_millis(60));
        assert_eq!(lost.recv_timeout(Duration::from_secs(20)).unwrap(), 7);
        watch.stop();
    }
}
