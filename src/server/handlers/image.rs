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
use crate::server::{Client, error, headers};
use crate::sources::http::HeaderMap;
use crate::sources::{FetchContext, FetchError, Fetched, SourceRef, UploadSpec};
use crate::telemetry::events::Stage;
use crate::telemetry::{Attributes, Fetching};

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

    let source = fetch_source(call, payload, started, deadline).await?;
    body_read.notify_one();
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
    let queued = Instant::now();
    let output = call.app.engine.run(job, deadline).await?;
    note(call, &output, queued);
    Ok(output)
}

/// Counts and remembers the phases of a job that was queued then.
fn note(call: &Call<'_>, output: &Output, queued: Instant) {
    let (times, placed) = (output.timings, &output.placed);
    let journal = call.journal;
    let mut begun = queued;
    let mut next = |took: Duration| {
        let this = begun;
        begun += took;
        this
    };
    journal.stage(Stage::Queue, next(times.queue), times.queue);
    journal.stage(Stage::Decode, next(times.decode), times.decode);
    if placed.gpu.is_some() {
        journal.stage(Stage::DeviceWait, next(times.device_wait), times.device_wait);
    }
    journal.stage_with(Stage::Steps, next(times.steps), times.steps, || {
        let backend = placed.gpu.map_or_else(|| "cpu".to_owned(), |index| format!("gpu{index}"));
        vec![("phasor.backend", backend.as_str().into()), ("phasor.fell_back", placed.fell_back.into())]
    });
    next(times.encode_wait);
    journal.stage_with(Stage::Encode, next(times.encode), times.encode, || {
        let (width, height) = (u64::from(output.size.width()), u64::from(output.size.height()));
        vec![
            ("phasor.format", output.format.mime().trim_start_matches("image/").into()),
            ("phasor.width", width.into()),
            ("phasor.height", height.into()),
        ]
    });
}

/// POST: the body, whatever the query says. GET: the file or URL that the query names.
async fn fetch_source(
    call: &Call<'_>,
    payload: Payload,
    started: Instant,
    deadline: Instant,
) -> Result<Fetched, Error> {
    let sources = &call.app.sources;
    let named = if *call.http.method() == Method::POST { None } else { Some(sources.select(&call.query)?) };
    let fetching = call.journal.fetch();
    let fetched = match &named {
        Some(source) => {
            let headers = forwardable(call);
            let context = context(call, &headers, &fetching, deadline);
            sources.fetch(source, &context).await.map_err(Error::from)
        }
        None => read_body(call, payload, started).await,
    };
    let say = || told_of(named.as_ref(), fetched.as_ref().ok());
    call.journal.fetched(fetching, fetched.as_ref().err().map(error::kind), say);
    fetched
}

/// What a span says of a source: never its query, which may hold what opens it.
fn told_of(source: Option<&SourceRef>, fetched: Option<&Fetched>) -> Attributes {
    let mut said: Attributes = Vec::new();
    match source {
        None => said.push(("phasor.source", "body".into())),
        Some(SourceRef::File(_)) => said.push(("phasor.source", "file".into())),
        Some(SourceRef::Url(url)) => said.extend(told_of_url(url, "url")),
    }
    said.extend(fetched.map(|fetched| ("http.response.body.size", (fetched.bytes.len() as u64).into())));
    said
}

fn told_of_url(url: &str, role: &str) -> Attributes {
    let mut said: Attributes = vec![("phasor.source", role.into()), ("http.request.method", "GET".into())];
    if let Ok(url) = url::Url::parse(url) {
        said.push(("server.address", url.host_str().unwrap_or_default().into()));
        said.extend(url.port_or_known_default().map(|port| ("server.port", u64::from(port).into())));
        said.push(("url.scheme", url.scheme().into()));
        said.push(("url.path", url.path().into()));
    }
    said
}

/// The body of a POST.
async fn read_body(call: &Call<'_>, payload: Payload, started: Instant) -> Result<Fetched, Error> {
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
    call.app.sources.read_body(body, &spec).await.map_err(|error| match error {
        FetchError::BodyTruncated if late.get() => Refusal::BodyTimeout.into(),
        FetchError::BodyTooLarge { limit } => Refusal::BodyTooLarge { limit }.into(),
        other => other.into(),
    })
}

const fn context<'a>(
    call: &Call<'_>,
    headers: &'a HeaderMap,
    fetching: &'a Fetching,
    deadline: Instant,
) -> FetchContext<'a> {
    let signed = !call.app.signature_keys.is_empty();
    FetchContext { signed, headers, trace: fetching.outgoing.as_ref(), deadline }
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
                let fetching = call.journal.fetch();
                let answer = call.app.sources.fetch_url(url, &context(call, &headers, &fetching, deadline)).await;
                let failed = answer.as_ref().err().map(error::fetch_kind);
                call.journal.fetched(fetching, failed, || told_of_url(url, "watermark"));
                match answer {
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
