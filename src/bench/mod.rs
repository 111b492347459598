//! `phasor bench DIR`: a folder of pictures through one request, on the CPU, on each GPU and through `vipsthumbnail`.

mod backends;
mod client;
mod measure;
mod options;
mod pictures;
mod progress;
mod report;
mod served;
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
    /// The server that was to be measured did not serve.
    #[error("the server: {0}")]
    Server(std::io::Error),
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
    let wanted = |work: &str| options.work.contains(&work);
    // Whole requests: bytes in, bytes out.
    for worker in std::iter::once(Worker::Cpu).chain(gpus.each()).filter(|_| wanted("request")) {
        rows.push(row(options, &pictures, &worker, (Work::Request, options.threads), &progress));
    }
    if options.vips
        && wanted("request")
        && let Some(size) = vips::size(&options.request)
    {
        rows.extend(vips::measured(options, &pictures, &size, &progress));
    }
    // The steps alone, of pictures that are in memory.
    let held = wanted("steps").then(|| pictures.decoded(options.held_bytes));
    if let Some(held) = held.as_ref().filter(|held| !held.list.is_empty()) {
        rows.push(row(options, held, &Worker::Cpu, (Work::Steps, options.threads), &progress));
        for gpu in gpus.each() {
            for &jobs in &options.batches {
                rows.push(row(options, held, &gpu, (Work::Steps, jobs), &progress));
            }
        }
    }
    // Last: a server settles how this process allocates.
    if wanted("served") {
        rows.push(served::row(options, &pictures, &progress)?);
    }
    progress.clear();
    Ok(Report {
        request: options.request.clone(),
        pictures: pictures.list.len() as u64,
        megapixels: pictures.megapixels(),
        held: held.map_or(0, |held| held.list.len() as u64),
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
