//! Settings of the sources.

use std::path::PathBuf;
use std::time::Duration;

use hyper::http::{HeaderName, HeaderValue};

use super::cidr::Cidr;
use super::origins::Origin;

/// Whether a URL may lead into private networks (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrivateAddresses {
    /// When the request's URL is signed, or the host is listed by its full name among the allowed origins.
    #[default]
    Auto,
    /// Always.
    Allow,
    /// Never.
    Deny,
}

impl std::str::FromStr for PrivateAddresses {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text {
            "auto" => Ok(Self::Auto),
            "allow" => Ok(Self::Allow),
            "deny" => Ok(Self::Deny),
            other => Err(ConfigError::PrivateAddresses(other.to_owned())),
        }
    }
}

/// All settings of the sources. [`Config::default`] is the reference's: everything off, nothing limited but bodies.
#[derive(Debug, Clone)]
pub struct Config {
    /// `-mount`: the directory that `file=` reads from.
    pub mount: Option<PathBuf>,
    /// Follow symbolic links that leave the mount.
    pub follow_symlinks_out: bool,
    /// `-enable-url-source`.
    pub enable_url: bool,
    /// `-allowed-origins`; empty: any.
    pub allowed_origins: Vec<Origin>,
    /// `-max-allowed-size`: bytes of an answer; 0: only the memory budget limits it.
    pub max_allowed_size: u64,
    /// Bytes of a request's body; 0: only the memory budget limits it.
    pub max_body_size: u64,
    /// `-authorization`: constant `Authorization` for sources.
    pub authorization: Option<String>,
    /// `-enable-auth-forwarding`: send the client's `X-Forward-Authorization`, else its `Authorization`.
    pub auth_forwarding: bool,
    /// `-forward-headers`: names of headers to copy, in any case.
    pub forward_headers: Vec<String>,
    /// `--source-private-addresses`.
    pub private_addresses: PrivateAddresses,
    /// `--source-networks`: networks that may be dialled whatever they are.
    pub networks: Vec<Cidr>,
    /// Time for the name, the connection and TLS together.
    pub connect_timeout: Duration,
    /// The longest pause inside an answer's body.
    pub idle_timeout: Duration,
    /// `--source-timeout`: the whole fetch with all redirects.
    pub total_timeout: Duration,
    /// Redirects that are followed.
    pub max_redirects: u32,
    /// Fetches from one host and port at a time; more wait for their turn.
    pub per_host: u32,
    /// `User-Agent` of fetches.
    pub user_agent: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mount: None,
            follow_symlinks_out: false,
            enable_url: false,
            allowed_origins: Vec::new(),
            max_allowed_size: 0,
            max_body_size: 64 * 1024 * 1024,
            authorization: None,
            auth_forwarding: false,
            forward_headers: Vec::new(),
            private_addresses: PrivateAddresses::Auto,
            networks: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            max_redirects: 10,
            per_host: 64,
            user_agent: concat!("phasor/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The mount does not exist or cannot be opened.
    #[error("The mount directory {path:?} cannot be opened: {cause}")]
    MountMissing {
        /// The path as given.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The mount is a file or something else.
    #[error("The mount {0:?} is not a directory")]
    MountNotDirectory(PathBuf),
    /// The mount is the root of the file system.
    #[error("The mount directory must not be the root of the file system")]
    MountIsRoot,
    /// A header value with bytes that no header may hold.
    #[error("{0} holds bytes that no HTTP header may hold")]
    HeaderValue(&'static str),
    /// A name to forward that is no header name.
    #[error("-forward-headers: {0:?} is not a header name")]
    ForwardHeader(String),
    /// A time limit of zero.
    #[error("{0} must be longer than zero")]
    Timeout(&'static str),
    /// No fetch could ever start.
    #[error("At least one fetch per host must be allowed")]
    PerHost,
    /// Neither auto, allow nor deny.
    #[error("--source-private-addresses must be auto, allow or deny, not {0:?}")]
    PrivateAddresses(String),
    /// TLS cannot be set up.
    #[error("TLS for sources cannot be set up: {0}")]
    Tls(String),
}

impl Config {
    /// Every fault that can be seen without opening anything but the mount.
    pub fn check(&self) -> Vec<ConfigError> {
        let mut faults = Vec::new();
        if let Some(path) = &self.mount {
            match path.canonicalize() {
                Err(cause) => faults.push(ConfigError::MountMissing { path: path.clone(), cause }),
                Ok(real) if !real.is_dir() => faults.push(ConfigError::MountNotDirectory(path.clone())),
                Ok(real) if real.parent().is_none() => faults.push(ConfigError::MountIsRoot),
                Ok(_) => {}
            }
        }
        let values = [("-authorization", self.authorization.as_deref()), ("The user agent", Some(&self.user_agent))];
        for (name, value) in values {
            if value.is_some_and(|value| HeaderValue::from_str(value).is_err()) {
                faults.push(ConfigError::HeaderValue(name));
            }
        }
        for name in self.forward_headers.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            if HeaderName::from_bytes(name.as_bytes()).is_err() {
                faults.push(ConfigError::ForwardHeader(name.to_owned()));
            }
        }
        let times = [
            ("The connect timeout of sources", self.connect_timeout),
            ("The idle timeout of sources", self.idle_timeout),
            ("--source-timeout", self.total_timeout),
        ];
        faults.extend(times.into_iter().filter(|(_, time)| time.is_zero()).map(|(name, _)| ConfigError::Timeout(name)));
        if self.per_host == 0 {
            faults.push(ConfigError::PerHost);
        }
        faults
    }

    /// What may work, but should be looked at.
    pub fn warnings(&self) -> Vec<&'static str> {
        let mut warnings = Vec::new();
        let credentials = self.authorization.is_some() || self.auth_forwarding;
        if self.enable_url && credentials && self.allowed_origins.is_empty() {
            warnings.push("Authorization is sent to any host a client names: set -allowed-origins");
        }
        if !self.enable_url && (credentials || !self.allowed_origins.is_empty()) {
            warnings.push("URL sources are off: their settings have no effect without -enable-url-source");
        }
        warnings
    }
}
