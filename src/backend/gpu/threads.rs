//! Threads that go into a driver for those who have other work to do: they may not come back from there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use super::device::OpenError;

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

/// Makes something in a driver, on a thread of this name. What is made too late goes to `late`, on the thread that made it;
/// `None` when that panicked.
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

/// Opens several, each on a thread of its own, so that one that is stuck holds up no other; what became of each, in their order.
pub(super) fn side_by_side<T: Send, U: Send>(
    all: Vec<T>,
    open: impl Fn(T) -> Result<U, OpenError> + Sync,
) -> Vec<Result<U, OpenError>> {
    let open = &open;
    std::thread::scope(|scope| {
        let begin = |one| {
            let thread = std::thread::Builder::new().name("gpu-open".to_owned());
            thread.spawn_scoped(scope, move || open(one)).map_err(|e| OpenError(e.to_string()))
        };
        // All have begun before one is waited for.
        let begun: Vec<_> = all.into_iter().map(begin).collect();
        let end = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(OpenError("the thread ended early".to_owned())))
        };
        begun.into_iter().map(|thread| thread.and_then(end)).collect()
    })
}

/// Lets go of something on a thread of its own. Without a thread nothing is let go: it could be this one that the driver keeps.
pub(super) fn beside<T: Send + 'static>(what: T, let_go: impl FnOnce(T) + Send + 'static) {
    let kept = Arc::new(Mutex::new(Some(what)));
    let theirs = Arc::clone(&kept);
    let work = move || {
        let what = theirs.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(what) = what {
            let_go(what);
        }
    };
    if std::thread::Builder::new().name("gpu-bury".to_owned()).spawn(work).is_err() {
        std::mem::forget(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    #[test]
    fn one_that_is_slow_to_open_holds_up_no_other_and_keeps_its_place() {
        let opened = AtomicU32::new(0);
        let begun = Instant::now();
        let made = side_by_side(vec![0, 1, 2, 3], |i| {
            // The first is ready when the others are.
            while i == 0 && opened.load(Ordering::SeqCst) < 3 && begun.elapsed() < Duration::from_secs(20) {
                std::thread::sleep(Duration::from_millis(1));
            }
            let before = opened.fetch_add(1, Ordering::SeqCst);
            assert!(i != 3, "on purpose");
            if i == 2 { Err(OpenError("refused".to_owned())) } else { Ok((i, before)) }
        });
        let [Ok((0, before)), Ok((1, _)), Err(refused), Err(ended)] = &made[..] else { panic!("{made:?}") };
        assert_eq!(*before, 3, "it waited for the others in vain");
        assert!(refused.0 == "refused" && ended.0.contains("early"));
    }

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
