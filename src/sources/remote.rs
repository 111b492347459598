//! URLs: redirects, limits and times of a fetch.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Instant;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, LOCATION};
use hyper::http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{timeout, timeout_at};

use super::address::{Guard, Reach};
use super::buffer::{ChargedBuffer, Full};
use super::config::{Config, ConfigError};
use super::connector::{Connector, DialError, GuardedDialer, tls};
use super::headers::{self, Headers};
use super::inflate::{InflateError, Inflater};
use super::per_host::{PerHost, Slot};
use super::resolver::Resolver;
use super::target::Target;
use super::{Facts, FetchContext, FetchError, Fetched, Found, Unless, origins};
use crate::budget::MemoryBudget;

type HttpClient = Client<Connector, Empty<Bytes>>;

/// Most bytes of an answer's head, and most headers in it.
const HEAD_BYTES: usize = 64 * 1024;
const HEAD_FIELDS: usize = 100;

/// Connections kept for a host, and how long without use.
const IDLE_CONNECTIONS: usize = 32;
const IDLE_TIME: std::time::Duration = std::time::Duration::from_secs(30);

/// Fetches URLs.
pub(super) struct Remote {
    config: Arc<Config>,
    budget: MemoryBudget,
    headers: Headers,
    per_host: PerHost,
    /// One client for each reach, so that no request uses a connection to an address that it could not have opened.
    public: HttpClient,
    private: HttpClient,
}

impl Remote {
    pub(super) fn new(
        config: Arc<Config>,
        budget: MemoryBudget,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, ConfigError> {
        let guard = Arc::new(Guard { mode: config.private_addresses, networks: config.networks.clone() });
        let tls = tls()?;
        let client = |reach| {
            let dialer = GuardedDialer { resolver: Arc::clone(&resolver), guard: Arc::clone(&guard), reach };
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE_TIME)
                .pool_max_idle_per_host(IDLE_CONNECTIONS)
                .http1_max_buf_size(HEAD_BYTES)
                .http1_max_headers(HEAD_FIELDS)
                .build(Connector::new(dialer, tls.clone(), config.connect_timeout))
        };
        let (public, private) = (client(Reach::Public), client(Reach::Private));
        let (headers, per_host) = (Headers::new(&config)?, PerHost::new(config.per_host));
        Ok(Self { config, budget, headers, per_host, public, private })
    }

    pub(super) fn wanted_headers(&self) -> &[HeaderName] {
        self.headers.wanted()
    }

    pub(super) async fn fetch(&self, text: &str, context: &FetchContext<'_>) -> Result<Found, FetchError> {
        let own = Instant::now() + self.config.total_timeout;
        let deadline = tokio::time::Instant::from_std(own.min(context.deadline));
        let fetch = self.fetch_until(text, context, deadline);
        timeout_at(deadline, fetch).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn fetch_until(
        &self,
        text: &str,
        context: &FetchContext<'_>,
        deadline: tokio::time::Instant,
    ) -> Result<Found, FetchError> {
        let marks = headers::marks(context.headers);
        if headers::is_loop(marks) {
            return Err(FetchError::Loop);
        }
        let first = Target::parse(text).ok_or(FetchError::InvalidUrl)?;
        let handed = self.headers.hand_on(context.headers);
        let mut target = first.clone();
        let mut at_home = true;
        for _ in 0..=self.config.max_redirects {
            if !origins::admit(&self.config.allowed_origins, &target.url) {
                return Err(FetchError::OriginNotAllowed { origin: target.origin });
            }
            let host = target.host_and_port();
            let slot = timeout_at(deadline, self.per_host.acquire(host.clone())).await;
            let slot = slot.map_err(|_| FetchError::HostBusy { host })?;
            // A signature speaks for the URL it signs, not for where that leads.
            let trusted = context.signed && at_home || origins::name_host(&self.config.allowed_origins, &target.url);
            let client = if trusted { &self.private } else { &self.public };
            let handed_here = at_home.then_some(&handed);
            let mut headers = self.headers.outgoing(handed_here, marks);
            if let Some(trace) = context.trace {
                trace.add_to(&mut headers, at_home);
            }
            let response = self.ask(client, &target, headers).await?;
            let Some(location) = redirect(&response) else {
                if response.status() != StatusCode::OK {
                    return Err(FetchError::Status { status: response.status().as_u16(), url: first.shown });
                }
                let facts = Facts::of_answer(response.headers());
                if Unless::holds(context.unless, &facts) {
                    // The connection goes with the body that nobody reads.
                    return Ok(Found::Unchanged { facts, forwarded: handed.from_client });
                }
                let fetched = self.receive(response, slot).await?;
                return Ok(Found::Bytes(Fetched { forwarded: handed.from_client, facts, ..fetched }));
            };
            target = target.redirected(&location).ok_or(FetchError::InvalidRedirect)?;
            // Once away, what was handed on stays away, also when the next redirect leads back.
            at_home = at_home && target.url.origin() == first.url.origin();
        }
        Err(FetchError::TooManyRedirects)
    }

    async fn ask(
        &self,
        client: &HttpClient,
        target: &Target,
        headers: HeaderMap,
    ) -> Result<Response<Incoming>, FetchError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = target.uri().ok_or(FetchError::InvalidUrl)?;
        *request.headers_mut() = headers;
        client.request(request).await.map_err(|error| match dial_error(&error) {
            Some(DialError::NotAllowed { host }) => FetchError::AddressNotAllowed { host: host.clone() },
            Some(DialError::Timeout) => FetchError::Timeout,
            _ => FetchError::Unreachable { cause: chain(&error) },
        })
    }

    /// The body.
    async fn receive(&self, response: Response<Incoming>, _slot: Slot) -> Result<Fetched, FetchError> {
        let limit = match self.config.max_allowed_size {
            0 => u64::MAX,
            limit => limit,
        };
        let full = |full| match full {
            Full::Limit(length) => FetchError::TooLarge { length, limit },
            Full::Budget => FetchError::OverBudget,
        };
        let declared = response.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
        if let Some(length) = declared.filter(|&length| length > limit) {
            return Err(FetchError::TooLarge { length, limit });
        }
        let gzip = coding(&response)?;
        let buffer = ChargedBuffer::new(&self.budget, limit, declared.filter(|_| !gzip)).map_err(full)?;
        let mut sink = if gzip { Sink::Gzip(Inflater::new(buffer)) } else { Sink::Plain(buffer) };
        let failed = |error| match error {
            InflateError::Full(reason) => full(reason),
            InflateError::Damaged => FetchError::Truncated { cause: "damaged or incomplete gzip".to_owned() },
        };
        let mut body = response.into_body();
        loop {
            let frame = timeout(self.config.idle_timeout, body.frame()).await.map_err(|_| FetchError::Timeout)?;
            let Some(frame) = frame else { break };
            let frame = frame.map_err(|error| FetchError::Truncated { cause: chain(&error) })?;
            if let Some(data) = frame.data_ref() {
                sink.push(data).await.map_err(failed)?;
            }
        }
        let (bytes, charge) = sink.finish().map_err(failed)?.finish();
        Fetched::new(bytes, charge)
    }
}

/// Where the bytes of an answer go.
#[allow(clippy::large_enum_variant, reason = "one lives on a fetch's stack; nothing is gained by boxing it")]
enum Sink {
    Plain(ChargedBuffer),
    Gzip(Inflater),
}

impl Sink {
    async fn push(&mut self, data: &[u8]) -> Result<(), InflateError> {
        match self {
            Self::Plain(buffer) => buffer.push(data).map_err(InflateError::Full),
            Self::Gzip(inflater) => {
                for piece in data.chunks(Inflater::PIECE) {
                    inflater.push(piece)?;
                    // Inflating costs time; others on this thread come in between.
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<ChargedBuffer, InflateError> {
        match self {
            Self::Plain(buffer) => Ok(buffer),
            Self::Gzip(inflater) => inflater.finish(),
        }
    }
}

/// Where an answer redirects to. One of these statuses without a place to go is an answer like any other.
fn redirect(response: &Response<Incoming>) -> Option<String> {
    let location = response.headers().get(LOCATION)?;
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    redirects.then(|| String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// Whether the answer is in gzip, which was not asked for; nothing else is understood.
fn coding(response: &Response<Incoming>) -> Result<bool, FetchError> {
    let mut gzip = false;
    for value in response.headers().get_all(CONTENT_ENCODING) {
        for coding in value.to_str().map_err(|_| FetchError::UnsupportedEncoding)?.split(',') {
            match coding.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" if !gzip => gzip = true,
                _ => return Err(FetchError::UnsupportedEncoding),
            }
        }
    }
    Ok(gzip)
}

/// The error and what it came from.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn StdError + 'static)| (**error).source())
}

fn dial_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a DialError> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// All causes in one line, for the log.
fn chain(error: &(dyn StdError + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
