//! Headers of answers: caching, `Vary`, CORS, rate, safety.

use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::VERSION;
use crate::security::Verdict;
use crate::sources::http::HeaderName as SourceHeader;
use crate::sources::{Facts, Freshness};

/// What goes on every answer of a request, settled check by check.
#[derive(Debug, Clone, Default)]
pub(super) struct Common {
    /// `Server`.
    pub server: bool,
    /// Lifetime in caches; `None`: nothing is said.
    pub cache_ttl: Option<u32>,
    /// Longest lifetime that is taken from what the sources say; zero: they are not asked.
    pub source_cache_max: Duration,
    /// What they say.
    pub source_says: Option<Freshness>,
    /// Seconds that caches may keep that a source is missing.
    pub missing_ttl: u32,
    /// The lifetime applies to this request (a GET of something else than the fixed pages).
    pub cacheable: bool,
    /// A credential of the client went to the source: the answer is this client's alone. The names of the headers.
    pub private_by: Vec<String>,
    /// `Vary: Accept`.
    pub vary_accept: bool,
    /// `Vary: Origin`.
    pub vary_origin: bool,
    /// `Access-Control-Allow-Origin: *`.
    pub allow_any_origin: bool,
    /// `X-Ratelimit-*`.
    pub rate: Option<Verdict>,
}

impl Common {
    /// Adds the headers. `failed`: the answer is an error, also one shown as a placeholder picture.
    pub(super) fn apply(&self, headers: &mut HeaderMap, failed: bool) {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if self.server {
            set(headers, header::SERVER, &format!("phasor/{VERSION}"));
        }
        self.caching(headers, failed);
        let mut vary: Vec<&str> = self.private_by.iter().map(String::as_str).collect();
        vary.extend(self.vary_accept.then_some("Accept"));
        vary.extend(self.vary_origin.then_some("Origin"));
        if !vary.is_empty() {
            set(headers, header::VARY, &vary.join(", "));
        }
        if self.allow_any_origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        if let Some(rate) = self.rate {
            for (name, value) in [
                ("x-ratelimit-limit", rate.limit),
                ("x-ratelimit-remaining", rate.remaining),
                ("x-ratelimit-reset", rate.reset),
            ] {
                headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
            if let Some(seconds) = rate.retry_after {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
    }

    /// The answer is made from these sources, to whom these headers of the client were handed on.
    pub(super) fn made_with<'a>(&mut self, forwarded: &[SourceHeader], sources: impl IntoIterator<Item = &'a Facts>) {
        self.private_by = forwarded.iter().map(|name| canonical_name(name.as_str())).collect();
        let said = sources.into_iter().filter_map(|facts| facts.freshness);
        let said = said.reduce(Freshness::and).map(|freshness| freshness.at_most(self.source_cache_max));
        self.source_says = said.filter(|_| !self.source_cache_max.is_zero());
    }

    fn caching(&self, headers: &mut HeaderMap, failed: bool) {
        if failed {
            // A source that is down for a second must not be a broken picture for a day.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return;
        }
        if !self.cacheable {
            return;
        }
        let (value, ttl) = match (self.source_says, self.cache_ttl) {
            (Some(says), ttl) => self.as_the_source_says(says, ttl),
            (None, Some(0)) => ("private, no-cache, no-store, must-revalidate".to_owned(), Some(0)),
            (None, Some(ttl)) if !self.private_by.is_empty() => {
                (format!("private, max-age={ttl}, no-transform"), Some(u64::from(ttl)))
            }
            (None, Some(ttl)) => (format!("public, s-maxage={ttl}, max-age={ttl}, no-transform"), Some(u64::from(ttl))),
            (None, None) => return,
        };
        set(headers, header::CACHE_CONTROL, &value);
        if let Some(ttl) = ttl {
            let expires = SystemTime::now() + Duration::from_secs(ttl);
            set(headers, header::EXPIRES, &httpdate::fmt_http_date(expires));
        }
    }

    /// `Cache-Control`, and the seconds until `Expires`. A lifetime that the source leaves open is the usual one.
    fn as_the_source_says(&self, says: Freshness, ttl: Option<u32>) -> (String, Option<u64>) {
        if says.no_store {
            return ("no-store".to_owned(), None);
        }
        let private = says.private || !self.private_by.is_empty();
        let mut parts = vec![if private { "private" } else { "public" }.to_owned()];
        let usual = ttl.map(u64::from);
        let (shared, own) = (says.shared.or(usual), says.own.or(usual));
        parts.extend(says.no_cache.then(|| "no-cache".to_owned()));
        parts.extend(shared.filter(|_| !private).map(|seconds| format!("s-maxage={seconds}")));
        parts.extend(own.map(|seconds| format!("max-age={seconds}")));
        parts.extend(says.must_revalidate.then(|| "must-revalidate".to_owned()));
        parts.push("no-transform".to_owned());
        (parts.join(", "), own.filter(|_| !says.no_cache))
    }
}

/// A value that is known to be visible ASCII; anything else is left out.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// On pictures: nothing in them may run, whatever a browser makes of their bytes.
pub(super) fn content_policy(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
}

/// The answer to a CORS preflight.
pub(super) fn preflight(request: &HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::NoContent();
    response
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, HEAD"))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, "600"))
        .insert_header((header::VARY, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
    if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        response.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone()));
    }
    response.finish()
}

/// The throttle's answer: plain text, never a placeholder.
pub(super) fn too_many_requests() -> HttpResponse {
    HttpResponse::build(StatusCode::TOO_MANY_REQUESTS)
        .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body("limit exceeded\n")
}

/// `x-forward-authorization` as `X-Forward-Authorization`, for `Vary`.
fn canonical_name(name: &str) -> String {
    let capital = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(common: &Common, failed: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        common.apply(&mut headers, failed);
        headers
    }

    #[test]
    fn errors_are_never_cached() {
        for ttl in [None, Some(0), Some(1), Some(86_400)] {
            let common = Common { cache_ttl: ttl, cacheable: true, ..Common::default() };
            let headers = applied(&common, true);
            assert_eq!(headers.get("cache-control").unwrap(), "no-store");
            assert!(!headers.contains_key("expires"));
        }
    }

    #[test]
    fn a_personal_answer_is_private() {
        let common = Common {
            cache_ttl: Some(60),
            cacheable: true,
            private_by: vec!["Authorization".to_owned()],
            vary_accept: true,
            ..Common::default()
        };
        let headers = applied(&common, false);
        assert_eq!(headers.get("cache-control").unwrap(), "private, max-age=60, no-transform");
        assert_eq!(headers.get("vary").unwrap(), "Authorization, Accept");
    }

    #[test]
    fn ttl_zero_forbids_and_more_allows() {
        let zero = Common { cache_ttl: Some(0), cacheable: true, ..Common::default() };
        assert_eq!(applied(&zero, false).get("cache-control").unwrap(), "private, no-cache, no-store, must-revalidate");
        let some = Common { cache_ttl: Some(9), cacheable: true, ..Common::default() };
        assert_eq!(applied(&some, false).get("cache-control").unwrap(), "public, s-maxage=9, max-age=9, no-transform");
        assert!(applied(&some, false).contains_key("expires"));
        let post = Common { cache_ttl: Some(9), cacheable: false, ..Common::default() };
        assert!(!applied(&post, false).contains_key("cache-control"));
    }

    #[test]
    fn what_the_sources_say_is_bounded_and_the_strictest_of_them_holds() {
        let hour = Freshness { own: Some(3600), shared: Some(7200), ..Freshness::default() };
        let facts = |freshness| Facts { freshness, ..Facts::default() };
        let said = |max: u64, sources: &[Option<Freshness>]| {
            let sources: Vec<Facts> = sources.iter().map(|&freshness| facts(freshness)).collect();
            let max = Duration::from_secs(max);
            let mut common = Common { cache_ttl: Some(9), cacheable: true, source_cache_max: max, ..Common::default() };
            common.made_with(&[], &sources);
            applied(&common, false).get("cache-control").unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(said(0, &[Some(hour)]), "public, s-maxage=9, max-age=9, no-transform");
        assert_eq!(said(86_400, &[Some(hour)]), "public, s-maxage=7200, max-age=3600, no-transform");
        assert_eq!(said(4000, &[Some(hour)]), "public, s-maxage=4000, max-age=3600, no-transform");
        assert_eq!(said(86_400, &[None]), "public, s-maxage=9, max-age=9, no-transform");
        let private = Freshness { private: true, ..Freshness::default() };
        assert_eq!(said(86_400, &[Some(hour), None, Some(private)]), "private, max-age=3600, no-transform");
        assert_eq!(said(86_400, &[Some(private)]), "private, max-age=9, no-transform");
        let none = Freshness { no_store: true, ..Freshness::default() };
        assert_eq!(said(86_400, &[Some(hour), Some(none)]), "no-store");
        let ask = Freshness { no_cache: true, must_revalidate: true, ..Freshness::default() };
        assert_eq!(said(60, &[Some(ask)]), "public, no-cache, s-maxage=9, max-age=9, must-revalidate, no-transform");
    }
}
