//! Slow clients, gone clients, deadlines, stopping.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use super::origin::Origin;
use super::{Client, Server, jpeg, png};

/// A server that waits half a second instead of five.
fn hasty(flags: &[&str]) -> Server {
    Server::adjusted(flags, |config| {
        config.server.head_timeout = Duration::from_millis(500);
        config.server.body_idle_timeout = Duration::from_millis(500);
    })
}

/// Sends a byte every 50 ms until the server closes; how long that took.
fn drip(mut client: Client, bytes: &[u8]) -> Duration {
    let started = Instant::now();
    for byte in bytes.iter().cycle() {
        if started.elapsed() > Duration::from_secs(5) || !client.try_send(&[*byte]) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = client.rest();
    started.elapsed()
}

const SOON: Duration = Duration::from_millis(2500);

#[test]
fn a_dripped_first_head_is_cut() {
    let server = hasty(&[]);
    assert!(drip(Client::connect(server.address), b"GET / HTTP/1.1 X-Header: aaaaaaaaaaaaaaaaaa ") < SOON);
}

#[test]
fn a_dripped_second_head_is_cut() {
    let server = hasty(&[]);
    let mut client = Client::connect(server.address);
    assert_eq!(client.request("GET", "/", &[], None).status, 200);
    assert!(drip(client, b"GET / HTTP/1.1 X-Header: aaaaaaaaaaaaaaaaaa ") < SOON);
}

#[test]
fn a_second_head_that_stops_is_cut() {
    let server = hasty(&[]);
    let mut client = Client::connect(server.address);
    assert_eq!(client.request("GET", "/", &[], None).status, 200);
    client.send(b"GET / HT");
    let started = Instant::now();
    let _ = client.rest();
    assert!(started.elapsed() < SOON);
}

#[test]
fn a_kept_connection_may_rest_between_requests() {
    let server = hasty(&[]);
    let mut client = Client::connect(server.address);
    assert_eq!(client.request("GET", "/", &[], None).status, 200);
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(client.request("GET", "/", &[], None).status, 200);
}

#[test]
fn a_body_that_stops_is_told_of_and_cut() {
    let server = hasty(&[]);
    let mut client = Client::connect(server.address);
    client.send(b"POST /resize?width=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this");
    let started = Instant::now();
    assert_eq!(client.answer(false).unwrap().status, 408);
    let _ = client.rest();
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_dripped_body_ends_with_the_read_timeout() {
    let server = hasty(&["-http-read-timeout", "1"]);
    let mut client = Client::connect(server.address);
    client.send(b"POST /resize?width=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    assert!(drip(client, b"x") < Duration::from_secs(5));
}

#[test]
fn a_reader_that_stops_is_cut() {
    let server = hasty(&["-http-write-timeout", "1", "-request-timeout", "0"]);
    // Larger than what the sockets between the two can hold.
    let picture = noise(1600, 1600);
    let mut client = Client::connect(server.address);
    let head = format!("POST /convert?type=tiff HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", picture.len());
    client.send(head.as_bytes());
    client.send(&picture);
    std::thread::sleep(Duration::from_secs(1));
    // Wait for the answer to start, then read nothing for longer than is granted.
    let metrics_before = closed_slow_readers();
    let started = Instant::now();
    while closed_slow_readers() == metrics_before && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(closed_slow_readers() > metrics_before, "the reader was never cut");
}

fn closed_slow_readers() -> u64 {
    let text = phasor::telemetry::events::render(&phasor::telemetry::events::Gauges::default());
    let line =
        text.lines().find(|line| line.starts_with("phasor_http_connections_closed_total{reason=\"slow_reader\"}"));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

/// A PNG that hardly compresses.
fn noise(width: u32, height: u32) -> Vec<u8> {
    use phasor::codecs::{EncodeSpec, Metadata, OutputFormat, encode};
    use phasor::image::{ImageBuf, PixelFormat, Size};
    let mut state = 1_u32;
    let samples = (0..width * height * 3)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    let image = ImageBuf::new(Size::new(width, height).unwrap(), PixelFormat::Rgb8, samples).unwrap();
    encode(&image, &Metadata::default(), &EncodeSpec { compression: 1, ..EncodeSpec::new(OutputFormat::Png) }).unwrap()
}

#[test]
fn a_source_that_stalls_costs_its_own_request_alone() {
    let origin = Origin::with(|_| {
        std::thread::sleep(Duration::from_secs(60));
        Vec::new()
    });
    let server = Server::with(&["-enable-url-source", "-source-networks", "127.0.0.1/32", "-request-timeout", "1s"]);
    let target = format!("/resize?width=1&url={}", origin.url("/"));
    let started = Instant::now();
    let answer = server.get(&target);
    assert!(matches!(answer.status, 503 | 504), "{}", answer.text());
    assert!(started.elapsed() < Duration::from_secs(3));
}

/// R2: the work of a client that left is given up.
#[test]
fn a_client_that_leaves_frees_its_place() {
    let server = Server::with_admin(&["-admin-port", "1", "-cpus", "1"], |_| {});
    let picture = noise(700, 700);
    let cancelled = || {
        let text = scrape(&server);
        let line = text.lines().find(|line| line.starts_with("phasor_cancelled_total ")).unwrap();
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let before = cancelled();
    for _ in 0..4 {
        let mut client = Client::connect(server.address);
        let target = "/blur?sigma=30&type=png&compression=9";
        client
            .send(format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", picture.len()).as_bytes());
        client.send(&picture);
        std::thread::sleep(Duration::from_millis(100));
    }
    let started = Instant::now();
    let busy = || {
        let text = scrape(&server);
        text.lines().any(|line| {
            (line.starts_with("phasor_queue_length") || line.starts_with("phasor_threads_busy"))
                && !line.ends_with(" 0")
        })
    };
    while busy() && started.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!busy());
    assert!(cancelled() > before, "the work was done to its end");
}

fn scrape(server: &Server) -> String {
    let mut stream = std::net::TcpStream::connect(server.admin()).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn stopping_finishes_what_is_in_flight_and_says_so() {
    let server = Server::with_admin(&["-drain-delay", "500ms"], |_| {});
    let ready = || Client::connect(server.admin()).request("GET", "/readyz", &[], None).status;
    assert_eq!(ready(), 200);
    let address = server.address;
    let mut kept = Client::connect(address);
    assert_eq!(kept.request("GET", "/", &[], None).status, 200);
    server.stop();
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(ready(), 503);
    // Still accepting, but asking clients to go elsewhere.
    let answer = kept.request("GET", "/", &[], None);
    assert_eq!((answer.status, answer.header("connection").as_deref()), (200, Some("close")));
    Client::connect(address).request("POST", "/resize?width=20", &[], Some(&jpeg(80, 60))).assert_picture(
        "image/jpeg",
        20,
        15,
    );
    server.wait();
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn probes_have_a_port_of_their_own() {
    let server = Server::with_admin(&["-key", "secret"], |_| {});
    let ask = |path: &str| Client::connect(server.admin()).request("GET", path, &[], None);
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!((ask(path).status, ask(path).text().trim()), (200, "ok"), "{path}");
    }
    let _ = server.get("/resize");
    let metrics = ask("/metrics").text();
    for name in ["phasor_http_requests_total", "phasor_queue_length", "phasor_memory_budget_bytes", "phasor_build_info"]
    {
        assert!(metrics.contains(name), "{name}");
    }
    assert_eq!(ask("/nope").status, 404);
    assert_eq!(server.get("/metrics?key=secret").status, 404);
    let _ = png(1, 1);
}
