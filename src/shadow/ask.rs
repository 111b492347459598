//! The other server. It is the operator's own, named in the settings, so any address may be dialled.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::http::header::{CONTENT_TYPE, HOST};
use hyper::http::{HeaderName, HeaderValue, Method, Request, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::exchange::Exchange;
use super::{Config, MARK};

/// Why there is nothing to compare with.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// No connection, or half an answer.
    Failed(String),
    Timeout,
    TooLarge,
    NoMemory,
}

/// What the other server said.
#[derive(Debug)]
pub(super) struct Theirs {
    pub status: u16,
    pub bytes: Bytes,
}

pub(super) struct Asker {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Without a slash at its end.
    base: String,
    timeout: Duration,
    max_bytes: usize,
}

impl Asker {
    pub(super) fn new(config: Config) -> io::Result<Self> {
        let tls = crate::sources::client_tls().map_err(|error| io::Error::other(error.to_string()))?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.timeout));
        let https =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(https);
        let base = config.url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { client, base, timeout: config.timeout, max_bytes: config.max_bytes })
    }

    /// Sends the request as it came. What the answer takes is charged to the exchange.
    pub(super) async fn ask(&self, exchange: &mut Exchange) -> Result<Theirs, Unanswered> {
        tokio::time::timeout(self.timeout, self.answered(exchange)).await.unwrap_or(Err(Unanswered::Timeout))
    }

    async fn answered(&self, exchange: &mut Exchange) -> Result<Theirs, Unanswered> {
        let failed = |error: &dyn std::fmt::Display| Unanswered::Failed(error.to_string());
        let uri: Uri = format!("{}{}", self.base, exchange.target).parse().map_err(|error| failed(&error))?;
        // The charge of the body is held until the answer is there.
        let (body, _charge) = exchange.body.take().map_or_else(Default::default, super::BodyCopy::into_bytes);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = if exchange.post { Method::POST } else { Method::GET };
        *request.uri_mut() = uri;
        *request.headers_mut() = std::mem::take(&mut exchange.headers);
        request.headers_mut().remove(HOST);
        if !exchange.post {
            request.headers_mut().remove(CONTENT_TYPE);
        }
        request.headers_mut().insert(HeaderName::from_static(MARK), HeaderValue::from_static("1"));
        let response = self.client.request(request).await.map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let (mut bytes, mut body) = (Vec::new(), response.into_body());
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| failed(&error))?;
            let Some(data) = frame.data_ref() else { continue };
            if bytes.len() + data.len() > self.max_bytes {
                return Err(Unanswered::TooLarge);
            }
            if !exchange.charge.as_mut().is_some_and(|charge| charge.try_grow(data.len() as u64)) {
                return Err(Unanswered::NoMemory);
            }
            bytes.extend_from_slice(data);
        }
        Ok(Theirs { status, bytes: bytes.into() })
    }
}
