//! `/resize` and all the others: query and source in, picture (or what is known of one) out. Cheap refusals first.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Payload};

use tokio::sync::Notify;

use super::fetching::{self, Wanted};
use crate::codecs::{self, Header, OutputFormat};
use crate::engine::{Job, Output, Placed, Timings};
use crate::error::Error;
use crate::plan::{self, Endpoint, Params};
use crate::server::conditional::{Conditions, Tagger, Validators};
use crate::server::middleware::Call;
use crate::server::refusal::Refusal;
use crate::server::{Client, headers};
use crate::sources::{Facts, Fetched, Found, SourceRef, Unless};
use crate::telemetry::events::Stage;

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
    call.common.vary_accept = call.query.get("type").as_deref() == Some("auto");
    let params = plan::parse(&call.query)?;
    let named = fetching::named(call)?;
    let asked = Asked::new(call, endpoint, &params, named.as_ref());

    let wanted = Wanted { named: named.as_ref(), unless: asked.unless(), started, deadline };
    let found = fetching::source(call, payload, &wanted).await?;
    body_read.notify_one();
    let source = match found {
        Found::Bytes(source) => source,
        Found::Unchanged { facts, forwarded } => {
            call.common.made_with(&forwarded, [&facts]);
            let validator = facts.validator.clone().unwrap_or_default();
            return Ok(asked.validators(&[&facts], &[&validator]).not_modified());
        }
    };
    call.common.made_with(&source.forwarded, [&source.facts]);

    if codecs::sniff(&source.bytes).is_none() {
        return Err(Refusal::MediaType.into());
    }
    params.requested_type()?;
    let header = call.app.engine.probe(&source.bytes, deadline).await?;
    let (mut answer, validators) = if endpoint == Endpoint::Info {
        let validators = asked.validators_of(&[&source]);
        if asked.has(&validators) {
            return Ok(validators.not_modified());
        }
        (facts(&header), validators)
    } else {
        match process(call, &asked, &source, header, deadline).await? {
            Made::Picture(output, validators) => (picture(call, *output), validators),
            Made::Nothing(validators) => return Ok(validators.not_modified()),
        }
    };
    validators.add_to(answer.headers_mut());
    Ok(answer)
}

/// What a request asks for, and what its client has already.
struct Asked<'a> {
    endpoint: Endpoint,
    params: &'a Params,
    negotiated: Option<OutputFormat>,
    conditions: Conditions,
    /// `None`: answers carry no tags.
    tagger: Option<Tagger>,
}

impl<'a> Asked<'a> {
    fn new(call: &Call<'_>, endpoint: Endpoint, params: &'a Params, named: Option<&SourceRef>) -> Self {
        let accept = call.http.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
        let negotiated = if call.common.vary_accept { accept.and_then(plan::negotiate) } else { None };
        let tags = call.app.config.etag;
        let weak = call.app.engine.has_gpus();
        let tagger = tags.then(|| Tagger::new(endpoint, params, negotiated, named, weak));
        let conditions = if tags { Conditions::of(call.http) } else { Conditions::default() };
        Self { endpoint, params, negotiated, conditions, tagger }
    }

    /// What makes the source's bytes unnecessary. Where watermark pictures come in, the source alone tells nothing.
    fn unless(&self) -> Option<Unless> {
        let alone = !self.endpoint.may_lay_pictures(self.params);
        self.tagger.as_ref().filter(|_| alone).and_then(|tagger| self.conditions.unless(tagger))
    }

    /// Of an answer made from these sources.
    fn validators_of(&self, sources: &[&Fetched]) -> Validators {
        if self.tagger.is_none() {
            return Validators::default();
        }
        let facts: Vec<&Facts> = sources.iter().map(|source| &source.facts).collect();
        let validators: Vec<String> = sources.iter().map(|source| source.validator()).collect();
        self.validators(&facts, &validators.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn validators(&self, facts: &[&Facts], validators: &[&str]) -> Validators {
        let Some(tagger) = &self.tagger else { return Validators::default() };
        // As old as the newest; one that does not say leaves it open.
        let modified: Option<Vec<SystemTime>> = facts.iter().map(|facts| facts.last_modified).collect();
        let last_modified = modified.and_then(|times| times.into_iter().max());
        Validators { tag: Some(tagger.tag(validators.iter().copied())), last_modified }
    }

    /// Whether the client has the answer with these already.
    fn has(&self, validators: &Validators) -> bool {
        validators.tag.as_ref().is_some_and(|tag| self.conditions.met_by(tag, validators.last_modified))
    }
}

/// What a plan came to.
enum Made {
    Picture(Box<Output>, Validators),
    /// The client has it.
    Nothing(Validators),
}

/// Plans and carries out.
async fn process(
    call: &mut Call<'_>,
    asked: &Asked<'_>,
    source: &Fetched,
    header: Header,
    deadline: Instant,
) -> Result<Made, Error> {
    let plan = plan::resolve(asked.endpoint, asked.params, &header, call.app.engine.limits(), asked.negotiated)?;
    // The fetched overlays' memory stays charged until the job is done.
    let fetched = fetching::overlays(call, &plan, deadline).await?;
    let used: Vec<&Fetched> = std::iter::once(source).chain(fetched.iter().flatten()).collect();
    call.common.made_with(&source.forwarded, used.iter().map(|source| &source.facts));
    let validators = asked.validators_of(&used);
    // All that can refuse a request without its pixels has been passed.
    if asked.has(&validators) {
        return Ok(Made::Nothing(validators));
    }
    let overlays = fetched.iter().map(|overlay| overlay.as_ref().map(|fetched| fetched.bytes.clone())).collect();
    let job = Job { source: source.bytes.clone(), header, plan, overlays };
    let queued = Instant::now();
    let output = call.app.engine.run(job, deadline).await?;
    note(call, &output, queued);
    Ok(Made::Picture(Box::new(output), validators))
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

fn facts(header: &Header) -> HttpResponse {
    HttpResponse::build(StatusCode::OK)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .body(plan::info_json(header))
}

fn picture(call: &Call<'_>, output: Output) -> HttpResponse {
    let Output { bytes, format, size, placed, timings } = output;
    let bytes: Bytes = bytes;
    let mut response =
        HttpResponse::build(StatusCode::OK).insert_header((header::CONTENT_TYPE, format.mime())).body(bytes);
    let answer = response.headers_mut();
    headers::content_policy(answer);
    if call.app.config.return_size {
        answer.insert(HeaderName::from_static("image-width"), HeaderValue::from(size.width()));
        answer.insert(HeaderName::from_static("image-height"), HeaderValue::from(size.height()));
    }
    if call.app.config.debug_headers {
        let said = [("phasor-placement", placement(&placed)), ("server-timing", timing(&timings))];
        for (name, text) in said {
            if let Ok(text) = HeaderValue::from_str(&text) {
                answer.insert(HeaderName::from_static(name), text);
            }
        }
    }
    response
}

/// `queue;dur=0.031, decode;dur=3.400, …`: milliseconds of each stage, as browsers' tools show them.
fn timing(timings: &Timings) -> String {
    let stages = [
        ("queue", timings.queue),
        ("decode", timings.decode),
        ("device_wait", timings.device_wait),
        ("steps", timings.steps),
        ("encode", timings.encode),
    ];
    stages.map(|(name, took)| format!("{name};dur={:.3}", took.as_secs_f64() * 1e3)).join(", ")
}

/// `gpu0; cpu=1200us; gpu=310us; up=90000; copied=0; down=5400`: where, what the steps were predicted to take on
/// both (what they took are `device_wait` and `steps` of [`timing`]), the bytes that went to the GPU, how many of those were
/// copied and not decoded to there, and the bytes that came back.
fn placement(placed: &Placed) -> String {
    let mut text = placed.gpu.map_or_else(|| "cpu".to_owned(), |index| format!("gpu{index}"));
    if placed.fell_back {
        text.push_str("; fell-back");
    }
    if let Some(gpu) = placed.gpu_estimate {
        let _ = write!(text, "; cpu={}us; gpu={}us", placed.cpu_estimate.as_micros(), gpu.as_micros());
    }
    if placed.gpu.is_some() {
        let _ = write!(text, "; up={}; copied={}; down={}", placed.bytes_up, placed.bytes_copied, placed.bytes_down);
    }
    text
}
