//! What a driver is asked for by those who have other work to do, on a thread of its own: it may not come back from that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

/// Holds up what comes too late, until what is to be done before it was done.
#[derive(Debug)]
pub(super) struct Late<T>(#[allow(dead_code, reason = "dropping it is its use")] mpsc::Receiver<Option<T>>);

/// Why there is nothing.
#[derive(Debug)]
pub(super) enum Unmade<T> {
    /// It was not made in time. `late` is called if the driver ever comes back, but not before this is dropped.
    Stuck(Late<T>),
    /// There was no thread.
    NoThread(std::io::Error),
}

/// Makes something in a driver, on a thread of this name. What is made too late goes to `late`, on the thread that made it; `None` when that panicked.
pub(super) fn within<T: Send + 'static>(
    name: &str,
    limit: Duration,
    make: impl FnOnce() -> T + Send + 'static,
    late: impl FnOnce(Option<T>) + Send + 'static,
) -> Result<T, Unmade<T>> {
    // Without room: what nobody takes stays with who made it.
    let (give, taken) = mpsc::sync_channel(0);
    let work = move || {
        // A thread that panics late comes back, too.
        let made = catch_unwind(AssertUnwindSafe(make)).ok();
        if let Err(mpsc::SendError(made)) = give.send(made) {
            late(made);
        }
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(Unmade::NoThread)?;
    match taken.recv_timeout(limit) {
        Ok(made) => made.ok_or_else(|| Unmade::NoThread(std::io::Error::other("it panicked"))),
        Err(_) => Err(Unmade::Stuck(Late(taken))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_is_made_in_time_is_given_and_what_is_late_is_not_lost() {
        let never = |_| unreachable!("in time");
        assert!(matches!(within("test", Duration::from_secs(20), || 7, never), Ok(7)));
        let (go, gone) = mpsc::channel::<()>();
        let (late, came) = mpsc::channel();
        let begun = Instant::now();
        let stuck = within(
            "test",
            Duration::from_millis(30),
            move || {
                let _ = gone.recv();
                7
            },
            move |made| late.send(made).unwrap(),
        );
        assert!(matches!(stuck, Err(Unmade::Stuck(_))) && begun.elapsed() < Duration::from_secs(20));
        drop(go);
        assert!(came.recv_timeout(Duration::from_millis(50)).is_err(), "not before it is let go");
        drop(stuck);
        assert_eq!(came.recv_timeout(Duration::from_secs(20)), Ok(Some(7)));
    }

    #[test]
    fn one_that_panics_late_came_back_too() {
        let (go, gone) = mpsc::channel::<()>();
        let (late, came) = mpsc::channel();
        let panics = move || {
            let _ = gone.recv();
            panic!("on purpose")
        };
        let stuck = within("test", Duration::from_millis(30), panics, move |made: Option<()>| late.send(made).unwrap());
        assert!(matches!(stuck, Err(Unmade::Stuck(_))));
        drop((go, stuck));
        assert_eq!(came.recv_timeout(Duration::from_secs(20)), Ok(None));
    }

    #[test]
    fn a_driver_that_panics_is_no_reason_to_wait() {
        let made = within("test", Duration::from_secs(20), || panic!("on purpose"), |_: Option<()>| ());
        assert!(matches!(made, Err(Unmade::NoThread(_))));
    }
}
