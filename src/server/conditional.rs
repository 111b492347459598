//! Entity tags, and requests that want an answer only if it is another than the one they have (RFC 9110, sections 8.8
//! and 13).

use std::sync::Arc;
use std::time::SystemTime;

use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::headers::set;
use crate::codecs::OutputFormat;
use crate::plan::{Endpoint, Params};
use crate::sources::{SourceRef, Unless};

/// To be raised when the same plan gives another file: a new resampling, another encoder or its settings.
const RENDERING: u32 = 4;
/// Bytes of a tag's digest.
const TAG_BYTES: usize = 16;

/// Makes the tags of a request's answer: from what is asked, from what this program makes of it, and from what tells the
/// source's bytes apart.
#[derive(Clone)]
pub(super) struct Tagger {
    asked: Sha256,
    weak: bool,
}

impl Tagger {
    /// `weak`: the answer's bytes may differ though nothing else does, for instance where a GPU may make it or the CPU.
    pub(super) fn new(
        endpoint: Endpoint,
        params: &Params,
        negotiated: Option<OutputFormat>,
        source: Option<&SourceRef>,
        weak: bool,
    ) -> Self {
        let mut asked = Sha256::new();
        part(&mut asked, super::VERSION.as_bytes());
        part(&mut asked, &RENDERING.to_be_bytes());
        // Processors round differently where code is written for each.
        part(&mut asked, std::env::consts::ARCH.as_bytes());
        part(&mut asked, endpoint.name().as_bytes());
        part(&mut asked, format!("{params:?} {negotiated:?} {source:?}").as_bytes());
        Self { asked, weak }
    }

    /// The tag for sources with these validators: the picture's, then each watermark's.
    pub(super) fn tag<'a>(&self, validators: impl IntoIterator<Item = &'a str>) -> String {
        let mut digest = self.asked.clone();
        for validator in validators {
            part(&mut digest, validator.as_bytes());
        }
        let opaque = URL_SAFE_NO_PAD.encode(&digest.finalize()[..TAG_BYTES]);
        format!("{}\"{opaque}\"", if self.weak { "W/" } else { "" })
    }
}

/// With its length, so that no two lists of parts are one text.
fn part(digest: &mut Sha256, bytes: &[u8]) {
    digest.update((bytes.len() as u64).to_be_bytes());
    digest.update(bytes);
}

/// What a request has already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    tags: Option<Tags>,
    since: Option<SystemTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// Whatever there is.
    Any,
    /// Opaque tags with their quotes, without what makes them weak.
    Listed(Vec<String>),
}

impl Conditions {
    /// Reads `If-None-Match` and `If-Modified-Since`. They are for GET and HEAD: a POST brings its picture along, and
    /// there is nothing yet that it could match.
    pub(super) fn of(http: &HttpRequest) -> Self {
        if !matches!(*http.method(), Method::GET | Method::HEAD) {
            return Self::default();
        }
        Self::read(http.headers())
    }

    fn read(headers: &HeaderMap) -> Self {
        let values: Vec<&[u8]> = headers.get_all(header::IF_NONE_MATCH).map(|value| value.as_bytes()).collect();
        let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        let tags = match values.as_slice() {
            [] => None,
            [one] if one.trim_ascii() == b"*" => Some(Tags::Any),
            several => Some(Tags::Listed(several.iter().flat_map(|value| listed(value)).collect())),
        };
        // A date is the weaker word: it counts only where there is no tag.
        let since = since.filter(|_| tags.is_none()).and_then(|text| httpdate::parse_http_date(text).ok());
        Self { tags, since }
    }

    /// Whether a tag alone can settle the matter. It does so before the source is read: who has the tag was sent the
    /// answer once, and it is the same today. `*` and dates say nothing of whether there would be an answer.
    pub(super) fn unless(&self, tagger: &Tagger) -> Option<Unless> {
        let Some(Tags::Listed(_)) = &self.tags else { return None };
        let (conditions, tagger) = (self.clone(), tagger.clone());
        Some(Unless(Arc::new(move |facts| {
            let validator = facts.validator.as_deref();
            validator.is_some_and(|validator| conditions.met_by(&tagger.tag([validator]), None))
        })))
    }

    /// Whether the answer with this tag, of a source that was last modified then, is one that the client has.
    pub(super) fn met_by(&self, tag: &str, modified: Option<SystemTime>) -> bool {
        match (&self.tags, self.since) {
            (Some(Tags::Any), _) => true,
            // Weak comparison, as the specification wants it here.
            (Some(Tags::Listed(tags)), _) => tags.iter().any(|listed| listed == tag.trim_start_matches("W/")),
            (None, Some(since)) => modified.is_some_and(|modified| modified <= since),
            (None, None) => false,
        }
    }
}

/// The tags of one line; what follows something that is no tag is passed over.
fn listed(mut text: &[u8]) -> Vec<String> {
    let mut tags = Vec::new();
    loop {
        text = text.trim_ascii_start();
        if let Some(rest) = text.strip_prefix(b",") {
            text = rest;
            continue;
        }
        let bare = text.strip_prefix(b"W/").unwrap_or(text);
        let inside = |&b: &u8| b == 0x21 || (0x23..0x7f).contains(&b) || b >= 0x80;
        let Some(quoted) = bare.strip_prefix(b"\"") else { return tags };
        let length = quoted.iter().take_while(|b| inside(b)).count();
        if quoted.get(length) != Some(&b'"') {
            return tags;
        }
        tags.push(String::from_utf8_lossy(&bare[..length + 2]).into_owned());
        text = quoted[length + 1..].trim_ascii_start();
        if !text.is_empty() && !text.starts_with(b",") {
            return tags;
        }
    }
}

/// What an answer says of itself, for caches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Validators {
    pub(super) tag: Option<String>,
    pub(super) last_modified: Option<SystemTime>,
}

impl Validators {
    /// Adds `ETag` and `Last-Modified`.
    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        put(headers, header::ETAG, self.tag.clone());
        put(headers, header::LAST_MODIFIED, self.last_modified.map(httpdate::fmt_http_date));
    }

    /// The answer to who has it already: no body, and of the headers those that keep a cache's copy alive.
    pub(super) fn not_modified(&self) -> HttpResponse {
        let body = actix_web::body::BoxBody::new(actix_web::body::None::new());
        let mut response = HttpResponse::with_body(StatusCode::NOT_MODIFIED, body);
        self.add_to(response.headers_mut());
        response
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value {
        set(headers, name, &value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::Query;
    use actix_web::http::header::HeaderValue;
    use std::time::{Duration, UNIX_EPOCH};

    fn conditions(pairs: &[(HeaderName, &str)]) -> Conditions {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        Conditions::read(&headers)
    }

    fn tagger(query: &str, source: &str, weak: bool) -> Tagger {
        let params = crate::plan::parse(&Query::parse(query.as_bytes())).unwrap();
        Tagger::new(Endpoint::Resize, &params, None, Some(&SourceRef::Url(source.to_owned())), weak)
    }

    #[test]
    fn lists_are_taken_apart_at_commas_outside_quotes() {
        let tags = |text: &str| listed(text.as_bytes());
        assert_eq!(tags("\"a\", W/\"b,c\" ,,\"\""), ["\"a\"", "\"b,c\"", "\"\""]);
        assert_eq!(tags("a, \"b\""), [] as [&str; 0]);
        assert_eq!(tags("\"a\" \"b\""), ["\"a\""]);
        assert_eq!(tags("\"a\", w/\"b\""), ["\"a\""]);
        assert_eq!(tags("\"a\", \"b"), ["\"a\""]);
        assert_eq!(tags("\"a b\""), [] as [&str; 0]);
        assert_eq!(tags("*"), [] as [&str; 0]);
    }

    #[test]
    fn tags_compare_weakly_and_win_over_dates() {
        let day = UNIX_EPOCH + Duration::from_secs(86_400);
        let date = httpdate::fmt_http_date(day);
        let (tag, since) = (header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE);
        assert!(!conditions(&[]).met_by("\"a\"", Some(day)));
        for listed in ["\"a\"", "W/\"a\"", "\"x\", \"a\"", "*", " * "] {
            assert!(conditions(&[(tag.clone(), listed)]).met_by("\"a\"", None), "{listed}");
            assert!(conditions(&[(tag.clone(), listed)]).met_by("W/\"a\"", None), "{listed}");
        }
        let two = conditions(&[(tag.clone(), "\"x\""), (tag.clone(), "\"a\"")]);
        assert!(two.met_by("\"a\"", None) && !two.met_by("\"b\"", None));
        let both = conditions(&[(tag, "\"x\""), (since.clone(), &date)]);
        assert!(!both.met_by("\"a\"", Some(day)));
        let dated = conditions(&[(since.clone(), &date)]);
        assert!(dated.met_by("\"a\"", Some(day)) && dated.met_by("\"a\"", Some(UNIX_EPOCH)));
        assert!(!dated.met_by("\"a\"", Some(day + Duration::from_secs(1))) && !dated.met_by("\"a\"", None));
        assert!(!conditions(&[(since, "yesterday")]).met_by("\"a\"", Some(day)));
    }

    #[test]
    fn a_tag_depends_on_all_that_the_answer_depends_on() {
        let tag = |query: &str, source: &str, validators: &[&str]| {
            tagger(query, source, false).tag(validators.iter().copied())
        };
        let one = tag("width=300", "http://a/", &["v"]);
        assert_eq!(one.len(), 24);
        assert_eq!(tag("width=300&sign=x&unknown=1", "http://a/", &["v"]), one);
        for other in [
            tag("width=301", "http://a/", &["v"]),
            tag("width=300", "http://b/", &["v"]),
            tag("width=300", "http://a/", &["w"]),
            tag("width=300", "http://a/", &["v", ""]),
            tag("width=300", "http://a/", &["", "v"]),
            tag("width=300&type=webp", "http://a/", &["v"]),
        ] {
            assert_ne!(other, one);
        }
        assert_eq!(tagger("width=300", "http://a/", true).tag(["v"]), format!("W/{one}"));
    }

    #[test]
    fn only_a_listed_tag_settles_it_before_the_bytes() {
        let tagger = tagger("width=300", "http://a/", false);
        let facts = |validator: Option<&str>| crate::sources::Facts {
            validator: validator.map(str::to_owned),
            last_modified: Some(UNIX_EPOCH),
            freshness: None,
        };
        let known = conditions(&[(header::IF_NONE_MATCH, &tagger.tag(["v"]))]).unless(&tagger).unwrap();
        assert!((known.0)(&facts(Some("v"))));
        assert!(!(known.0)(&facts(Some("w"))) && !(known.0)(&facts(None)));
        assert!(conditions(&[(header::IF_NONE_MATCH, "*")]).unless(&tagger).is_none());
        let date = httpdate::fmt_http_date(SystemTime::now());
        assert!(conditions(&[(header::IF_MODIFIED_SINCE, &date)]).unless(&tagger).is_none());
    }
}
