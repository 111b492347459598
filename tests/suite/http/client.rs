//! A small blocking HTTP/1.1 client that hides nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// One answer, taken apart.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// In the order sent, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// All values of a header, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts a JSON error to the byte.
    #[track_caller]
    pub fn assert_error(&self, status: u16, message: &str) {
        let escaped = message.replace('"', "\\\"").replace('&', "\\u0026");
        let expected = format!("{{\"message\":\"{escaped}\",\"status\":{status}}}");
        assert_eq!((self.status, self.text()), (status, expected));
        assert_eq!(self.header("content-type").as_deref(), Some("application/json"));
    }

    /// Asserts a picture of this type and size.
    #[track_caller]
    pub fn assert_picture(&self, mime: &str, width: u32, height: u32) {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!(self.header("content-type").as_deref(), Some(mime));
        let header = phasor::codecs::probe(&self.body, &phasor::codecs::Limits::default()).expect("a picture");
        assert_eq!((header.size.width(), header.size.height()), (width, height));
    }
}

/// One connection.
pub struct Client {
    stream: TcpStream,
    buffered: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap()
    }

    /// As [`Client::connect`], when the server may not listen.
    pub fn try_connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, buffered: Vec::new() })
    }

    /// Waits so long for each part of an answer.
    #[cfg(feature = "gpu")]
    pub fn patient(self, limit: Duration) -> Self {
        self.stream.set_read_timeout(Some(limit)).unwrap();
        self
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// As [`Client::send`], when the server may close at any time.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    pub fn shutdown_write(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }

    /// Sends a request with `Host`, and `Content-Length` where there is a body.
    pub fn request(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.unwrap_or_default());
        // An early refusal may close before the whole body is sent; its answer still has to be read.
        self.try_send(&bytes);
        self.answer(method == "HEAD").expect("an answer")
    }

    /// Reads one answer; `None` when the connection closes before one.
    pub fn answer(&mut self, bodiless: bool) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.buffered.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            if self.fill() == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.buffered[..end]).into_owned();
        self.buffered.drain(..end);
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        if status == 100 {
            return self.answer(bodiless);
        }
        if bodiless || matches!(status, 204 | 304) {
            return Some(answer);
        }
        let length = answer.header("content-length").map(|length| length.parse::<usize>().unwrap());
        while length.is_none_or(|length| self.buffered.len() < length) {
            if self.fill() == 0 {
                break;
            }
        }
        let length = length.unwrap_or(self.buffered.len()).min(self.buffered.len());
        answer.body = self.buffered.drain(..length).collect();
        Some(answer)
    }

    /// Waits until the server closes; what came until then.
    pub fn rest(mut self) -> Vec<u8> {
        while self.fill() > 0 {}
        self.buffered
    }

    fn fill(&mut self) -> usize {
        let mut chunk = [0; 16 << 10];
        let n = match self.stream.read(&mut chunk) {
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            Err(error) => panic!("the server neither answers nor closes: {error}"),
        };
        self.buffered.extend_from_slice(&chunk[..n]);
        n
    }
}
