//! One part of a trace, ready to be told.

use super::ids::{SpanId, TraceId};

/// The part that a span plays between processes; numbers as in OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::telemetry) enum SpanKind {
    Internal = 1,
    Server = 2,
    Client = 3,
}

/// What is said of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// Words.
    Text(String),
    /// A number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u64> for Attribute {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Attributes by name.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::telemetry) struct Span {
    pub(in crate::telemetry) trace: TraceId,
    pub(in crate::telemetry) id: SpanId,
    pub(in crate::telemetry) parent: Option<SpanId>,
    /// The parent is another process's.
    pub(in crate::telemetry) remote_parent: bool,
    pub(in crate::telemetry) state: String,
    pub(in crate::telemetry) name: String,
    pub(in crate::telemetry) kind: SpanKind,
    /// Nanoseconds since 1970.
    pub(in crate::telemetry) begun: u64,
    pub(in crate::telemetry) ended: u64,
    pub(in crate::telemetry) attributes: Attributes,
    /// It failed, for this reason.
    pub(in crate::telemetry) failed: Option<String>,
}
