//! A client of the server that is measured: one connection, one request at a time.

use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Longest time for one answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most bytes of one answer that are read.
const LARGEST: u64 = 1 << 30;

/// A kept connection.
pub(super) struct Client(BufReader<TcpStream>);

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Seconds from sending to the last byte.
    pub(super) took: f64,
    /// Of them, seconds that a thread worked on the picture, as the server tells.
    pub(super) worked: f64,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::with_capacity(64 << 10, stream)))
    }

    pub(super) fn get(&mut self, target: &str) -> io::Result<Answer> {
        let request = format!("GET {target} HTTP/1.1\r\nHost: phasor\r\n\r\n");
        let begun = Instant::now();
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let (status, length, worked) = told(&head).ok_or(io::ErrorKind::InvalidData)?;
        let read = io::copy(&mut (&mut self.0).take(length.min(LARGEST)), &mut io::sink())?;
        if read < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Answer { status, took: begun.elapsed().as_secs_f64(), worked })
    }
}

/// Status, length of the body, and seconds of work, by `Server-Timing`.
fn told(head: &str) -> Option<(u16, u64, f64)> {
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let header = |name: &str| {
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.filter(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    };
    let length = header("content-length")?.parse().ok()?;
    let stages = header("server-timing").unwrap_or_default().split(',').filter_map(|stage| {
        let (name, milliseconds) = stage.trim().split_once(";dur=")?;
        ["decode", "steps", "encode"].contains(&name).then(|| milliseconds.parse::<f64>().ok())?
    });
    Some((status, length, stages.sum::<f64>() / 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_a_thread_is_told_apart_from_waiting() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\
                    server-timing: queue;dur=7.5, decode;dur=2.25, steps;dur=0.5, encode;dur=0.25\r\n\r\n";
        assert_eq!(told(head), Some((200, 12, 0.003)));
        assert_eq!(told("HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\n"), Some((404, 3, 0.0)));
        assert_eq!(told("HTTP/1.1 200 OK\r\n\r\n"), None);
    }
}
