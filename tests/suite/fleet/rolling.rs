//! The drills of `docs/operations.md`, on processes.

use std::time::{Duration, Instant};

use super::balancer::{Balancer, Retry};
use super::load::{Asked, during};
use super::pods::Pod;
use super::{from_env, there};

/// Clients of a balancer; each has one request under way at most.
fn clients() -> usize {
    from_env("PHASOR_DRILL_CLIENTS", 6)
}

/// How often a drill is done.
fn rounds() -> usize {
    from_env("PHASOR_DRILL_ROUNDS", 1)
}

fn failures(asked: &[Asked]) -> Vec<&Asked> {
    asked.iter().filter(|asked| asked.failure.is_some()).collect()
}

/// The time below which so many of a hundred stay.
fn quantile(asked: &[Asked], percent: usize) -> Duration {
    let mut times: Vec<Duration> = asked.iter().map(|asked| asked.took).collect();
    times.sort_unstable();
    times[(times.len() - 1) * percent / 100]
}

fn report(drill: &str, asked: &[Asked]) {
    let (failed, longest) = (failures(asked).len(), quantile(asked, 100));
    eprintln!(
        "{drill}: {} requests, {failed} failed; p50 {:.0?}, p99 {:.0?}, longest {longest:.0?}",
        asked.len(),
        quantile(asked, 50),
        quantile(asked, 99)
    );
}

#[test]
fn a_rolling_restart_fails_no_request() {
    if !there("haproxy") {
        return;
    }
    let mut pods: Vec<Pod> = (0..3).map(|_| Pod::start()).collect();
    let ports: Vec<(u16, u16)> = pods.iter().map(Pod::ports).collect();
    let edge = Balancer::before(&ports, Retry::Refused);
    let asked = during(&[edge.address], clients(), || {
        for _ in 0..rounds() {
            for pod in &mut pods {
                pod.signal("-TERM");
                assert_eq!(pod.ended(), Some(0));
                pod.start_again();
                // The next one goes when this one gets requests: `minReadySeconds`, in a cluster.
                let ready = Instant::now();
                while pod.answered() < 3 {
                    assert!(ready.elapsed() < Duration::from_secs(20), "a pod that is ready gets no requests");
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    });
    report("rolling restart", &asked[0]);
    assert!(asked[0].len() > 20, "{} requests are no load", asked[0].len());
    assert!(failures(&asked[0]).is_empty(), "{:?}", failures(&asked[0]));
}

/// The budget: of the requests that were on the killed server at that moment none can be saved but by asking again; all
/// others are answered. An edge that asks again for GETs loses not even those.
#[test]
fn a_killed_server_takes_no_more_with_it_than_what_was_on_it() {
    if !there("haproxy") {
        return;
    }
    let mut pods: Vec<Pod> = (0..3).map(|_| Pod::start()).collect();
    let ports: Vec<(u16, u16)> = pods.iter().map(Pod::ports).collect();
    let edges = [Balancer::before(&ports, Retry::Refused), Balancer::before(&ports, Retry::Unanswered)];
    let mut kills = Vec::new();
    let asked = during(&edges.each_ref().map(|edge| edge.address), clients(), || {
        for round in 0..rounds() {
            let pod = &mut pods[round % 3];
            kills.push(Instant::now());
            pod.signal("-KILL");
            assert_eq!(pod.ended(), None);
            // Requests go to the others for a while.
            std::thread::sleep(Duration::from_millis(1500));
            pod.start_again();
            std::thread::sleep(Duration::from_millis(500));
        }
    });
    let [plain, retrying] = asked.as_slice() else { panic!("two edges") };
    report("killed, refused connections tried again", plain);
    report("killed, unanswered GETs tried again", retrying);
    for asked in [plain, retrying] {
        assert!(asked.len() > 20, "{} requests are no load", asked.len());
    }
    // `kill` takes its time to reach the process.
    let reached = Duration::from_millis(100);
    let was_on_it = |asked: &Asked| {
        let end = asked.begun + asked.took;
        kills.iter().any(|&kill| asked.begun < kill + reached && end + reached > kill)
    };
    for asked in failures(plain).into_iter().chain(failures(retrying)) {
        assert!(was_on_it(asked), "it failed though it was on no killed server: {asked:?}");
    }
    let of_gets = failures(retrying).into_iter().filter(|asked| asked.get).count();
    assert_eq!(of_gets, 0, "{:?}", failures(retrying));
    // A third of the clients are on each server, by the balance; half is generous.
    assert!(failures(plain).len() <= kills.len() * clients().div_ceil(2), "{:?}", failures(plain));
}

/// A server that stands still for some seconds (a node that swaps, a debugger): what is on it waits, the rest goes on.
#[test]
fn a_server_that_stands_still_fails_no_request() {
    const STILL: Duration = Duration::from_secs(5);
    if !there("haproxy") {
        return;
    }
    let pods: Vec<Pod> = (0..3).map(|_| Pod::start()).collect();
    let ports: Vec<(u16, u16)> = pods.iter().map(Pod::ports).collect();
    let edge = Balancer::before(&ports, Retry::Refused);
    let mut spans = Vec::new();
    let asked = during(&[edge.address], clients(), || {
        for round in 0..rounds() {
            let pod = &pods[round % 3];
            let begun = Instant::now();
            pod.signal("-STOP");
            std::thread::sleep(STILL);
            pod.signal("-CONT");
            spans.push((begun, Instant::now()));
            std::thread::sleep(Duration::from_millis(800));
        }
    });
    report("one stands still", &asked[0]);
    assert!(failures(&asked[0]).is_empty(), "{:?}", failures(&asked[0]));
    let held = asked[0].iter().filter(|asked| asked.took > STILL / 2).count();
    // Those on it when it stopped, and those sent there until two checks had failed.
    assert!(held <= rounds() * clients() * 2 / 3, "{held} requests were held up");
    let meanwhile = asked[0]
        .iter()
        .filter(|asked| spans.iter().any(|(from, to)| asked.begun > *from && asked.begun + asked.took < *to))
        .count();
    assert!(meanwhile > 20 * rounds(), "{meanwhile} answers while it stood still");
}

#[cfg(feature = "gpu")]
#[test]
fn a_server_that_loses_its_gpu_fails_no_request() {
    use crate::http::Server;

    if !there("haproxy") {
        return;
    }
    if phasor::backend::gpu::adapters().is_empty() {
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
        return;
    }
    let mount = tempfile::tempdir().unwrap();
    std::fs::write(mount.path().join("photo.jpg"), super::load::photo()).unwrap();
    let flag = format!("-mount={}", mount.path().display());
    let with_gpu = Server::adjusted(&["-gpu", "on", "-cpus", "2", &flag], |config| {
        config.server.admin = Some(phasor::server::Admin { address: "127.0.0.1".into(), port: 0 });
    });
    let pods: Vec<Pod> = (0..2).map(|_| Pod::start()).collect();
    let mut ports: Vec<(u16, u16)> = pods.iter().map(Pod::ports).collect();
    ports.push((with_gpu.address.port(), with_gpu.admin().port()));
    let edge = Balancer::before(&ports, Retry::Refused);
    let figure = |name: &str| {
        let text = crate::http::Client::connect(with_gpu.admin()).request("GET", "/metrics", &[], None).text();
        let of = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{']));
        text.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>()
    };
    // Other tests of this process may count on the same figures: only that they grow is asked for.
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let asked = during(&[edge.address], clients(), || {
        for _ in 0..2 * rounds() {
            let (worked, losses) = (figure("phasor_gpu_pictures_total"), figure("phasor_gpu_losses_total"));
            until("the GPU makes no pictures", &|| figure("phasor_gpu_pictures_total") > worked);
            with_gpu.drill_gpus(phasor::engine::Drill::Loss);
            until("the loss is not noticed", &|| figure("phasor_gpu_losses_total") > losses);
            until("the device does not come back", &|| figure("phasor_gpu_devices") > 0);
        }
    });
    report("a GPU is lost", &asked[0]);
    assert!(asked[0].len() > 20, "{} requests are no load", asked[0].len());
    assert!(failures(&asked[0]).is_empty(), "{:?}", failures(&asked[0]));
}
