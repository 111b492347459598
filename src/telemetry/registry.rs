//! Counters, gauges and histograms in the Prometheus text format; a few atomics, no dependency.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// Upper bounds of every histogram, in seconds: a thumbnail from memory to a source that times out.
const BOUNDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A label's value: a fixed text or a number, so that clients cannot grow the set of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Text(&'static str),
    Number(u16),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// One name, some labels, a cell for each combination of label values seen.
pub(super) struct Family<const N: usize, C: 'static> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    cells: RwLock<BTreeMap<[Value; N], &'static C>>,
}

impl<const N: usize, C: Cell> Family<N, C> {
    pub(super) const fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        Self { name, help, labels, cells: RwLock::new(BTreeMap::new()) }
    }

    /// The cell of these label values. Cells live for ever: there are as many as label combinations, a bounded number.
    pub(super) fn with(&self, values: [Value; N]) -> &'static C {
        if let Some(&cell) = self.cells.read().unwrap_or_else(PoisonError::into_inner).get(&values) {
            return cell;
        }
        let mut cells = self.cells.write().unwrap_or_else(PoisonError::into_inner);
        cells.entry(values).or_insert_with(|| Box::leak(Box::default()))
    }

    /// Appends the family in the text format; nothing when no cell was ever touched.
    pub(super) fn render(&self, out: &mut String) {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        if cells.is_empty() {
            return;
        }
        head(out, self.name, self.help, C::KIND);
        for (values, cell) in cells.iter() {
            let labels: Vec<String> =
                self.labels.iter().zip(values).map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            cell.render(out, self.name, &labels.join(","));
        }
    }
}

/// Appends the two comment lines that open a family.
pub(super) fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// What a family is made of.
pub(super) trait Cell: Default + 'static {
    const KIND: &'static str;
    fn render(&self, out: &mut String, name: &str, labels: &str);
}

/// Only goes up.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

impl Cell for Counter {
    const KIND: &'static str = "counter";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let _ = writeln!(out, "{name}{} {}", braced(labels), self.0.load(Ordering::Relaxed));
    }
}

/// Goes up and down.
#[derive(Default)]
pub(super) struct Gauge(AtomicI64);

impl Gauge {
    pub(super) fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }
}

impl Cell for Gauge {
    const KIND: &'static str = "gauge";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let _ = writeln!(out, "{name}{} {}", braced(labels), self.0.load(Ordering::Relaxed));
    }
}

/// Durations by bucket.
#[derive(Default)]
pub(super) struct Histogram {
    /// One a bound, and a last one for everything longer; not cumulative.
    buckets: [AtomicU64; BOUNDS.len() + 1],
    sum_nanos: AtomicU64,
}

impl Histogram {
    pub(super) fn observe(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = BOUNDS.iter().position(|&bound| seconds <= bound).unwrap_or(BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_nanos.fetch_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl Cell for Histogram {
    const KIND: &'static str = "histogram";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut count = 0;
        for (i, bucket) in self.buckets.iter().enumerate() {
            count += bucket.load(Ordering::Relaxed);
            let bound = BOUNDS.get(i).map_or("+Inf".to_owned(), f64::to_string);
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        let sum = Duration::from_nanos(self.sum_nanos.load(Ordering::Relaxed)).as_secs_f64();
        let labels = braced(labels);
        let _ = writeln!(out, "{name}_sum{labels} {sum}\n{name}_count{labels} {count}");
    }
}

fn braced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{labels}}}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_renders_every_combination_once() {
        let family: Family<2, Counter> = Family::new("x_total", "Things.", ["kind", "status"]);
        family.with([Value::Text("a"), Value::Number(200)]).add(2);
        family.with([Value::Text("a"), Value::Number(200)]).add(1);
        family.with([Value::Text("b"), Value::Number(404)]).add(1);
        let mut text = String::new();
        family.render(&mut text);
        assert_eq!(
            text,
            "# HELP x_total Things.\n# TYPE x_total counter\nx_total{kind=\"a\",status=\"200\"} 3\n\
             x_total{kind=\"b\",status=\"404\"} 1\n"
        );
    }

    #[test]
    fn buckets_are_cumulative_and_the_last_holds_everything() {
        let histogram = Histogram::default();
        for millis in [0, 3, 3, 400, 60_000] {
            histogram.observe(Duration::from_millis(millis));
        }
        let mut text = String::new();
        histogram.render(&mut text, "t", "");
        assert!(text.contains("t_bucket{le=\"0.0005\"} 1\n"), "{text}");
        assert!(text.contains("t_bucket{le=\"0.005\"} 3\n"), "{text}");
        assert!(text.contains("t_bucket{le=\"10\"} 4\n"), "{text}");
        assert!(text.contains("t_bucket{le=\"+Inf\"} 5\n"), "{text}");
        assert!(text.contains("t_count 5\n"), "{text}");
    }
}
