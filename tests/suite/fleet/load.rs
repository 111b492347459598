//! Clients that ask one thing after the other and keep what became of it.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::http::{Client, jpeg};

/// What became of one request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub begun: Instant,
    pub took: Duration,
    pub get: bool,
    /// What was wrong with the answer, or that there was none.
    pub failure: Option<String>,
}

/// What a load is made of: quick and slower ones, so that some are always under way.
const TARGETS: &[&str] = &[
    "/resize?width=100&file=photo.jpg",
    "/thumbnail?width=60&file=photo.jpg",
    "/blur?sigma=3&width=120&file=photo.jpg",
    "/resize?width=90&type=png&file=photo.jpg",
];
/// The picture that the servers have under `photo.jpg`: small, since these servers are built to be debugged.
pub fn photo() -> Vec<u8> {
    jpeg(320, 240)
}

/// Between two requests of a client: a bounded load, that leaves something of the processors to the tests beside it.
const PAUSE: Duration = Duration::from_millis(15);

/// A load on a proxy while `drill` runs, and for a moment before and after; everything that was asked.
pub fn during(addresses: &[SocketAddr], clients: usize, drill: impl FnOnce()) -> Vec<Vec<Asked>> {
    let stop = AtomicBool::new(false);
    let records: Vec<Mutex<Vec<Asked>>> = addresses.iter().map(|_| Mutex::default()).collect();
    let picture = photo();
    std::thread::scope(|scope| {
        for (&address, record) in addresses.iter().zip(&records) {
            for client in 0..clients {
                let (stop, picture) = (&stop, &picture);
                scope.spawn(move || ask_until(stop, address, client, picture, record));
            }
        }
        // Ends the clients when the drill panics, too.
        let end = EndWhenDropped(&stop);
        std::thread::sleep(Duration::from_millis(500));
        drill();
        std::thread::sleep(Duration::from_millis(500));
        drop(end);
    });
    records.into_iter().map(|record| record.into_inner().unwrap()).collect()
}

struct EndWhenDropped<'a>(&'a AtomicBool);

impl Drop for EndWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn ask_until(stop: &AtomicBool, address: SocketAddr, client: usize, picture: &[u8], record: &Mutex<Vec<Asked>>) {
    // Half of the clients keep their connection.
    let (keep, mut kept) = (client.is_multiple_of(2), None);
    for turn in client.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let get = !turn.is_multiple_of(5);
        let begun = Instant::now();
        let target = TARGETS[turn % TARGETS.len()];
        let failure = ask(address, &mut kept, get.then_some(target), picture).err();
        if !keep || failure.is_some() {
            kept = None;
        }
        record.lock().unwrap().push(Asked { begun, took: begun.elapsed(), get, failure });
        std::thread::sleep(PAUSE);
    }
}

/// A GET of the target, or a POST of the picture.
fn ask(address: SocketAddr, kept: &mut Option<Client>, target: Option<&str>, picture: &[u8]) -> Result<(), String> {
    let client = match kept {
        Some(client) => client,
        None => kept.insert(Client::try_connect(address).map_err(|error| format!("no connection: {error}"))?),
    };
    let head = match target {
        Some(target) => format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"),
        None => format!("POST /resize?width=100 HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", picture.len()),
    };
    let body = if target.is_some() { &[][..] } else { picture };
    if !client.try_send(head.as_bytes()) || !client.try_send(body) {
        return Err("the connection broke while it was asked".to_owned());
    }
    let answer = client.answer(false).ok_or("the connection ended without an answer")?;
    let whole = answer.header("content-length").is_some_and(|length| length == answer.body.len().to_string());
    let picture = answer.body.starts_with(b"\xff\xd8") || answer.body.starts_with(b"\x89PNG");
    match (answer.status, whole && picture) {
        (200, true) => Ok(()),
        (200, false) => Err(format!("{} bytes that are no whole picture", answer.body.len())),
        (status, _) => Err(format!("{status}: {}", answer.text().trim())),
    }
}
