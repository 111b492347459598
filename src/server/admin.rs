//! Probes and metrics on a port of their own, served by a thread of their own: they answer however busy the main port
//! is, and never touch a source.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::app::App;
use super::shutdown::Life;
use crate::telemetry::events;

/// Longest time for a probe to send its request and take the answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest head of a probe.
const HEAD: usize = 8 << 10;
/// Probes at once.
const PROBES: usize = 64;
/// An event loop that did not turn for this long is stuck.
const STUCK: Duration = Duration::from_secs(30);

/// Starts the thread. Answers with the address that it listens on.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn start(listener: TcpListener, app: Arc<App>) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // Ends with the process: probes must work while everything else winds down.
    std::thread::Builder::new().name("admin".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            let places = Arc::new(Semaphore::new(PROBES));
            loop {
                match (listener.accept().await, Arc::clone(&places).try_acquire_owned()) {
                    (Ok((stream, _)), Ok(place)) => {
                        let app = Arc::clone(&app);
                        tokio::spawn(async move {
                            let _place = place;
                            let _ = tokio::time::timeout(PATIENCE, answer(stream, &app)).await;
                        });
                    }
                    (Ok(_), Err(_)) => {}
                    // Out of file descriptors, most likely.
                    (Err(_), _) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        });
    })?;
    Ok(address)
}

/// One request, one answer, close.
async fn answer(mut stream: TcpStream, app: &App) -> io::Result<()> {
    let mut head = Vec::with_capacity(512);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = head.split(|&b| b == b'\r').next().unwrap_or_default();
    let mut words = line.split(|&b| b == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split(|&b| b == b'?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        (b"GET" | b"HEAD", path) => page(path, app),
        _ => ("405 Method Not Allowed", "GET or HEAD\n".to_owned()),
    };
    let kind =
        if path == b"/metrics" { "text/plain; version=0.0.4; charset=utf-8" } else { "text/plain; charset=utf-8" };
    let mut text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if method != b"HEAD" {
        text.push_str(&body);
    }
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

fn page(path: &[u8], app: &App) -> (&'static str, String) {
    const OK: &str = "200 OK";
    const UNAVAILABLE: &str = "503 Service Unavailable";
    match path {
        b"/livez" if app.life.last_turn() > STUCK => (UNAVAILABLE, "event loop stuck\n".to_owned()),
        b"/livez" => (OK, "ok\n".to_owned()),
        b"/readyz" => match app.life.state() {
            Life::Starting => (UNAVAILABLE, "starting\n".to_owned()),
            Life::Running => (OK, "ok\n".to_owned()),
            Life::Draining => (UNAVAILABLE, "draining\n".to_owned()),
        },
        b"/startupz" if app.life.state() == Life::Starting => (UNAVAILABLE, "starting\n".to_owned()),
        b"/startupz" => (OK, "ok\n".to_owned()),
        b"/metrics" => (OK, events::render(&app.gauges())),
        _ => ("404 Not Found", "/livez /readyz /startupz /metrics\n".to_owned()),
    }
}
