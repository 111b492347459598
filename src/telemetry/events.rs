//! One function for each thing worth knowing: it logs and counts together, so that logs and figures cannot disagree.
//! Codecs and every layer above may call these. The table of metrics is in `metrics`.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use super::figures::{Gauges, GpuFigures, render};
use super::metrics::{
    CANCELLED, CLOSED, GPU_BATCH, GPU_FALLBACKS, GPU_INFO, IN_FLIGHT, LOG_DROPPED, PLACEMENTS, REQUEST_SECONDS,
    REQUESTS, SHADOWED, SOURCE_ERRORS, STAGES, TRACE_SPANS,
};
use super::registry::Value;
use super::{figures, process};

/// A part of a request's life whose duration is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the body, the file or the URL.
    Fetch,
    /// Waiting for a thread and memory.
    Queue,
    /// Bytes to pixels.
    Decode,
    /// Waiting until a GPU begins with the steps.
    DeviceWait,
    /// Steps of the plan, without that wait.
    Steps,
    /// Pixels to bytes.
    Encode,
    /// From the answer's being made until the client's socket has taken it.
    Write,
}

impl Stage {
    /// As the figures, the spans and the log call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Queue => "queue",
            Self::Decode => "decode",
            Self::DeviceWait => "device_wait",
            Self::Steps => "steps",
            Self::Encode => "encode",
            Self::Write => "write",
        }
    }
}

/// The server listens.
pub fn started(address: &str, version: &str) {
    process::started();
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
    figures::HANDLER_PANICS.fetch_add(1, Ordering::Relaxed);
    tracing::error!(place, message, "panic caught; this is a bug");
}

/// The throttle refused a request.
pub fn throttled(endpoint: &'static str) {
    figures::SHED_RATE.fetch_add(1, Ordering::Relaxed);
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
    let adapter = figures::adapter(index);
    GPU_INFO.with([adapter, figures::lasting(name), figures::lasting(driver)]).set(1);
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

/// A device's thread does not come back from the driver; `replaced`: whether there will be another one.
pub fn gpu_given_up(replaced: bool) {
    tracing::error!(replaced, "gpu driver does not return; its thread was given up");
}

/// A driver reported an error or a loss.
pub fn gpu_complained(what: &str) {
    tracing::warn!(what, "gpu error");
}

/// A job's steps were done on this kind of backend.
pub fn placed(backend: &'static str) {
    PLACEMENTS.with([Value::Text(backend)]).add(1);
}

/// A GPU gave no picture; the CPU makes it. `reason` is one of a few words, `detail` what the driver or the recipe said.
pub fn gpu_fell_back(reason: &'static str, detail: &str) {
    GPU_FALLBACKS.with([Value::Text(reason)]).add(1);
    tracing::debug!(reason, detail, "gpu gave no picture");
}

/// So many pictures were given to a GPU in one submission.
pub fn gpu_submitted(pictures: usize) {
    GPU_BATCH.with([]).observe(pictures);
}

/// What became of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanOutcome {
    /// The collector has them.
    Exported,
    /// More waited than may; they were dropped.
    QueueFull,
    /// The collector did not take them.
    Refused,
    /// The collector could not be asked.
    Unreachable,
}

impl SpanOutcome {
    /// All there are.
    pub(super) const ALL: [Self; 4] = [Self::Exported, Self::QueueFull, Self::Refused, Self::Unreachable];

    /// As figures call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Exported => "exported",
            Self::QueueFull => "queue_full",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
        }
    }
}

/// So many spans were exported or lost; `detail` says why.
pub fn spans(outcome: SpanOutcome, count: u64, detail: &str) {
    static LAST_TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    TRACE_SPANS.with([Value::Text(outcome.name())]).add(count);
    if outcome == SpanOutcome::Exported {
        return;
    }
    // A collector that is away for an hour must not fill the log.
    let mut last = LAST_TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|last| last.elapsed() > Duration::from_secs(60)) {
        *last = Some(Instant::now());
        tracing::warn!(outcome = outcome.name(), count, detail, "spans of traces were lost");
    }
}
