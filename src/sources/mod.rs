//! Where from: the request's body, a file of the mount, or a URL. Everything read here is untrusted, bounded by limits
//! and charged to the memory budget while it is read.
//!
//! A URL passes four gates before a byte of it is read, and again on each redirect: its text ([`target`]), its origin
//! ([`origins`]), its addresses at dial time ([`address`], [`connector`]), and the limits of the answer ([`remote`]).

mod address;
mod body;
mod buffer;
mod cidr;
mod config;
mod connector;
mod error;
mod facts;
mod file;
mod fingerprint;
mod freshness;
mod headers;
mod inflate;
mod judge;
mod multipart;
mod origins;
mod per_host;
mod remote;
mod resolver;
mod target;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::Stream;
/// The `http` types this module speaks.
pub use hyper::http;
use hyper::http::{HeaderMap, HeaderName};

pub use body::UploadSpec;
pub use cidr::{Cidr, CidrError};
pub use config::{Config, ConfigError, PrivateAddresses};
pub use connector::tls as client_tls;
pub use error::FetchError;
pub use facts::{Facts, Unless};
pub use freshness::Freshness;
pub use origins::{Origin, OriginError};
pub use resolver::{Resolver, SystemResolver};

use crate::budget::{Charge, MemoryBudget};
use crate::query::Query;
use crate::telemetry::Outgoing;

/// Which source a GET request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceRef {
    /// A file of the mount: the value of `file=`, decoded once (see [`Sources::read_file`]).
    File(String),
    /// The value of `url=`.
    Url(String),
}

/// Bytes of a source, never empty.
#[derive(Debug)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Bytes,
    /// What they take from the budget; keep it as long as the bytes.
    pub charge: Charge,
    /// Headers of the client's request that were sent to the source. When there are any, the answer belongs to this
    /// client alone: `Cache-Control: private`, and `Vary` with these names.
    pub forwarded: Vec<HeaderName>,
    /// What else is known of the source.
    pub facts: Facts,
}

impl Fetched {
    fn new(bytes: Bytes, charge: Charge) -> Result<Self, FetchError> {
        if bytes.is_empty() {
            return Err(FetchError::Empty);
        }
        Ok(Self { bytes, charge, forwarded: Vec::new(), facts: Facts::default() })
    }

    /// A text that changes whenever the bytes do: the source's own, or one made from the bytes.
    pub fn validator(&self) -> String {
        let made = || format!("bytes {:016x} {}", fingerprint::fingerprint(&self.bytes), self.bytes.len());
        self.facts.validator.clone().unwrap_or_else(made)
    }
}

/// What a fetch came to.
#[derive(Debug)]
pub enum Found {
    /// The bytes.
    Bytes(Fetched),
    /// They are not needed: [`FetchContext::unless`] holds.
    Unchanged {
        /// What is known of the source.
        facts: Facts,
        /// As [`Fetched::forwarded`].
        forwarded: Vec<HeaderName>,
    },
}

/// What a fetch has to know about the request it is made for.
#[derive(Debug, Clone, Copy)]
pub struct FetchContext<'a> {
    /// The request's URL signature was checked and is right.
    pub signed: bool,
    /// Headers of the request; those that [`Sources::wanted_headers`] names are enough.
    pub headers: &'a HeaderMap,
    /// Which span asks, for sources that take part in traces.
    pub trace: Option<&'a Outgoing>,
    /// Asked before the bytes are read: whether they are unnecessary.
    pub unless: Option<&'a Unless>,
    /// When the request is given up. The fetch's own time limit holds as well.
    pub deadline: Instant,
}

/// All sources. Cheap to share in an `Arc`; one instance serves every worker.
pub struct Sources {
    config: Arc<Config>,
    budget: MemoryBudget,
    mount: Option<Arc<file::Mount>>,
    remote: Option<remote::Remote>,
}

impl Sources {
    /// Opens the mount and loads the trust roots.
    ///
    /// # Errors
    /// The mount cannot be opened, a header in the settings is not one, or TLS cannot be set up.
    pub fn new(config: Config, budget: MemoryBudget) -> Result<Self, ConfigError> {
        Self::with_resolver(config, budget, Arc::new(SystemResolver::default()))
    }

    /// As [`Sources::new`], with another way to look names up.
    ///
    /// # Errors
    /// As [`Sources::new`].
    pub fn with_resolver(
        config: Config,
        budget: MemoryBudget,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, ConfigError> {
        let mount = config.mount.as_deref().map(|path| file::Mount::open(path, config.follow_symlinks_out));
        let mount = mount.transpose()?.map(Arc::new);
        let config = Arc::new(config);
        let remote = match config.enable_url {
            true => Some(remote::Remote::new(Arc::clone(&config), budget.clone(), resolver)?),
            false => None,
        };
        Ok(Self { config, budget, mount, remote })
    }

    /// The settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The source that a GET request names. `file` wins over `url`; a source that is switched off or an empty value
    /// counts as not given.
    ///
    /// # Errors
    /// [`FetchError::Missing`] when nothing is left.
    pub fn select(&self, query: &Query) -> Result<SourceRef, FetchError> {
        let given = |name, enabled: bool| {
            query.get(name).filter(|value| enabled && !value.is_empty()).map(std::borrow::Cow::into_owned)
        };
        given("file", self.mount.is_some())
            .map(SourceRef::File)
            .or_else(|| given("url", self.remote.is_some()).map(SourceRef::Url))
            .ok_or(FetchError::Missing)
    }

    /// Reads the source that [`Sources::select`] found.
    ///
    /// # Errors
    /// As [`Sources::read_file`] and [`Sources::fetch_url`].
    pub async fn fetch(&self, source: &SourceRef, context: &FetchContext<'_>) -> Result<Found, FetchError> {
        match source {
            SourceRef::File(file) => self.read_file(file, context.unless).await,
            SourceRef::Url(url) => self.fetch_url(url, context).await,
        }
    }

    /// Headers of a request that a fetch may want to see: to forward them, or to notice loops.
    pub fn wanted_headers(&self) -> &[HeaderName] {
        self.remote.as_ref().map_or(&[], remote::Remote::wanted_headers)
    }

    /// Fetches a URL, for a request's picture or for a watermark: the same gates, limits and times for both.
    ///
    /// # Errors
    /// Most of [`FetchError`]; [`FetchError::Missing`] when URL sources are switched off.
    pub async fn fetch_url(&self, url: &str, context: &FetchContext<'_>) -> Result<Found, FetchError> {
        self.remote.as_ref().ok_or(FetchError::Missing)?.fetch(url, context).await
    }

    /// Reads a file of the mount. `value` is the query's value decoded once; it is decoded once more here, and tried as
    /// it stands when that names no file.
    ///
    /// # Errors
    /// [`FetchError::InvalidFilePath`] for everything that is not a readable regular file inside the mount.
    pub async fn read_file(&self, value: &str, unless: Option<&Unless>) -> Result<Found, FetchError> {
        let mount = Arc::clone(self.mount.as_ref().ok_or(FetchError::Missing)?);
        let (value, unless, budget) = (value.to_owned(), unless.cloned(), self.budget.clone());
        // A blocking call outside the engine: opens and reads of local files are short, and none of the asynchronous
        // file interfaces does more than this.
        let read = tokio::task::spawn_blocking(move || mount.read(&value, unless.as_ref(), &budget)).await;
        read.map_err(|_| FetchError::InvalidFilePath)?
    }

    /// Reads the body of a POST request: all of it, or one file of a form.
    ///
    /// # Errors
    /// [`FetchError::BodyTooLarge`], [`FetchError::Empty`], [`FetchError::Form`], [`FetchError::BodyTruncated`],
    /// [`FetchError::OverBudget`].
    pub async fn read_body<S, E>(&self, body: S, spec: &UploadSpec<'_>) -> Result<Fetched, FetchError>
    where
        S: Stream<Item = Result<Bytes, E>>,
    {
        body::read(body, spec, self.config.max_body_size, &self.budget).await
    }
}
