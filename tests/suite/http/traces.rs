//! Traces, seen by a collector: who asked, what was done, and which span the source was told of.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::metrics::{page, value};
use super::origin::{Origin, answer};
use super::serving::Serving;
use super::{Client, Server, jpeg};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Takes export requests and answers with these statuses, the last for ever; 0: never.
struct Collector {
    address: SocketAddr,
    /// Head and body of each request.
    got: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Collector {
    fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&got);
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let mut stream = BufReader::new(stream.unwrap());
                let mut head = String::new();
                while stream.read_line(&mut head).unwrap_or(0) > 2 {}
                let length = head
                    .lines()
                    .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
                let mut body = vec![0; length.unwrap_or(0)];
                stream.read_exact(&mut body).unwrap();
                let mut got = record.lock().unwrap();
                let status = statuses[got.len().min(statuses.len() - 1)];
                got.push((head, serde_json::from_slice(&body).expect("JSON")));
                let text = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nRetry-After: 0\r\nConnection: close\r\n\r\n{{}}"
                );
                if status == 0 {
                    held.push(stream);
                } else {
                    let _ = stream.get_mut().write_all(text.as_bytes());
                }
            }
        });
        Self { address, got }
    }

    fn flag(&self) -> String {
        format!("-otlp-endpoint=http://{}", self.address)
    }

    fn spans(&self) -> Vec<Value> {
        let got = self.got.lock().unwrap();
        let scopes = got.iter().flat_map(|(_, body)| body["resourceSpans"].as_array().unwrap());
        let spans = scopes.flat_map(|resource| resource["scopeSpans"][0]["spans"].as_array().unwrap());
        spans.cloned().collect()
    }
}

/// Attributes by name, their values as text.
fn attributes(span: &Value) -> BTreeMap<String, String> {
    let of = |pair: &Value| {
        let value = pair["value"].as_object().unwrap().values().next().unwrap();
        (pair["key"].as_str().unwrap().to_owned(), value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    span["attributes"].as_array().unwrap().iter().map(of).collect()
}

fn nanos(span: &Value, field: &str) -> u64 {
    span[field].as_str().unwrap().parse().unwrap()
}

fn sources(collector: &Collector) -> Server {
    Server::with(&["-enable-url-source", "-source-networks=127.0.0.1/32", &collector.flag()])
}

#[test]
fn a_trace_reaches_from_the_ingress_to_the_source() {
    let collector = Collector::answering(&[200]);
    let origin = Origin::with(|_| answer("200 OK", &jpeg(80, 60)));
    let server = sources(&collector);
    let target = format!("/resize?width=40&url={}%3Fsecret=x", origin.url("/a.jpg"));
    let headers = [("traceparent", PARENT), ("tracestate", "vendor=opaque")];
    server.request("GET", &target, &headers, None).assert_picture("image/jpeg", 40, 30);
    // Stopping sends what waits.
    server.stop();
    server.wait();

    let got = collector.got.lock().unwrap().clone();
    assert!(got[0].0.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{}", got[0].0);
    assert!(got[0].0.to_ascii_lowercase().contains("content-type: application/json\r\n"));
    let resource = attributes(&got[0].1["resourceSpans"][0]["resource"]);
    assert_eq!(resource["service.name"], "phasor");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));

    let spans = collector.spans();
    let named = |name: &str| {
        let found: Vec<&Value> = spans.iter().filter(|span| span["name"] == name).collect();
        assert_eq!(found.len(), 1, "{name} in {spans:#?}");
        found[0]
    };
    let root = named("GET /resize");
    assert_eq!((&root["traceId"], &root["parentSpanId"]), (&TRACE.into(), &"00f067aa0ba902b7".into()));
    assert_eq!((&root["kind"], &root["traceState"]), (&2.into(), &"vendor=opaque".into()));
    let said = attributes(root);
    assert_eq!((said["http.response.status_code"].as_str(), said["http.route"].as_str()), ("200", "/resize"));
    for name in ["fetch", "queue", "decode", "steps", "encode"] {
        let span = named(name);
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&TRACE.into(), &root["spanId"]), "{name}");
        assert!(nanos(root, "startTimeUnixNano") <= nanos(span, "startTimeUnixNano"), "{name}");
        assert!(nanos(span, "startTimeUnixNano") <= nanos(span, "endTimeUnixNano"), "{name}");
        assert!(nanos(span, "endTimeUnixNano") <= nanos(root, "endTimeUnixNano"), "{name}");
    }
    assert_eq!(spans.len(), 6);
    assert_eq!(attributes(named("steps"))["phasor.backend"], "cpu");
    let fetch = named("fetch");
    assert_eq!(fetch["kind"], 3);
    let said = attributes(fetch);
    assert_eq!((said["server.address"].as_str(), said["url.path"].as_str()), ("127.0.0.1", "/a.jpg"));
    assert!(!got[0].1.to_string().contains("secret"), "queries stay out");

    let head = origin.heads.lock().unwrap()[0].to_ascii_lowercase();
    let expected = format!("traceparent: 00-{TRACE}-{}-01\r\n", fetch["spanId"].as_str().unwrap());
    assert!(head.contains(&expected) && head.contains("tracestate: vendor=opaque\r\n"), "{head}");
}

#[test]
fn a_fetch_that_fails_is_told_and_a_redirect_elsewhere_gets_no_state() {
    let collector = Collector::answering(&[200]);
    let away = Origin::with(|_| answer("404 Not Found", b""));
    let there = away.url("/gone");
    let origin = Origin::with(move |_| {
        format!("HTTP/1.1 302 X\r\nLocation: {there}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    });
    let server = sources(&collector);
    let headers = [("traceparent", PARENT), ("tracestate", "vendor=opaque")];
    let target = format!("/resize?width=40&url={}", origin.url("/a.jpg"));
    assert_eq!(server.request("GET", &target, &headers, None).status, 404);
    server.stop();
    server.wait();
    let spans = collector.spans();
    assert_eq!(spans.len(), 2);
    let fetch = spans.iter().find(|span| span["name"] == "fetch").unwrap();
    assert_eq!((&fetch["status"]["code"], attributes(fetch)["error.type"].as_str()), (&2.into(), "status"));
    // A client's fault is none of the server's.
    assert_eq!(spans.iter().find(|span| span["name"] == "GET /resize").unwrap().get("status"), None);
    let head = away.heads.lock().unwrap()[0].to_ascii_lowercase();
    assert!(head.contains(&format!("traceparent: 00-{TRACE}-")) && !head.contains("tracestate"), "{head}");
}

#[test]
fn callers_decide_and_without_a_collector_nothing_is_passed_on() {
    let collector = Collector::answering(&[200]);
    let origin = Origin::with(|_| answer("200 OK", &jpeg(80, 60)));
    let server = sources(&collector);
    let target = format!("/resize?width=40&url={}", origin.url("/a.jpg"));
    let unsampled = PARENT.replace("-01", "-00");
    server.request("GET", &target, &[("traceparent", &unsampled)], None).assert_picture("image/jpeg", 40, 30);
    server.stop();
    server.wait();
    assert_eq!(collector.spans(), [] as [Value; 0]);
    let off = Server::with(&["-enable-url-source", "-source-networks=127.0.0.1/32"]);
    off.request("GET", &target, &[("traceparent", PARENT)], None).assert_picture("image/jpeg", 40, 30);
    let heads = origin.heads.lock().unwrap();
    let [asked, unasked] = [heads[0].to_ascii_lowercase(), heads[1].to_ascii_lowercase()];
    assert!(asked.contains(&format!("traceparent: 00-{TRACE}-")) && asked.contains("-00\r\n"), "{asked}");
    assert!(!unasked.contains("traceparent"), "{unasked}");
}

#[test]
fn requests_without_a_caller_are_recorded_by_ratio() {
    let collector = Collector::answering(&[200]);
    for (ratio, spans) in [("0", 0), ("1", 1)] {
        let server = Server::with(&[&collector.flag(), "-trace-ratio", ratio]);
        assert_eq!(server.get("/health").status, 200);
        server.stop();
        server.wait();
        assert_eq!(collector.spans().len(), spans, "{ratio}");
    }
    let span = &collector.spans()[0];
    assert_eq!((&span["name"], span.get("parentSpanId")), (&"GET /health".into(), None));
}

/// A collector that never answers costs spans, never time.
#[test]
fn a_stuck_collector_slows_nobody_and_its_spans_are_counted() {
    let collector = Collector::answering(&[0]);
    let server = Server::with_admin(&[&collector.flag()], |config| {
        let exporter = &mut config.telemetry.traces.as_mut().unwrap().exporter;
        (exporter.queue, exporter.batch, exporter.delay) = (20, 10, Duration::from_millis(10));
    });
    const DROPPED: &str = "phasor_trace_spans_total{outcome=\"queue_full\"}";
    let before = value(&page(&server).text(), DROPPED);
    let mut client = Client::connect(server.address);
    let started = Instant::now();
    for _ in 0..200 {
        assert_eq!(client.request("GET", "/health", &[], None).status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let dropped = value(&page(&server).text(), DROPPED) - before;
    assert!(dropped >= 180.0, "{dropped}");
    // Ending does not wait for it for ever either.
    let started = Instant::now();
    server.stop();
    server.wait();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_collector_that_asks_to_come_again_gets_the_same_spans() {
    let collector = Collector::answering(&[503, 429, 200]);
    let server = Server::with(&[&collector.flag()]);
    assert_eq!(server.get("/").status, 200);
    server.stop();
    server.wait();
    let got = collector.got.lock().unwrap();
    assert_eq!(got.len(), 3);
    assert!(got[0].1 == got[1].1 && got[1].1 == got[2].1);
}

#[test]
fn logs_carry_the_trace() {
    let args = ["-p", "0", "-mount", "tests/fixtures", "-log-format", "json"];
    let more = ["-diagnostics-format", "json", "-diagnostics", "phasor=debug"];
    let mut serving = Serving::with(&[&args[..], &more[..]].concat(), &[]);
    let headers = [("traceparent", PARENT)];
    let good = serving.client().request("GET", "/resize?width=40&file=photo.jpg&key=hush", &headers, None);
    assert_eq!(good.status, 200);
    assert_eq!(serving.client().request("GET", "/resize?width=40&file=none.jpg", &headers, None).status, 400);
    serving.signal("-TERM");
    let _ = serving.child.wait();
    let mut out = String::new();
    serving.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(lines.len(), 2, "{out}");
    let first = &lines[0];
    assert_eq!(
        (&first["status"], &first["endpoint"], &first["format"]),
        (&200.into(), &"resize".into(), &"jpeg".into())
    );
    assert_eq!((&first["trace_id"], &first["bytes"]), (&TRACE.into(), &good.body.len().into()));
    assert_eq!(first["uri"], "/resize?width=40&file=photo.jpg&key=REDACTED");
    for phase in ["fetch", "queue", "decode", "steps", "encode"] {
        let took = first["phases"][phase].as_f64().unwrap();
        assert!(took >= 0.0 && took <= first["duration"].as_f64().unwrap(), "{phase} {out}");
    }

    let err = serving.stderr.take().unwrap().join().unwrap();
    let told: Vec<Value> = err.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let message = |text: &str| told.iter().find(|line| line["message"] == text).unwrap_or_else(|| panic!("{err}"));
    let failed = message("source failed");
    assert_eq!((&failed["level"], &failed["kind"]), (&"DEBUG".into(), &"path".into()));
    assert_eq!((&failed["trace_id"], &failed["span_id"]), (&TRACE.into(), &lines[1]["span_id"]));
    assert_eq!(message("listening").get("trace_id"), None);
}
