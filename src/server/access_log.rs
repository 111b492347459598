//! The access log on stdout: one line a request in imaginary's format, written by a thread of its own, so that a
//! stalled reader of stdout never holds up a request.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime};

use crate::telemetry::{Ids, civil, events, timestamp};

/// Lines that may wait for the writing thread; more are dropped and counted.
const BACKLOG: usize = 8192;

/// Which answers are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// All.
    #[default]
    Info,
    /// Status 400 and up.
    Warning,
    /// Status 500 and up.
    Error,
    /// None.
    None,
}

impl Level {
    /// Reads `info`, `warning`, `error`; any other word is silence, as in imaginary.
    pub fn from_word(word: &str) -> Self {
        match word {
            "info" => Self::Info,
            "warning" => Self::Warning,
            "error" => Self::Error,
            _ => Self::None,
        }
    }

    const fn logs(self, status: u16) -> bool {
        match self {
            Self::Info => true,
            Self::Warning => status >= 400,
            Self::Error => status >= 500,
            Self::None => false,
        }
    }
}

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccessFormat {
    /// As imaginary writes them.
    #[default]
    Text,
    /// One JSON object a line, with more in it.
    Json,
}

/// What a line says; the second half is told in JSON alone.
pub(super) struct Record<'a> {
    pub ip: &'a str,
    pub method: &'a str,
    pub uri: &'a str,
    pub protocol: &'a str,
    pub status: u16,
    pub bytes: u64,
    pub elapsed: Duration,
    pub endpoint: &'a str,
    /// Of the answer.
    pub format: &'a str,
    pub ids: Ids,
    /// Name and length of each phase.
    pub phases: Vec<(&'static str, Duration)>,
}

/// The log's sending end.
#[derive(Debug, Clone)]
pub(super) struct AccessLog {
    level: Level,
    format: AccessFormat,
    lines: Option<SyncSender<String>>,
}

impl AccessLog {
    /// Starts the writing thread, unless nothing is to be logged.
    pub(super) fn start(level: Level, format: AccessFormat) -> std::io::Result<Self> {
        if level == Level::None {
            return Ok(Self { level, format, lines: None });
        }
        let (sender, receiver) = sync_channel(BACKLOG);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || write_lines(&receiver))?;
        Ok(Self { level, format, lines: Some(sender) })
    }

    /// Logs a request if its status is of interest.
    pub(super) fn log(&self, record: &Record<'_>) {
        let Some(lines) = self.lines.as_ref().filter(|_| self.level.logs(record.status)) else { return };
        let line = match self.format {
            AccessFormat::Text => line(record, SystemTime::now()),
            AccessFormat::Json => json(record, SystemTime::now()),
        };
        if lines.try_send(line).is_err() {
            events::access_log_dropped();
        }
    }
}

fn write_lines(lines: &Receiver<String>) {
    let mut out = std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    while let Ok(first) = lines.recv() {
        let mut result = out.write_all(first.as_bytes());
        while let Ok(next) = lines.try_recv() {
            result = result.and_then(|()| out.write_all(next.as_bytes()));
        }
        if result.and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

/// `IP - - [02/Jan/2006 15:04:05] "METHOD URI PROTO" STATUS BYTES SECONDS`
fn line(record: &Record<'_>, now: SystemTime) -> String {
    let mut line = String::with_capacity(96 + record.uri.len());
    let (year, month, day, seconds) = civil(now);
    let month =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][usize::from(month - 1)];
    let _ = write!(
        line,
        "{} - - [{day:02}/{month}/{year} {:02}:{:02}:{:02}] \"{} ",
        record.ip,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        record.method
    );
    push_redacted(&mut line, record.uri);
    let _ =
        writeln!(line, " {}\" {} {} {:.4}", record.protocol, record.status, record.bytes, record.elapsed.as_secs_f64());
    line
}

/// A URI as the log shows it.
pub(super) fn redacted(uri: &str) -> String {
    let mut text = String::with_capacity(uri.len());
    push_redacted(&mut text, uri);
    text
}

/// The same and more as one JSON object. Times are in seconds.
fn json(record: &Record<'_>, now: SystemTime) -> String {
    let mut uri = String::with_capacity(record.uri.len());
    push_redacted(&mut uri, record.uri);
    let mut phases = serde_json::Map::new();
    for (name, took) in &record.phases {
        // A picture and its watermark are two fetches.
        let before = phases.get(*name).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        phases.insert((*name).to_owned(), micros(before + took.as_secs_f64()).into());
    }
    let line = serde_json::json!({
        "timestamp": timestamp(now),
        "ip": record.ip,
        "method": record.method,
        "uri": uri,
        "protocol": record.protocol,
        "status": record.status,
        "bytes": record.bytes,
        "duration": micros(record.elapsed.as_secs_f64()),
        "endpoint": record.endpoint,
        "format": record.format,
        "phases": phases,
        "trace_id": record.ids.trace.to_string(),
        "span_id": record.ids.span.to_string(),
    });
    format!("{line}\n")
}

/// Seconds without more digits than the clock is worth.
fn micros(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

/// The URI without the values of `key` and `sign`, which are secrets, and with control bytes escaped.
fn push_redacted(line: &mut String, uri: &str) {
    let (path, query) = match uri.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (uri, None),
    };
    push_visible(line, path);
    let Some(query) = query else { return };
    for (i, pair) in query.split('&').enumerate() {
        line.push(if i == 0 { '?' } else { '&' });
        match pair.split_once('=') {
            Some((name, value)) if !value.is_empty() && is_secret(name) => {
                push_visible(line, name);
                line.push_str("=REDACTED");
            }
            _ => push_visible(line, pair),
        }
    }
}

/// Names are compared as the server reads them: `%6bey` is `key`.
fn is_secret(name: &str) -> bool {
    matches!(&*percent_encoding::percent_decode_str(name).decode_utf8_lossy(), "key" | "sign")
}

fn push_visible(line: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_control() {
            let _ = write!(line, "\\u{:04x}", u32::from(c));
        } else {
            line.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn ids() -> Ids {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        crate::telemetry::Journal::begin(None, [parent].into_iter(), [].into_iter(), std::time::Instant::now()).ids()
    }

    fn record(uri: &str) -> Record<'_> {
        Record {
            ip: "127.0.0.1",
            method: "GET",
            uri,
            protocol: "HTTP/1.1",
            status: 200,
            bytes: 191,
            elapsed: Duration::from_micros(123),
            endpoint: "resize",
            format: "jpeg",
            ids: ids(),
            phases: vec![("fetch", Duration::from_micros(20)), ("fetch", Duration::from_micros(30))],
        }
    }

    #[test]
    fn a_line_looks_as_imaginary_writes_it() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_470_610);
        assert_eq!(
            line(&record("/health"), now),
            "127.0.0.1 - - [23/Nov/2026 21:50:10] \"GET /health HTTP/1.1\" 200 191 0.0001\n"
        );
    }

    #[test]
    fn json_says_more_and_keeps_the_same_secrets() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_470_610);
        let text = json(&record("/resize?sign=abc&width=\u{1b}\"1"), now);
        let told: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told["uri"], "/resize?sign=REDACTED&width=\\u001b\"1");
        assert_eq!(told["timestamp"], "2026-11-23T21:50:10.000000Z");
        assert_eq!((told["status"].as_u64(), told["bytes"].as_u64()), (Some(200), Some(191)));
        assert_eq!((told["duration"].as_f64(), told["phases"]["fetch"].as_f64()), (Some(0.000123), Some(0.00005)));
        assert_eq!(told["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(text.ends_with("}\n") && text.lines().count() == 1);
    }

    #[test]
    fn secrets_and_control_bytes_stay_out() {
        let text = line(&record("/resize?key=s3cret&width=1&%73ign=abc&url=a\u{1b}[31m&key="), UNIX_EPOCH);
        assert!(text.contains("/resize?key=REDACTED&width=1&%73ign=REDACTED&url=a\\u001b[31m&key= HTTP"), "{text}");
    }

    #[test]
    fn levels_choose_by_status() {
        assert!(Level::from_word("info").logs(200));
        assert!(!Level::from_word("warning").logs(399));
        assert!(Level::from_word("warning").logs(400));
        assert!(!Level::from_word("error").logs(499));
        assert!(Level::from_word("error").logs(500));
        assert!(!Level::from_word("loud").logs(500));
    }
}
