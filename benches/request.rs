//! Whole requests in process, without HTTP: query → parameters → header → plan → engine → file, on one thread.

#![allow(clippy::expect_used, reason = "a bench that cannot run has failed")]

mod pictures;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use divan::Bencher;
use phasor::budget::MemoryBudget;
use phasor::codecs::{Limits, OutputFormat};
use phasor::engine::{Config, Engine, GpuConfig, Job};
use phasor::plan::{Endpoint, parse, resolve};
use phasor::query::Query;

fn main() {
    divan::main();
}

static LARGE: LazyLock<Bytes> =
    LazyLock::new(|| pictures::encoded(&pictures::photograph(4000, 3000), OutputFormat::Jpeg, 88, false).into());
static SMALL: LazyLock<Bytes> =
    LazyLock::new(|| pictures::encoded(&pictures::photograph(1920, 1080), OutputFormat::Jpeg, 88, false).into());

fn request(bencher: Bencher<'_, '_>, source: &Bytes, endpoint: Endpoint, query: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let config = Config { cpus: 1, max_queue: 1, limits: Limits::default(), gpu: GpuConfig::default() };
    let engine = Engine::new(config, MemoryBudget::new(4 << 30)).expect("threads");
    bencher.bench_local(|| {
        runtime.block_on(async {
            let deadline = Instant::now() + Duration::from_secs(60);
            let params = parse(&Query::parse(query.as_bytes())).expect("good parameters");
            let header = engine.probe(source, deadline).await.expect("a JPEG");
            let plan = resolve(endpoint, &params, &header, engine.limits(), None).expect("a plan");
            let job = Job { source: source.clone(), header, plan, overlays: Vec::new() };
            engine.run(job, deadline).await.expect("a picture").bytes.len()
        })
    });
}

#[divan::bench(args = ["width=300", "width=800", "width=1600", "width=300&type=webp"], sample_count = 10)]
fn resize_12mp(bencher: Bencher<'_, '_>, query: &str) {
    request(bencher, &LARGE, Endpoint::Resize, query);
}

#[divan::bench(args = ["width=200", "width=200&height=200&nocrop=false", "width=400&type=png"], sample_count = 10)]
fn resize_2mp(bencher: Bencher<'_, '_>, query: &str) {
    request(bencher, &SMALL, Endpoint::Resize, query);
}

#[divan::bench(args = ["sigma=2", "sigma=10"], sample_count = 10)]
fn blur_2mp(bencher: Bencher<'_, '_>, query: &str) {
    request(bencher, &SMALL, Endpoint::Blur, query);
}
