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
use super::{Client, error};
use crate::query::Query;
use crate::telemetry::events;

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
    events::request_started();
    let _in_flight = InFlight;
    // Stops the head's timer of this connection until the answer is made.
    let _busy = http.conn_data::<Client>().map(super::connection::Shared::begin);

    let path = routes::decoded(http.path());
    // A path that is no text is no route.
    let route = std::str::from_utf8(&path).map_or(Route::Unknown, |path| Route::of(path, &app.config.path_prefix));
    let query = Query::parse(http.query_string().as_bytes());
    let sample = Sample::of(&app, &http, route);
    let call = Call {
        app: &app,
        http: &http,
        route,
        path: path.into_owned(),
        query,
        common: Common::default(),
        sample: sample.clone(),
    };

    let answered = AssertUnwindSafe(answer(call, payload, started)).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| {
        events::panicked("handler", panic_message(&*panic));
        error::json(&Refusal::Panicked.into(), &Common { server: true, ..Common::default() })
    });
    if let Some(sample) = sample {
        response = sample.answered(&app, &http, response);
    }
    // Header names as they were always written, for clients that compare them as text.
    response.head_mut().set_camel_case_headers(true);
    if app.life.state() == Life::Draining {
        response.head_mut().set_connection_type(actix_http::ConnectionType::Close);
    }
    log(&app, &http, route, &response, started.elapsed());
    response
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

fn log(app: &Arc<App>, http: &HttpRequest, route: Route, response: &HttpResponse, elapsed: Duration) {
    let status = response.status().as_u16();
    let bytes = match response.body().size() {
        BodySize::Sized(bytes) if http.method() != Method::HEAD => bytes,
        _ => 0,
    };
    events::request_answered(route.name(), status, format_of(response), elapsed);
    let ip = http.peer_addr().map_or_else(|| "-".to_owned(), |peer| peer.ip().to_canonical().to_string());
    let protocol = match http.version() {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    };
    let uri = http.uri().path_and_query().map_or("*", |uri| uri.as_str());
    app.access_log.log(&Record { ip: &ip, method: http.method().as_str(), uri, protocol, status, bytes, elapsed });
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
