//! The device's current life, and which thread may say what it is: one that was given up may come back from its driver, and
//! then has no say any more.

use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::device::Device;
use super::orders::Orders;
use super::worker::Order;

/// Threads that may be away in their driver: each keeps what its device had.
pub(super) const MOST_AWAY: u64 = 3;

/// A device and the way to its thread.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) device: Arc<Device>,
    pub(super) orders: SyncSender<Order>,
    /// Where its thread takes them from; there as long as the thread takes any.
    pub(super) taken: Weak<Orders>,
    /// Number of the thread.
    pub(super) thread: u64,
}

/// The device's current life; there may be none.
#[derive(Debug, Clone, Default)]
pub(super) struct Lives(Arc<RwLock<Seat>>);

#[derive(Debug, Default)]
struct Seat {
    life: Option<Life>,
    /// Number of the thread that serves; all before it have no say any more.
    thread: u64,
    /// How many are away in the driver.
    away: u64,
    /// So many that there is no thread, until one of them comes back.
    failed: bool,
}

/// What becomes of a thread whose helper does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It serves, and may send another.
    Serving,
    /// Too many are away: whoever comes back first serves.
    Failed,
    /// It was given up itself.
    GivenUp,
}

/// What becomes of an adapter when its thread was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heir {
    /// A thread of this number is to serve.
    Thread(u64),
    /// Nobody: too many are away.
    Nobody,
}

impl Lives {
    /// The life that goes on now.
    pub(super) fn current(&self) -> Option<Life> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).life.clone()
    }

    /// What goes on now, as the thread says that serves; whether it does.
    pub(super) fn set(&self, thread: u64, life: Option<Life>) -> bool {
        let mut seat = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let serves = seat.thread == thread && !seat.failed;
        if serves {
            seat.life = life;
        }
        serves
    }

    /// Gives a thread up; `None` when it was already.
    pub(super) fn give_up(&self, thread: u64) -> Option<Heir> {
        let mut seat = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seat.thread != thread || seat.failed {
            return None;
        }
        seat.life = None;
        seat.away += 1;
        seat.thread += 1;
        seat.failed = seat.away >= MOST_AWAY;
        Some(if seat.failed { Heir::Nobody } else { Heir::Thread(seat.thread) })
    }

    /// A helper of the thread that serves does not come back from opening a device.
    pub(super) fn went_away(&self, thread: u64) -> Left {
        let mut seat = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seat.away += 1;
        if seat.thread != thread {
            return Left::GivenUp;
        }
        seat.failed |= seat.away >= MOST_AWAY;
        if seat.failed { Left::Failed } else { Left::Serving }
    }

    /// There is no thread for this number: as if too many were away. The first that comes back serves; whether there is one
    /// that may.
    pub(super) fn vacate(&self, thread: u64) -> bool {
        let mut seat = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seat.failed |= seat.thread == thread && seat.away > 0;
        seat.failed || seat.thread != thread
    }

    /// Whether nobody serves or tries to: too many are away.
    pub(super) fn has_failed(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).failed
    }

    /// A thread that was given up came back: one more may be away. Where nobody was left, a thread of this number is to serve:
    /// the driver answers again.
    pub(super) fn came_back(&self) -> Option<u64> {
        let mut seat = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seat.away = seat.away.saturating_sub(1);
        let revived = seat.failed && seat.away < MOST_AWAY;
        if revived {
            seat.failed = false;
            seat.thread += 1;
        }
        revived.then_some(seat.thread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_given_up_once_and_has_no_say_then() {
        let lives = Lives::default();
        assert!(lives.set(0, None));
        assert_eq!(lives.give_up(0), Some(Heir::Thread(1)));
        assert_eq!(lives.give_up(0), None);
        assert!(!lives.set(0, None) && lives.set(1, None));
    }

    #[test]
    fn threads_that_open_are_away_like_others() {
        let lives = Lives::default();
        assert_eq!(lives.went_away(0), Left::Serving);
        assert_eq!(lives.give_up(0), Some(Heir::Thread(1)));
        assert_eq!(lives.came_back(), None);
        assert_eq!(lives.went_away(1), Left::Serving);
        assert!(!lives.has_failed());
        assert_eq!(lives.went_away(1), Left::Failed);
        assert!(lives.has_failed() && !lives.set(1, None));
    }

    #[test]
    fn so_many_may_be_away_and_one_more_for_each_that_came_back() {
        let lives = Lives::default();
        assert_eq!(lives.give_up(0), Some(Heir::Thread(1)));
        assert_eq!(lives.came_back(), None);
        assert_eq!(lives.give_up(1), Some(Heir::Thread(2)));
        assert_eq!(lives.give_up(2), Some(Heir::Thread(3)));
        assert_eq!(lives.give_up(3), Some(Heir::Nobody));
        assert!(lives.has_failed() && lives.give_up(4).is_none() && !lives.set(3, None));
        // The first to come back serves, and nobody else.
        assert_eq!(lives.came_back(), Some(5));
        assert_eq!(lives.came_back(), None);
        assert!(!lives.has_failed() && !lives.set(3, None) && lives.set(5, None));
    }

    #[test]
    fn the_helper_of_a_thread_that_was_given_up_does_not_speak_for_the_one_that_serves() {
        let lives = Lives::default();
        assert_eq!(lives.give_up(0), Some(Heir::Thread(1)));
        assert_eq!(lives.went_away(0), Left::GivenUp);
        assert_eq!(lives.went_away(0), Left::GivenUp);
        assert!(!lives.has_failed() && lives.set(1, None));
        // All of them count.
        assert_eq!(lives.give_up(1), Some(Heir::Nobody));
        assert_eq!([lives.came_back(), lives.came_back()], [None, Some(3)]);
    }

    #[test]
    fn a_seat_that_nobody_could_take_goes_to_the_first_that_comes_back() {
        let lives = Lives::default();
        assert_eq!(lives.give_up(0), Some(Heir::Thread(1)));
        assert!(lives.vacate(0) && !lives.has_failed());
        assert!(lives.vacate(1) && lives.has_failed() && !lives.set(1, None));
        assert_eq!(lives.came_back(), Some(2));
        // Nobody is away who could come back.
        assert!(!lives.vacate(2) && !lives.has_failed() && lives.set(2, None));
    }
}
