//! One function for each thing worth knowing: it logs and counts together, so that logs and figures cannot disagree.
//! Codecs and every layer above may call these.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `phasor_build_info` | gauge | `version` |
//! | `phasor_http_requests_total` | counter | `endpoint`, `status`, `format` (of the answer: jpeg, png, …, json, html, text, none) |
//! | `phasor_http_request_duration_seconds` | histogram | `endpoint` |
//! | `phasor_http_requests_in_flight` | gauge | – |
//! | `phasor_http_connections_closed_total` | counter | `reason`: slow_head, slow_reader, slow_handshake, quiet |
//! | `phasor_stage_duration_seconds` | histogram | `stage`: fetch, queue, decode, process, encode, write |
//! | `phasor_queue_length` | gauge | – |
//! | `phasor_memory_budget_bytes` | gauge | `state`: total, used |
//! | `phasor_panics_total` | counter | – |
//! | `phasor_threads_busy` | gauge | – |
//! | `phasor_shed_total` | counter | `reason`: queue, deadline, rate |
//! | `phasor_cancelled_total` | counter | – |
//! | `phasor_source_errors_total` | counter | `kind` |
//! | `phasor_access_log_dropped_total` | counter | – |
//! | `phasor_shadow_requests_total` | counter | `result`: same, status, format, size, pixels, body, unreadable, failed, timeout, too_large, dropped |
//! | `phasor_placements_total` | counter | `backend`: cpu, gpu; only where there is a GPU |
//! | `phasor_gpu_fallbacks_total` | counter | – |
//! | `phasor_gpu_devices` | gauge | – |
//! | `phasor_gpu_losses_total` | counter | – |
//! | `phasor_gpu_submissions_total` | counter | – |
//! | `phasor_gpu_pictures_total` | counter | – |
//! | `phasor_gpu_bytes_total` | counter | `direction`: up, down |

use std::fmt::Write as _;
use std::time::Duration;

use super::registry::{Counter, Family, Gauge, Histogram, Value, head};

static REQUESTS: Family<3, Counter> =
    Family::new("phasor_http_requests_total", "Requests answered.", ["endpoint", "status", "format"]);
static REQUEST_SECONDS: Family<1, Histogram> =
    Family::new("phasor_http_request_duration_seconds", "Time from head to answer.", ["endpoint"]);
static IN_FLIGHT: Family<0, Gauge> = Family::new("phasor_http_requests_in_flight", "Requests being answered.", []);
static CLOSED: Family<1, Counter> =
    Family::new("phasor_http_connections_closed_total", "Connections closed for being too slow.", ["reason"]);
static STAGES: Family<1, Histogram> =
    Family::new("phasor_stage_duration_seconds", "Time spent in each stage of a request.", ["stage"]);
static PANICS: Counter = Counter::new();
static SHED_RATE: Counter = Counter::new();
static CANCELLED: Family<0, Counter> =
    Family::new("phasor_cancelled_total", "Requests given up because the client went away.", []);
static SOURCE_ERRORS: Family<1, Counter> =
    Family::new("phasor_source_errors_total", "Sources that gave no bytes.", ["kind"]);
static LOG_DROPPED: Family<0, Counter> =
    Family::new("phasor_access_log_dropped_total", "Access log lines dropped because stdout is stalled.", []);
static SHADOWED: Family<1, Counter> =
    Family::new("phasor_shadow_requests_total", "Samples of shadow mode by what became of them.", ["result"]);
static PLACEMENTS: Family<1, Counter> =
    Family::new("phasor_placements_total", "Jobs by where their steps were done.", ["backend"]);
static GPU_FALLBACKS: Family<0, Counter> =
    Family::new("phasor_gpu_fallbacks_total", "Jobs done on the CPU because a GPU gave no picture.", []);

/// A part of a request's life whose duration is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the body, the file or the URL.
    Fetch,
    /// Waiting for a thread and memory.
    Queue,
    /// Bytes to pixels.
    Decode,
    /// Steps of the plan.
    Process,
    /// Pixels to bytes.
    Encode,
    /// Building the answer.
    Write,
}

impl Stage {
    const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Queue => "queue",
            Self::Decode => "decode",
            Self::Process => "process",
            Self::Encode => "encode",
            Self::Write => "write",
        }
    }
}

/// The server listens.
pub fn started(address: &str, version: &str) {
    tracing::info!(address, version, "listening");
}

/// A setting that is legal and probably not meant.
pub fn config_warning(text: &str) {
    tracing::warn!("{text}");
}

/// The file of signature keys was read again; so many keys are accepted now.
pub fn signature_keys_changed(keys: usize) {
    tracing::info!(keys, "signature keys read again");
}

/// The file of signature keys has changed and cannot be used; the keys stay as they were.
pub fn signature_keys_kept(reason: &str) {
    tracing::warn!(reason, "signature keys not read again; the old ones stay");
}

/// A stop was asked for.
pub fn stopping(signal: &str) {
    tracing::info!(signal, "stopping");
}

/// A request's head has been read.
pub fn request_started() {
    IN_FLIGHT.with([]).add(1);
}

/// A request is over, answered or not.
pub fn request_ended() {
    IN_FLIGHT.with([]).add(-1);
}

/// A request has its answer. `format` is the answer's: `jpeg`, …, `json`, `html`, `text`, `none`.
pub fn request_answered(endpoint: &'static str, status: u16, format: &'static str, duration: Duration) {
    REQUESTS.with([Value::Text(endpoint), Value::Number(status), Value::Text(format)]).add(1);
    REQUEST_SECONDS.with([Value::Text(endpoint)]).observe(duration);
    tracing::debug!(endpoint, status, format, seconds = duration.as_secs_f64(), "answered");
}

/// A request failed for a reason inside this server; `reason` does not reach the client.
pub fn request_failed(endpoint: &'static str, status: u16, reason: &str) {
    tracing::warn!(endpoint, status, reason, "request failed");
}

/// The watchdog closed a connection: `slow_head`, `slow_reader`, `slow_handshake`, `quiet`.
pub fn connection_closed(reason: &'static str) {
    CLOSED.with([Value::Text(reason)]).add(1);
    tracing::debug!(reason, "connection closed");
}

/// A stage took this long.
pub fn stage(stage: Stage, duration: Duration) {
    STAGES.with([Value::Text(stage.name())]).observe(duration);
}

/// A panic was caught; `place` says where, `message` what it said.
pub fn panicked(place: &str, message: &str) {
    PANICS.add(1);
    tracing::error!(place, message, "panic caught; this is a bug");
}

/// The throttle refused a request.
pub fn throttled(endpoint: &'static str) {
    SHED_RATE.add(1);
    tracing::debug!(endpoint, "throttled");
}

/// A request was given up because its client went away.
pub fn cancelled() {
    CANCELLED.with([]).add(1);
    tracing::debug!("client went away");
}

/// A source gave no bytes; `reason` may name addresses and paths and does not reach the client.
pub fn source_failed(kind: &'static str, reason: &str) {
    SOURCE_ERRORS.with([Value::Text(kind)]).add(1);
    tracing::debug!(kind, reason, "source failed");
}

/// An access log line was dropped.
pub fn access_log_dropped() {
    LOG_DROPPED.with([]).add(1);
}

/// A sample of shadow mode is settled.
pub fn shadowed(result: &'static str) {
    SHADOWED.with([Value::Text(result)]).add(1);
}

/// A GPU is ready to serve.
pub fn gpu_opened(index: usize, name: &str, driver: &str, software: bool) {
    tracing::info!(index, name, driver, software, "gpu ready");
}

/// An adapter gave wrong pictures or none when it was measured; it is not used.
pub fn gpu_unfit(name: &str) {
    tracing::warn!(name, "gpu left out: it did not pass its first pictures");
}

/// A GPU's device could not be opened.
pub fn gpu_unopened(name: &str, reason: &str) {
    tracing::warn!(name, reason, "gpu device not opened");
}

/// A GPU's device was lost; it is rebuilt.
pub fn gpu_lost() {
    tracing::warn!("gpu device lost; rebuilding it");
}

/// A driver reported an error or a loss.
pub fn gpu_complained(what: &str) {
    tracing::warn!(what, "gpu error");
}

/// A job's steps were done on this kind of backend.
pub fn placed(backend: &'static str) {
    PLACEMENTS.with([Value::Text(backend)]).add(1);
}

/// A GPU gave no picture; the CPU makes it.
pub fn gpu_fell_back(reason: &str) {
    GPU_FALLBACKS.with([]).add(1);
    tracing::debug!(reason, "gpu gave no picture");
}

/// What all GPUs did, in sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GpuFigures {
    /// Devices that work now.
    pub devices: u64,
    /// Devices lost since the start.
    pub losses: u64,
    /// Submissions.
    pub submissions: u64,
    /// Pictures in them.
    pub pictures: u64,
    /// Bytes uploaded.
    pub bytes_up: u64,
    /// Bytes read back.
    pub bytes_down: u64,
}

/// Figures that are read from their owner, not counted here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gauges {
    /// The version that runs.
    pub version: &'static str,
    /// Bytes that requests may hold in all.
    pub budget_total: u64,
    /// Bytes that they hold.
    pub budget_used: u64,
    /// Jobs that wait for a thread.
    pub queued: u64,
    /// Threads at work.
    pub running: u64,
    /// Jobs refused because the queue was full.
    pub shed_queue: u64,
    /// Jobs refused because they would have waited past their deadline.
    pub shed_deadline: u64,
    /// Panics of jobs.
    pub job_panics: u64,
    /// GPUs.
    pub gpu: GpuFigures,
}

/// Everything counted so far and `gauges`, in the Prometheus text format.
pub fn render(gauges: &Gauges) -> String {
    let mut out = String::with_capacity(8192);
    head(&mut out, "phasor_build_info", "The version that runs.", "gauge");
    let _ = writeln!(out, "phasor_build_info{{version=\"{}\"}} 1", gauges.version);
    head(&mut out, "phasor_memory_budget_bytes", "Bytes that requests may hold, and hold.", "gauge");
    let _ = writeln!(out, "phasor_memory_budget_bytes{{state=\"total\"}} {}", gauges.budget_total);
    let _ = writeln!(out, "phasor_memory_budget_bytes{{state=\"used\"}} {}", gauges.budget_used);
    head(&mut out, "phasor_queue_length", "Jobs waiting for a thread.", "gauge");
    let _ = writeln!(out, "phasor_queue_length {}", gauges.queued);
    head(&mut out, "phasor_threads_busy", "Threads at work on pictures.", "gauge");
    let _ = writeln!(out, "phasor_threads_busy {}", gauges.running);
    head(&mut out, "phasor_shed_total", "Requests refused to stay within bounds.", "counter");
    let shed = [("queue", gauges.shed_queue), ("deadline", gauges.shed_deadline), ("rate", SHED_RATE.get())];
    for (reason, count) in shed {
        let _ = writeln!(out, "phasor_shed_total{{reason=\"{reason}\"}} {count}");
    }
    head(&mut out, "phasor_panics_total", "Panics caught; each is a bug.", "counter");
    let _ = writeln!(out, "phasor_panics_total {}", PANICS.get() + gauges.job_panics);
    let gpu = &gauges.gpu;
    head(&mut out, "phasor_gpu_devices", "GPUs that work.", "gauge");
    let _ = writeln!(out, "phasor_gpu_devices {}", gpu.devices);
    let counted = [
        ("phasor_gpu_losses_total", "Devices lost and rebuilt.", gpu.losses),
        ("phasor_gpu_submissions_total", "Batches given to GPUs.", gpu.submissions),
        ("phasor_gpu_pictures_total", "Pictures in those batches.", gpu.pictures),
    ];
    for (name, help, count) in counted {
        head(&mut out, name, help, "counter");
        let _ = writeln!(out, "{name} {count}");
    }
    head(&mut out, "phasor_gpu_bytes_total", "Bytes moved to and from GPUs.", "counter");
    let _ = writeln!(out, "phasor_gpu_bytes_total{{direction=\"up\"}} {}", gpu.bytes_up);
    let _ = writeln!(out, "phasor_gpu_bytes_total{{direction=\"down\"}} {}", gpu.bytes_down);
    // Touched so that they are there from the start: a rate over a missing series is no rate.
    IN_FLIGHT.with([]);
    CANCELLED.with([]);
    GPU_FALLBACKS.with([]);
    LOG_DROPPED.with([]);
    REQUESTS.render(&mut out);
    REQUEST_SECONDS.render(&mut out);
    IN_FLIGHT.render(&mut out);
    CLOSED.render(&mut out);
    STAGES.render(&mut out);
    CANCELLED.render(&mut out);
    SOURCE_ERRORS.render(&mut out);
    LOG_DROPPED.render(&mut out);
    SHADOWED.render(&mut out);
    PLACEMENTS.render(&mut out);
    GPU_FALLBACKS.render(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_metric_is_rendered() {
        request_started();
        request_answered("resize", 200, "jpeg", Duration::from_millis(3));
        request_ended();
        connection_closed("slow_head");
        stage(Stage::Decode, Duration::from_millis(1));
        source_failed("status", "404");
        placed("cpu");
        shadowed("same");
        let text = render(&Gauges { version: "1.2.3", queued: 7, ..Gauges::default() });
        let documented =
            include_str!("events.rs").lines().filter_map(|line| line.strip_prefix("//! | `")?.split('`').next());
        let mut count = 0;
        for name in documented {
            assert!(text.contains(&format!("# TYPE {name} ")), "{name} is missing from\n{text}");
            count += 1;
        }
        assert!(count > 10);
        assert!(text.contains("phasor_queue_length 7\n"));
    }
}
