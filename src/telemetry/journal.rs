//! What one request did and when: its phases for figures, spans and the access log, and its place in a trace.

use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hyper::http::{HeaderMap, HeaderName, HeaderValue};

use super::events::{self, Stage};
use super::trace::{Attributes, Caller, Span, SpanId, SpanKind, TraceId, Tracer, written};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Names a request in logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ids {
    /// Its trace: the caller's, or one of its own.
    pub trace: TraceId,
    /// Its span.
    pub span: SpanId,
}

/// Headers that tell a source which span asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `traceparent`.
    pub parent: HeaderValue,
    /// `tracestate`, where the caller sent one.
    pub state: Option<HeaderValue>,
}

impl Outgoing {
    /// Adds the headers. `state`: also what vendors say, which is for the source that was named and not for where that
    /// redirects to.
    pub fn add_to(&self, headers: &mut HeaderMap, state: bool) {
        headers.insert(TRACEPARENT, self.parent.clone());
        if let Some(value) = self.state.as_ref().filter(|_| state) {
            headers.insert(TRACESTATE, value.clone());
        }
    }
}

/// A part of a request.
#[derive(Debug, Clone)]
struct Phase {
    stage: Stage,
    span: Option<SpanId>,
    begun: Instant,
    took: Duration,
    attributes: Attributes,
    failed: Option<String>,
}

/// A fetch that is under way.
#[derive(Debug)]
pub struct Fetching {
    begun: Instant,
    span: Option<SpanId>,
    /// For the source; `None` when requests are not followed.
    pub outgoing: Option<Outgoing>,
}

/// How a request ended.
#[derive(Debug, Default)]
pub struct Ending {
    /// `GET /resize`, or the method alone.
    pub name: String,
    /// What is known of the request and its answer.
    pub attributes: Attributes,
    /// It failed, and through this server's fault.
    pub failed: Option<String>,
}

/// One request.
#[derive(Debug)]
pub struct Journal {
    ids: Ids,
    caller: Option<Caller>,
    /// Requests are followed at all.
    followed: bool,
    /// This one is recorded.
    recorded: bool,
    begun: Instant,
    at: SystemTime,
    phases: RefCell<Vec<Phase>>,
}

impl Journal {
    /// Begins with the values of the request's headers `traceparent` and `tracestate`.
    pub fn begin<'a>(
        tracer: Option<&Tracer>,
        parents: impl Iterator<Item = &'a str>,
        states: impl Iterator<Item = &'a str>,
        begun: Instant,
    ) -> Self {
        let caller = Caller::read(parents, states);
        let trace = caller.as_ref().map_or_else(TraceId::random, |caller| caller.trace);
        let recorded = tracer.is_some_and(|tracer| tracer.records(trace, caller.as_ref().map(|caller| caller.sampled)));
        Self {
            ids: Ids { trace, span: SpanId::random() },
            caller,
            followed: tracer.is_some(),
            recorded,
            begun,
            at: SystemTime::now(),
            phases: RefCell::default(),
        }
    }

    /// Its names.
    pub const fn ids(&self) -> Ids {
        self.ids
    }

    /// Counts a stage that has ended, and remembers it.
    pub fn stage(&self, stage: Stage, begun: Instant, took: Duration) {
        self.stage_with(stage, begun, took, Attributes::new);
    }

    /// As [`Journal::stage`], with something to say of it if it is recorded.
    pub fn stage_with(&self, stage: Stage, begun: Instant, took: Duration, say: impl FnOnce() -> Attributes) {
        events::stage(stage, took);
        let attributes = if self.recorded { say() } else { Attributes::new() };
        self.phases.borrow_mut().push(Phase { stage, span: None, begun, took, attributes, failed: None });
    }

    /// A fetch begins.
    pub fn fetch(&self) -> Fetching {
        let span = self.followed.then(SpanId::random);
        let outgoing = span.and_then(|span| {
            let parent = HeaderValue::from_str(&written(self.ids.trace, span, self.recorded)).ok()?;
            let state = self.caller.as_ref().filter(|caller| !caller.state.is_empty());
            Some(Outgoing { parent, state: state.and_then(|caller| HeaderValue::from_str(&caller.state).ok()) })
        });
        Fetching { begun: Instant::now(), span, outgoing }
    }

    /// A fetch has ended; `failed`: why it gave no bytes.
    pub fn fetched(&self, fetching: Fetching, failed: Option<&'static str>, say: impl FnOnce() -> Attributes) {
        let Fetching { begun, span, .. } = fetching;
        let took = begun.elapsed();
        if failed.is_none() {
            events::stage(Stage::Fetch, took);
        }
        let mut attributes = if self.recorded { say() } else { Attributes::new() };
        attributes.extend(failed.filter(|_| self.recorded).map(|kind| ("error.type", kind.into())));
        let failed = failed.map(str::to_owned);
        self.phases.borrow_mut().push(Phase { stage: Stage::Fetch, span, begun, took, attributes, failed });
    }

    /// How long each phase took, in the order that they ended.
    pub fn durations(&self) -> Vec<(&'static str, Duration)> {
        self.phases.borrow().iter().map(|phase| (phase.stage.name(), phase.took)).collect()
    }

    /// The request is over: what was recorded goes to the tracer.
    pub fn end(&self, tracer: Option<&Tracer>, say: impl FnOnce() -> Ending) {
        let Some(tracer) = tracer.filter(|_| self.recorded) else { return };
        let now = Instant::now();
        let Ending { name, attributes, failed } = say();
        let state = self.caller.as_ref().map(|caller| caller.state.clone()).unwrap_or_default();
        let mut spans = vec![Span {
            trace: self.ids.trace,
            id: self.ids.span,
            parent: self.caller.as_ref().map(|caller| caller.span),
            remote_parent: self.caller.is_some(),
            state: state.clone(),
            name,
            kind: SpanKind::Server,
            begun: self.nanos(self.begun),
            ended: self.nanos(now),
            attributes,
            failed,
        }];
        for phase in self.phases.borrow_mut().drain(..) {
            let remote = phase.attributes.iter().any(|(key, _)| *key == "server.address");
            spans.push(Span {
                trace: self.ids.trace,
                id: phase.span.unwrap_or_else(SpanId::random),
                parent: Some(self.ids.span),
                remote_parent: false,
                state: state.clone(),
                name: phase.stage.name().to_owned(),
                kind: if remote { SpanKind::Client } else { SpanKind::Internal },
                begun: self.nanos(phase.begun),
                ended: self.nanos(phase.begun + phase.took),
                attributes: phase.attributes,
                failed: phase.failed,
            });
        }
        tracer.export(spans);
    }

    /// A moment of this request by the clock on the wall.
    fn nanos(&self, moment: Instant) -> u64 {
        let at = self.at.duration_since(UNIX_EPOCH).unwrap_or_default() + moment.saturating_duration_since(self.begun);
        u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn without_a_tracer_the_callers_trace_is_known_and_nothing_is_passed_on() {
        let journal = Journal::begin(None, [PARENT].into_iter(), [].into_iter(), Instant::now());
        assert_eq!(journal.ids().trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_ne!(journal.ids().span.to_string(), "00f067aa0ba902b7");
        let fetching = journal.fetch();
        assert_eq!(fetching.outgoing, None);
        journal.fetched(fetching, None, || unreachable!("nothing is recorded"));
        journal.stage(Stage::Decode, Instant::now(), Duration::from_millis(2));
        let names: Vec<&str> = journal.durations().iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["fetch", "decode"]);
    }

    #[test]
    fn requests_without_a_caller_have_traces_of_their_own() {
        let one = || Journal::begin(None, [].into_iter(), [].into_iter(), Instant::now()).ids();
        assert_ne!(one().trace, one().trace);
    }

    #[test]
    fn state_stays_with_the_source_that_was_named() {
        let outgoing =
            Outgoing { parent: HeaderValue::from_static(PARENT), state: Some(HeaderValue::from_static("a=1")) };
        let mut headers = HeaderMap::new();
        outgoing.add_to(&mut headers, false);
        assert!(headers.contains_key("traceparent") && !headers.contains_key("tracestate"));
        outgoing.add_to(&mut headers, true);
        assert_eq!(headers["tracestate"], "a=1");
    }
}
