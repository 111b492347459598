//! `/health`: imaginary's keys, each with the nearest thing that is true here.

use std::fmt::Write as _;

use crate::server::app::App;

/// The JSON. Memory in MiB to two decimals.
///
/// A Rust program has no garbage collector and its allocator keeps no count of objects: `completedGCCycles` is 0 and
/// `objectsInUse` counts jobs at work and waiting. The heap figures are the process's resident and virtual memory.
pub(in crate::server) fn json(app: &App) -> String {
    let memory = Memory::read();
    let stats = app.engine.stats();
    let mut out = String::with_capacity(320);
    let _ = write!(
        out,
        "{{\"uptime\":{},\"allocatedMemory\":{},\"totalAllocatedMemory\":{},\"goroutines\":{},\
         \"completedGCCycles\":0,\"cpus\":{},\"maxHeapUsage\":{},\"heapInUse\":{},\"objectsInUse\":{},\
         \"OSMemoryObtained\":{},\"memoryBudget\":{},\"memoryBudgetUsed\":{},\"queued\":{}}}",
        app.life.uptime().as_secs(),
        mebibytes(memory.resident),
        mebibytes(memory.peak),
        memory.threads,
        std::thread::available_parallelism().map_or(1, usize::from),
        mebibytes(memory.peak),
        mebibytes(memory.resident),
        stats.queued + stats.running,
        mebibytes(memory.data),
        mebibytes(app.engine.budget().total()),
        mebibytes(app.engine.budget().used()),
        stats.queued,
    );
    out
}

/// This process's memory in bytes, by `/proc/self/status`; zeros where there is none.
#[derive(Default)]
struct Memory {
    resident: u64,
    peak: u64,
    data: u64,
    threads: u64,
}

impl Memory {
    fn read() -> Self {
        let mut memory = Self::default();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        for line in status.lines() {
            let mut words = line.split_whitespace();
            let (Some(name), Some(Ok(number))) = (words.next(), words.next().map(str::parse::<u64>)) else { continue };
            match name {
                "VmRSS:" => memory.resident = number * 1024,
                "VmHWM:" => memory.peak = number * 1024,
                "VmData:" => memory.data = number * 1024,
                "Threads:" => memory.threads = number,
                _ => {}
            }
        }
        memory
    }
}

/// MiB rounded to two decimals, as JSON writes it.
fn mebibytes(bytes: u64) -> f64 {
    let hundredths = (bytes as f64 / f64::from(1 << 20) * 100.0).round();
    hundredths / 100.0
}
