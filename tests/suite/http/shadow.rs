//! Shadow mode: what is told of two servers that differ, and that clients feel nothing of it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::origin::{Origin, answer};
use super::{Client, Server, jpeg, png};

/// Figures are the process's: one test of them at a time.
static FIGURES: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    FIGURES.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shadowing(url: &str, more: &[&str]) -> Server {
    shadowing_with(url, more, |_| {})
}

fn shadowing_with(url: &str, more: &[&str], adjust: impl FnOnce(&mut phasor::shadow::Config)) -> Server {
    let flags = [&["-shadow", url, "-shadow-share", "1", "-mount", "MOUNT"], more].concat();
    Server::with_admin(&flags, |config| {
        adjust(config.shadow.as_mut().unwrap());
    })
}

fn counted(server: &Server, result: &str) -> u64 {
    let text = Client::connect(server.admin()).request("GET", "/metrics", &[], None).text();
    let name = format!("phasor_shadow_requests_total{{result=\"{result}\"}} ");
    text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
}

/// Waits until no more samples are settled.
fn settled(server: &Server) {
    let sum = || ALL.iter().map(|name| counted(server, name)).sum::<u64>();
    let mut last = sum();
    loop {
        std::thread::sleep(Duration::from_millis(400));
        match sum() {
            now if now == last => return,
            now => last = now,
        }
    }
}

const ALL: [&str; 11] =
    ["same", "status", "format", "size", "pixels", "body", "unreadable", "failed", "timeout", "too_large", "dropped"];

/// Asks, and waits until one more is counted with this result and none with another.
#[track_caller]
fn expect(server: &Server, result: &str, ask: impl FnOnce()) {
    let before = ALL.map(|name| counted(server, name));
    ask();
    let begun = Instant::now();
    loop {
        let now = ALL.map(|name| counted(server, name));
        if now != before {
            let expected: Vec<u64> = ALL.iter().zip(before).map(|(name, n)| n + u64::from(*name == result)).collect();
            assert_eq!(now.to_vec(), expected, "{result} of {ALL:?}");
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing is counted");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const TARGET: &str = "/resize?width=40&file=a.jpg&key=hush&sign=hush";

#[test]
fn differences_are_told_apart() {
    let _alone = alone();
    let ours = Server::with(&["-mount", "MOUNT"]).get(TARGET).body;
    let crooked = {
        use phasor::codecs::{EncodeSpec, Metadata, OutputFormat, encode};
        let size = phasor::image::Size::new(40, 30).unwrap();
        let grey = phasor::image::ImageBuf::new(size, phasor::image::PixelFormat::Gray8, vec![90; 1200]).unwrap();
        encode(&grey, &Metadata::default(), &EncodeSpec::new(OutputFormat::Jpeg)).unwrap()
    };
    let mut rounded = ours.clone();
    // A comment more: other bytes, the same pixels.
    rounded.splice(2..2, [0xff, 0xfe, 0, 4, b'h', b'i']);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("same", answer("200 OK", &ours)),
        ("same", answer("200 OK", &rounded)),
        ("size", answer("200 OK", &jpeg(41, 30))),
        ("format", answer("200 OK", &png(40, 30))),
        ("pixels", answer("200 OK", &crooked)),
        ("unreadable", answer("200 OK", &[&ours[..20], b"x"].concat())),
        ("format", answer("200 OK", b"no picture")),
        ("status", answer("500 Internal Server Error", b"{}")),
        ("failed", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nhalf".to_vec()),
        ("failed", b"nonsense\r\n\r\n".to_vec()),
    ];
    for (result, bytes) in cases {
        let old = Origin::with(move |_| bytes.clone());
        let server = shadowing(&old.url(""), &[]);
        expect(&server, result, || server.get(TARGET).assert_picture("image/jpeg", 40, 30));
        let heads = old.heads.lock().unwrap();
        assert!(heads[0].starts_with(&format!("GET {TARGET} HTTP/1.1\r\n")), "{}", heads[0]);
    }
    // Errors count by their status alone, texts by what they say.
    let old = Origin::with(|path| match path {
        "/info?file=a.jpg" => answer("200 OK", b"{\"width\" : 80}"),
        _ => answer("400 Bad Request", b"in other words"),
    });
    let server = shadowing(&old.url("/"), &[]);
    expect(&server, "same", || assert_eq!(server.get("/resize?width=x&file=a.jpg").status, 400));
    expect(&server, "body", || assert_eq!(server.get("/info?file=a.jpg").status, 200));
}

#[test]
fn dead_and_slow_servers_are_told_of_and_not_waited_for() {
    let _alone = alone();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = shadowing(&format!("http://{free}"), &[]);
    expect(&server, "failed", || assert_eq!(server.get(TARGET).status, 200));

    let old = Origin::with(|_| {
        std::thread::sleep(Duration::from_secs(2));
        Vec::new()
    });
    let server = shadowing_with(&old.url(""), &[], |config| config.timeout = Duration::from_millis(300));
    expect(&server, "timeout", || {
        let begun = Instant::now();
        assert_eq!(server.get(TARGET).status, 200);
        assert!(begun.elapsed() < Duration::from_secs(1));
    });
}

#[test]
fn bodies_and_what_authorises_are_handed_on_and_nothing_else() {
    let _alone = alone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        let mut chunk = [0; 65_536];
        let end = loop {
            bytes.extend_from_slice({
                let n = stream.read(&mut chunk).unwrap();
                &chunk[..n]
            });
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
            let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
            let length = text.split("content-length: ").nth(1);
            let length = length.and_then(|rest| rest.split('\r').next()?.parse::<usize>().ok());
            if let (Some(head), Some(length)) = (head, length)
                && bytes.len() >= head + length
            {
                break head;
            }
        };
        stream.write_all(&answer("500 No", b"")).unwrap();
        let body = bytes.split_off(end);
        (String::from_utf8(bytes).unwrap().to_ascii_lowercase(), body)
    });
    let server = shadowing(&format!("http://{address}"), &["-key", "secret"]);
    let picture = jpeg(80, 60);
    let headers = [
        ("API-Key", "secret"),
        ("Authorization", "Bearer x"),
        ("Content-Type", "image/jpeg"),
        ("Cookie", "a=b"),
        ("If-None-Match", "\"x\""),
        ("Accept-Encoding", "gzip"),
    ];
    expect(&server, "status", || {
        server.request("POST", "/resize?width=40", &headers, Some(&picture)).assert_picture("image/jpeg", 40, 30);
    });
    let (head, body) = asked.join().unwrap();
    assert!(body == picture);
    for part in ["post /resize?width=40 http/1.1", "api-key: secret", "authorization: bearer x", "phasor-shadow: 1"] {
        assert!(head.contains(part), "{part}: {head}");
    }
    for name in ["cookie", "if-none-match", "accept-encoding"] {
        assert!(!head.contains(name), "{name}: {head}");
    }
    assert!(head.contains(&format!("host: {address}")), "{head}");
}

#[test]
fn what_says_nothing_is_not_sent_and_bounds_are_kept() {
    let _alone = alone();
    let old = Origin::with(|_| answer("404 Not Found", b""));
    let server = shadowing_with(&old.url(""), &["-head"], |config| config.max_bytes = 3000);
    let first = server;
    let server = &first;
    for target in ["/", "/health", "/form", "/nope"] {
        server.get(target);
    }
    server.request("HEAD", TARGET, &[], None);
    server.request("GET", TARGET, &[("Phasor-Shadow", "1")], None);
    // Too large, though its answer is not.
    let body = jpeg(400, 300);
    assert!(body.len() > 3000, "{}", body.len());
    expect(server, "too_large", || assert_eq!(server.post("/resize?width=40", &body).status, 200));
    assert!(old.heads.lock().unwrap().is_empty());
    // Half of the requests.
    let server = Server::with(&["-shadow", &old.url(""), "-shadow-share", "0.5", "-mount", "MOUNT"]);
    for _ in 0..10 {
        assert_eq!(server.get(TARGET).status, 200);
    }
    let begun = Instant::now();
    while old.heads.lock().unwrap().len() < 5 {
        assert!(begun.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(old.heads.lock().unwrap().len(), 5);
    settled(&first);
}

/// The same load without a shadow, with one that answers, and with one that hangs.
#[test]
fn clients_feel_nothing_of_it() {
    let _alone = alone();
    let median = |server: &Server| {
        let mut times = Vec::new();
        for _ in 0..150 {
            let begun = Instant::now();
            assert_eq!(server.get("/resize?width=40&file=a.jpg").status, 200);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        times[75]
    };
    let plain = Server::with(&["-mount", "MOUNT"]);
    let ours = plain.get("/resize?width=40&file=a.jpg").body;
    let bytes = answer("200 OK", &[&ours[..2], &[0xff, 0xfe, 0, 2], &ours[2..]].concat());
    let old = Origin::with(move |_| bytes.clone());
    let answered = shadowing(&old.url(""), &[]);
    let release = Arc::new(AtomicBool::new(false));
    let hold = Arc::clone(&release);
    let hanging = Origin::with(move |_| {
        while !hold.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Vec::new()
    });
    let hung = shadowing_with(&hanging.url(""), &[], |config| config.queue = 8);
    let dropped = counted(&hung, "dropped");
    // In turns, the best of three: other tests run beside this one.
    let mut best = [Duration::MAX; 3];
    for _ in 0..3 {
        for (best, server) in best.iter_mut().zip([&plain, &answered, &hung]) {
            *best = (*best).min(median(server));
        }
    }
    release.store(true, Ordering::Relaxed);
    eprintln!(
        "median of a request: {:.2?} alone, {:.2?} with a shadow, {:.2?} with one that hangs",
        best[0], best[1], best[2]
    );
    let bound = best[0] * 3 / 2 + Duration::from_millis(2);
    assert!(best[1] < bound && best[2] < bound, "{best:?}");
    assert!(counted(&hung, "dropped") > dropped + 300, "a full queue drops");
    settled(&hung);
}
