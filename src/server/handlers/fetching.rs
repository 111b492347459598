//! The bytes of a request: of its picture, and of the pictures that are laid over it.

use std::time::{Duration, Instant};

use actix_web::http::{Method, header};
use actix_web::web::Payload;

use crate::error::Error;
use crate::plan::{Overlay, Plan};
use crate::server::body::TimedBody;
use crate::server::error;
use crate::server::middleware::Call;
use crate::server::refusal::Refusal;
use crate::sources::http::HeaderMap;
use crate::sources::{FetchContext, FetchError, Fetched, Found, SourceRef, Unless, UploadSpec};
use crate::telemetry::{Attributes, Fetching};

/// What is to be read, and until when.
pub(super) struct Wanted<'a> {
    /// `None`: the body.
    pub(super) named: Option<&'a SourceRef>,
    pub(super) unless: Option<Unless>,
    pub(super) started: Instant,
    pub(super) deadline: Instant,
}

/// The file or URL that a GET names; `None` for a POST, which brings its picture along, whatever its query says.
pub(super) fn named(call: &Call<'_>) -> Result<Option<SourceRef>, Error> {
    if *call.http.method() == Method::POST { Ok(None) } else { Ok(Some(call.app.sources.select(&call.query)?)) }
}

/// Reads the source, unless that is unnecessary.
pub(super) async fn source(call: &Call<'_>, payload: Payload, wanted: &Wanted<'_>) -> Result<Found, Error> {
    let fetching = call.journal.fetch();
    let found = match wanted.named {
        Some(source) => {
            let headers = forwardable(call);
            let context = context(call, &headers, &fetching, wanted);
            call.app.sources.fetch(source, &context).await.map_err(Error::from)
        }
        None => read_body(call, payload, wanted.started).await.map(Found::Bytes),
    };
    let say = || told_of(wanted.named, found.as_ref().ok());
    call.journal.fetched(fetching, found.as_ref().err().map(error::kind), say);
    found
}

/// What a span says of a source: never its query, which may hold what opens it.
fn told_of(source: Option<&SourceRef>, found: Option<&Found>) -> Attributes {
    let mut said: Attributes = Vec::new();
    match source {
        None => said.push(("phasor.source", "body".into())),
        Some(SourceRef::File(_)) => said.push(("phasor.source", "file".into())),
        Some(SourceRef::Url(url)) => said.extend(told_of_url(url, "url")),
    }
    said.extend(found.map(|found| match found {
        Found::Bytes(fetched) => ("http.response.body.size", (fetched.bytes.len() as u64).into()),
        Found::Unchanged { .. } => ("phasor.unchanged", true.into()),
    }));
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
    let body = TimedBody::new(payload, config.body_idle_timeout, end, call.sample.clone());
    let late = body.late();
    call.app.sources.read_body(body, &spec).await.map_err(|error| match error {
        FetchError::BodyTruncated if late.get() => Refusal::BodyTimeout.into(),
        FetchError::BodyTooLarge { limit } => Refusal::BodyTooLarge { limit }.into(),
        other => other.into(),
    })
}

fn context<'a>(
    call: &Call<'_>,
    headers: &'a HeaderMap,
    fetching: &'a Fetching,
    wanted: &'a Wanted<'_>,
) -> FetchContext<'a> {
    FetchContext {
        signed: !call.app.signature_keys.is_empty(),
        headers,
        trace: fetching.outgoing.as_ref(),
        unless: wanted.unless.as_ref(),
        deadline: wanted.deadline,
    }
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
pub(super) async fn overlays(call: &Call<'_>, plan: &Plan, deadline: Instant) -> Result<Vec<Option<Fetched>>, Error> {
    let mut fetched = Vec::with_capacity(plan.overlays.len());
    // A watermark is a third party's file: nothing of the client's headers but the loop marker goes there.
    let headers = forwardable(call);
    let wanted = Wanted { named: None, unless: None, started: deadline, deadline };
    for overlay in &plan.overlays {
        fetched.push(match overlay {
            Overlay::Text(_) => None,
            Overlay::Image { url, optional } => {
                let fetching = call.journal.fetch();
                let answer = call.app.sources.fetch_url(url, &context(call, &headers, &fetching, &wanted)).await;
                let failed = answer.as_ref().err().map(error::fetch_kind);
                call.journal.fetched(fetching, failed, || told_of_url(url, "watermark"));
                match answer {
                    Ok(Found::Bytes(picture)) => Some(picture),
                    Ok(Found::Unchanged { .. }) => unreachable!("only bytes were asked for"),
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
