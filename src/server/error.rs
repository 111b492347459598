//! Errors to answers: the one table of statuses and texts.

use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};

use super::headers::{self, Common};
use super::json as text;
use super::middleware::Call;
use super::refusal::Refusal;
use super::routes::Route;
use crate::backend::BackendError;
use crate::codecs::{DecodeError, EncodeError};
use crate::engine::EngineError;
use crate::error::Error;
use crate::security::SignatureError;
use crate::sources::FetchError;
use crate::telemetry::events;

/// What stands before every error of the work itself.
const PROCESSING: &str = "Error while processing the image: ";

/// How an error is told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    status: u16,
    message: String,
    /// `Retry-After`, in seconds.
    retry_after: Option<u32>,
}

/// Whether a source itself says that it is not there.
const fn source_is_missing(error: &Error) -> bool {
    matches!(error, Error::Fetch(FetchError::Status { status: 404 | 410, .. }))
}

fn told(error: &Error) -> Told {
    let plain = |status| Told { status, message: error.to_string(), retry_after: None };
    match error {
        Error::Refusal(refusal) => plain(refusal_status(*refusal)),
        Error::Signature(SignatureError::Invalid) => plain(400),
        Error::Signature(SignatureError::Mismatch) => plain(403),
        Error::Signature(SignatureError::Expired) => plain(410),
        Error::Param(_) => plain(400),
        Error::Plan(error) => plan(error),
        Error::Fetch(error) => fetch(error),
        Error::Engine(error) => engine(error),
        Error::Watermark { .. } | Error::WatermarkEmpty => {
            Told { status: 400, message: format!("{PROCESSING}{error}"), retry_after: None }
        }
    }
}

const fn refusal_status(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::MissingSource | Refusal::EmptyImage => 400,
        Refusal::ApiKey => 401,
        Refusal::NotFound => 404,
        Refusal::GetNotAllowed | Refusal::MethodNotAllowed | Refusal::PostNotSigned => 405,
        Refusal::MediaType => 406,
        Refusal::BodyTimeout => 408,
        Refusal::BodyTooLarge { .. } => 413,
        Refusal::ContentEncoding => 415,
        // Nobody reads it; a number of its own in log and figures, as nginx has it.
        Refusal::ClientGone => 499,
        Refusal::Panicked => 500,
        Refusal::NotImplemented => 501,
        Refusal::Deadline => 503,
    }
}

fn plan(error: &crate::plan::PlanError) -> Told {
    let status = if error.is_too_many_pixels() { 422 } else { 400 };
    Told { status, message: error.to_string(), retry_after: None }
}

fn fetch(error: &FetchError) -> Told {
    let (status, retry_after) = match error {
        FetchError::Missing
        | FetchError::Empty
        | FetchError::InvalidFilePath
        | FetchError::InvalidUrl
        | FetchError::OriginNotAllowed { .. }
        | FetchError::Unreachable { .. }
        | FetchError::TooManyRedirects
        | FetchError::InvalidRedirect
        | FetchError::UnsupportedEncoding
        | FetchError::Truncated { .. }
        | FetchError::TooLarge { .. }
        | FetchError::BodyTruncated
        | FetchError::Form(_) => (400, None),
        FetchError::AddressNotAllowed { .. } => (403, None),
        // The source's own; what HTTP cannot carry is mapped when the answer is made.
        FetchError::Status { status, .. } => (*status, None),
        FetchError::BodyTooLarge { .. } => (413, None),
        FetchError::FileTooLarge { .. } => (422, None),
        FetchError::HostBusy { .. } | FetchError::OverBudget => (503, Some(1)),
        FetchError::Timeout => (504, None),
        FetchError::Loop => (508, None),
    };
    Told { status, message: error.to_string(), retry_after }
}

fn engine(error: &EngineError) -> Told {
    let prefixed = |error: &dyn std::fmt::Display| format!("{PROCESSING}{error}");
    let (status, message, retry_after) = match error {
        EngineError::Busy { retry_after_seconds } => (503, error.to_string(), Some(*retry_after_seconds)),
        EngineError::Deadline => (503, error.to_string(), None),
        EngineError::TooLarge { .. } => (422, error.to_string(), None),
        EngineError::Panicked => (500, error.to_string(), None),
        EngineError::Decode(decode) => match decode {
            // One text for both: what matters to a client is that this server does not take such pictures.
            DecodeError::UnknownFormat | DecodeError::FormatNotRead(_) => (406, Refusal::MediaType.to_string(), None),
            DecodeError::TooManyPixels => (422, decode.to_string(), None),
            DecodeError::Unreadable | DecodeError::Malformed { .. } | DecodeError::OverLimit { .. } => {
                (400, prefixed(decode), None)
            }
            DecodeError::Cancelled => (503, "Timeout".to_owned(), None),
        },
        EngineError::Overlay(_) | EngineError::Text(_) => (400, prefixed(error), None),
        EngineError::Backend(backend) => match backend {
            BackendError::Impossible(_) => (400, prefixed(backend), None),
            BackendError::Cancelled => (503, "Timeout".to_owned(), None),
            BackendError::DeviceLost | BackendError::Hung | BackendError::Refused | BackendError::OutOfMemory => {
                (503, "Server is busy".to_owned(), Some(1))
            }
        },
        EngineError::Encode(encode) => match encode {
            EncodeError::OutOfMemory => (503, "Server is busy".to_owned(), Some(1)),
            EncodeError::FormatNotWritten | EncodeError::TooLarge { .. } | EncodeError::Failed { .. } => {
                (400, prefixed(encode), None)
            }
        },
    };
    Told { status, message, retry_after }
}

/// The HTTP status: 400 to 511 as they are, anything else 503.
fn http_status(status: u16) -> StatusCode {
    match status {
        400..=511 => StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The JSON answer.
pub(super) fn json(error: &Error, common: &Common) -> HttpResponse {
    json_of(&told(error), common)
}

fn json_of(told: &Told, common: &Common) -> HttpResponse {
    let mut response = HttpResponse::build(http_status(told.status))
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(text::error(&told.message, told.status));
    finish(&mut response, told, common);
    response
}

fn finish(response: &mut HttpResponse, told: &Told, common: &Common) {
    common.apply(response.headers_mut(), true);
    if let Some(seconds) = told.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// The answer to a failed request: JSON, or the placeholder picture where there is one.
pub(super) async fn respond(call: &Call<'_>, error: &Error, started: Instant) -> HttpResponse {
    let mut response = answer(call, error, started).await;
    let ttl = call.common.missing_ttl;
    if source_is_missing(error) && call.common.cacheable && ttl > 0 {
        headers::set(response.headers_mut(), header::CACHE_CONTROL, &format!("public, max-age={ttl}"));
    }
    response
}

async fn answer(call: &Call<'_>, error: &Error, started: Instant) -> HttpResponse {
    let told = told(error);
    report(call.route, error, told.status);
    let Some(picture) = &call.app.placeholder else { return json_of(&told, &call.common) };
    // "Not found" is never a picture, as in imaginary; and a server that is busy makes none.
    let picture_fits = !matches!(call.route, Route::Unknown | Route::Outside) && told.retry_after.is_none();
    if !picture_fits || matches!(error, Error::Refusal(Refusal::ClientGone | Refusal::Deadline | Refusal::Panicked)) {
        return json_of(&told, &call.common);
    }
    let deadline = call.app.deadline(started);
    let made = match picture.fitted(&call.app.engine, &call.query, deadline).await {
        Ok(made) => made,
        // Parameters that make no picture are told of; anything else is this server's fault, and the first error counts.
        Err(wrong) => {
            let wrong = self::told(&wrong);
            return json_of(if wrong.status == 400 { &wrong } else { &told }, &call.common);
        }
    };
    let status = call.app.config.placeholder_status.and_then(|status| StatusCode::from_u16(status).ok());
    let mut response = HttpResponse::build(status.unwrap_or(http_status(told.status)))
        .insert_header((header::CONTENT_TYPE, made.format.mime()))
        .body(made.bytes);
    let name = HeaderName::from_static("error");
    headers::set(response.headers_mut(), name, &header_text(&told));
    headers::content_policy(response.headers_mut());
    finish(&mut response, &told, &call.common);
    response
}

/// The error's JSON in visible ASCII, at most about a KiB.
fn header_text(told: &Told) -> String {
    let short: String = told.message.chars().take(160).collect();
    let message = if short.len() < told.message.len() { format!("{short}...") } else { short };
    let mut out = String::new();
    for c in text::error(&message, told.status).chars() {
        if c.is_ascii() && !c.is_ascii_control() {
            out.push(c);
        } else {
            let mut units = [0; 2];
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// Tells the log what the client is not told.
fn report(route: Route, error: &Error, status: u16) {
    match error {
        Error::Fetch(fetch) => events::source_failed(fetch_kind(fetch), &format!("{fetch:?}")),
        Error::Watermark { source, .. } => events::source_failed(fetch_kind(source), &format!("{source:?}")),
        Error::Refusal(Refusal::ClientGone) => events::cancelled(),
        Error::Engine(EngineError::Panicked) => events::request_failed(route.name(), status, "a job panicked"),
        _ => {}
    }
}

/// Why a source gave no bytes, as figures and spans call it.
pub(super) const fn kind(error: &Error) -> &'static str {
    match error {
        Error::Fetch(fetch) => fetch_kind(fetch),
        Error::Watermark { source, .. } => fetch_kind(source),
        _ => "refused",
    }
}

/// A fetch error as a label of figures.
pub(super) const fn fetch_kind(error: &FetchError) -> &'static str {
    match error {
        FetchError::Missing => "missing",
        FetchError::Empty => "empty",
        FetchError::InvalidFilePath => "path",
        FetchError::InvalidUrl | FetchError::InvalidRedirect => "url",
        FetchError::OriginNotAllowed { .. } => "origin",
        FetchError::AddressNotAllowed { .. } => "address",
        FetchError::Status { .. } => "status",
        FetchError::Unreachable { .. } => "unreachable",
        FetchError::TooManyRedirects | FetchError::Loop => "redirects",
        FetchError::UnsupportedEncoding => "encoding",
        FetchError::Truncated { .. } | FetchError::BodyTruncated => "truncated",
        FetchError::TooLarge { .. } | FetchError::FileTooLarge { .. } | FetchError::BodyTooLarge { .. } => "too_large",
        FetchError::Timeout => "timeout",
        FetchError::HostBusy { .. } => "host_busy",
        FetchError::OverBudget => "memory",
        FetchError::Form(_) => "form",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(error: impl Into<Error>) -> (u16, String) {
        let told = told(&error.into());
        (told.status, told.message)
    }

    #[test]
    fn texts_and_statuses_are_the_contracts() {
        let table: [(Error, u16, &str); 12] = [
            (
                Refusal::GetNotAllowed.into(),
                405,
                "GET method not allowed. Make sure remote URL source is enabled by using the flag: -enable-url-source",
            ),
            (
                Refusal::MethodNotAllowed.into(),
                405,
                "HTTP method not allowed. Try with a POST or GET method (-enable-url-source flag must be defined)",
            ),
            (Refusal::ApiKey.into(), 401, "Invalid or missing API key"),
            (Refusal::NotFound.into(), 404, "Not found"),
            (Refusal::NotImplemented.into(), 501, "Not implemented endpoint"),
            (Refusal::MediaType.into(), 406, "Unsupported media type"),
            (FetchError::Missing.into(), 400, "Cannot process the image due to missing or invalid params"),
            (FetchError::Empty.into(), 400, "Empty or unreadable image"),
            (EngineError::Decode(DecodeError::TooManyPixels).into(), 422, "Image resolution is too big"),
            (
                EngineError::Decode(DecodeError::Unreadable).into(),
                400,
                "Error while processing the image: Unsupported image format",
            ),
            (SignatureError::Mismatch.into(), 403, "URL signature mismatch"),
            (
                EngineError::Encode(EncodeError::FormatNotWritten).into(),
                400,
                "Error while processing the image: Unsupported image output type",
            ),
        ];
        for (error, status, message) in table {
            assert_eq!(of(error), (status, message.to_owned()));
        }
    }

    #[test]
    fn a_sources_status_passes_through_or_becomes_503() {
        let error = FetchError::Status { status: 302, url: "http://x/".into() };
        let (status, message) = of(error);
        assert_eq!((status, http_status(status).as_u16()), (302, 503));
        assert_eq!(message, "error fetching remote http image: (status=302) (url=http://x/)");
        assert_eq!(http_status(404).as_u16(), 404);
        assert_eq!(http_status(511).as_u16(), 511);
        assert_eq!(http_status(512).as_u16(), 503);
    }

    #[test]
    fn the_error_header_is_visible_ascii_and_short() {
        let told = Told { status: 400, message: format!("é\r\n\u{1f600}<{}", "x".repeat(5000)), retry_after: None };
        let text = header_text(&told);
        assert!(text.starts_with("{\"message\":\"\\u00e9\\r\\ud83d\\ude00\\u003cx"), "{text}");
        assert!(text.len() <= 1024 && HeaderValue::from_str(&text).is_ok());
        assert!(text.ends_with("...\",\"status\":400}"));
    }
}
