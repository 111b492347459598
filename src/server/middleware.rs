//! What every request passes before it is worked on, outermost first. The order is the contract's (a client can tell it
//! by which of two faults is named), and each check is cheaper than the next.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};

use super::app::App;
use super::headers::Common;
use super::refusal::Refusal;
use super::routes::Route;
use super::shadowing::Sample;
use crate::error::Error;
use crate::query::Query;
use crate::security::signature;
use crate::telemetry::Journal;

/// One request and what has been decided about its answer so far.
pub(super) struct Call<'a> {
    pub app: &'a App,
    pub http: &'a HttpRequest,
    pub route: Route,
    /// Decoded.
    pub path: Vec<u8>,
    pub query: Query,
    /// What the request did and when.
    pub journal: &'a Journal,
    /// Headers of the answer, whatever that will be.
    pub common: Common,
    /// The request is sent to another server, too.
    pub sample: Option<Sample>,
}

/// An answer before the work: an error, or something complete.
pub(super) enum Stop {
    Error(Error),
    Answer(Box<HttpResponse>),
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One step of the order.
pub(super) struct Check {
    /// For humans and for the order's test.
    pub name: &'static str,
    run: fn(&mut Call<'_>) -> Result<(), Stop>,
}

/// All of them, first to last.
pub(super) const CHECKS: &[Check] = &[
    // A stranger's request costs one MAC and learns nothing else.
    Check { name: "signature", run: signature },
    // Without a source, GET cannot mean anything here; imaginary says so before it looks at the method.
    Check { name: "get has a source", run: get_has_a_source },
    Check { name: "method", run: method },
    // From here on every answer, good or bad, carries the common headers.
    Check { name: "common headers", run: common_headers },
    Check { name: "api key", run: api_key },
    Check { name: "cors", run: cors },
    // After the key: strangers must not use up the rate of those who hold it.
    Check { name: "throttle", run: throttle },
    // Of the endpoint that was routed to, never of the path as written.
    Check { name: "disabled endpoint", run: disabled },
    // An unknown path ends here, as late as in imaginary, so that it cannot be told apart from a known one without a key.
    Check { name: "known path", run: known_path },
    // No decompression of bodies: a small body must not become a large one.
    Check { name: "content encoding", run: content_encoding },
    Check { name: "declared length", run: declared_length },
];

/// Runs all checks.
pub(super) fn check(call: &mut Call<'_>) -> Result<(), Stop> {
    CHECKS
        .iter()
        .try_for_each(|check| (check.run)(call).inspect_err(|_| tracing::debug!(check = check.name, "stopped")))
}

fn signature(call: &mut Call<'_>) -> Result<(), Stop> {
    let ring = &call.app.signature_keys;
    if ring.is_empty() || !call.route.is_image() {
        return Ok(());
    }
    if call.app.config.signed_get_only && call.http.method() == Method::POST {
        return Err(Refusal::PostNotSigned.into());
    }
    signature::verify(&ring.keys(), &call.path, &call.query)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(signature::check_expiry(&call.query, now)?)
}

fn get_has_a_source(call: &mut Call<'_>) -> Result<(), Stop> {
    let get = call.http.method() == Method::GET || (call.app.config.head && call.http.method() == Method::HEAD);
    if get && call.route.is_image() && !call.app.config.get_allowed {
        return Err(Refusal::GetNotAllowed.into());
    }
    Ok(())
}

fn method(call: &mut Call<'_>) -> Result<(), Stop> {
    let method = call.http.method();
    let preflight = method == Method::OPTIONS
        && call.app.config.cors
        && call.http.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if preflight {
        return Err(Stop::Answer(Box::new(super::headers::preflight(call.http))));
    }
    match *method {
        Method::GET | Method::POST => Ok(()),
        Method::HEAD if call.app.config.head => Ok(()),
        _ => Err(Refusal::MethodNotAllowed.into()),
    }
}

fn common_headers(call: &mut Call<'_>) -> Result<(), Stop> {
    call.common.server = true;
    // The literal path, as the contract has it: with a prefix, `/prefix/health` is cached.
    let fixed_page = matches!(call.path.as_slice(), b"/" | b"/health" | b"/form");
    call.common.cache_ttl = call.app.config.cache_ttl;
    call.common.source_cache_max = call.app.config.source_cache_max;
    call.common.missing_ttl = call.app.config.missing_ttl;
    call.common.cacheable = call.http.method() != Method::POST && !fixed_page;
    Ok(())
}

fn api_key(call: &mut Call<'_>) -> Result<(), Stop> {
    let shown = call.http.headers().get("API-Key").map(header::HeaderValue::as_bytes);
    match &call.app.api_key {
        Some(key) if !key.admits(shown, &call.query) => Err(Refusal::ApiKey.into()),
        _ => Ok(()),
    }
}

fn cors(call: &mut Call<'_>) -> Result<(), Stop> {
    if call.app.config.cors {
        call.common.vary_origin = true;
        call.common.allow_any_origin = call.http.headers().contains_key(header::ORIGIN);
    }
    Ok(())
}

fn throttle(call: &mut Call<'_>) -> Result<(), Stop> {
    let Some(throttle) = &call.app.throttle else { return Ok(()) };
    let method = match *call.http.method() {
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        _ => "GET",
    };
    let verdict = throttle.check(call.route.name(), method, Instant::now());
    call.common.rate = Some(verdict);
    if verdict.admitted() {
        return Ok(());
    }
    crate::telemetry::events::throttled(call.route.name());
    Err(Stop::Answer(Box::new(super::headers::too_many_requests())))
}

fn disabled(call: &mut Call<'_>) -> Result<(), Stop> {
    let name = match call.route {
        Route::Form => "form",
        Route::Health => "health",
        Route::Image(endpoint) => endpoint.name(),
        Route::Index | Route::Unknown | Route::Outside => return Ok(()),
    };
    if call.app.config.disabled.iter().any(|disabled| disabled == name) {
        return Err(Refusal::NotImplemented.into());
    }
    Ok(())
}

fn known_path(call: &mut Call<'_>) -> Result<(), Stop> {
    match call.route {
        Route::Unknown | Route::Outside => Err(Refusal::NotFound.into()),
        _ => Ok(()),
    }
}

/// Whether the request's body will be read.
fn reads_body(call: &Call<'_>) -> bool {
    call.route.is_image() && call.http.method() == Method::POST
}

fn content_encoding(call: &mut Call<'_>) -> Result<(), Stop> {
    let plain = |value: &header::HeaderValue| {
        let value = value.as_bytes().trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"identity")
    };
    if reads_body(call) && !call.http.headers().get_all(header::CONTENT_ENCODING).all(plain) {
        return Err(Refusal::ContentEncoding.into());
    }
    Ok(())
}

fn declared_length(call: &mut Call<'_>) -> Result<(), Stop> {
    let declared =
        call.http.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let limit = call.app.config.max_body;
    if reads_body(call) && declared.is_some_and(|length| length > limit) {
        return Err(Refusal::BodyTooLarge { limit }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_the_contracts() {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(
            names,
            [
                "signature",
                "get has a source",
                "method",
                "common headers",
                "api key",
                "cors",
                "throttle",
                "disabled endpoint",
                "known path",
                "content encoding",
                "declared length"
            ]
        );
    }
}
