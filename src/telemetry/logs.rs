//! Log lines as JSON: one flat object a line, with the names of the trace that it belongs to.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::time::SystemTime;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::journal::Ids;
use super::timestamp;

tokio::task_local! {
    static REQUEST: Cell<Ids>;
}

/// Log lines of this future carry these names.
pub async fn in_request<F: Future>(ids: Ids, future: F) -> F::Output {
    REQUEST.scope(Cell::new(ids), future).await
}

fn current() -> Option<Ids> {
    REQUEST.try_with(Cell::get).ok()
}

/// Writes events as JSON.
pub(super) struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Map::new();
        let metadata = event.metadata();
        line.insert("timestamp".to_owned(), timestamp(SystemTime::now()).into());
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        event.record(&mut Fields(&mut line));
        if let Some(ids) = current() {
            line.insert("trace_id".to_owned(), ids.trace.to_string().into());
            line.insert("span_id".to_owned(), ids.span.to_string().into());
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

/// Fields beside the fixed ones; one that is called as those keeps its value under another name.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn insert(&mut self, field: &Field, value: Value) {
        let name = match field.name() {
            name @ ("timestamp" | "level" | "target" | "trace_id" | "span_id") => format!("field_{name}"),
            name => name.to_owned(),
        };
        self.0.insert(name, value);
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }
}
