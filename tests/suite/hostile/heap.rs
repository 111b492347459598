//! An allocator that counts what each thread holds, to hold decoders to what is charged for them.

#![allow(unsafe_code, reason = "an allocator cannot be written without; this one is in no build but the tests'")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counted.
struct Counted;

#[global_allocator]
static HEAP: Counted = Counted;

thread_local! {
    /// Bytes that this thread took and has not given back; below zero where others' are freed.
    static USED: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn changed(by: isize) {
    let used = USED.get() + by;
    USED.set(used);
    PEAK.set(PEAK.get().max(used));
}

// SAFETY: every call goes to `System` unchanged; the counters touch no memory of the caller and never allocate.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        changed(layout.size() as isize);
        // SAFETY: the caller's promise is the one that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        changed(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may exist side by side while bytes are copied.
        changed(size as isize);
        // SAFETY: as above.
        let block = unsafe { System.realloc(block, layout, size) };
        changed(-(layout.size() as isize));
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(block, layout) }
        changed(-(layout.size() as isize));
    }
}

/// Does some work and says by how many bytes this thread's heap grew at the worst moment. Threads that the work starts
/// are not seen.
pub fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = USED.get();
    PEAK.set(before);
    let result = work();
    (result, (PEAK.get() - before).max(0) as usize)
}

#[test]
fn the_worst_moment_counts() {
    let (kept, peak) = peak_of(|| {
        drop(vec![1_u8; 1 << 20]);
        vec![1_u8; 1 << 10]
    });
    assert!(kept.len() == 1 << 10 && (1 << 20..1 << 21).contains(&peak), "{peak}");
}
