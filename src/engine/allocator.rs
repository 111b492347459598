//! Giving freed memory back to the system.
//!
//! glibc keeps what was freed in the arenas of its threads: after a few large pictures a server that serves small ones
//! holds hundreds of megabytes for nothing. Asking for every large block from the system instead costs a fifth of the
//! throughput (see `docs/performance.md`), so freed pages are given back now and then.

#![allow(unsafe_code, reason = "one call of the C library, which no safe crate wraps")]

/// Gives free pages of all arenas back. Answers whether there were any; on other C libraries than glibc does nothing.
/// Takes milliseconds: about a tenth of a millisecond a MiB that is given back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn trim() -> bool {
    unsafe extern "C" {
        fn malloc_trim(pad: usize) -> std::ffi::c_int;
    }
    // SAFETY: malloc_trim(3) takes no pointer, may be called from any thread at any time, and touches free memory only.
    unsafe { malloc_trim(0) == 1 }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn trim() -> bool {
    false
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    fn resident_mib() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() / 256
    }

    #[test]
    fn freed_memory_goes_back() {
        // Other tests run at the same time and may take as much as is given back here, but not every time.
        let went_back = (0..10).any(|_| {
            let blocks: Vec<Vec<u8>> = (0..1024).map(|_| vec![1; 64 << 10]).collect();
            // What is still in use keeps the arena's end from moving.
            let kept = vec![1_u8; 1 << 10];
            drop(blocks);
            let before = resident_mib();
            trim();
            let after = resident_mib();
            drop(kept);
            before >= after + 32
        });
        assert!(went_back);
    }
}
