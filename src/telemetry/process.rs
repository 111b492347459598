//! Figures of this process, under the names that every Prometheus client uses.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::metrics::{PROCESS_CPU, PROCESS_FILES, PROCESS_MAX_FILES, PROCESS_RESIDENT, PROCESS_START, PROCESS_VIRTUAL};

static STARTED: OnceLock<Duration> = OnceLock::new();

/// Remembers that the process starts now, as near as it can be told; only the first call counts.
pub(super) fn started() -> Duration {
    *STARTED.get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Reads them anew. What this system does not tell is left out.
pub(super) fn measure() {
    PROCESS_START.with([]).set(started());
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let seconds = u64::try_from(spent.tv_sec).unwrap_or(0);
    PROCESS_CPU.with([]).set(Duration::new(seconds, u32::try_from(spent.tv_nsec).unwrap_or(0)));
    if let Some(limit) = getrlimit(Resource::Nofile).current {
        PROCESS_MAX_FILES.with([]).set(limit);
    }
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        for (field, gauge) in [("VmRSS:", &PROCESS_RESIDENT), ("VmSize:", &PROCESS_VIRTUAL)] {
            if let Some(kib) = kib(&status, field) {
                gauge.with([]).set(kib << 10);
            }
        }
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        // The directory itself is open while it is read.
        PROCESS_FILES.with([]).set((files.count() as u64).saturating_sub(1));
    }
}

fn kib(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_kib() {
        assert_eq!(kib("VmPeak:\t 9 kB\nVmRSS:\t  1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(kib("VmRSS: 1\n", "VmRSS:"), None);
    }
}
