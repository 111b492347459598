//! The program at its limits: asked to stop while it works, and out of files.

use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::origin::{Origin, answer};
use super::serving::Serving;
use super::{Client, jpeg};

/// What a stop may take at most; far below the 25 s after which it is forced.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_slow_request_is_answered_before_the_process_ends() {
    let origin = Origin::with(|_| {
        std::thread::sleep(Duration::from_millis(1500));
        answer("200 OK", &jpeg(80, 60))
    });
    let args = ["-p", "0", "-enable-url-source", "-source-networks", "127.0.0.1/32"];
    let mut serving = Serving::with(&args, &[]);
    // A connection that only waits must not hold the process up.
    let mut idle = serving.client();
    assert_eq!(idle.request("GET", "/", &[], None).status, 200);
    let target = format!("/resize?width=40&url={}", origin.url("/a.jpg"));
    let mut slow = serving.client();
    let slow = std::thread::spawn(move || slow.request("GET", &target, &[], None));
    while origin.heads.lock().unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    serving.signal("-TERM");
    slow.join().unwrap().assert_picture("image/jpeg", 40, 30);
    assert_eq!(serving.ended_within(SOON), Some(0));
}

/// R1: whoever got through to the server gets a whole answer; the rest are told at once that nobody is there.
#[test]
fn a_stop_under_load_breaks_no_answer_off() {
    let mut serving = Serving::with(&["-p", "0", "-log-level", "none", "-drain-delay", "200ms"], &[]);
    let address = serving.address();
    let (stopped, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let picture = jpeg(200, 150);
    let status = std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let Ok(mut client) = Client::try_connect(address) else { break };
                    let head = format!(
                        "POST /resize?width=100 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
                        picture.len()
                    );
                    if !client.try_send(head.as_bytes()) || !client.try_send(&picture) {
                        continue;
                    }
                    if let Some(answer) = client.answer(false) {
                        answer.assert_picture("image/jpeg", 100, 75);
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 20 {
            std::thread::sleep(Duration::from_millis(10));
        }
        serving.signal("-TERM");
        let status = serving.ended_within(SOON);
        stopped.store(true, Ordering::Relaxed);
        status
    });
    assert_eq!(status, Some(0));
    assert!(Client::try_connect(address).is_err());
}

/// R5: more connections than files. They wait; none of it ends the server, and it serves again when they have gone.
#[test]
fn a_server_without_files_left_serves_again_when_there_are() {
    let mut serving = Serving::with_files(48, &["-p", "0", "-log-level", "none"]);
    assert_eq!(serving.client().request("GET", "/", &[], None).status, 200);
    let crowd: Vec<Client> = (0..100).map(|_| serving.client()).collect();
    std::thread::sleep(Duration::from_secs(1));
    assert!(serving.child.try_wait().unwrap().is_none(), "it ended");
    drop(crowd);
    let started = Instant::now();
    let served = |serving: &Serving| {
        let mut client = serving.client();
        client.try_send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") && client.answer(false).is_some()
    };
    while !served(&serving) {
        assert!(started.elapsed() < SOON, "it does not serve any more");
    }
    let picture = jpeg(80, 60);
    serving.client().request("POST", "/resize?width=40", &[], Some(&picture)).assert_picture("image/jpeg", 40, 30);
    serving.signal("-TERM");
    assert_eq!(serving.ended_within(SOON), Some(0));
    let said = serving.stderr.take().unwrap().join().unwrap();
    let lines = said.lines().count();
    assert!(lines < 200, "{lines} lines of log, such as {:?}", said.lines().nth(100));
    let mut out = String::new();
    serving.child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(out, "");
}
