//! Figures as a table or as JSON.

use std::fmt::Write as _;

use serde::Serialize;

use crate::markdown;

use super::measure::Measured;

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Path and query.
    pub request: String,
    /// Pictures of the folder that it can be done to.
    pub pictures: u64,
    /// Megapixels of them all.
    pub megapixels: f64,
    /// How many of them were held decoded, for the steps alone.
    pub held: u64,
    /// Why files were left out, and how many for each reason.
    pub skipped: Vec<(String, u64)>,
    /// Threads of whole requests.
    pub threads: usize,
    /// Seconds a row.
    pub seconds: f64,
    /// A backend and a kind of work each.
    pub rows: Vec<Row>,
}

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// `cpu`, `gpu0` and the adapter's name, `vipsthumbnail`.
    pub backend: String,
    /// `request`: file to file; `steps`: pixels to pixels; `served`: by a server, times on its threads.
    pub work: String,
    /// Threads, each with one picture at a time (for `vipsthumbnail`: processes).
    pub threads: usize,
    /// Pictures done.
    pub done: u64,
    /// Pictures that gave an error.
    pub failed: u64,
    /// Pictures a second.
    pub images_per_second: f64,
    /// Megapixels of the sources a second.
    pub megapixels_per_second: f64,
    /// Median time of a picture in milliseconds.
    pub p50_ms: Option<f64>,
    /// The time that 99 of 100 pictures kept below, in milliseconds.
    pub p99_ms: Option<f64>,
    /// Mean time of a picture in milliseconds.
    pub mean_ms: Option<f64>,
    /// Times in milliseconds that 0, 2, 4, … 100 of a hundred pictures kept below: what `phasor capacity` reads.
    pub quantiles_ms: Vec<f64>,
    /// `served` alone: milliseconds of a request, on average, that are no work on the picture.
    pub besides_ms: Option<f64>,
    /// Figures of the GPU.
    pub gpu: Option<GpuShare>,
}

/// What a GPU did for a row.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GpuShare {
    /// Pictures that the CPU made because the GPU did not.
    pub fell_back: u64,
    /// Pictures in a submission, on average.
    pub pictures_per_submission: f64,
    /// Bytes uploaded a picture.
    pub bytes_up: f64,
    /// Bytes read back a picture.
    pub bytes_down: f64,
    /// Processor time of the device's thread for recording and submitting, microseconds a picture.
    pub submit_us: f64,
    /// Share of the time in which passes ran, by the device's clock.
    pub busy_share: Option<f64>,
    /// Bytes that the passes read and wrote in a second of theirs, at least.
    pub pass_bandwidth: Option<f64>,
    /// Bytes that the device reads and writes in a second when it copies.
    pub copy_bandwidth: Option<f64>,
    /// The former by the latter.
    pub bandwidth_share: Option<f64>,
}

impl Row {
    pub(super) fn new(backend: String, work: &str, threads: usize, measured: &Measured, gpu: Option<GpuShare>) -> Self {
        // Time between two pictures (copies of what a backend uses up) is not the backend's.
        let busy: f64 = measured.latencies.iter().map(|&seconds| f64::from(seconds)).sum();
        let spent = if work == "steps" && busy > 0.0 { busy / threads as f64 } else { measured.wall };
        let rate = |n: f64| if spent > 0.0 { n / spent } else { 0.0 };
        Self {
            backend,
            work: work.to_owned(),
            threads,
            done: measured.done,
            failed: measured.failed,
            images_per_second: rate(measured.done as f64),
            megapixels_per_second: rate(measured.megapixels),
            p50_ms: measured.quantile(0.5),
            p99_ms: measured.quantile(0.99),
            mean_ms: (!measured.latencies.is_empty()).then(|| busy / measured.latencies.len() as f64 * 1e3),
            quantiles_ms: (0..=50).filter_map(|step| measured.quantile(f64::from(step) / 50.0)).collect(),
            besides_ms: None,
            gpu,
        }
    }
}

impl Report {
    /// The table, a Markdown one, and what must be known to read it.
    pub fn table(&self) -> String {
        let mut out = format!(
            "{}: {} pictures, {:.0} megapixels; {} s a line\n",
            self.request, self.pictures, self.megapixels, self.seconds
        );
        for (reason, count) in &self.skipped {
            let _ = writeln!(out, "left out: {count} × {reason}");
        }
        let head = [
            "backend",
            "work",
            "at once",
            "images/s",
            "MP/s",
            "p50 ms",
            "p99 ms",
            "besides ms",
            "up KiB",
            "down KiB",
            "a batch",
            "submit µs",
            "GPU busy",
            "of copy bandwidth",
        ];
        out.push_str(&markdown::table(head, self.rows.iter().map(cells), 2));
        out.push_str("\nrequest: file to file; steps: pixels to pixels, of ");
        let _ = writeln!(out, "{} decoded pictures in memory; served: by a server, times on its threads.", self.held);
        if self.rows.iter().any(|row| row.backend.starts_with("vipsthumbnail")) {
            out.push_str("vipsthumbnail: its processes' start and the writing of files are in the figure.\n");
        }
        for row in self.rows.iter().filter(|row| row.failed > 0) {
            let _ = writeln!(out, "FAILED: {} pictures of {} ({})", row.failed, row.backend, row.work);
        }
        for (row, gpu) in self.rows.iter().filter_map(|row| row.gpu.as_ref().map(|gpu| (row, gpu))) {
            if gpu.fell_back > 0 {
                let (name, work) = (&row.backend, &row.work);
                let _ =
                    writeln!(out, "{name} ({work}): {} pictures of {} were made on the CPU", gpu.fell_back, row.done);
            }
        }
        out
    }

    /// The figures as JSON, with a newline.
    pub fn json(&self) -> String {
        // Numbers and strings alone: there is nothing that could not be written.
        serde_json::to_string_pretty(self).map_or_else(|_| String::new(), |text| text + "\n")
    }
}

fn cells(row: &Row) -> [String; 14] {
    let maybe = |value: Option<f64>, digits: usize| value.map_or_else(String::new, |v| format!("{v:.digits$}"));
    let percent = |value: Option<f64>| value.map_or_else(String::new, |v| format!("{:.1} %", 100.0 * v));
    let gpu = row.gpu.as_ref();
    [
        row.backend.clone(),
        row.work.clone(),
        row.threads.to_string(),
        format!("{:.1}", row.images_per_second),
        format!("{:.0}", row.megapixels_per_second),
        maybe(row.p50_ms, 2),
        maybe(row.p99_ms, 2),
        maybe(row.besides_ms, 2),
        maybe(gpu.map(|gpu| gpu.bytes_up / 1024.0), 0),
        maybe(gpu.map(|gpu| gpu.bytes_down / 1024.0), 0),
        maybe(gpu.map(|gpu| gpu.pictures_per_submission), 1),
        maybe(gpu.map(|gpu| gpu.submit_us), 1),
        percent(gpu.and_then(|gpu| gpu.busy_share)),
        percent(gpu.and_then(|gpu| gpu.bandwidth_share)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_as_wide_and_what_failed_is_said() {
        let measured = Measured {
            done: 3,
            failed: 1,
            megapixels: 36.0,
            wall: 2.0,
            latencies: vec![0.5, 0.5, 0.5],
            ..Measured::default()
        };
        let share = GpuShare { fell_back: 2, busy_share: Some(0.5), ..GpuShare::default() };
        let rows = vec![
            Row::new("cpu".into(), "request", 2, &measured, None),
            Row::new("gpu0 long name".into(), "steps", 16, &measured, Some(share)),
        ];
        // Whole requests by the wall's clock, steps by their own time.
        assert!((rows[0].images_per_second - 1.5).abs() < 1e-9 && (rows[1].images_per_second - 32.0).abs() < 1e-6);
        let report = Report {
            request: "/resize?width=300".into(),
            pictures: 3,
            megapixels: 36.0,
            held: 3,
            skipped: vec![("Unsupported media type".into(), 4)],
            threads: 2,
            seconds: 1.0,
            rows,
        };
        let table = report.table();
        let widths: Vec<usize> =
            table.lines().filter(|line| line.starts_with('|')).map(|line| line.chars().count()).collect();
        assert!(widths.len() == 4 && widths.iter().all(|&width| width == widths[0]), "{table}");
        for said in ["4 × Unsupported", "FAILED: 1 pictures of cpu", "2 pictures of 3 were made on the CPU", "50.0 %"]
        {
            assert!(table.contains(said), "{said}: {table}");
        }
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["rows"][1]["gpu"]["busy_share"], 0.5);
    }
}
