//! Headers of answers: caching, `Vary`, CORS, rate, safety.

use std::time::{Duration, SystemTime};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};

use super::VERSION;
use crate::security::Verdict;

/// What goes on every answer of a request, settled check by check.
#[derive(Debug, Clone, Default)]
pub(super) struct Common {
    /// `Server`.
    pub server: bool,
    /// Lifetime in caches; `None`: nothing is said.
    pub cache_ttl: Option<u32>,
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
        if let Some(ttl) = self.cache_ttl {
            self.caching(headers, ttl, failed);
        }
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

    fn caching(&self, headers: &mut HeaderMap, ttl: u32, failed: bool) {
        if failed {
            // A source that is down for a second must not be a broken picture for a day.
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        } else if self.cacheable {
            let value = match ttl {
                0 => "private, no-cache, no-store, must-revalidate".to_owned(),
                _ if !self.private_by.is_empty() => format!("private, max-age={ttl}, no-transform"),
                _ => format!("public, s-maxage={ttl}, max-age={ttl}, no-transform"),
            };
            set(headers, header::CACHE_CONTROL, &value);
            let expires = SystemTime::now() + Duration::from_secs(u64::from(ttl));
            set(headers, header::EXPIRES, &httpdate::fmt_http_date(expires));
        }
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
        for ttl in [0, 1, 86_400] {
            let common = Common { cache_ttl: Some(ttl), cacheable: true, ..Common::default() };
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
}
