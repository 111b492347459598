//! Processor time of the calling thread.

use std::time::Duration;

/// Time that the thread has computed since it began. Differences tell what a call cost, however long it waited for
/// others. Zero where the system does not tell.
pub(super) fn thread_time() -> Duration {
    #[cfg(unix)]
    {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
    }
    #[cfg(not(unix))]
    Duration::ZERO
}
