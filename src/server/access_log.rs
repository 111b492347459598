//! The access log on stdout: one line a request in imaginary's format, written by a thread of its own, so that a
//! stalled reader of stdout never holds up a request.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::telemetry::events;

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

/// What a line says.
pub(super) struct Record<'a> {
    pub ip: &'a str,
    pub method: &'a str,
    pub uri: &'a str,
    pub protocol: &'a str,
    pub status: u16,
    pub bytes: u64,
    pub elapsed: Duration,
}

/// The log's sending end.
#[derive(Debug, Clone)]
pub(super) struct AccessLog {
    level: Level,
    lines: Option<SyncSender<String>>,
}

impl AccessLog {
    /// Starts the writing thread, unless nothing is to be logged.
    pub(super) fn start(level: Level) -> std::io::Result<Self> {
        if level == Level::None {
            return Ok(Self { level, lines: None });
        }
        let (sender, receiver) = sync_channel(BACKLOG);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(move || write_lines(&receiver))?;
        Ok(Self { level, lines: Some(sender) })
    }

    /// Logs a request if its status is of interest.
    pub(super) fn log(&self, record: &Record<'_>) {
        if let Some(lines) = &self.lines
            && self.level.logs(record.status)
            && lines.try_send(line(record, SystemTime::now())).is_err()
        {
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

/// Year, month (1–12), day (1–31) and second of the day in UTC, by Howard Hinnant's `civil_from_days`.
fn civil(time: SystemTime) -> (u64, u8, u8, u64) {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let small = |n: u64| u8::try_from(n).unwrap_or(1);
    (year, small(month), small(day), seconds % 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(uri: &str) -> Record<'_> {
        Record {
            ip: "127.0.0.1",
            method: "GET",
            uri,
            protocol: "HTTP/1.1",
            status: 200,
            bytes: 191,
            elapsed: Duration::from_micros(123),
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
    fn leap_days_and_year_ends_are_right() {
        let at = |seconds| civil(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), (1970, 1, 1, 0));
        assert_eq!(at(951_782_400), (2000, 2, 29, 0));
        assert_eq!(at(1_798_761_599), (2026, 12, 31, 86_399));
        assert_eq!(at(4_107_542_400), (2100, 3, 1, 0));
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
