//! `/resize` and all the others: query and source in, picture (or what is known of one) out. Cheap refusals first.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Payload};

use tokio::sync::Notify;

use crate::codecs::{self, Header};
use crate::engine::{Job, Output, Placed};
use crate::error::Error;
use crate::plan::{self, Endpoint, Overlay, Params, Plan};
use crate::server::body::TimedBody;
use crate::server::middleware::Call;
use crate::server::refusal::Refusal;
use crate::server::{Client, headers};
use crate::sources::http::HeaderMap;
use crate::sources::{FetchContext, FetchError, Fetched, UploadSpec};
use crate::telemetry::events::{self, Stage};

/// Answers an image request, until its deadline passes or its client leaves.
pub(in crate::server) async fn answer(
    call: &mut Call<'_>,
    endpoint: Endpoint,
    payload: Payload,
    started: Instant,
) -> Result<HttpResponse, Error> {
    let deadline = call.app.deadline(started);
    let client = call.http.conn_data::<Client>().cloned();
    // A client may close its side right after its body, and one whose body breaks off is told so: its leaving counts
    // only once the body has been read.
    let body_read = Notify::new();
    if *call.http.method() != Method::POST {
        body_read.notify_one();
    }
    let gone = async {
        body_read.notified().await;
        match client {
            Some(client) => client.gone().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        done = work(call, endpoint, payload, &body_read, started, deadline) => done,
        // Dropping the work's future frees its place in the queue, or stops it at its next checkpoint.
        () = gone => Err(Refusal::ClientGone.into()),
        () = tokio::time::sleep_until(deadline.into()) => Err(Refusal::Deadline.into()),
    }
}

async fn work(
    call: &mut Call<'_>,
    endpoint: Endpoint,
    payload: Payload,
    body_read: &Notify,
    started: Instant,
    deadline: Instant,
) -> Result<HttpResponse, Error> {
    let negotiate = call.query.get("type").as_deref() == Some("auto");
    call.common.vary_accept = negotiate;
    let params = plan::parse(&call.query)?;

    let fetching = Instant::now();
    let source = read_source(call, payload, started, deadline).await?;
    body_read.notify_one();
    events::stage(Stage::Fetch, fetching.elapsed());
    call.common.private_by = source.forwarded.iter().map(|name| canonical_name(name.as_str())).collect();

    if codecs::sniff(&source.bytes).is_none() {
        return Err(Refusal::MediaType.into());
    }
    params.requested_type()?;
    let header = call.app.engine.probe(&source.bytes, deadline).await?;
    if endpoint == Endpoint::Info {
        return Ok(facts(&header));
    }
    let output = process(call, endpoint, &params, &source, header, deadline).await?;
    Ok(picture(call, output))
}

/// Plans and carries out.
async fn process(
    call: &Call<'_>,
    endpoint: Endpoint,
    params: &Params,
    source: &Fetched,
    header: Header,
    deadline: Instant,
) -> Result<Output, Error> {
    let accept = call.http.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let negotiated = if call.common.vary_accept { accept.and_then(plan::negotiate) } else { None };
    let plan = plan::resolve(endpoint, params, &header, call.app.engine.limits(), negotiated)?;
    // The fetched overlays' memory stays charged until the job is done.
    let fetched = fetch_overlays(call, &plan, deadline).await?;
    let overlays = fetched.iter().map(|overlay| overlay.as_ref().map(|fetched| fetched.bytes.clone())).collect();
    let job = Job { source: source.bytes.clone(), header, plan, overlays };
    let output = call.app.engine.run(job, deadline).await?;
    let timings = output.timings;
    events::stage(Stage::Queue, timings.queue);
    events::stage(Stage::Decode, timings.decode);
    if output.placed.gpu.is_some() {
        events::stage(Stage::DeviceWait, timings.device_wait);
    }
    events::stage(Stage::Steps, timings.steps);
    events::stage(Stage::Encode, timings.encode);
    Ok(output)
}

/// POST: the body, whatever the query says. GET: the file or URL that the query names.
async fn read_source(call: &Call<'_>, payload: Payload, started: Instant, deadline: Instant) -> Result<Fetched, Error> {
    let sources = &call.app.sources;
    if *call.http.method() != Method::POST {
        let source = sources.select(&call.query)?;
        let headers = forwardable(call);
        return Ok(sources.fetch(&source, &context(call, &headers, deadline)).await?);
    }
    let field = call.query.get("field");
    let request = call.http.headers();
    let spec = UploadSpec {
        content_type: request.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()),
        content_length: request.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()),
        field: field.as_deref().filter(|field| !field.is_empty()),
    };
    let config = &call.app.config;
    let end = config.read_timeout.map(|limit: Duration| started + limit);
    let body = TimedBody::new(payload, config.body_idle_timeout, end);
    let late = body.late();
    sources.read_body(body, &spec).await.map_err(|error| match error {
        FetchError::BodyTruncated if late.get() => Refusal::BodyTimeout.into(),
        FetchError::BodyTooLarge { limit } => Refusal::BodyTooLarge { limit }.into(),
        other => other.into(),
    })
}

const fn context<'a>(call: &Call<'_>, headers: &'a HeaderMap, deadline: Instant) -> FetchContext<'a> {
    FetchContext { signed: !call.app.signature_keys.is_empty(), headers, deadline }
}

/// Those headers of the request that a fetch may look at, in the types of the outgoing side.
fn forwardable(call: &Call<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in call.app.sources.wanted_headers() {
        for value in call.http.headers().get_all(name.as_str()) {
            if let Ok(value) = crate::sources::http::HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(name.clone(), value);
            }
        }
    }
    headers
}

/// Fetches watermark pictures: same gates as `url=`. `None` for texts, and for optional pictures that fail.
async fn fetch_overlays(call: &Call<'_>, plan: &Plan, deadline: Instant) -> Result<Vec<Option<Fetched>>, Error> {
    let mut fetched = Vec::with_capacity(plan.overlays.len());
    // A watermark is a third party's file: nothing of the client's headers but the loop marker goes there.
    let headers = forwardable(call);
    for overlay in &plan.overlays {
        fetched.push(match overlay {
            Overlay::Text(_) => None,
            Overlay::Image { url, optional } => {
                match call.app.sources.fetch_url(url, &context(call, &headers, deadline)).await {
                    Ok(picture) => Some(picture),
                    Err(_) if *optional => None,
                    Err(FetchError::Empty) => return Err(Error::WatermarkEmpty),
                    Err(error @ (FetchError::OverBudget | FetchError::HostBusy { .. })) => return Err(error.into()),
                    Err(source) => return Err(Error::Watermark { url: url.clone(), source }),
                }
            }
        });
    }
    Ok(fetched)
}

fn facts(header: &Header) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(plan::info_json(header))
}

fn picture(call: &Call<'_>, output: Output) -> HttpResponse {
    let Output { bytes, format, size, placed, .. } = output;
    let bytes: Bytes = bytes;
    let mut response =
        HttpResponse::build(StatusCode::OK).insert_header((header::CONTENT_TYPE, format.mime())).body(bytes);
    let answer = response.headers_mut();
    headers::content_policy(answer);
    if call.app.config.return_size {
        answer.insert(HeaderName::from_static("image-width"), HeaderValue::from(size.width()));
        answer.insert(HeaderName::from_static("image-height"), HeaderValue::from(size.height()));
    }
    if call.app.config.debug_headers
        && let Ok(text) = HeaderValue::from_str(&placement(&placed))
    {
        answer.insert(HeaderName::from_static("phasor-placement"), text);
    }
    response
}

/// `gpu0; cpu=1200us; gpu=310us; up=90000; down=5400`: where, what both were predicted to take, and the bytes that went
/// to the GPU and came back.
fn placement(placed: &Placed) -> String {
    let mut text = placed.gpu.map_or_else(|| "cpu".to_owned(), |index| format!("gpu{index}"));
    if placed.fell_back {
        text.push_str("; fell-back");
    }
    if let Some(gpu) = placed.gpu_estimate {
        let _ = write!(text, "; cpu={}us; gpu={}us", placed.cpu_estimate.as_micros(), gpu.as_micros());
    }
    if placed.gpu.is_some() {
        let _ = write!(text, "; up={}; down={}", placed.bytes_up, placed.bytes_down);
    }
    text
}

/// `x-forward-authorization` as `X-Forward-Authorization`, for `Vary`.
fn canonical_name(name: &str) -> String {
    let capital = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}
