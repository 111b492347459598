//! Figures that are read from their owner when somebody asks, and the page that shows all of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::events::SpanOutcome;
use super::metrics::{
    ALL, BUILD_INFO, CANCELLED, CLOSED, GPU_BATCH, GPU_BUSY, GPU_BYTES, GPU_COPIED, GPU_DEVICES, GPU_FALLBACKS,
    GPU_GIVEN_UP, GPU_LOSSES, GPU_MEMORY, GPU_PICTURES, GPU_STATE, GPU_SUBMISSIONS, GPU_UP, IN_FLIGHT, LOG_DROPPED,
    MEMORY, PANICS, QUEUE_DELAY, QUEUE_LENGTH, SHED, STAGES, THREADS, THREADS_BUSY, TRACE_SPANS,
};
use super::process;
use super::registry::Value;

/// Panics of handlers; those of jobs are counted by the engine.
pub(super) static HANDLER_PANICS: AtomicU64 = AtomicU64::new(0);
/// Requests that the throttle refused.
pub(super) static SHED_RATE: AtomicU64 = AtomicU64::new(0);

/// The commit that the program was built from, if whoever built it said so (`PHASOR_COMMIT`).
const COMMIT: &str = match option_env!("PHASOR_COMMIT") {
    Some(commit) => commit,
    None => "",
};

/// What one GPU did, or several in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GpuFigures {
    /// The adapter's number.
    pub adapter: usize,
    /// Devices that work now.
    pub devices: u64,
    /// Whether none is being opened, until the driver comes back.
    pub failed: bool,
    /// Devices lost since the start.
    pub losses: u64,
    /// Threads that did not come back from the driver.
    pub given_up: u64,
    /// Submissions.
    pub submissions: u64,
    /// Pictures in them.
    pub pictures: u64,
    /// Bytes uploaded.
    pub bytes_up: u64,
    /// Of those, bytes of pictures that were copied to where they went up from, not decoded to there.
    pub bytes_copied: u64,
    /// Bytes read back.
    pub bytes_down: u64,
    /// Bytes of its buffers on the device now.
    pub device_memory: u64,
    /// Bytes of its buffers on the host now.
    pub host_memory: u64,
    /// Time in which passes ran, by the device's clock; `None` where it has none.
    pub busy: Option<Duration>,
}

/// Figures that are read from their owner, not counted here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gauges {
    /// The version that runs.
    pub version: &'static str,
    /// Bytes that requests may hold in all.
    pub budget_total: u64,
    /// Bytes that they hold.
    pub budget_used: u64,
    /// Jobs that wait for a thread.
    pub queued: u64,
    /// How long a job that came now would wait.
    pub queue_delay: Duration,
    /// Threads that work on pictures.
    pub threads: u64,
    /// Those at work.
    pub running: u64,
    /// Jobs refused because the queue was full.
    pub shed_queue: u64,
    /// Jobs refused because they would have waited past their deadline.
    pub shed_deadline: u64,
    /// Panics of jobs.
    pub job_panics: u64,
    /// GPUs, each.
    pub gpus: Vec<GpuFigures>,
}

/// An adapter's number as a label.
pub(super) fn adapter(index: usize) -> Value {
    Value::Number(u16::try_from(index).unwrap_or(u16::MAX))
}

/// A text that is known at run time only, as a label; for names that come from the machine, of which there are few.
pub(super) fn lasting(text: &str) -> Value {
    static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text) {
        return Value::Text(known);
    }
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    texts.insert(text);
    Value::Text(text)
}

/// The features that this program was built with, joined by `+`.
const fn features() -> &'static str {
    match (cfg!(feature = "gpu"), cfg!(feature = "tls")) {
        (true, true) => "gpu+tls",
        (true, false) => "gpu",
        (false, true) => "tls",
        (false, false) => "none",
    }
}

fn take_over(gauges: &Gauges) {
    BUILD_INFO.with([Value::Text(gauges.version), Value::Text(COMMIT), Value::Text(features())]).set(1);
    MEMORY.with([Value::Text("total")]).set(gauges.budget_total);
    MEMORY.with([Value::Text("used")]).set(gauges.budget_used);
    QUEUE_LENGTH.with([]).set(gauges.queued);
    QUEUE_DELAY.with([]).set(gauges.queue_delay);
    THREADS.with([]).set(gauges.threads);
    THREADS_BUSY.with([]).set(gauges.running);
    SHED.with([Value::Text("queue")]).set(gauges.shed_queue);
    SHED.with([Value::Text("deadline")]).set(gauges.shed_deadline);
    SHED.with([Value::Text("rate")]).set(SHED_RATE.load(Ordering::Relaxed));
    PANICS.with([]).set(gauges.job_panics + HANDLER_PANICS.load(Ordering::Relaxed));
    GPU_DEVICES.with([]).set(gauges.gpus.iter().map(|gpu| gpu.devices).sum());
    for gpu in &gauges.gpus {
        let adapter = adapter(gpu.adapter);
        GPU_UP.with([adapter]).set(gpu.devices);
        let (up, failed) = (gpu.devices > 0, gpu.failed);
        for (state, is) in [("up", up), ("rebuilding", !up && !failed), ("failed", !up && failed)] {
            GPU_STATE.with([adapter, Value::Text(state)]).set(u64::from(is));
        }
        GPU_LOSSES.with([adapter]).set(gpu.losses);
        GPU_GIVEN_UP.with([adapter]).set(gpu.given_up);
        GPU_SUBMISSIONS.with([adapter]).set(gpu.submissions);
        GPU_PICTURES.with([adapter]).set(gpu.pictures);
        GPU_BYTES.with([adapter, Value::Text("up")]).set(gpu.bytes_up);
        GPU_BYTES.with([adapter, Value::Text("down")]).set(gpu.bytes_down);
        GPU_COPIED.with([adapter]).set(gpu.bytes_copied);
        GPU_MEMORY.with([adapter, Value::Text("device")]).set(gpu.device_memory);
        GPU_MEMORY.with([adapter, Value::Text("host")]).set(gpu.host_memory);
        if let Some(busy) = gpu.busy {
            GPU_BUSY.with([adapter]).set(busy);
        }
    }
    // Touched so that they are there from the start: a rate over a series that begins with its first event misses it.
    IN_FLIGHT.with([]);
    CANCELLED.with([]);
    LOG_DROPPED.with([]);
    for reason in ["slow_head", "slow_reader", "slow_handshake", "quiet"] {
        CLOSED.with([Value::Text(reason)]);
    }
    for stage in ["fetch", "queue", "decode", "steps", "encode", "write"] {
        STAGES.with([Value::Text(stage)]);
    }
    for outcome in SpanOutcome::ALL {
        TRACE_SPANS.with([Value::Text(outcome.name())]);
    }
    if !gauges.gpus.is_empty() {
        STAGES.with([Value::Text("device_wait")]);
        GPU_BATCH.with([]);
        for reason in ["device_lost", "hung", "refused", "memory", "unsupported"] {
            GPU_FALLBACKS.with([Value::Text(reason)]);
        }
    }
}

/// Everything counted so far and `gauges`, in the Prometheus text format.
pub fn render(gauges: &Gauges) -> String {
    // Two servers in one process (tests) must not mix what they read.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    take_over(gauges);
    process::measure();
    let mut out = String::with_capacity(16 << 10);
    for metric in ALL {
        metric.render(&mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::events::{self, Stage};
    use super::*;

    #[test]
    fn every_metric_of_the_table_is_served_and_nothing_else() {
        events::request_started();
        events::request_answered("resize", 200, "jpeg", Duration::from_millis(3));
        events::request_ended();
        events::stage(Stage::Decode, Duration::from_millis(1));
        events::source_failed("status", "404");
        events::placed("cpu");
        events::shadowed("same");
        events::gpu_opened(3, "A \"card\"", "1.0", false);
        let gpu = GpuFigures { adapter: 3, devices: 1, busy: Some(Duration::from_millis(1500)), ..Default::default() };
        let text = render(&Gauges { version: "1.2.3", queued: 7, gpus: vec![gpu], ..Gauges::default() });
        let mut served: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
        let mut table: Vec<(&str, &str)> =
            ALL.iter().map(|metric| (metric.describe().name, metric.describe().kind)).collect();
        if !std::path::Path::new("/proc/self/status").exists() {
            table.retain(|(name, _)| !name.starts_with("process_") || served.iter().any(|(served, _)| served == name));
        }
        served.sort_unstable();
        table.sort_unstable();
        assert_eq!(served, table);
        assert!(text.contains("phasor_queue_length 7\n"), "{text}");
        assert!(text.contains("phasor_gpu_busy_seconds_total{adapter=\"3\"} 1.5\n"), "{text}");
        assert!(text.contains("name=\"A \\\"card\\\"\""), "{text}");
        for row in ALL.iter().map(|metric| metric.describe()) {
            let series = text.lines().filter(|line| line.starts_with(&format!("{}{{", row.name)));
            for line in series {
                for (label, _) in &row.labels {
                    assert!(line.contains(&format!("{label}=\"")), "{line} without {label}");
                }
            }
        }
    }
}
