//! Counters, gauges and histograms in the Prometheus text format; a few atomics, no dependency.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// A label's value: a fixed text or a number, so that clients cannot grow the set of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Value {
    Text(&'static str),
    Number(u16),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => {
                for c in text.chars() {
                    match c {
                        '\\' => f.write_str("\\\\")?,
                        '"' => f.write_str("\\\"")?,
                        '\n' => f.write_str("\\n")?,
                        c => f.write_char(c)?,
                    }
                }
                Ok(())
            }
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// A label's name, and in words which values it takes.
pub(super) type Label = (&'static str, &'static str);

/// One name, some labels, a cell for each combination of label values seen.
pub(super) struct Family<const N: usize, C: 'static> {
    name: &'static str,
    help: &'static str,
    labels: [Label; N],
    cells: RwLock<BTreeMap<[Value; N], &'static C>>,
}

impl<const N: usize, C: Cell> Family<N, C> {
    pub(super) const fn new(name: &'static str, help: &'static str, labels: [Label; N]) -> Self {
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
}

/// What can be said of a family whatever it is made of.
pub(super) trait Metric: Sync {
    fn describe(&self) -> Description;
    /// Appends the family in the text format; nothing when no cell was ever touched.
    fn render(&self, out: &mut String);
}

/// One row of the table of metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Name, without the `_bucket`, `_sum`, `_count` of a histogram.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Names of labels, and in words which values they take.
    pub labels: Vec<(&'static str, &'static str)>,
    /// One sentence.
    pub help: &'static str,
}

impl<const N: usize, C: Cell> Metric for Family<N, C> {
    fn describe(&self) -> Description {
        Description { name: self.name, kind: C::KIND, labels: self.labels.to_vec(), help: self.help }
    }

    fn render(&self, out: &mut String) {
        let cells = self.cells.read().unwrap_or_else(PoisonError::into_inner);
        if cells.is_empty() {
            return;
        }
        let _ = writeln!(out, "# HELP {} {}\n# TYPE {} {}", self.name, self.help, self.name, C::KIND);
        for (values, cell) in cells.iter() {
            let labels: Vec<String> =
                self.labels.iter().zip(values).map(|((label, _), value)| format!("{label}=\"{value}\"")).collect();
            cell.render(out, self.name, &labels.join(","));
        }
    }
}

/// What a family is made of.
pub(super) trait Cell: Default + Sync + 'static {
    const KIND: &'static str;
    fn render(&self, out: &mut String, name: &str, labels: &str);
}

/// Only goes up.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// Takes over what its owner has counted.
    pub(super) fn set(&self, count: u64) {
        self.0.store(count, Ordering::Relaxed);
    }
}

impl Cell for Counter {
    const KIND: &'static str = "counter";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let _ = writeln!(out, "{name}{} {}", braced(labels), self.0.load(Ordering::Relaxed));
    }
}

/// Time that only goes up, counted by its owner in nanoseconds and told in seconds.
#[derive(Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    pub(super) fn set(&self, spent: Duration) {
        self.0.store(nanos(spent), Ordering::Relaxed);
    }
}

impl Cell for Clock {
    const KIND: &'static str = "counter";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let seconds = Duration::from_nanos(self.0.load(Ordering::Relaxed)).as_secs_f64();
        let _ = writeln!(out, "{name}{} {seconds}", braced(labels));
    }
}

/// A whole number that goes up and down.
#[derive(Default)]
pub(super) struct Gauge(AtomicI64);

impl Gauge {
    pub(super) fn add(&self, more: i64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn set(&self, value: u64) {
        self.0.store(i64::try_from(value).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

impl Cell for Gauge {
    const KIND: &'static str = "gauge";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let _ = writeln!(out, "{name}{} {}", braced(labels), self.0.load(Ordering::Relaxed));
    }
}

/// A time that goes up and down, told in seconds.
#[derive(Default)]
pub(super) struct Dial(AtomicU64);

impl Dial {
    pub(super) fn set(&self, time: Duration) {
        self.0.store(nanos(time), Ordering::Relaxed);
    }
}

impl Cell for Dial {
    const KIND: &'static str = "gauge";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let seconds = Duration::from_nanos(self.0.load(Ordering::Relaxed)).as_secs_f64();
        let _ = writeln!(out, "{name}{} {seconds}", braced(labels));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// What a histogram measures in.
pub(super) trait Scale: Default + Sync + 'static {
    /// Upper bounds of the buckets, at most [`BUCKETS`] − 1.
    const BOUNDS: &'static [f64];
    /// One of the counted units in the unit of the bounds.
    const UNIT: f64;
}

/// Buckets that a histogram has room for.
const BUCKETS: usize = 16;

/// Durations: counted in nanoseconds, bounds in seconds. From a thumbnail in memory to a source that times out.
#[derive(Default)]
pub(super) struct Seconds;

impl Scale for Seconds {
    const BOUNDS: &'static [f64] =
        &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    const UNIT: f64 = 1e-9;
}

/// Pictures of a submission to a GPU.
#[derive(Default)]
pub(super) struct Pictures;

impl Scale for Pictures {
    const BOUNDS: &'static [f64] = &[1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0];
    const UNIT: f64 = 1.0;
}

/// Values by bucket.
#[derive(Default)]
pub(super) struct Histogram<S> {
    /// One a bound, and one more for everything larger; not cumulative.
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    scale: PhantomData<S>,
}

impl<S: Scale> Histogram<S> {
    fn count(&self, units: u64) {
        #[allow(clippy::cast_precision_loss, reason = "a bucket's bound is no sharper")]
        let value = units as f64 * S::UNIT;
        let bucket = S::BOUNDS.iter().position(|&bound| value <= bound).unwrap_or(S::BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(units, Ordering::Relaxed);
    }
}

impl Histogram<Seconds> {
    pub(super) fn observe(&self, duration: Duration) {
        self.count(nanos(duration));
    }
}

impl Histogram<Pictures> {
    pub(super) fn observe(&self, pictures: usize) {
        self.count(pictures as u64);
    }
}

impl<S: Scale> Cell for Histogram<S> {
    const KIND: &'static str = "histogram";
    fn render(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut count = 0;
        for (i, bucket) in self.buckets.iter().take(S::BOUNDS.len() + 1).enumerate() {
            count += bucket.load(Ordering::Relaxed);
            let bound = S::BOUNDS.get(i).map_or("+Inf".to_owned(), f64::to_string);
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
        }
        #[allow(clippy::cast_precision_loss, reason = "a sum is read as a rate")]
        let sum = self.sum.load(Ordering::Relaxed) as f64 * S::UNIT;
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
        let family: Family<2, Counter> = Family::new("x_total", "Things.", [("kind", ""), ("status", "")]);
        family.with([Value::Text("a"), Value::Number(200)]).add(2);
        family.with([Value::Text("a"), Value::Number(200)]).add(1);
        family.with([Value::Text("b\"\\"), Value::Number(404)]).add(1);
        let mut text = String::new();
        family.render(&mut text);
        assert_eq!(
            text,
            "# HELP x_total Things.\n# TYPE x_total counter\nx_total{kind=\"a\",status=\"200\"} 3\n\
             x_total{kind=\"b\\\"\\\\\",status=\"404\"} 1\n"
        );
    }

    #[test]
    fn buckets_are_cumulative_and_the_last_holds_everything() {
        let histogram = Histogram::<Seconds>::default();
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
        let batches = Histogram::<Pictures>::default();
        for pictures in [1, 1, 32, 33] {
            batches.observe(pictures);
        }
        let mut text = String::new();
        batches.render(&mut text, "b", "");
        assert!(text.contains("b_bucket{le=\"1\"} 2\n") && text.contains("b_bucket{le=\"32\"} 3\n"), "{text}");
        assert!(text.contains("b_sum 67\nb_count 4\n"), "{text}");
    }

    #[test]
    fn every_scale_has_room() {
        assert!(Seconds::BOUNDS.len() < BUCKETS && Pictures::BOUNDS.len() < BUCKETS);
    }
}
