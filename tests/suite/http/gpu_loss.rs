//! A GPU that fails again and again under real requests, in every way that can be brought about: nobody notices but the
//! metrics.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use phasor::backend::gpu::{Answer, Source, Wanted};
use phasor::backend::{BackendError, GpuBackend};
use phasor::codecs::{DecodeSpec, Limits, decode, probe};
use phasor::engine::Drill;
use phasor::image::{Form, ImageBuf, Picture, PixelFormat, Size};
use phasor::ops::{Sigma, Step};

use crate::parity::compare::{FAINT, difference, difference_but};

use super::{Client, Server};

/// A kind of request: what is asked, and the fixture that is sent.
const KINDS: &[(&str, &str)] = &[
    ("/resize?width=90&type=png", "photo.jpg"),
    ("/resize?width=50&height=40&force=true&type=png", "progressive.jpg"),
    // Most are decoded into the device's memory, and again when it is lost.
    ("/resize?width=200&type=png", "444.jpg"),
    ("/crop?width=100&height=90&type=png", "422.jpg"),
    ("/blur?sigma=4&type=png", "rgba.png"),
    ("/watermark?text=Lost&textwidth=80&dpi=90&opacity=0.8&type=png", "422.jpg"),
    ("/resize?width=33&type=png", "lzw.tiff"),
    ("/resize?width=20&type=png", "animated.gif"),
    ("/crop?width=40&height=30&rotate=90&type=png", "444.jpg"),
    ("/resize?width=64&type=png&colorspace=bw", "422.jpg"),
    ("/resize?width=120&height=120&embed=true&extend=mirror&type=png", "lossy.webp"),
];

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn picture(png: &[u8]) -> ImageBuf {
    let limits = Limits::default();
    let header = probe(png, &limits).unwrap();
    let decoded = decode(png, &header, &DecodeSpec::default(), &limits, &|| false).unwrap();
    let Picture::Packed(buf) = decoded.picture else { panic!("a PNG in planes") };
    buf
}

fn metric(server: &Server, name: &str) -> u64 {
    let text = Client::connect(server.admin()).request("GET", "/metrics", &[], None).text();
    let of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
    let values: Vec<u64> =
        text.lines().filter(of).map(|line| line.rsplit(' ').next().unwrap().parse().unwrap()).collect();
    assert!(!values.is_empty(), "{name}");
    values.iter().sum()
}

/// Whether there is an adapter; says so loudly where there is none.
fn is_there_a_gpu() -> bool {
    let found = !phasor::backend::gpu::adapters().is_empty();
    if !found {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
    }
    found
}

/// What clients saw.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    asked: AtomicU64,
    on_gpu: AtomicU64,
    fell_back: AtomicU64,
    unready: AtomicU64,
    /// Threads of the device that were given up.
    given_up: AtomicU64,
}

impl Seen {
    fn on_gpu(&self) -> u64 {
        self.on_gpu.load(Ordering::Relaxed)
    }

    /// Asks for one kind after the other until it is time to stop; every answer must be the CPU's picture.
    fn ask(&self, server: &Server, first: usize, kinds: &[(&str, &[u8], &ImageBuf)]) {
        for (target, source, expected) in kinds.iter().cycle().skip(first) {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let answer = server.post(target, source);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            let apart = difference_but(expected, &picture(&answer.body), FAINT);
            assert!(apart.max <= 2.0, "{target}: {apart:?}");
            let placed = answer.header("phasor-placement").unwrap();
            self.on_gpu.fetch_add(u64::from(placed.starts_with("gpu")), Ordering::Relaxed);
            self.fell_back.fetch_add(u64::from(placed.contains("fell-back")), Ordering::Relaxed);
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn watch_readiness(&self, server: &Server) {
        while !self.stop.load(Ordering::Relaxed) {
            let ready = Client::connect(server.admin()).request("GET", "/readyz", &[], None).status == 200;
            self.unready.fetch_add(u64::from(!ready), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

struct StopAtEnd<'a>(&'a Seen);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }
}

/// Lets so many clients ask a server for pictures while its device is made to fail `times` times.
fn fail(clients: usize, strike: impl Fn(&Server), times: u64, deadline: Option<Duration>) -> Seen {
    let sources: Vec<Vec<u8>> = KINDS.iter().map(|(_, name)| fixture(name)).collect();
    let on_cpu = Server::with(&["-gpu", "off"]);
    let expected: Vec<ImageBuf> = KINDS
        .iter()
        .zip(&sources)
        .map(|((target, _), source)| {
            let answer = on_cpu.post(target, source);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            picture(&answer.body)
        })
        .collect();
    let kinds: Vec<(&str, &[u8], &ImageBuf)> =
        KINDS.iter().zip(&sources).zip(&expected).map(|((kind, source), made)| (kind.0, &source[..], made)).collect();

    // One adapter, however many there are: figures are sums.
    let flags = ["-gpu", "on", "-gpu-adapter", "0", "-debug-headers", "-cpus", "4"];
    let server = Server::with_admin(&flags, |config| {
        config.engine.gpu.deadline = deadline;
    });
    let seen = Seen::default();
    std::thread::scope(|scope| {
        // A failed check ends the test: those who ask would go on for ever.
        let _end = StopAtEnd(&seen);
        for client in 0..clients {
            let (server, seen, kinds) = (&server, &seen, &kinds);
            scope.spawn(move || seen.ask(server, client, kinds));
        }
        scope.spawn(|| seen.watch_readiness(&server));
        let begun = Instant::now();
        let within = |seconds| begun.elapsed() < Duration::from_secs(seconds);
        let (mut failures, mut worked) = (0, 0);
        while failures < times && within(90) {
            std::thread::sleep(Duration::from_millis(10));
            // Only a device that has worked since is worth it.
            if seen.on_gpu() > worked && metric(&server, "phasor_gpu_devices") == 1 {
                let before = metric(&server, "phasor_gpu_losses_total");
                while metric(&server, "phasor_gpu_losses_total") == before && within(90) {
                    // A hang is too short now and then where other work slows down what it is measured by.
                    strike(&server);
                    let drilled = Instant::now();
                    while metric(&server, "phasor_gpu_losses_total") == before
                        && drilled.elapsed() < Duration::from_secs(8)
                    {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                failures += 1;
                worked = seen.on_gpu();
            }
        }
        // It comes back.
        while seen.on_gpu() < worked + 5 && within(120) {
            std::thread::sleep(Duration::from_millis(10));
        }
        seen.stop.store(true, Ordering::Relaxed);
        let state = ["losses_total", "given_up_total", "devices", "fallbacks_total", "pictures_total"]
            .map(|name| (name, metric(&server, &format!("phasor_gpu_{name}"))));
        let (now, asked) = (seen.on_gpu(), seen.asked.load(Ordering::Relaxed));
        assert!(
            now >= worked + 5,
            "no device after {failures} failures: {now} of {asked} on it, {worked} before; {state:?}"
        );
    });
    let losses = metric(&server, "phasor_gpu_losses_total");
    seen.given_up.store(metric(&server, "phasor_gpu_given_up_total"), Ordering::Relaxed);
    // Under a short deadline a busy machine may lose it once more.
    assert!(losses == times || (losses > times && deadline.is_some()), "{losses} losses");
    assert_eq!(seen.unready.load(Ordering::Relaxed), 0, "it was not ready for a while");
    assert!(metric(&server, "phasor_gpu_fallbacks_total") > 0);
    assert!(metric(&server, "phasor_gpu_batch_pictures_sum") >= seen.on_gpu());
    assert!(metric(&server, "phasor_gpu_bytes_total") > 0);
    assert!(metric(&server, "phasor_stage_duration_seconds_count{stage=\"device_wait\"}") >= seen.on_gpu());
    // Two answers may differ in their last bits, and the tag says so.
    let tag = server.post(KINDS[0].0, &sources[0]).header("etag").unwrap_or_default().to_owned();
    assert!(tag.starts_with("W/\""), "{tag:?}");
    seen
}

#[test]
fn no_client_notices_that_the_gpu_is_lost() {
    if !is_there_a_gpu() {
        return;
    }
    let seen = fail(6, |server| server.drill_gpus(Drill::Loss), 6, None);
    let (asked, on_gpu) = (seen.asked.into_inner(), seen.on_gpu.into_inner());
    // Those in between were made on the CPU.
    assert!(on_gpu > 6 && on_gpu < asked, "{on_gpu} of {asked}");
}

/// A call to the driver panics: nobody who waits then waits any longer, and the thread goes on with a new device.
#[test]
fn no_client_notices_that_a_call_to_the_driver_panics() {
    if !is_there_a_gpu() {
        return;
    }
    let begun = Instant::now();
    let seen = fail(6, |server| server.drill_gpus(Drill::Panic), 3, None);
    assert_eq!(seen.given_up.into_inner(), 0, "a thread was lost");
    assert!(begun.elapsed() < Duration::from_secs(90));
}

/// Nobody waits for the device when it is lost, and it comes back without being asked for.
#[test]
fn a_gpu_that_is_lost_while_nobody_waits_for_it_comes_back() {
    if !is_there_a_gpu() {
        return;
    }
    let server = Server::with_admin(&["-gpu", "on", "-gpu-adapter", "0"], |_| {});
    let begun = Instant::now();
    for (losses, drill) in [Drill::Loss, Drill::Panic, Drill::Invalid, Drill::Panic].into_iter().enumerate() {
        while metric(&server, "phasor_gpu_devices") == 0 {
            assert!(begun.elapsed() < Duration::from_secs(120), "no device after {losses} losses");
            std::thread::sleep(Duration::from_millis(10));
        }
        server.drill_gpus(drill);
        while metric(&server, "phasor_gpu_losses_total") == losses as u64 {
            assert!(begun.elapsed() < Duration::from_secs(120), "{drill:?} is not noticed");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The device really computes something else for seconds, behind which everybody's pictures wait.
#[test]
fn no_client_notices_that_the_gpu_hangs() {
    if !is_there_a_gpu() {
        return;
    }
    let hang = |server: &Server| server.drill_gpus(Drill::Hang(Duration::from_secs(4)));
    let seen = fail(6, hang, 2, Some(Duration::from_millis(800)));
    // All six clients wait for the device when it hangs.
    let fell_back = seen.fell_back.into_inner();
    assert!(fell_back >= 6, "{fell_back}");
}

/// The device's thread does not come back from its driver: another one takes its place, with a new device.
#[test]
fn no_client_notices_a_driver_that_does_not_return() {
    if !is_there_a_gpu() {
        return;
    }
    let stuck = |server: &Server| server.drill_gpus(Drill::Stuck(Duration::from_secs(5)));
    let seen = fail(6, stuck, 2, Some(Duration::from_millis(800)));
    assert!(seen.given_up.into_inner() >= 2);
    assert!(seen.fell_back.into_inner() >= 6);
}

/// No driver opens a device in a millisecond: it counts as one that does not come back, is given more time each time, and
/// comes back in the end.
#[test]
fn a_driver_that_does_not_come_back_from_opening_a_device_holds_up_nobody() {
    if !is_there_a_gpu() {
        return;
    }
    let flags = ["-gpu", "on", "-gpu-adapter", "0", "-debug-headers"];
    let server = Server::with_admin(&flags, |config| {
        config.engine.gpu.opening = Some(Duration::from_millis(1));
    });
    assert_eq!(Client::connect(server.admin()).request("GET", "/readyz", &[], None).status, 200);
    let (target, source) = (KINDS[0].0, fixture(KINDS[0].1));
    let placed = || {
        let answer = server.post(target, &source);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.header("phasor-placement").unwrap().to_owned()
    };
    // On a busy machine there may be a device before the first answer, but not at the first attempt.
    assert!(placed().starts_with("cpu") || metric(&server, "phasor_gpu_devices") == 1);
    assert!(metric(&server, "phasor_gpu_given_up_total") >= 1);
    let state = |state: &str| metric(&server, &format!("phasor_gpu_device_state{{adapter=\"0\",state=\"{state}\"}}"));
    let begun = Instant::now();
    // A machine so busy that three of them are away at once has no device until one of them is back.
    while !placed().starts_with("gpu") {
        let [up, rebuilding, failed] = ["up", "rebuilding", "failed"].map(state);
        assert!(begun.elapsed() < Duration::from_secs(120), "up {up}, rebuilding {rebuilding}, failed {failed}");
        assert_eq!(up + rebuilding + failed, 1);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Three threads are away in the driver at once, so nobody else goes there; when the driver answers again, so does the GPU.
#[test]
fn an_adapter_that_failed_comes_back_with_its_driver() {
    if !is_there_a_gpu() {
        return;
    }
    let flags = ["-gpu", "on", "-gpu-adapter", "0", "-debug-headers"];
    let server = Server::with_admin(&flags, |config| {
        config.engine.gpu.deadline = Some(Duration::from_millis(800));
    });
    let (target, source) = (KINDS[0].0, fixture(KINDS[0].1));
    let placed = || {
        let answer = server.post(target, &source);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.header("phasor-placement").unwrap().to_owned()
    };
    let state = |state: &str| metric(&server, &format!("phasor_gpu_device_state{{adapter=\"0\",state=\"{state}\"}}"));
    let begun = Instant::now();
    let within = |seconds| begun.elapsed() < Duration::from_secs(seconds);
    while state("failed") == 0 {
        assert!(within(90), "it does not fail");
        if state("up") == 1 {
            server.drill_gpus(Drill::Stuck(Duration::from_secs(20)));
            // Who waits is how it is found out.
            placed();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(metric(&server, "phasor_gpu_given_up_total") >= 3);
    assert_eq!((state("up"), state("rebuilding")), (0, 0));
    assert!(placed().starts_with("cpu"));
    // What lay idle at those devices is nobody's, though their threads are away, and keep what they work with.
    let idle = || metric(&server, "phasor_gpu_memory_bytes{adapter=\"0\",place=\"host\"}");
    let failed = Instant::now();
    while idle() > 0 {
        // Long before the first of them is back.
        assert!(failed.elapsed() < Duration::from_secs(8), "it keeps {} bytes", idle());
        std::thread::sleep(Duration::from_millis(20));
    }
    while !placed().starts_with("gpu") {
        assert!(within(180), "it does not come back");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((state("up"), state("failed")), (1, 0));
    assert_eq!(Client::connect(server.admin()).request("GET", "/readyz", &[], None).status, 200);
}

/// More work than is done in the time that a hang is given: who waits too long is told, and the device goes on.
#[test]
fn a_gpu_that_is_slow_does_not_hang() {
    if !is_there_a_gpu() {
        return;
    }
    let wanted = Wanted {
        adapter: Some("0".into()),
        software: true,
        deadline: Some(Duration::from_secs(3)),
        ..Wanted::default()
    };
    let gpu = GpuBackend::open_all(&wanted).into_iter().next().unwrap();
    let size = Size::new(180, 180).unwrap();
    let picture = Picture::from(ImageBuf::new(size, PixelFormat::Rgb8, vec![77; 180 * 180 * 3]).unwrap());
    let steps = [Step::Blur(Sigma::new(2.0).unwrap())];
    let (told, heard) = mpsc::channel();
    // Whether it was taken: on a busy machine there may be no memory for a moment.
    let submit = || {
        let prepared = gpu.prepare(Source::Here(&picture), &[], (&steps, Form::Packed)).unwrap();
        let Ok(staged) = prepared.stage() else { return false };
        let told = told.clone();
        gpu.submit(staged, move |answer| drop(told.send(answer.and_then(Answer::picture).map(drop))));
        true
    };
    // For longer than the patience of those who wait, there is always somebody who came long ago.
    let begun = Instant::now();
    let (mut waiting, mut made, mut hung) = (0, 0, 0);
    while begun.elapsed() < Duration::from_secs(12) {
        while waiting < 1000 && submit() {
            waiting += 1;
        }
        if waiting == 0 {
            continue;
        }
        match heard.recv().unwrap() {
            Ok(()) => made += 1,
            Err(BackendError::Hung) => hung += 1,
            Err(BackendError::OutOfMemory) => {}
            Err(error) => panic!("{error}"),
        }
        waiting -= 1;
    }
    let stats = gpu.stats();
    assert_eq!((stats.losses, stats.given_up, stats.alive), (0, 0, true), "{made} made, {hung} told");
    assert!(made > 0, "{hung} told");
    if hung == 0 {
        eprintln!("SKIPPED: a device so fast that nobody waits long says nothing of a slow one ({made} made)");
    }
}

/// The commonest requests: what goes up is decoded to where it goes up from.
#[test]
fn nothing_is_copied_on_its_way_to_the_gpu() {
    if !is_there_a_gpu() {
        return;
    }
    let server = Server::with(&["-gpu", "on", "-gpu-adapter", "0", "-debug-headers"]);
    let large = super::server::jpeg(1600, 1200);
    let copied = |target: &str, source: &[u8]| {
        let begun = Instant::now();
        let placed = loop {
            let answer = server.post(target, source);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            let placed = answer.header("phasor-placement").unwrap().to_owned();
            // On a busy machine one may wait too long for its buffer.
            if placed.starts_with("gpu") {
                break placed;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{target}: {placed}");
        };
        placed.split("copied=").nth(1).unwrap().split(';').next().unwrap().parse::<u64>().unwrap()
    };
    // From coefficients, planes and packed samples.
    for target in ["/resize?width=80", "/resize?width=900", "/resize?width=900&type=png", "/blur?sigma=3"] {
        assert_eq!(copied(target, &large), 0, "{target}");
    }
    for name in ["rgb.png", "rgba.png", "rgb.tiff", "animated.gif"] {
        assert_eq!(copied("/resize?width=20&type=png", &fixture(name)), 0, "{name}");
    }
    let marked = copied("/watermark?text=Copied&textwidth=80&type=jpeg", &large);
    assert!(marked > 0 && marked < 200_000, "the overlay alone: {marked}");
    // It can tell: a decoder of passes comes back to its rows.
    assert!(copied("/resize?width=20&type=png", &fixture("interlaced.png")) > 0);
}

#[test]
fn no_client_notices_a_command_that_the_gpu_refuses() {
    if !is_there_a_gpu() {
        return;
    }
    fail(6, |server| server.drill_gpus(Drill::Invalid), 3, None);
}

/// Set for the process that is made short of memory.
const SHORT: &str = "PHASOR_TEST_SHORT_OF_MEMORY";

/// Memory really runs out: in a process of its own, whose address space is bounded while it makes a picture for which the
/// device needs far more than the CPU does. (The memory of a card is not in that space.)
#[test]
fn no_client_notices_that_the_gpu_is_out_of_memory() {
    if !is_there_a_gpu() {
        return;
    }
    if !phasor::backend::gpu::adapters()[0].software {
        eprintln!("SKIPPED: memory can be made short for software adapters only, and the first adapter is a real one");
        return;
    }
    let own = std::env::current_exe().unwrap();
    let output = std::process::Command::new(own)
        .args(["--exact", "http::gpu_loss::short_of_memory", "--ignored", "--nocapture"])
        .env(SHORT, "1")
        // Every thread's own heap begins with 64 MiB of addresses in glibc: too much of what may be mapped to be left to chance.
        .env("MALLOC_ARENA_MAX", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{:?}\n{text}", output.status);
}

#[test]
#[ignore = "only in the process that the test above starts"]
fn short_of_memory() {
    if std::env::var_os(SHORT).is_none() {
        return;
    }
    // Each of these takes fifteen bytes a pixel on the device, all at once, and three on the CPU, one after the other.
    let widths = (0..9).map(|i| 1020 - 4 * i).chain([90]);
    let steps = widths.map(|width| format!("{{\"operation\":\"resize\",\"params\":{{\"width\":{width}}}}}"));
    let steps = steps.collect::<Vec<_>>().join(",").replace('"', "%22");
    let target = format!("/pipeline?type=png&operations=[{steps}]");
    let source = super::server::jpeg(1024, 1000);
    // Unoptimised code takes seconds for it, on a busy machine half a minute.
    let patient = ["-request-timeout", "120"];
    let on_cpu = Server::with(&[&["-gpu", "off"], &patient[..]].concat());
    let large = |server: &Server| {
        let client = Client::connect(server.address).patient(Duration::from_secs(150));
        let answer = { client }.request("POST", &target, &[("Content-Type", "image/jpeg")], Some(&source));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer
    };
    let expected = picture(&large(&on_cpu).body);
    let compared = |server: &Server| {
        let answer = large(server);
        assert!(difference(&expected, &picture(&answer.body)).max <= 8);
        answer.header("phasor-placement").unwrap().to_owned()
    };
    let flags = [&["-gpu", "on", "-gpu-adapter", "0", "-debug-headers"], &patient[..]].concat();
    let server = Server::with_admin(&flags, |_| {});
    let rounds = 3;
    for _ in 0..rounds {
        let begun = Instant::now();
        while !server.post(KINDS[0].0, &fixture(KINDS[0].1)).header("phasor-placement").unwrap().starts_with("gpu") {
            assert!(begun.elapsed() < Duration::from_secs(60), "the GPU does not come back");
            std::thread::sleep(Duration::from_millis(10));
        }
        let limit = rustix::process::getrlimit(rustix::process::Resource::As);
        bound_address_space(Some(ROOM + address_space()));
        let placed = compared(&server);
        rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
        assert!(placed.contains("fell-back"), "{placed}");
    }
    assert!(metric(&server, "phasor_gpu_fallbacks_total{reason=\"memory\"}") >= 1);
    // The driver may miss the memory elsewhere; a buffer that it does not give is no reason to give the device up.
    let losses = || metric(&server, "phasor_gpu_losses_total");
    assert!(losses() < rounds, "{} of {rounds}", losses());
    // One that misses memory for something else is lost, and comes back when there is some.
    let (before, begun) = (losses(), Instant::now());
    let limit = rustix::process::getrlimit(rustix::process::Resource::As);
    bound_address_space(Some(ROOM + address_space()));
    server.drill_gpus(Drill::Exhausted);
    while losses() == before && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    // A test that fails needs memory, too.
    rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
    assert!(losses() > before, "it has memory enough");
    while !compared(&server).starts_with("gpu") {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not come back");
    }
}

/// Bytes that the bounded process may still map: enough for the CPU, not for the device.
const ROOM: u64 = 100 << 20;

fn address_space() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    4096 * pages.split(' ').next().unwrap().parse::<u64>().unwrap()
}

fn bound_address_space(bytes: Option<u64>) {
    let limit = rustix::process::Rlimit { current: bytes, maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
}
