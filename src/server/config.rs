use std::path::PathBuf;
use std::time::Duration;

use super::access_log::{AccessFormat, Level};

/// TLS files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificate chain, PEM.
    pub certificate: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
}

/// What the HTTP layer may do.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; empty: all.
    pub address: String,
    /// Port to listen on; 0: any free one.
    pub port: u16,
    /// Prefix of all routes: empty or `/…` without a slash at the end.
    pub path_prefix: String,
    /// HTTPS and HTTP/2 instead of plain HTTP/1.
    pub tls: Option<Tls>,
    /// Time for a request to arrive; `None`: no limit.
    pub read_timeout: Option<Duration>,
    /// Time for an answer to be taken; `None`: no limit.
    pub write_timeout: Option<Duration>,
    /// Time for a head to arrive.
    pub head_timeout: Duration,
    /// Longest pause within a body.
    pub body_idle_timeout: Duration,
    /// Time from head to answer; `None`: no limit.
    pub request_timeout: Option<Duration>,
    /// Open connections in all.
    pub max_connections: usize,
    /// Largest body.
    pub max_body: u64,
    /// GET asks for pictures: `-mount` or `-enable-url-source` is given.
    pub get_allowed: bool,
    /// Signed servers refuse POST.
    pub signed_get_only: bool,
    /// HEAD is answered as GET without a body.
    pub head: bool,
    /// CORS for any origin.
    pub cors: bool,
    /// Seconds for `Cache-Control`; `None`: no such headers.
    pub cache_ttl: Option<u32>,
    /// Longest lifetime in caches that a source's own word gives; zero: sources are not asked.
    pub source_cache_max: Duration,
    /// Seconds that caches may keep a source's 404 or 410.
    pub missing_ttl: u32,
    /// `ETag`, `Last-Modified` and 304.
    pub etag: bool,
    /// `Image-Width` and `Image-Height`.
    pub return_size: bool,
    /// `Phasor-Placement`.
    pub debug_headers: bool,
    /// Endpoints switched off, lower case.
    pub disabled: Vec<String>,
    /// Errors are answered with a picture.
    pub placeholder: Placeholder,
    /// Status of a placeholder answer; `None`: the error's own.
    pub placeholder_status: Option<u16>,
    /// Access log.
    pub access_log: Level,
    /// How it looks.
    pub access_log_format: AccessFormat,
    /// Probes and metrics.
    pub admin: Option<Admin>,
    /// Time between a stop signal and the end of accepting.
    pub drain_delay: Duration,
    /// Time for requests in flight when stopping.
    pub shutdown_timeout: Duration,
}

/// Which picture answers errors.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Placeholder {
    /// None: errors are JSON.
    #[default]
    Off,
    /// The one that comes with the program.
    BuiltIn,
    /// A file.
    File(PathBuf),
}

/// Where probes and metrics are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// Address to listen on; empty: all.
    pub address: String,
    /// Port to listen on; 0: any free one.
    pub port: u16,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            address: String::new(),
            port: 8088,
            path_prefix: String::new(),
            tls: None,
            read_timeout: Some(Duration::from_secs(60)),
            write_timeout: Some(Duration::from_secs(60)),
            head_timeout: Duration::from_secs(5),
            body_idle_timeout: Duration::from_secs(5),
            request_timeout: Some(Duration::from_secs(30)),
            max_connections: 10_000,
            max_body: 64 << 20,
            get_allowed: false,
            signed_get_only: false,
            head: false,
            cors: false,
            cache_ttl: None,
            source_cache_max: Duration::ZERO,
            missing_ttl: 0,
            etag: true,
            return_size: false,
            debug_headers: false,
            disabled: Vec::new(),
            placeholder: Placeholder::Off,
            placeholder_status: None,
            access_log: Level::Info,
            access_log_format: AccessFormat::Text,
            admin: None,
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(25),
        }
    }
}

impl Config {
    /// Every fault in this area's settings, a sentence each.
    pub fn check(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.cache_ttl.is_some_and(|ttl| ttl > 31_556_926) {
            faults.push("The -http-cache-ttl flag only accepts a value from 0 to 31556926".to_owned());
        }
        if let Some(status) = self.placeholder_status
            && !(200..=599).contains(&status)
        {
            faults.push(format!("-placeholder-status {status}: a status is 200 to 599, or 0"));
        }
        if self.max_connections == 0 {
            faults.push("-max-connections 0: nobody could connect".to_owned());
        }
        if self.max_body == 0 {
            faults.push("-max-body-size 0: no body could be read".to_owned());
        }
        if let Placeholder::File(path) = &self.placeholder
            && let Err(error) = std::fs::read(path)
        {
            faults.push(format!("-placeholder {}: {error}", path.display()));
        }
        match &self.tls {
            Some(_) if cfg!(not(feature = "tls")) => {
                faults.push("-certfile, -keyfile: this build has no TLS (feature \"tls\")".to_owned());
            }
            Some(tls) => {
                for (flag, path) in [("certfile", &tls.certificate), ("keyfile", &tls.key)] {
                    if let Err(error) = std::fs::File::open(path) {
                        faults.push(format!("-{flag} {}: {error}", path.display()));
                    }
                }
            }
            None => {}
        }
        if self.admin.as_ref().is_some_and(|admin| admin.port != 0 && admin.port == self.port) {
            faults.push(format!("-admin-port {}: already the port of -p", self.port));
        }
        faults
    }
}
