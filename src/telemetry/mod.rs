//! Logs on stderr, figures for Prometheus, traces for OpenTelemetry. [`events`] has one function for each thing worth knowing.

pub mod events;
mod figures;
mod journal;
mod logs;
mod metrics;
mod process;
mod registry;
mod timestamp;
pub mod trace;

pub use journal::{Ending, Fetching, Ids, Journal, Outgoing};
pub use logs::in_request;
pub use registry::Description;
pub use timestamp::{civil, timestamp};
pub use trace::{Attribute, Attributes, Tracer};

/// The table of metrics.
pub fn metrics() -> Vec<Description> {
    metrics::ALL.iter().map(|metric| metric.describe()).collect()
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged on stderr, and how; and traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// A `tracing` filter: `warn`, `info`, `debug`, `phasor=debug,hyper=info`, …
    pub filter: String,
    /// How lines look.
    pub format: LogFormat,
    /// Which requests are followed, and where that is told; `None`: none.
    pub traces: Option<trace::Config>,
}

impl Default for Config {
    fn default() -> Self {
        Self { filter: "info".to_owned(), format: LogFormat::Text, traces: None }
    }
}

impl Config {
    /// Every fault in this area's settings.
    pub fn check(&self) -> Vec<String> {
        match self.filter.parse::<tracing_subscriber::EnvFilter>() {
            Ok(_) => Vec::new(),
            Err(error) => vec![format!("--diagnostics {}: {error}", self.filter)],
        }
    }
}

/// Starts logging to stderr. Does nothing when logging was started before (tests).
pub fn init(config: &Config) {
    let filter = config.filter.parse::<tracing_subscriber::EnvFilter>().unwrap_or_default();
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match config.format {
        LogFormat::Text => logs.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => logs.event_format(logs::Json).try_init(),
    };
}
