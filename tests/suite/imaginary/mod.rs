//! Every recorded request of `tests/data/reference.json` against the real server.
//!
//! The file is written by `tests/compat/compare.py --record` from a running imaginary; the format is described in
//! `tests/compat/harness/record.py`. A case passes when one of its `any` answers fits.

#![allow(clippy::unwrap_used, reason = "a test that meets something else than expected shall stop")]

mod client;
mod picture;
mod server;
mod verdict;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Failures shown in full; the rest is counted.
const SHOWN: usize = 40;

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().replace("{FIXTURES}", &here("fixtures").to_string_lossy())
}

fn request(case: &Value) -> client::Request {
    let body = case.get("body").map(|body| match (&body["fixture"], &body["base64"]) {
        (Value::String(name), _) => std::fs::read(here("fixtures").join(name)).unwrap(),
        (_, Value::String(data)) => STANDARD.decode(data).unwrap(),
        _ => panic!("a body of neither kind: {body}"),
    });
    let mut headers = case["headers"]
        .as_array()
        .map(|pairs| pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect::<Vec<_>>())
        .unwrap_or_default();
    if case.get("headers").is_none() && body.is_some() {
        headers.push(("Content-Type".into(), "application/octet-stream".into()));
    }
    client::Request {
        method: text(&case["method"]),
        path: text(&case["path"]),
        headers,
        body,
        chunked: case["chunked"] == true,
    }
}

/// Runs the cases of one scenario; → what went wrong, a line each.
fn replay(scenario: &Value, cases: &[&Value]) -> Vec<String> {
    let flags: Vec<String> = scenario["flags"].as_array().unwrap().iter().map(text).collect();
    let env: Vec<(String, String)> = scenario["env"]
        .as_object()
        .map(|map| map.iter().map(|(name, value)| (name.clone(), text(value))).collect())
        .unwrap_or_default();
    let server = match server::Server::start(&flags, &env) {
        Ok(server) => server,
        Err(why) => return vec![format!("{flags:?}: the server does not start: {why}")],
    };
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = match client::send(server.port, &request(case)) {
                        Ok(answer) => verdict::judge(&case["any"], &answer),
                        Err(why) => Some(format!("no answer: {why}")),
                    };
                    if let Some(fault) = fault {
                        let body = case["body"]["fixture"].as_str().unwrap_or_default();
                        let line = format!(
                            "{} {} {body} {flags:?}\n    {fault}\n    {}",
                            text(&case["method"]),
                            text(&case["path"]).chars().take(200).collect::<String>(),
                            text(&case["why"])
                        );
                        wrong.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

#[test]
fn answers_are_those_of_the_reference() {
    let data: Value = serde_json::from_slice(&std::fs::read(here("data/reference.json")).unwrap()).unwrap();
    let (scenarios, cases) = (data["scenarios"].as_array().unwrap(), data["cases"].as_array().unwrap());
    assert!(cases.len() > 1000, "the recorded file holds only {} cases", cases.len());
    // PHASOR_COMPAT=text replays only the cases whose path holds that text.
    let only = std::env::var("PHASOR_COMPAT").unwrap_or_default();
    let mut wrong = Vec::new();
    for (index, scenario) in scenarios.iter().enumerate() {
        let group: Vec<&Value> =
            cases.iter().filter(|case| case["scenario"] == index && text(&case["path"]).contains(&only)).collect();
        if !group.is_empty() {
            wrong.extend(replay(scenario, &group));
        }
    }
    for line in wrong.iter().take(SHOWN) {
        eprintln!("✗ {line}");
    }
    assert!(wrong.is_empty(), "{} of {} recorded answers differ", wrong.len(), cases.len());
}

/// The comparison must be able to fail: an answer with one thing changed is told apart.
#[test]
fn a_changed_answer_is_noticed() {
    let png = std::fs::read(here("fixtures/rgb.png")).unwrap();
    let answer = |status, kind: &str, body: &[u8]| client::Answer {
        status,
        headers: vec![("content-type".into(), kind.into()), ("vary".into(), "Origin, Accept".into())],
        body: body.to_vec(),
    };
    let quads = picture::Seen::read(&png, "image/png").unwrap().quads.unwrap();
    let right = serde_json::json!([{"status": 200, "type": "image/png", "size": [160, 120], "alpha": false, "icc": false,
        "quads": quads, "tol": 1, "headers": {"vary": "accept, origin"}}]);
    assert_eq!(verdict::judge(&right, &answer(200, "image/png", &png)), None);
    let mirrored: Vec<_> = [1, 0, 3, 2].iter().map(|&at| quads[at]).collect();
    for (name, value) in [
        ("status", serde_json::json!(400)),
        ("type", serde_json::json!("image/webp")),
        ("size", serde_json::json!([160, 121])),
        ("alpha", serde_json::json!(true)),
        ("icc", serde_json::json!(true)),
        ("exif", serde_json::json!(true)),
        ("quads", serde_json::json!(mirrored)),
        ("headers", serde_json::json!({"vary": "Origin"})),
        ("message", serde_json::json!("x")),
        ("json", serde_json::json!({"width": 160})),
    ] {
        let mut wrong = right.clone();
        wrong[0][name] = value;
        assert!(verdict::judge(&wrong, &answer(200, "image/png", &png)).is_some(), "{name} is not looked at");
    }
    let error = serde_json::json!([{"status": 400, "message": "Invalid file path"}]);
    assert!(verdict::judge(&error, &answer(400, "application/json", br#"{"message":"Other","status":400}"#)).is_some());
    let fits = answer(400, "application/json", br#"{"message":"Invalid file path","status":400}"#);
    assert_eq!(verdict::judge(&error, &fits), None);
}
