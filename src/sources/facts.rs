//! What is known of a source besides its bytes, and whether that is enough to need no bytes.

use std::fmt;
use std::fs::Metadata;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::http::HeaderMap;
use hyper::http::header::{ETAG, LAST_MODIFIED};

use super::freshness::Freshness;

/// What a source says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// A text that changes whenever the bytes do; `None`: only the bytes themselves tell.
    pub validator: Option<String>,
    /// When the bytes last changed, in whole seconds.
    pub last_modified: Option<SystemTime>,
    /// How long they may be kept; `None`: nothing is said.
    pub freshness: Option<Freshness>,
}

/// A file that was written so lately may be written once more within the same tick of its clock.
const SETTLED: Duration = Duration::from_secs(2);

impl Facts {
    /// Of a file: its length and the time of its last change.
    pub(super) fn of_file(metadata: &Metadata) -> Self {
        let Ok(modified) = metadata.modified() else { return Self::default() };
        let settled = modified.elapsed().is_ok_and(|age| age > SETTLED);
        let nanos = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        Self {
            validator: settled.then(|| format!("file {nanos} {}", metadata.len())),
            last_modified: past(modified),
            freshness: None,
        }
    }

    /// Of a URL: the headers of its answer. A weak tag promises nothing of bytes.
    pub(super) fn of_answer(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let strong = |tag: &&str| tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"');
        Self {
            validator: text(ETAG).filter(strong).map(|tag| format!("tag {tag}")),
            last_modified: text(LAST_MODIFIED).and_then(|text| past(httpdate::parse_http_date(text).ok()?)),
            freshness: Freshness::read(headers, SystemTime::now()),
        }
    }
}

/// In whole seconds, as HTTP tells time; a time that is yet to come tells nothing.
fn past(time: SystemTime) -> Option<SystemTime> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let whole = UNIX_EPOCH + Duration::from_secs(seconds);
    (whole <= SystemTime::now()).then_some(whole)
}

/// Says, before the bytes are read, whether what is known makes them unnecessary.
#[derive(Clone)]
pub struct Unless(pub Arc<dyn Fn(&Facts) -> bool + Send + Sync>);

impl Unless {
    pub(super) fn holds(this: Option<&Self>, facts: &Facts) -> bool {
        this.is_some_and(|unless| (unless.0)(facts))
    }
}

impl fmt::Debug for Unless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unless")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_tags_vouch_for_bytes() {
        let of = |tag: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ETAG, tag.parse().unwrap());
            Facts::of_answer(&headers).validator
        };
        assert_eq!(of("\"a\"").as_deref(), Some("tag \"a\""));
        for weak in ["W/\"a\"", "a", "\"", "\"\""] {
            assert_eq!(of(weak), None, "{weak}");
        }
    }

    #[test]
    fn a_file_just_written_is_told_by_its_bytes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "x").unwrap();
        let facts = || Facts::of_file(&std::fs::metadata(file.path()).unwrap());
        assert_eq!(facts().validator, None);
        assert!(facts().last_modified.is_some());
        file.as_file().set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
        assert!(facts().validator.unwrap().ends_with(" 1"));
        // From the future: no time to tell a client, and nothing that can be relied on.
        file.as_file().set_modified(SystemTime::now() + Duration::from_secs(600)).unwrap();
        assert_eq!((facts().validator, facts().last_modified), (None, None));
    }
}
