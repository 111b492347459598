//! The one table of metrics. `docs/telemetry.md` is made from it, and a test compares it with what is served.
//!
//! Labels take values that the program fixes, never a client's: names of endpoints, statuses, words of a list, numbers of
//! adapters.

use super::registry::{Clock, Counter, Dial, Family, Gauge, Histogram, Label, Metric, Pictures, Seconds};

const ADAPTER: Label = ("adapter", "its number in `phasor gpus`");

macro_rules! metrics {
    ($($id:ident: $labels:literal, $cell:ty = $name:literal, $help:literal, [$($label:expr),*];)*) => {
        $(pub(super) static $id: Family<$labels, $cell> = Family::new($name, $help, [$($label),*]);)*
        /// All of them, in the order of the table.
        pub(super) static ALL: &[&dyn Metric] = &[$(&$id),*];
    };
}

metrics! {
    BUILD_INFO: 3, Gauge = "phasor_build_info", "The program that runs: always 1.",
        [("version", "of the program"), ("commit", "that it was built from, where that was told"),
         ("features", "joined by `+`")];
    REQUESTS: 3, Counter = "phasor_http_requests_total", "Requests answered.",
        [("endpoint", "`resize`, …, `index`, `health`, `form`, `unknown`"), ("status", "of the answer; 499: the client had left"),
         ("format", "of the answer: `jpeg`, `png`, `webp`, `tiff`, `json`, `html`, `text`, `none`")];
    REQUEST_SECONDS: 1, Histogram<Seconds> = "phasor_http_request_duration_seconds",
        "Time from a request's head to its answer.", [("endpoint", "as above")];
    IN_FLIGHT: 0, Gauge = "phasor_http_requests_in_flight", "Requests being answered.", [];
    CLOSED: 1, Counter = "phasor_http_connections_closed_total", "Connections closed for being too slow.",
        [("reason", "`slow_head`, `slow_reader`, `slow_handshake`, `quiet`")];
    STAGES: 1, Histogram<Seconds> = "phasor_stage_duration_seconds", "Time spent in each stage of a request.",
        [("stage", "`fetch`, `queue`, `decode`, `device_wait` (until a GPU began), `steps`, `encode`, `write` (until the \
          client's socket has taken the answer; over \
          HTTP/2, its window)")];
    QUEUE_LENGTH: 0, Gauge = "phasor_queue_length", "Jobs that wait for a thread.", [];
    QUEUE_DELAY: 0, Dial = "phasor_queue_delay_seconds",
        "How long a job that came now would wait: foretold from those before it, and no less than the oldest has waited.",
        [];
    THREADS_BUSY: 0, Gauge = "phasor_threads_busy", "Threads at work on pictures.", [];
    THREADS: 0, Gauge = "phasor_threads", "Threads that work on pictures.", [];
    MEMORY: 1, Gauge = "phasor_memory_budget_bytes", "Bytes that requests may hold, and hold.",
        [("state", "`total`, `used`")];
    SHED: 1, Counter = "phasor_shed_total", "Requests refused to stay within bounds.",
        [("reason", "`queue` (full), `deadline` (would have waited past it), `rate` (throttled)")];
    CANCELLED: 0, Counter = "phasor_cancelled_total", "Requests given up because the client went away.", [];
    PANICS: 0, Counter = "phasor_panics_total", "Panics caught; each is a bug.", [];
    SOURCE_ERRORS: 1, Counter = "phasor_source_errors_total", "Sources that gave no bytes.",
        [("kind", "`missing`, `empty`, `path`, `url`, `origin`, `address`, `status`, `unreachable`, `redirects`, \
          `encoding`, `truncated`, `too_large`, `timeout`, `host_busy`, `memory`, `form`")];
    LOG_DROPPED: 0, Counter = "phasor_access_log_dropped_total",
        "Access log lines dropped because stdout is stalled.", [];
    PLACEMENTS: 1, Counter = "phasor_placements_total", "Jobs by where their steps were done; only where there is a GPU.",
        [("backend", "`cpu`, `gpu`")];
    GPU_FALLBACKS: 1, Counter = "phasor_gpu_fallbacks_total", "Jobs done on the CPU because a GPU gave no picture.",
        [("reason", "`device_lost`, `hung` (no answer in time), `refused` (a command), `memory`, `unsupported`")];
    GPU_DEVICES: 0, Gauge = "phasor_gpu_devices", "GPUs that work.", [];
    GPU_UP: 1, Gauge = "phasor_gpu_device_up", "Whether the adapter's device works: 1, or 0 while it is lost.", [ADAPTER];
    GPU_STATE: 2, Gauge = "phasor_gpu_device_state", "1 of the state that the adapter's device is in, 0 of the others.",
        [ADAPTER, ("state", "`up`, `rebuilding` (lost, or not opened yet), `failed` (not tried until its driver comes back)")];
    GPU_INFO: 3, Gauge = "phasor_gpu_info", "The adapter that is used: always 1.",
        [ADAPTER, ("name", "of the adapter"), ("driver", "and its version")];
    GPU_LOSSES: 1, Counter = "phasor_gpu_losses_total", "Devices lost and rebuilt.", [ADAPTER];
    GPU_GIVEN_UP: 1, Counter = "phasor_gpu_given_up_total",
        "Threads that did not come back from the driver, from opening a device or later; while three are away the \
          adapter has failed.", [ADAPTER];
    GPU_SUBMISSIONS: 1, Counter = "phasor_gpu_submissions_total", "Batches given to GPUs.", [ADAPTER];
    GPU_PICTURES: 1, Counter = "phasor_gpu_pictures_total", "Pictures in those batches.", [ADAPTER];
    GPU_BATCH: 0, Histogram<Pictures> = "phasor_gpu_batch_pictures", "Pictures of one batch, all GPUs together.", [];
    GPU_BUSY: 1, Clock = "phasor_gpu_busy_seconds_total",
        "Time in which the GPU computed, by its own clock; only where it has one.", [ADAPTER];
    GPU_BYTES: 2, Counter = "phasor_gpu_bytes_total", "Bytes moved to and from GPUs.",
        [ADAPTER, ("direction", "`up`, `down`")];
    GPU_COPIED: 1, Counter = "phasor_gpu_copied_bytes_total",
        "Of the bytes up, those of pictures that were decoded elsewhere and copied; the others are decoded to where they go up \
          from.", [ADAPTER];
    GPU_MEMORY: 2, Gauge = "phasor_gpu_memory_bytes",
        "Bytes of buffers, idle ones too; those of the device are what `--gpu-memory` bounds.",
        [ADAPTER, ("place", "`device`, `host`")];
    SHADOWED: 1, Counter = "phasor_shadow_requests_total", "Samples of shadow mode, by what became of them.",
        [("result", "`same`, `status`, `format`, `size`, `pixels`, `body`, `unreadable`, `failed`, `timeout`, `too_large`, \
          `dropped`")];
    TRACE_SPANS: 1, Counter = "phasor_trace_spans_total", "Spans of traces, by what became of them.",
        [("outcome", "`exported`, `queue_full` (dropped), `refused` (by the collector), `unreachable`")];
    PROCESS_CPU: 0, Clock = "process_cpu_seconds_total", "Processor time spent, all threads together.", [];
    PROCESS_RESIDENT: 0, Gauge = "process_resident_memory_bytes", "Resident memory.", [];
    PROCESS_VIRTUAL: 0, Gauge = "process_virtual_memory_bytes", "Virtual memory.", [];
    PROCESS_FILES: 0, Gauge = "process_open_fds", "Open file descriptors.", [];
    PROCESS_MAX_FILES: 0, Gauge = "process_max_fds", "File descriptors that may be open.", [];
    PROCESS_START: 0, Dial = "process_start_time_seconds", "When the process started, in seconds since 1970.", [];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://prometheus.io/docs/practices/naming/>
    #[test]
    fn names_follow_the_conventions() {
        let rows: Vec<_> = ALL.iter().map(|metric| metric.describe()).collect();
        for (i, row) in rows.iter().enumerate() {
            assert!(rows[i + 1..].iter().all(|other| other.name != row.name), "{} twice", row.name);
            assert_eq!(row.kind == "counter", row.name.ends_with("_total"), "{}", row.name);
            assert!(row.name.starts_with("phasor_") || row.name.starts_with("process_"), "{}", row.name);
            assert!(row.help.ends_with('.') && !row.help.contains('\\') && !row.help.contains('\n'), "{}", row.name);
            for (label, values) in &row.labels {
                assert!(!values.is_empty() && !["le", "job", "instance"].contains(label), "{}: {label}", row.name);
            }
        }
        assert!(rows.len() > 30);
    }
}
