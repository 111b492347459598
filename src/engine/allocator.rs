//! Keeping glibc's memory in hand.
//!
//! glibc gives threads arenas of their own, up to eight a core, and each keeps what was freed in it: after a few large
//! pictures a server that serves small ones holds a hundred megabytes for nothing. Requests allocate little and large, so
//! a few arenas serve as well, and what they keep can be given back (`docs/performance.md` has the figures; asking for
//! every large block from the system costs a fifth of the throughput instead). Other C libraries are left alone.

#![allow(unsafe_code, reason = "two calls of the C library, which no safe crate wraps")]

/// So many threads share an arena.
const THREADS_PER_ARENA: usize = 4;

/// Limits the number of arenas for this many working threads. Call it before the threads are started.
pub(super) fn share_arenas(threads: usize) {
    let arenas = threads.div_ceil(THREADS_PER_ARENA).max(1);
    glibc::limit_arenas(arenas);
}

/// Gives free pages back. (`tests/suite/http/memory.rs` sees a server shrink.) Takes milliseconds: about a tenth of one
/// for each MiB that is given back.
pub(super) fn trim() {
    glibc::trim();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    use std::ffi::c_int;

    /// `M_ARENA_MAX` of mallopt(3).
    const ARENA_MAX: c_int = -8;

    unsafe extern "C" {
        fn mallopt(param: c_int, value: c_int) -> c_int;
        fn malloc_trim(pad: usize) -> c_int;
    }

    pub(super) fn limit_arenas(arenas: usize) {
        let arenas = c_int::try_from(arenas).unwrap_or(c_int::MAX);
        // SAFETY: mallopt(3) takes two numbers and may be called at any time; an operator's own setting comes as a
        // variable of the environment, which is left alone.
        if std::env::var_os("MALLOC_ARENA_MAX").is_none() {
            unsafe { mallopt(ARENA_MAX, arenas) };
        }
    }

    pub(super) fn trim() {
        // SAFETY: malloc_trim(3) takes no pointer, may be called from any thread at any time, and touches free memory
        // only.
        unsafe { malloc_trim(0) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod glibc {
    pub(super) const fn limit_arenas(_arenas: usize) {}
    pub(super) const fn trim() {}
}
