//! Traces in OpenTelemetry's sense. Which requests are followed: `sampler`. How callers and sources are joined:
//! `context`. What is said: `span`. How it gets to a collector: `otlp`, `exporter`. Why no library:
//! `docs/adr/0007-traces.md`.

mod context;
mod exporter;
mod ids;
mod otlp;
mod sampler;
mod settings;
mod span;

use std::time::Duration;

pub use exporter::ExporterConfig;
pub use ids::{SpanId, TraceId};
pub use sampler::{SAMPLERS, Sampler};
pub use settings::{STANDARD, settings};
pub use span::{Attribute, Attributes};

pub(in crate::telemetry) use context::{Caller, written};
pub(in crate::telemetry) use span::{Span, SpanKind};

use exporter::Exporter;

/// Which traces are recorded, and where they go.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which.
    pub sampler: Sampler,
    /// Where to.
    pub exporter: ExporterConfig,
}

/// Follows requests.
#[derive(Debug)]
pub struct Tracer {
    sampler: Sampler,
    exporter: Exporter,
}

impl Tracer {
    /// Starts the thread that exports.
    ///
    /// # Errors
    /// An endpoint that is no URL, no thread.
    pub fn start(config: Config, version: &'static str, tls: rustls::ClientConfig) -> std::io::Result<Self> {
        Ok(Self { sampler: config.sampler, exporter: Exporter::start(config.exporter, version, tls)? })
    }

    /// Whether a trace is recorded.
    pub(super) fn records(&self, trace: TraceId, caller: Option<bool>) -> bool {
        self.sampler.records(trace, caller)
    }

    /// Hands the spans of one request over.
    pub(super) fn export(&self, spans: Vec<Span>) {
        self.exporter.export(spans);
    }

    /// Waits until all that was handed over is sent, no longer than `limit`.
    pub fn flush(&self, limit: Duration) {
        self.exporter.flush(limit);
    }
}
