//! Whole requests through a real server: what `phasor capacity` goes by.
//!
//! A server in this process, and as many clients as it has threads, each with one request at a time and a pause behind it:
//! nobody waits, and threads are about as busy as in a fleet that is sized well. A picture takes longer there than in a
//! thread that does nothing but pictures (it comes from another thread's cache, the thread has slept, HTTP is spoken on the
//! same processors), and near saturation a little more work is much more waiting.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::config::{Config, args};
use crate::server::{Running, Signals, start};

use super::client::Client;
use super::measure::Measured;
use super::pictures::Pictures;
use super::progress::{Bar, Progress};
use super::report::Row;
use super::{BenchError, Options};

/// A client pauses for so much of the time that its answer took: threads are then busy for about 70 % of the time, the
/// utilisation that `phasor capacity` aims at.
const PAUSE: f64 = 3.0 / 7.0;

/// The line of the table.
pub(super) fn row(options: &Options, pictures: &Pictures, progress: &Progress) -> Result<Row, BenchError> {
    let running = server(options)?;
    let targets = targets(options, pictures);
    let title = format!("cpu served × {}", options.threads);
    let bar = progress.titled(&title);
    measured(&running, options.threads, options.seconds / 5.0, &targets, &bar);
    let (measured, besides) = measured(&running, options.threads, options.seconds, &targets, &bar);
    running.stop();
    running.wait().map_err(BenchError::Server)?;
    let row = Row::new("cpu".to_owned(), "served", options.threads, &measured, None);
    Ok(Row { besides_ms: besides.map(|seconds| seconds * 1e3), ..row })
}

fn server(options: &Options) -> Result<Running, BenchError> {
    let flags = [
        format!("-mount={}", options.folder.display()),
        format!("-cpus={}", options.threads),
        "-a=127.0.0.1".to_owned(),
        "-p=0".to_owned(),
        "-gpu=off".to_owned(),
        "-log-level=none".to_owned(),
        "-debug-headers".to_owned(),
        // As in the other lines.
        "-max-allowed-resolution=1000".to_owned(),
        "-max-output-resolution=1000".to_owned(),
        "-follow-symlinks-out".to_owned(),
        "-drain-delay=0s".to_owned(),
    ];
    let (_, args) = args::parse(flags, &|_| None).map_err(|faults| BenchError::Usage(faults.join("; ")))?;
    let config = Config::from_args(&args).map_err(|faults| BenchError::Usage(faults.join("; ")))?;
    start(config, Signals::Ignored).map_err(BenchError::Server)
}

/// What is asked for each picture, and its megapixels.
fn targets(options: &Options, pictures: &Pictures) -> Vec<(String, f64)> {
    let join = if options.request.contains('?') { '&' } else { '?' };
    let named = pictures.list.iter().filter_map(|item| {
        let file = item.path.strip_prefix(&options.folder).ok()?.to_str()?;
        let file = utf8_percent_encode(file, NON_ALPHANUMERIC);
        Some((format!("{}{join}file={file}", options.request), item.header.size.area() as f64 / 1e6))
    });
    named.collect()
}

/// What a client measured.
#[derive(Default)]
struct Part {
    worked: Vec<f32>,
    /// Seconds of all requests that were no work of a thread's.
    besides: f64,
    megapixels: f64,
    failed: u64,
}

fn measured(
    running: &Running,
    clients: usize,
    seconds: f64,
    targets: &[(String, f64)],
    bar: &Bar<'_>,
) -> (Measured, Option<f64>) {
    let (next, begun) = (AtomicUsize::new(0), Instant::now());
    let end = begun + Duration::from_secs_f64(seconds);
    let client = || {
        let mut part = Part::default();
        let Ok(mut client) = Client::connect(running.address) else { return Part { failed: 1, ..part } };
        while Instant::now() < end {
            let at = next.fetch_add(1, Ordering::Relaxed) % targets.len().max(1);
            let Some((target, megapixels)) = targets.get(at) else { break };
            match client.get(target) {
                Ok(answer) if answer.status == 200 => {
                    part.worked.push(answer.worked as f32);
                    part.besides += answer.took - answer.worked;
                    part.megapixels += megapixels;
                    std::thread::sleep(Duration::from_secs_f64(answer.took * PAUSE));
                }
                Ok(_) => part.failed += 1,
                // The connection is of no use any more.
                Err(_) => return Part { failed: part.failed + 1, ..part },
            }
        }
        part
    };
    let parts: Vec<Part> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        while running.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(20));
            bar.show(begun.elapsed().as_secs_f64() / seconds, next.load(Ordering::Relaxed) as u64);
        }
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let wall = begun.elapsed().as_secs_f64();
    let besides: f64 = parts.iter().map(|part| part.besides).sum();
    let failed = parts.iter().map(|part| part.failed).sum();
    let megapixels = parts.iter().map(|part| part.megapixels).sum();
    let mut latencies: Vec<f32> = parts.into_iter().flat_map(|part| part.worked).collect();
    latencies.sort_by(f32::total_cmp);
    let done = latencies.len() as u64;
    let besides = (done > 0).then(|| besides / done as f64);
    (Measured { done, failed, megapixels, wall, latencies, ..Measured::default() }, besides)
}
