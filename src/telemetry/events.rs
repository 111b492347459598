//! One function for each thing worth knowing: it logs and counts together, so that logs and figures cannot disagree.
//! Codecs and every layer above may call these.
//!
//! | metric | kind | labels |
//! |---|---|---|
//! | `phasor_build_info` | gauge | `version` |
//! | `phasor_http_requests_total` | counter | `endpoint`, `status`, `format` (of the answer: jpeg, png, …, json, html, text, none) |
//! | `phasor_http_request_duration_seconds` | histogram | `endpoint` |
//! | `phasor_http_requests_in_flight` | gauge | – |
//! | `phasor_http_connections_closed_total` | counter | `reason`: slow_head, slow_reader, slow_handshake |
//! | `phasor_stage_duration_seconds` | histogram | `stage`: fetch, queue, decode, process, encode, write |
//! | `phasor_queue_length` | gauge | – |
//! | `phasor_memory_budget_bytes` | gauge | `state`: total, used |
//! | `phasor_panics_total` | counter | – |
//! | `phasor_shed_total` | counter | `reason` |
//! | `phasor_cancelled_total` | counter | – |
//! | `phasor_source_errors_total` | counter | `kind` |
//! | `phasor_access_log_dropped_total` | counter | – |

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
static QUEUE: Family<0, Gauge> = Family::new("phasor_queue_length", "Jobs waiting for a thread.", []);
static PANICS: Family<0, Counter> = Family::new("phasor_panics_total", "Panics caught; each is a bug.", []);
static SHED: Family<1, Counter> = Family::new("phasor_shed_total", "Requests refused to stay within bounds.", ["reason"]);
static CANCELLED: Family<0, Counter> =
    Family::new("phasor_cancelled_total", "Requests given up because the client went away.", []);
static SOURCE_ERRORS: Family<1, Counter> =
    Family::new("phasor_source_errors_total", "Sources that gave no bytes.", ["kind"]);
static LOG_DROPPED: Family<0, Counter> =
    Family::new("phasor_access_log_dropped_total", "Access log lines dropped because stdout is stalled.", []);

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

/// The watchdog closed a connection: `slow_head`, `slow_reader`, `slow_handshake`.
pub fn connection_closed(reason: &'static str) {
    CLOSED.with([Value::Text(reason)]).add(1);
    tracing::debug!(reason, "connection closed");
}

/// A stage took this long.
pub fn stage(stage: Stage, duration: Duration) {
    STAGES.with([Value::Text(stage.name())]).observe(duration);
}

/// As many jobs wait now.
pub fn queue_length(jobs: usize) {
    QUEUE.with([]).set(i64::try_from(jobs).unwrap_or(i64::MAX));
}

/// A panic was caught; `place` says where, `message` what it said.
pub fn panicked(place: &str, message: &str) {
    PANICS.with([]).add(1);
    tracing::error!(place, message, "panic caught; this is a bug");
}

/// A request was refused to stay within bounds: `queue`, `deadline`, `memory`, `rate`.
pub fn shed(reason: &'static str) {
    SHED.with([Value::Text(reason)]).add(1);
    tracing::debug!(reason, "refused");
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

/// Everything counted so far, in the Prometheus text format. The caller, who knows the budget, passes its two figures.
pub fn render(version: &str, budget_total: u64, budget_used: u64) -> String {
    let mut out = String::with_capacity(8192);
    head(&mut out, "phasor_build_info", "The version that runs.", "gauge");
    out.push_str(&format!("phasor_build_info{{version=\"{version}\"}} 1\n"));
    head(&mut out, "phasor_memory_budget_bytes", "Bytes that requests may hold, and hold.", "gauge");
    out.push_str(&format!(
        "phasor_memory_budget_bytes{{state=\"total\"}} {budget_total}\n\
         phasor_memory_budget_bytes{{state=\"used\"}} {budget_used}\n"
    ));
    // Touched so that they are there from the start: a rate over a missing series is no rate.
    IN_FLIGHT.with([]);
    QUEUE.with([]);
    PANICS.with([]);
    CANCELLED.with([]);
    LOG_DROPPED.with([]);
    REQUESTS.render(&mut out);
    REQUEST_SECONDS.render(&mut out);
    IN_FLIGHT.render(&mut out);
    CLOSED.render(&mut out);
    STAGES.render(&mut out);
    QUEUE.render(&mut out);
    PANICS.render(&mut out);
    SHED.render(&mut out);
    CANCELLED.render(&mut out);
    SOURCE_ERRORS.render(&mut out);
    LOG_DROPPED.render(&mut out);
    out
}
