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

/// Keeps polls and the making of buffers apart. Who makes something goes first, for polls come all the time; but a poll that
/// has waited goes before makers that come after it.
#[derive(Debug, Default)]
pub(super) struct Turns {
    turn: Mutex<Turn>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    polling: bool,
    /// Makers at work, and those who wait to be.
    making: u64,
    makers: u64,
    /// Polls that have waited.
    late: u64,
}

/// Longest wait of a maker. A poll is short, unless the driver does not come back from it.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long a poll lets makers go first.
const COURTESY: Duration = Duration::from_millis(5);
/// Makers at work beside each other: a driver that does not come back from it keeps so many.
const MOST_MAKING: u64 = 4;

/// A maker's turn.
#[derive(Debug)]
pub(super) struct Making(Arc<Turns>);

impl Drop for Making {
    fn drop(&mut self) {
        self.0.lock().making -= 1;
        self.0.changed.notify_all();
    }
}

impl Turns {
    /// A maker's turn; `None` when it does not come.
    pub(super) fn making(self: &Arc<Self>) -> Option<Making> {
        let mut turn = self.lock();
        let mine = |turn: &Turn| !turn.polling && turn.late == 0 && turn.making < MOST_MAKING;
        turn.makers += 1;
        let waited = self.changed.wait_timeout_while(turn, PATIENCE, |turn| !mine(turn));
        turn = waited.unwrap_or_else(PoisonError::into_inner).0;
        turn.makers -= 1;
        let made = mine(&turn);
        turn.making += u64::from(made);
        drop(turn);
        if !made {
            // A poll may have waited for this one.
            self.changed.notify_all();
        }
        made.then(|| Making(Arc::clone(self)))
    }

    /// Polls.
    pub(super) fn poll<T>(&self, poll: impl FnOnce() -> T) -> T {
        let turn = self.lock();
        let theirs = |turn: &Turn| turn.polling || turn.making > 0;
        let waited = self.changed.wait_timeout_while(turn, COURTESY, |turn| theirs(turn) || turn.makers > 0);
        let mut turn = waited.unwrap_or_else(PoisonError::into_inner).0;
        if theirs(&turn) {
            turn.late += 1;
            turn = self.changed.wait_while(turn, |turn| theirs(turn)).unwrap_or_else(PoisonError::into_inner);
            turn.late -= 1;
        }
        turn.polling = true;
        drop(turn);
        let _back = Back(self);
        poll()
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a poll's turn back, whatever happens.
struct Back<'a>(&'a Turns);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.lock().polling = false;
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

    /// Makers and polls, none beside the other kind; how many polls there were. The makers make so many things each.
    fn crowd(makers: usize, things: usize) -> u64 {
        let turns: Arc<Turns> = Arc::default();
        let (stop, polling, making, polls) =
            (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let work = || std::thread::sleep(Duration::from_micros(300));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    turns.poll(|| {
                        polling.fetch_add(1, Ordering::SeqCst);
                        assert_eq!(making.load(Ordering::SeqCst), 0, "beside a maker");
                        work();
                        polling.fetch_sub(1, Ordering::SeqCst);
                    });
                    polls.fetch_add(1, Ordering::Relaxed);
                }
            });
            let make = || {
                for _ in 0..things {
                    let turn = turns.making().unwrap();
                    let beside = making.fetch_add(1, Ordering::SeqCst);
                    assert!(polling.load(Ordering::SeqCst) == 0 && beside < MOST_MAKING, "beside a poll, or too many");
                    work();
                    making.fetch_sub(1, Ordering::SeqCst);
                    drop(turn);
                }
            };
            let all: Vec<_> = (0..makers).map(|_| scope.spawn(make)).collect();
            for one in all {
                one.join().unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
        polls.into_inner()
    }

    #[test]
    fn who_polls_all_the_time_keeps_nobody_from_making() {
        let begun = Instant::now();
        crowd(1, 100);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn who_makes_all_the_time_keeps_nobody_from_polling() {
        let begun = Instant::now();
        let polls = crowd(8, 500);
        // 300 ms or more of making, and a poll at least every few of them.
        assert!(polls >= 10, "{polls} polls in {:?}", begun.elapsed());
    }

    #[test]
    fn a_poll_that_does_not_come_back_keeps_nobody_for_ever() {
        let turns: Arc<Turns> = Arc::default();
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
            assert!(turns.making().is_none());
            go.send(()).unwrap();
            turns.poll(|| ());
            assert!(turns.making().is_some());
        });
    }

    #[test]
    fn makers_that_do_not_come_back_are_few() {
        let turns: Arc<Turns> = Arc::default();
        let stuck: Vec<Making> = (0..MOST_MAKING).map(|_| turns.making().unwrap()).collect();
        assert!(turns.making().is_none());
        drop(stuck);
        assert!(turns.making().is_some());
    }
}
