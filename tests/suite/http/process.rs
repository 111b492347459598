//! Section 1 of the contract, on the program itself.

use std::io::{BufRead as _, BufReader, Read as _};
use std::time::{Duration, Instant};

use super::serving::{Serving, free_port, phasor};

#[test]
fn help_and_version_end_the_process() {
    for flag in ["-h", "-help", "--help", "help"] {
        let output = phasor(&[flag], &[]);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("-enable-url-source") && text.contains("phasor sign") && text.contains("phasor explain"));
    }
    for flag in ["-v", "-version", "--version"] {
        assert_eq!(String::from_utf8(phasor(&[flag], &[]).stdout).unwrap().trim(), env!("CARGO_PKG_VERSION"));
    }
}

#[test]
fn faults_are_told_all_at_once_and_soon() {
    let started = Instant::now();
    let output = phasor(&["-mout", "/x", "-p", "abc", "-concurrency=many", "-cors=si"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(started.elapsed() < Duration::from_secs(5));
    let text = String::from_utf8(output.stderr).unwrap();
    for part in ["did you mean -mount?", "-p: \"abc\"", "-concurrency: \"many\"", "-cors: \"si\""] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    let output = phasor(
        &[
            "-http-cache-ttl",
            "99999999",
            "-mount",
            "/nonexistent",
            "-enable-url-signature",
            "-keyfile",
            "/nonexistent",
            "-certfile",
            "/nonexistent",
        ],
        &[],
    );
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("  ")).count(), 5, "{text}");
}

#[test]
fn mounts_that_cannot_be_are_refused() {
    for mount in ["/", "/nonexistent", env!("CARGO_BIN_EXE_phasor")] {
        assert_eq!(phasor(&["-mount", mount, "-p", "0"], &[]).status.code(), Some(2), "{mount}");
    }
}

#[test]
fn port_and_log_level_come_from_the_environment_too() {
    let port = free_port();
    let mut serving = Serving::with(&["-p", "1"], &[("PORT", &port.to_string()), ("PHASOR_CORS", "true")]);
    assert_eq!(serving.port, port);
    let answer = serving.client().request("GET", "/health?key=hush&sign=hush", &[], None);
    assert_eq!((answer.status, answer.header("vary").as_deref()), (200, Some("Origin")));
    let mut line = String::new();
    BufReader::new(serving.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (front, back) = line.trim_end().split_once("] ").unwrap();
    assert!(front.starts_with("127.0.0.1 - - ["), "{line}");
    let words: Vec<&str> = back.split(' ').collect();
    assert_eq!(words[..4], ["\"GET", "/health?key=REDACTED&sign=REDACTED", "HTTP/1.1\"", "200"], "{line}");
    assert_eq!(words[4], answer.body.len().to_string());
    assert_eq!(words[5].split_once('.').unwrap().1.len(), 4, "{line}");
}

#[test]
fn quiet_levels_log_only_what_failed() {
    let mut serving = Serving::with(&["-p", "0"], &[("GOLANG_LOG", "warning"), ("PHASOR_LOG_LEVEL", "info")]);
    assert_eq!(serving.client().request("GET", "/", &[], None).status, 200);
    assert_eq!(serving.client().request("GET", "/nope", &[], None).status, 404);
    let mut line = String::new();
    BufReader::new(serving.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("\"GET /nope HTTP/1.1\" 404 36 "), "{line}");
}

#[test]
fn a_signal_stops_the_server_with_status_zero() {
    for signal in ["-TERM", "-INT"] {
        let mut serving = Serving::with(&["-p", "0"], &[]);
        assert_eq!(serving.client().request("GET", "/", &[], None).status, 200);
        let started = Instant::now();
        serving.signal(signal);
        let status = serving.child.wait().unwrap();
        assert_eq!(status.code(), Some(0), "{signal}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn a_second_signal_ends_the_process_at_once() {
    let mut serving = Serving::with(&["-p", "0", "-drain-delay", "60"], &[]);
    serving.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(serving.child.try_wait().unwrap().is_none());
    // Draining goes on serving.
    assert_eq!(serving.client().request("GET", "/", &[], None).status, 200);
    serving.signal("-TERM");
    let status = serving.child.wait().unwrap();
    assert_ne!(status.code(), Some(0));
}

#[test]
fn a_taken_port_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = phasor(&["-a", "127.0.0.1", "-p", &port], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&port));
}

#[test]
fn secrets_stay_out_of_everything_that_is_printed() {
    let key = "sixteen-secret-letters-and-more!";
    let args = ["-p", "0", "-key", "apisecret", "-enable-url-signature", "-diagnostics", "trace"];
    let mut serving = Serving::with(&args, &[("URL_SIGNATURE_KEY", key)]);
    for path in ["/", "/health", "/resize?width=1&key=apisecret", "/form?key=apisecret"] {
        let answer = serving.client().request("GET", path, &[], None);
        assert!(!answer.text().contains(key) && !answer.text().contains("apisecret"));
    }
    serving.signal("-TERM");
    let _ = serving.child.wait();
    let mut out = String::new();
    serving.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let err = serving.stderr.take().unwrap().join().unwrap();
    assert!(!out.contains("apisecret") && !out.contains(key), "{out}");
    assert!(!err.contains(key), "{err}");
}

#[test]
fn sign_prints_a_url_that_explain_accepts() {
    let env = [("URL_SIGNATURE_KEY", "4f46feebafc4b5e988f131c4ff8b5997")];
    let signed = phasor(&["sign", "/resize?width=300&url=http%3A%2F%2Fexample.com%2Fa.jpg"], &env);
    assert!(signed.status.success());
    let url = String::from_utf8(signed.stdout).unwrap();
    let told = phasor(&["explain", "-enable-url-signature", "-enable-url-source", url.trim()], &env);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("verdict     accepted"), "{text}");
    let told =
        phasor(&["explain", "-enable-url-signature", "-enable-url-source", "/resize?url=http://127.0.0.1/"], &env);
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("mismatch") && text.contains("Source address is not allowed"), "{text}");
}
