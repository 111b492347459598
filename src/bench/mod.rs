//! `phasor bench DIR`: a folder of pictures through one request, on the CPU, on each GPU and through `vipsthumbnail`.

mod backends;
mod measure;
mod options;
mod pictures;
mod progress;
mod report;
mod vips;

use std::io::IsTerminal as _;

pub use options::{Options, USAGE};
pub use report::{GpuShare, Report, Row};

use backends::{Gpus, Worker};
use measure::{Measured, Work};
use pictures::Pictures;
use progress::Progress;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// An argument that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The folder cannot be read.
    #[error("{path}: {error}")]
    Folder {
        /// As it was given.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// No file of the folder can be used.
    #[error("no picture in {path} that this request can be done to{}", listed(.skipped))]
    Empty {
        /// As it was given.
        path: String,
        /// Reasons and how often each was met.
        skipped: Vec<(String, u64)>,
    },
    /// A GPU was asked for and there is none.
    #[error("there is no GPU{0}; see phasor gpus")]
    NoGpu(String),
}

fn listed(skipped: &[(String, u64)]) -> String {
    let reasons: Vec<String> = skipped.iter().map(|(reason, count)| format!("{count} × {reason}")).collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) }
}

/// Measures, with a bar on stderr where that is a terminal.
///
/// # Errors
/// See [`BenchError`].
pub fn run(options: &Options) -> Result<Report, BenchError> {
    let pictures = Pictures::read(options)?;
    let gpus = Gpus::open(options)?;
    let progress = Progress::new(std::io::stderr().is_terminal());
    let mut rows = Vec::new();
    // Whole requests: bytes in, bytes out.
    rows.push(row(options, &pictures, &Worker::Cpu, (Work::Request, options.threads), &progress));
    for gpu in gpus.each() {
        rows.push(row(options, &pictures, &gpu, (Work::Request, options.threads), &progress));
    }
    if options.vips
        && let Some(size) = vips::size(&options.request)
    {
        rows.extend(vips::measured(options, &pictures, &size, &progress));
    }
    // The steps alone, of pictures that are in memory.
    let held = pictures.decoded(options.held_bytes);
    if !held.list.is_empty() {
        rows.push(row(options, &held, &Worker::Cpu, (Work::Steps, options.threads), &progress));
        for gpu in gpus.each() {
            for &jobs in &options.batches {
                rows.push(row(options, &held, &gpu, (Work::Steps, jobs), &progress));
            }
        }
    }
    progress.clear();
    Ok(Report {
        request: options.request.clone(),
        pictures: pictures.list.len() as u64,
        megapixels: pictures.megapixels(),
        held: held.list.len() as u64,
        skipped: pictures.skipped,
        threads: options.threads,
        seconds: options.seconds,
        rows,
    })
}

fn row(options: &Options, pictures: &Pictures, worker: &Worker<'_>, how: (Work, usize), progress: &Progress) -> Row {
    let (work, threads) = how;
    let title = format!("{} {} × {threads}", worker.name(), work.name());
    // Once before: pools, tables and caches are filled.
    let warm = Measured::of(pictures, worker, work, threads, options.seconds / 5.0, &progress.titled(&title));
    let before = worker.stats();
    let measured = if warm.done == 0 {
        warm
    } else {
        Measured::of(pictures, worker, work, threads, options.seconds, &progress.titled(&title))
    };
    let gpu = worker.share(before.as_ref(), &measured);
    Row::new(worker.name(), work.name(), threads, &measured, gpu)
}
