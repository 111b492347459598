//! Who reads or writes mapped memory just now. wgpu frees the buffers of an invalid device in whatever `poll` or `submit`
//! comes next, mapped or not, and a view of them points nowhere from then on. So nobody polls a device that is known to be
//! lost until the last view is closed; and nothing that may find out that it is lost happens beside a poll.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Open views of one device, and whether there may be more.
#[derive(Debug, Default)]
pub(super) struct Holds {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: u64,
    closed: bool,
}

/// As long as it is there, what is mapped stays mapped.
#[derive(Debug)]
pub(super) struct Hold(Arc<Holds>);

impl Holds {
    /// `None` when the device is being destroyed.
    pub(super) fn hold(self: &Arc<Self>) -> Option<Hold> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        state.open += 1;
        Some(Hold(Arc::clone(self)))
    }

    /// Lets nobody begin any more and waits for those who have begun; whether they came to an end in time.
    pub(super) fn close(&self, within: Duration) -> bool {
        let begun = Instant::now();
        let mut state = self.lock();
        state.closed = true;
        while state.open > 0 {
            let left = within.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.open -= 1;
        if state.open == 0 {
            self.0.changed.notify_all();
        }
    }
}

/// Keeps polls and the making of buffers apart. Who makes something goes first: polls come all the time.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    taken: bool,
    makers: u64,
}

/// Longest wait of a maker. A poll is short, unless the driver does not come back from it.
const PATIENCE: Duration = Duration::from_millis(200);

impl Turns {
    /// Makes something; `None` when it does not become one's turn.
    pub(super) fn make<T>(&self, make: impl FnOnce() -> T) -> Option<T> {
        let mut turn = self.lock();
        turn.makers += 1;
        let waited = self.changed.wait_timeout_while(turn, PATIENCE, |turn| turn.taken);
        turn = waited.unwrap_or_else(PoisonError::into_inner).0;
        turn.makers -= 1;
        if turn.taken {
            return None;
        }
        turn.taken = true;
        drop(turn);
        let _back = Back(self);
        Some(make())
    }

    /// Polls.
    pub(super) fn poll<T>(&self, poll: impl FnOnce() -> T) -> T {
        let turn = self.lock();
        let waited = self.changed.wait_while(turn, |turn| turn.taken || turn.makers > 0);
        let mut turn = waited.unwrap_or_else(PoisonError::into_inner);
        turn.taken = true;
        drop(turn);
        let _back = Back(self);
        poll()
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the turn back, whatever happens.
struct Back<'a>(&'a Turns);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.lock().taken = false;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use std::sync::mpsc;

    #[test]
    fn closing_waits_for_those_who_have_begun_and_lets_nobody_begin() {
        let holds = Arc::new(Holds::default());
        let (first, second) = (holds.hold().unwrap(), holds.hold().unwrap());
        assert!(!holds.close(Duration::from_millis(20)));
        assert!(holds.hold().is_none());
        drop(first);
        let begun = Instant::now();
        let late = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(second);
        });
        assert!(holds.close(Duration::from_secs(20)));
        assert!(begun.elapsed() >= Duration::from_millis(40));
        late.join().unwrap();
    }

    #[test]
    fn who_polls_all_the_time_keeps_nobody_from_making() {
        let turns = Turns::default();
        let (stop, inside) = (AtomicBool::new(false), AtomicU64::new(0));
        let alone = || {
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "beside each other");
            std::thread::sleep(Duration::from_micros(300));
            inside.fetch_sub(1, Ordering::SeqCst);
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    turns.poll(alone);
                }
            });
            let begun = Instant::now();
            for _ in 0..100 {
                turns.make(alone).unwrap();
            }
            stop.store(true, Ordering::Relaxed);
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        });
    }

    #[test]
    fn a_poll_that_does_not_come_back_keeps_nobody_for_ever() {
        let turns = Turns::default();
        let (go, gone) = mpsc::channel();
        std::thread::scope(|scope| {
            let (begun, begins) = mpsc::channel();
            let turns = &turns;
            scope.spawn(move || {
                turns.poll(|| {
                    begun.send(()).unwrap();
                    gone.recv().unwrap();
                });
            });
            begins.recv().unwrap();
            assert_eq!(turns.make(|| 1), None);
            go.send(()).unwrap();
            turns.poll(|| ());
            assert_eq!(turns.make(|| 1), Some(1));
        });
    }
}
