//! Whether a device still lives, and what ended it.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::backend::BackendError;

/// What ended a device's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The driver said so, or nothing else is known.
    Lost = 1,
    /// It gave no answer in time.
    Hung,
    /// It refused a command.
    Refused,
    /// It had no memory.
    Memory,
}

/// The first cause is the one that tells something: after a loss every call complains.
#[derive(Debug, Default)]
pub(super) struct Fate(AtomicU8);

impl Fate {
    /// Ends the life; whether it went on until now.
    pub(super) fn end(&self, cause: Cause) -> bool {
        self.0.compare_exchange(0, cause as u8, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    pub(super) fn is_sealed(&self) -> bool {
        self.0.load(Ordering::Acquire) != 0
    }

    /// What those who wait are told.
    pub(super) fn told(&self) -> BackendError {
        match self.0.load(Ordering::Acquire) {
            2 => BackendError::Hung,
            3 => BackendError::Refused,
            4 => BackendError::OutOfMemory,
            _ => BackendError::DeviceLost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_is_told() {
        for (cause, told) in [
            (Cause::Lost, BackendError::DeviceLost),
            (Cause::Hung, BackendError::Hung),
            (Cause::Refused, BackendError::Refused),
            (Cause::Memory, BackendError::OutOfMemory),
        ] {
            let fate = Fate::default();
            assert!(!fate.is_sealed());
            assert!(fate.end(cause) && !fate.end(Cause::Lost) && !fate.end(Cause::Hung));
            assert!(fate.is_sealed());
            assert_eq!(fate.told(), told);
        }
    }
}
