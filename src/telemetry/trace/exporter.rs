//! The way to a collector: a bounded queue and a thread of its own. Nothing here is ever waited for by a request: what
//! does not fit into the queue is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use hyper::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::otlp;
use super::span::Span;
use crate::telemetry::events::{self, SpanOutcome};

/// Where spans go, and how many wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExporterConfig {
    /// The whole URL, with `/v1/traces`.
    pub endpoint: String,
    /// Headers of each request to it; they may hold secrets.
    pub headers: HeaderMap,
    /// Attributes of this process: `service.name`, …
    pub resource: Vec<(String, String)>,
    /// Spans that may wait; more are dropped.
    pub queue: usize,
    /// Most spans of one request.
    pub batch: usize,
    /// Longest time that a span waits for others.
    pub delay: Duration,
    /// Longest time for one request.
    pub timeout: Duration,
}

/// Attempts for a batch when the collector asks to come again, with a pause that doubles.
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// Longest pause that a collector's `Retry-After` makes.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// What is read of a collector's answer.
const ANSWER_BYTES: usize = 64 << 10;

enum Message {
    Spans(Vec<Span>),
    /// Send what there is, then answer.
    Flush(SyncSender<()>),
}

/// The sending end.
#[derive(Debug, Clone)]
pub(super) struct Exporter {
    messages: UnboundedSender<Message>,
    /// Spans in the queue or on their way.
    waiting: Arc<AtomicUsize>,
    queue: usize,
}

impl Exporter {
    /// Starts the thread.
    ///
    /// # Errors
    /// An endpoint that is no URL, no thread.
    pub(super) fn start(
        config: ExporterConfig,
        version: &'static str,
        tls: rustls::ClientConfig,
    ) -> std::io::Result<Self> {
        let endpoint: Uri = config.endpoint.parse().map_err(std::io::Error::other)?;
        let (messages, received) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exporter = Self { messages, waiting: Arc::clone(&waiting), queue: config.queue };
        let mut sender = Sender { config, version, endpoint, https, waiting };
        std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || runtime.block_on(async move { sender.run(received).await }))?;
        Ok(exporter)
    }

    /// Queues the spans of one request, all or none.
    pub(super) fn export(&self, spans: Vec<Span>) {
        let count = spans.len();
        if self.waiting.fetch_add(count, Ordering::Relaxed) + count > self.queue {
            self.waiting.fetch_sub(count, Ordering::Relaxed);
            events::spans(SpanOutcome::QueueFull, count as u64, "");
        } else {
            // The thread ends with the process.
            let _ = self.messages.send(Message::Spans(spans));
        }
    }

    /// Waits until what is queued is sent, no longer than `limit`.
    pub(super) fn flush(&self, limit: Duration) {
        let (done, is_done) = sync_channel(1);
        if self.messages.send(Message::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(limit);
        }
    }
}

struct Sender {
    config: ExporterConfig,
    version: &'static str,
    endpoint: Uri,
    https: HttpsConnector<HttpConnector>,
    waiting: Arc<AtomicUsize>,
}

impl Sender {
    async fn run(&mut self, mut messages: UnboundedReceiver<Message>) {
        let client = Client::builder(TokioExecutor::new()).build(self.https.clone());
        let mut batch = Vec::new();
        loop {
            let Some(first) = messages.recv().await else { return };
            let full = Instant::now() + self.config.delay;
            let mut flush = self.take(first, &mut batch);
            while flush.is_none() && batch.len() < self.config.batch {
                let Ok(next) = timeout_at(full, messages.recv()).await else { break };
                let Some(next) = next else { break };
                flush = self.take(next, &mut batch);
            }
            while !batch.is_empty() {
                let rest = batch.split_off(self.config.batch.min(batch.len()));
                let count = batch.len();
                self.send(&client, &batch).await;
                self.waiting.fetch_sub(count, Ordering::Relaxed);
                batch = rest;
                // What does not fill a request waits for more, unless somebody waits for it.
                if flush.is_none() && batch.len() < self.config.batch {
                    break;
                }
            }
            if let Some(done) = flush {
                let _ = done.try_send(());
            }
        }
    }

    #[allow(clippy::unused_self, reason = "reads as what the sender does")]
    fn take(&self, message: Message, batch: &mut Vec<Span>) -> Option<SyncSender<()>> {
        match message {
            Message::Spans(spans) => {
                batch.extend(spans);
                None
            }
            Message::Flush(done) => Some(done),
        }
    }

    /// Sends one batch, again when the collector asks for it.
    async fn send(&self, client: &Client<HttpsConnector<HttpConnector>, Full<Bytes>>, spans: &[Span]) {
        let body = Bytes::from(otlp::body(&self.config.resource, self.version, spans));
        let count = spans.len() as u64;
        let mut pause = PAUSE;
        for attempt in 1..=ATTEMPTS {
            let last = attempt == ATTEMPTS;
            let (outcome, reason, wanted) = match timeout(self.config.timeout, self.ask(client, body.clone())).await {
                Ok(Ok((status, _, answer))) if status.is_success() => {
                    let rejected = otlp::rejected(&answer).min(count);
                    events::spans(SpanOutcome::Exported, count - rejected, "");
                    if rejected > 0 {
                        events::spans(SpanOutcome::Refused, rejected, "the collector took the rest");
                    }
                    return;
                }
                Ok(Ok((status, after, _))) if matches!(status.as_u16(), 429 | 502 | 503 | 504) => {
                    (SpanOutcome::Refused, status.to_string(), after)
                }
                Ok(Ok((status, ..))) => {
                    events::spans(SpanOutcome::Refused, count, status.as_str());
                    return;
                }
                Ok(Err(error)) => (SpanOutcome::Unreachable, error, None),
                Err(_) => (SpanOutcome::Unreachable, "timeout".to_owned(), None),
            };
            if last {
                events::spans(outcome, count, &reason);
                return;
            }
            sleep(wanted.unwrap_or(pause).min(LONGEST_PAUSE)).await;
            pause *= 2;
        }
    }

    /// The collector's status, when to come again, and what it said.
    async fn ask(
        &self,
        client: &Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
        body: Bytes,
    ) -> Result<(StatusCode, Option<Duration>, Bytes), String> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.config.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static("phasor-otlp"));
        let chain = |error: &(dyn std::error::Error + 'static)| {
            let causes = std::iter::successors(Some(error), |error| error.source());
            causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        };
        let response = client.request(request).await.map_err(|error| chain(&error))?;
        let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let status = response.status();
        let answer = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        // Read to its end where it is short, so that the connection can be used again.
        let answer = answer.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        Ok((status, after.map(Duration::from_secs), answer))
    }
}
