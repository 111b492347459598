//! A device that has no memory left for a buffer: that is no reason to give it up. wgpu reports it on the thread that asked,
//! to whoever hears of all errors.

use std::cell::Cell;

thread_local! {
    /// Whether the driver said so, while somebody asks.
    static SHORT: Cell<Option<bool>> = const { Cell::new(None) };
}

/// Asks for memory; `None` when the driver says that there is none.
pub(super) fn unless_short<T>(ask: impl FnOnce() -> T) -> Option<T> {
    SHORT.set(Some(false));
    let given = ask();
    (SHORT.take() == Some(false)).then_some(given)
}

/// The driver says that there is no memory; whether somebody asked for it who can do without.
pub(super) fn was_asked() -> bool {
    let asked = SHORT.get().is_some();
    if asked {
        SHORT.set(Some(true));
    }
    asked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_is_told_and_nobody_else() {
        assert!(!was_asked());
        assert_eq!(unless_short(|| 1), Some(1));
        assert_eq!(unless_short(was_asked), None);
        // It is over, and of this thread alone.
        assert!(!was_asked());
        assert_eq!(unless_short(|| std::thread::spawn(was_asked).join().unwrap()), Some(false));
    }
}
