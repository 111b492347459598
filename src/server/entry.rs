//! The one service behind every URL: checks, handler, answer, log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, MessageBody as _};
use actix_web::http::{Method, StatusCode, Version, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::FutureExt as _;

use super::access_log::Record;
use super::app::App;
use super::handlers::{form, health, image, index};
use super::headers::Common;
use super::middleware::{self, Call, Stop};
use super::refusal::Refusal;
use super::routes::{self, Route};
use super::shadowing::Sample;
use super::shutdown::Life;
use super::taken::Taken;
use super::{Client, error};
use crate::query::Query;
use crate::telemetry::{Attributes, Ending, Journal, events, in_request};

/// Counts a request out however it ends.
struct InFlight;

impl Drop for InFlight {
    fn drop(&mut self) {
        events::request_ended();
    }
}

/// Answers one request.
pub(super) async fn entry(http: HttpRequest, payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    let started = Instant::now();
    let values = |name| http.headers().get_all(name).filter_map(|value: &header::HeaderValue| value.to_str().ok());
    let journal = Journal::begin(app.tracer.as_ref(), values("traceparent"), values("tracestate"), started);
    in_request(journal.ids(), respond(&http, payload, &app, &journal, started)).await
}

async fn respond(
    http: &HttpRequest,
    payload: web::Payload,
    app: &Arc<App>,
    journal: &Journal,
    started: Instant,
) -> HttpResponse {
    events::request_started();
    let _in_flight = InFlight;
    // Stops the head's timer of this connection until the answer is made.
    let _busy = http.conn_data::<Client>().map(super::connection::Shared::begin);

    let path = routes::decoded(http.path());
    // A path that is no text is no route.
    let route = std::str::from_utf8(&path).map_or(Route::Unknown, |path| Route::of(path, &app.config.path_prefix));
    let query = Query::parse(http.query_string().as_bytes());
    let sample = Sample::of(app, http, route);
    let call = Call {
        app,
        http,
        route,
        path: path.into_owned(),
        query,
        journal,
        common: Common::default(),
        sample: sample.clone(),
    };

    let answered = AssertUnwindSafe(answer(call, payload, started)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| {
        events::panicked("handler", panic_message(&*panic));
        error::json(&Refusal::Panicked.into(), &Common { server: true, ..Common::default() })
    });
    if let Some(sample) = sample {
        response = sample.answered(app, http, response);
    }
    // Header names as they were always written, for clients that compare them as text.
    response.head_mut().set_camel_case_headers(true);
    if app.life.state() == Life::Draining {
        response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
    }
    let end = End { route, response: &response, elapsed: started.elapsed() };
    end.tell(app, http, journal);
    match http.version() {
        Version::HTTP_2 => response.map_body(|_, body| Taken::body(body)),
        _ => response,
    }
}

/// The checks, then the route's own work; failures become answers.
async fn answer(mut call: Call<'_>, payload: web::Payload, started: Instant) -> HttpResponse {
    if call.route == Route::Outside {
        call.common.server = true;
        return error::json(&Refusal::NotFound.into(), &call.common);
    }
    let done = match middleware::check(&mut call) {
        Ok(()) => handle(&mut call, payload, started).await,
        Err(stop) => Err(stop),
    };
    match done {
        Ok(mut response) => {
            call.common.apply(response.headers_mut(), false);
            response
        }
        Err(Stop::Answer(mut response)) => {
            let failed = response.status().is_client_error();
            call.common.apply(response.headers_mut(), failed);
            *response
        }
        Err(Stop::Error(error)) => error::respond(&call, &error, started).await,
    }
}

async fn handle(call: &mut Call<'_>, payload: web::Payload, started: Instant) -> Result<HttpResponse, Stop> {
    match call.route {
        Route::Index => Ok(page("application/json", index::json())),
        Route::Health => Ok(page("application/json", health::json(call.app))),
        Route::Form => Ok(form::answer(call.app)),
        Route::Image(endpoint) => Ok(image::answer(call, endpoint, payload, started).await?),
        Route::Unknown | Route::Outside => Err(Refusal::NotFound.into()),
    }
}

fn page(kind: &'static str, body: String) -> HttpResponse {
    HttpResponse::build(StatusCode::OK).insert_header((header::CONTENT_TYPE, kind)).body(body)
}

pub(super) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}

/// A request that has its answer.
struct End<'a> {
    route: Route,
    response: &'a HttpResponse,
    elapsed: Duration,
}

impl End<'_> {
    /// Tells figures, access log and trace.
    fn tell(&self, app: &App, http: &HttpRequest, journal: &Journal) {
        let (endpoint, format) = (self.route.name(), format_of(self.response));
        let status = self.response.status().as_u16();
        let bytes = match self.response.body().size() {
            BodySize::Sized(bytes) if http.method() != Method::HEAD => bytes,
            _ => 0,
        };
        events::request_answered(endpoint, status, format, self.elapsed);
        let ip = http.peer_addr().map_or_else(|| "-".to_owned(), |peer| peer.ip().to_canonical().to_string());
        let protocol = match http.version() {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2.0",
            _ => "HTTP/1.1",
        };
        app.access_log.log(&Record {
            ip: &ip,
            method: http.method().as_str(),
            uri: http.uri().path_and_query().map_or("*", |uri| uri.as_str()),
            protocol,
            status,
            bytes,
            elapsed: self.elapsed,
            endpoint,
            format,
            ids: journal.ids(),
            phases: journal.durations(),
        });
        journal.end(app.tracer.as_ref(), || self.ending(app, http, (status, bytes, format)));
    }

    /// What the request's span says, by OpenTelemetry's names for HTTP. Never the query: it holds signatures and keys.
    fn ending(&self, app: &App, http: &HttpRequest, (status, bytes, format): (u16, u64, &str)) -> Ending {
        let method = match http.method().as_str() {
            known @ ("GET" | "HEAD" | "POST" | "OPTIONS" | "PUT" | "DELETE" | "PATCH") => known,
            _ => "_OTHER",
        };
        let path = match self.route {
            Route::Unknown | Route::Outside => None,
            Route::Index => Some(format!("{}/", app.config.path_prefix)),
            Route::Health | Route::Form | Route::Image(_) => {
                Some(format!("{}/{}", app.config.path_prefix, self.route.name()))
            }
        };
        let version = match http.version() {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            _ => "1.1",
        };
        let mut attributes: Attributes = vec![
            ("http.request.method", method.into()),
            ("url.path", http.path().into()),
            ("url.scheme", if app.config.tls.is_some() { "https" } else { "http" }.into()),
            ("network.protocol.version", version.into()),
            ("http.response.status_code", u64::from(status).into()),
            ("http.response.body.size", bytes.into()),
            ("phasor.format", format.into()),
        ];
        attributes.extend(path.as_deref().map(|path| ("http.route", path.into())));
        let failed = (status >= 500).then(|| status.to_string());
        attributes.extend(failed.as_deref().map(|status| ("error.type", status.into())));
        Ending { name: path.map_or_else(|| method.to_owned(), |path| format!("{method} {path}")), attributes, failed }
    }
}

/// The answer's format as a label of figures: one of a fixed set.
fn format_of(response: &HttpResponse) -> &'static str {
    let kind = response.headers().get(header::CONTENT_TYPE).map_or(&b""[..], header::HeaderValue::as_bytes);
    match kind {
        b"image/jpeg" => "jpeg",
        b"image/png" => "png",
        b"image/webp" => "webp",
        b"image/tiff" => "tiff",
        b"image/gif" => "gif",
        b"image/svg+xml" => "svg",
        b"application/pdf" => "pdf",
        b"application/json" => "json",
        kind if kind.starts_with(b"text/html") => "html",
        kind if kind.starts_with(b"text/plain") => "text",
        _ => "none",
    }
}
