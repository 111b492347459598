//! What `/metrics` serves, to whoever reads it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Answer, Client, Server, jpeg};

/// A server with an admin port.
pub fn measured(flags: &[&str]) -> Server {
    Server::with_admin(flags, |_| {})
}

pub fn page(server: &Server) -> Answer {
    Client::connect(server.admin()).request("GET", "/metrics", &[], None)
}

/// The value of one series, written as the page writes it; 0 when it is not there.
pub fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
    line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[test]
fn stages_and_the_process_are_measured() {
    let server = measured(&["-mount", "MOUNT"]);
    let before = page(&server).text();
    server.get("/resize?width=40&file=a.jpg").assert_picture("image/jpeg", 40, 30);
    server.post("/crop?width=20&height=20", &jpeg(80, 60)).assert_picture("image/jpeg", 20, 20);
    let answer = page(&server);
    assert_eq!(answer.header("content-type").as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    // A client may have its answer before the server knows that it was written.
    let written = "phasor_stage_duration_seconds_count{stage=\"write\"}";
    let (mut after, begun) = (answer.text(), Instant::now());
    while value(&after, written) - value(&before, written) < 2.0 && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(5));
        after = page(&server).text();
    }
    let moved = |series: &str| value(&after, series) - value(&before, series);
    for stage in ["fetch", "queue", "decode", "steps", "encode", "write"] {
        // Other tests of this process count here, too.
        assert!(moved(&format!("phasor_stage_duration_seconds_count{{stage=\"{stage}\"}}")) >= 2.0, "{stage}\n{after}");
    }
    assert!(moved("phasor_http_requests_total{endpoint=\"crop\",status=\"200\",format=\"jpeg\"}") >= 1.0);
    assert!(value(&after, "process_resident_memory_bytes") > 1e6);
    assert!(value(&after, "process_cpu_seconds_total") > 0.0);
    assert!(value(&after, "process_open_fds") > 3.0 && value(&after, "process_max_fds") > 3.0);
    let started = value(&after, "process_start_time_seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    assert!(started <= now && started > now - 3600.0, "{started}");
    assert!(after.contains("phasor_queue_delay_seconds "), "{after}");
    assert!(after.contains(&format!("phasor_build_info{{version=\"{}\",commit=\"", env!("CARGO_PKG_VERSION"))));
}

/// Prometheus's own opinion of names, types and format.
fn promtool(page: &str) -> Option<(bool, String)> {
    let tool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else {
        eprintln!("SKIPPED: promtool is not installed (Debian: apt-get install prometheus)");
        return None;
    };
    tool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = tool.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Some((output.status.success(), told))
}

#[test]
fn promtool_finds_nothing_to_say() {
    let server = measured(&["-mount", "MOUNT"]);
    server.get("/resize?width=40&file=a.jpg").assert_picture("image/jpeg", 40, 30);
    server.get("/resize?width=40&file=nothing.jpg").assert_error(400, "Invalid file path");
    let page = page(&server).text();
    let Some((passed, told)) = promtool(&page) else { return };
    assert!(passed && told.trim().is_empty(), "{told}");
    // It does look: a counter without its ending.
    let (passed, told) = promtool(&page.replace("phasor_shed_total", "phasor_shed")).unwrap();
    assert!(!passed && told.contains("phasor_shed"), "{told}");
}
