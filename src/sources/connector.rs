//! Connections to sources. Every connection is opened here, whether the host is a name or an address, so no request
//! passes the address guard by.

use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use super::address::{Guard, Reach};
use super::config::ConfigError;
use super::resolver::Resolver;

/// How long one address is tried before the next one joins in (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Addresses of one host that are tried at all.
const MOST_ADDRESSES: usize = 8;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    /// No address of the host may be dialled.
    #[error("no address of {host} is allowed")]
    NotAllowed { host: String },
    /// Name, connection and TLS together took too long.
    #[error("connecting took too long")]
    Timeout,
    /// The name has no address.
    #[error("{host} cannot be resolved: {cause}")]
    Unresolved { host: String, cause: std::io::Error },
    /// No allowed address answered.
    #[error("no connection: {0}")]
    Io(#[from] std::io::Error),
    /// The URI has no host.
    #[error("no host")]
    NoHost,
}

/// Opens plain connections to addresses that the guard allows.
#[derive(Clone)]
pub(super) struct GuardedDialer {
    pub(super) resolver: Arc<dyn Resolver>,
    pub(super) guard: Arc<Guard>,
    pub(super) reach: Reach,
}

impl GuardedDialer {
    /// Resolves once, and dials only what passed: a second answer of the name server is never asked for.
    async fn dial(self, uri: Uri) -> Result<TokioIo<TcpStream>, DialError> {
        let host = uri.host().ok_or(DialError::NoHost)?.to_owned();
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(&host);
        let found = match bare.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = self.resolver.resolve(host.clone()).await;
                found.map_err(|cause| DialError::Unresolved { host: host.clone(), cause })?
            }
        };
        let allows = |address: &IpAddr| self.guard.allows(&host, *address, self.reach);
        let allowed: Vec<SocketAddr> = found
            .iter()
            .copied()
            .filter(allows)
            .take(MOST_ADDRESSES)
            .map(|address| SocketAddr::new(address, port))
            .collect();
        if allowed.is_empty() {
            return Err(match found.is_empty() {
                true => DialError::Unresolved { host, cause: std::io::ErrorKind::NotFound.into() },
                false => DialError::NotAllowed { host },
            });
        }
        let stream = connect_first(allowed).await?;
        // What was dialled is what was checked; a rewrite on the way (NAT) does not show here, a bug would.
        if !allows(&stream.peer_addr()?.ip()) {
            return Err(DialError::NotAllowed { host });
        }
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }
}

/// Tries addresses one after the other, each with a head start, and takes the first that connects.
async fn connect_first(addresses: Vec<SocketAddr>) -> std::io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    let mut failure = std::io::Error::from(std::io::ErrorKind::AddrNotAvailable);
    trying.extend(waiting.next().map(TcpStream::connect));
    loop {
        let outcome = tokio::select! {
            outcome = trying.next() => outcome,
            () = tokio::time::sleep(HEAD_START), if !waiting.as_slice().is_empty() => {
                trying.extend(waiting.next().map(TcpStream::connect));
                continue;
            }
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(error)) => {
                failure = error;
                trying.extend(waiting.next().map(TcpStream::connect));
            }
            None => return Err(failure),
        }
    }
}

impl Service<Uri> for GuardedDialer {
    type Response = TokioIo<TcpStream>;
    type Error = DialError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, DialError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().dial(uri))
    }
}

/// The whole way to a source, TLS included, under the connect timeout.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<GuardedDialer>,
    timeout: Duration,
}

impl Connector {
    pub(super) fn new(dialer: GuardedDialer, tls: ClientConfig, timeout: Duration) -> Self {
        // HTTP/1.1 only: one connection a fetch, so that hosts and fetches do not wait for each other, and no second
        // protocol to be attacked through.
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        Self { https: https.wrap_connector(dialer), timeout }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = tokio::time::timeout(self.timeout, self.https.call(uri));
        Box::pin(async move { connecting.await.map_err(|_| DialError::Timeout)? })
    }
}

/// TLS with the machine's trust roots, which may hold private authorities; without any, with the web's usual ones.
///
/// # Errors
/// When the library refuses its own defaults.
pub fn tls() -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| ConfigError::Tls(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
