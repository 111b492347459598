//! A GPU that is lost again and again under real requests: nobody notices but the metrics.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use phasor::codecs::{DecodeSpec, Limits, decode, probe};
use phasor::image::{ImageBuf, Picture};

use crate::parity::compare::difference;

use super::{Client, Server};

const LOSSES: u64 = 6;

/// A kind of request: what is asked, and the fixture that is sent.
const KINDS: &[(&str, &str)] = &[
    ("/resize?width=90&type=png", "photo.jpg"),
    ("/resize?width=50&height=40&force=true&type=png", "progressive.jpg"),
    ("/blur?sigma=4&type=png", "rgba.png"),
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

#[test]
fn no_client_notices_that_the_gpu_is_lost() {
    if phasor::backend::gpu::adapters().is_empty() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
        return;
    }
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

    let server = Server::adjusted(&["-gpu", "on", "-debug-headers", "-cpus", "4"], |config| {
        config.server.admin = Some(phasor::server::Admin { address: "127.0.0.1".into(), port: 0 });
    });
    let (stop, asked, on_gpu, unready) =
        (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for client in 0..6 {
            let (server, sources, expected, stop, asked, on_gpu) =
                (&server, &sources, &expected, &stop, &asked, &on_gpu);
            scope.spawn(move || {
                for i in client.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let kind = i % KINDS.len();
                    let answer = server.post(KINDS[kind].0, &sources[kind]);
                    assert_eq!(answer.status, 200, "{}: {}", KINDS[kind].0, answer.text());
                    let made = picture(&answer.body);
                    let apart = difference(&expected[kind], &made);
                    assert!(apart.max <= 2, "{}: {apart:?}", KINDS[kind].0);
                    asked.fetch_add(1, Ordering::Relaxed);
                    let placed = answer.header("phasor-placement").unwrap();
                    on_gpu.fetch_add(u64::from(placed.starts_with("gpu")), Ordering::Relaxed);
                }
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let ready = Client::connect(server.admin()).request("GET", "/readyz", &[], None).status == 200;
                unready.fetch_add(u64::from(!ready), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let begun = Instant::now();
        let within = |seconds| begun.elapsed() < Duration::from_secs(seconds);
        let (mut losses, mut worked) = (0, 0);
        while losses < LOSSES && within(90) {
            std::thread::sleep(Duration::from_millis(10));
            // Only a device that has worked since is worth destroying.
            if on_gpu.load(Ordering::Relaxed) > worked && metric(&server, "phasor_gpu_devices") == 1 {
                server.lose_gpus();
                while metric(&server, "phasor_gpu_losses_total") == losses && within(90) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                losses += 1;
                worked = on_gpu.load(Ordering::Relaxed);
            }
        }
        // It comes back.
        while on_gpu.load(Ordering::Relaxed) < worked + 5 && within(120) {
            std::thread::sleep(Duration::from_millis(10));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(on_gpu.load(Ordering::Relaxed) >= worked + 5, "no device after {losses} losses");
    });
    assert_eq!(metric(&server, "phasor_gpu_losses_total"), LOSSES);
    assert_eq!(unready.load(Ordering::Relaxed), 0, "it was not ready for a while");
    let (asked, on_gpu) = (asked.into_inner(), on_gpu.into_inner());
    // Those in between were made on the CPU.
    assert!(on_gpu > LOSSES && on_gpu < asked, "{on_gpu} of {asked}");
    assert!(metric(&server, "phasor_gpu_fallbacks_total") > 0);
    assert_eq!(metric(&server, "phasor_gpu_device_up"), 1);
    assert!(metric(&server, "phasor_gpu_batch_pictures_sum") >= on_gpu);
    assert!(metric(&server, "phasor_gpu_bytes_total") > 0);
    assert!(metric(&server, "phasor_stage_duration_seconds_count{stage=\"device_wait\"}") >= on_gpu);
    // Two answers may differ in their last bits, and the tag says so.
    let tag = server.post(KINDS[0].0, &sources[0]).header("etag").unwrap_or_default();
    assert!(tag.starts_with("W/\""), "{tag:?}");
}
