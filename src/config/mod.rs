//! All settings: the sum of each area's own, made from arguments and environment.

pub mod args;
mod flags;
mod help;
mod memory;
mod units;

use std::path::PathBuf;
use std::time::Duration;

pub use args::{Args, Command};
pub use flags::{FLAGS, Flag, Group, Kind};
pub use help::text as help;

use crate::codecs::Limits;
use crate::engine::{GpuConfig, GpuMode};
use crate::security::signature::KeyError;
use crate::security::throttle::Rate;
use crate::security::{ApiKey, Key, KeyFile};
use crate::server::{AccessFormat, AccessLevel, Admin, Placeholder, Tls};
use crate::sources::{Cidr, Origin};
use crate::{engine, security, server, shadow, sources, telemetry};

/// Each area's settings.
#[derive(Debug)]
pub struct Config {
    /// HTTP.
    pub server: server::Config,
    /// Pictures.
    pub engine: engine::Config,
    /// Where pictures come from.
    pub sources: sources::Config,
    /// Who may ask.
    pub security: security::Config,
    /// Another server that gets a sample of the requests.
    pub shadow: Option<shadow::Config>,
    /// Logs.
    pub telemetry: telemetry::Config,
    /// Bytes that all requests together may hold.
    pub memory_budget: u64,
}

/// Settings that cannot be served with: every fault, a sentence each.
pub type Faults = Vec<String>;

impl Config {
    /// Settles all settings.
    ///
    /// # Errors
    /// Every fault of every area.
    pub fn from_args(args: &Args) -> Result<Self, Faults> {
        let mut read = Reader { args, faults: Faults::new() };
        let config = Self {
            server: server_config(&mut read),
            engine: engine_config(&mut read),
            sources: sources_config(&mut read),
            security: security_config(&mut read),
            shadow: shadow_config(&mut read),
            telemetry: telemetry_config(&mut read),
            memory_budget: read.bytes("memory-budget", Some(memory::available())),
        };
        let mut faults = read.faults;
        faults.extend(config.check());
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// Every fault of every area.
    pub fn check(&self) -> Faults {
        let mut faults = self.server.check();
        faults.extend(self.sources.check().iter().map(ToString::to_string));
        faults.extend(self.security.check().iter().map(ToString::to_string));
        faults.extend(self.telemetry.check());
        if self.memory_budget < 16 << 20 {
            faults.push(format!("-memory-budget {}: less than 16 MiB serves nothing", self.memory_budget));
        }
        faults
    }

    /// Settings that are legal and probably not meant.
    pub fn warnings(&self, args: &Args) -> Vec<String> {
        let mut warnings: Vec<String> = self.sources.warnings().into_iter().map(str::to_owned).collect();
        if args.switch("gzip") {
            warnings.push("warning: -gzip flag is deprecated and will not have effect".to_owned());
        }
        if args.text("certfile").is_empty() != args.text("keyfile").is_empty() {
            warnings.push("-certfile and -keyfile only work together: serving plain HTTP".to_owned());
        }
        warnings.extend(traces(args).map(|(_, warnings)| warnings).unwrap_or_default());
        if !args.switch("enable-url-signature") && !args.text("url-signature-key").is_empty() {
            warnings.push("a signature key without -enable-url-signature has no effect".to_owned());
        }
        for name in &self.server.disabled {
            let known =
                crate::plan::Endpoint::from_path_segment(name).is_some() || ["form", "health"].contains(&name.as_str());
            if !known {
                warnings.push(format!("-disable-endpoints: there is no endpoint {name}"));
            }
        }
        warnings
    }
}

/// Reads typed values and gathers what is wrong with them.
struct Reader<'a> {
    args: &'a Args,
    faults: Faults,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        Some(self.args.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.args.text(name).split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn fault(&mut self, name: &str, what: &str) {
        let (value, by) = self.args.said(name);
        let fault = format!("{by} {value}: {what}");
        self.faults.push(fault);
    }

    /// A whole number in a range.
    fn integer<T: TryFrom<i64>>(&mut self, name: &str, least: i64, most: i64, otherwise: T) -> T {
        let value: Option<i64> = self.args.text(name).parse().ok();
        match value.filter(|value| (least..=most).contains(value)).and_then(|value| T::try_from(value).ok()) {
            Some(value) => value,
            None => {
                self.fault(name, &format!("must be {least} to {most}"));
                otherwise
            }
        }
    }

    /// Megapixels as pixels.
    fn megapixels(&mut self, name: &str) -> u64 {
        let value: f64 = self.args.text(name).parse().unwrap_or_default();
        if value > 0.0 && value <= 1e6 {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
            return (value * 1e6).floor() as u64;
        }
        self.fault(name, "must be more than 0, in megapixels");
        1
    }

    fn duration(&mut self, name: &str) -> Duration {
        units::duration(self.args.text(name)).unwrap_or_else(|error| {
            self.fault(name, &error);
            Duration::ZERO
        })
    }

    /// A duration of which zero means none.
    fn limit(&mut self, name: &str) -> Option<Duration> {
        Some(self.duration(name)).filter(|limit| !limit.is_zero())
    }

    fn bytes(&mut self, name: &str, whole: Option<u64>) -> u64 {
        units::bytes(self.args.text(name), whole).unwrap_or_else(|error| {
            self.fault(name, &error);
            0
        })
    }

    /// A list in an area's own language.
    fn parsed<T, E: ToString>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Vec<T> {
        let mut all = Vec::new();
        for item in self.list(name) {
            match parse(&item) {
                Ok(value) => all.push(value),
                Err(error) => self.fault(name, &error.to_string()),
            }
        }
        all
    }
}

fn server_config(read: &mut Reader<'_>) -> server::Config {
    let args = read.args;
    let tls = read.text("certfile").zip(read.text("keyfile"));
    let placeholder = match (read.text("placeholder"), args.switch("enable-placeholder")) {
        (Some(path), _) => Placeholder::File(PathBuf::from(path)),
        (None, true) => Placeholder::BuiltIn,
        (None, false) => Placeholder::Off,
    };
    let cache_ttl: i64 = args.text("http-cache-ttl").parse().unwrap_or(-1);
    if !(-1..=31_556_926).contains(&cache_ttl) {
        read.faults.push("The -http-cache-ttl flag only accepts a value from 0 to 31556926".to_owned());
    }
    let admin_port = read.integer("admin-port", 0, 65_535, 0_u16);
    let status = read.integer("placeholder-status", 0, 599, 0_u16);
    let file_source = !args.text("mount").is_empty();
    let url_source = args.switch("enable-url-source");
    server::Config {
        address: args.text("a").to_owned(),
        port: read.integer("p", 0, 65_535, 8088),
        path_prefix: server::normalised_prefix(args.text("path-prefix")),
        tls: tls.map(|(certificate, key)| Tls { certificate: certificate.into(), key: key.into() }),
        read_timeout: read.limit("http-read-timeout"),
        write_timeout: read.limit("http-write-timeout"),
        request_timeout: read.limit("request-timeout"),
        max_connections: read.integer("max-connections", 1, 1_000_000, 1),
        max_body: read.bytes("max-body-size", None),
        get_allowed: file_source || url_source,
        signed_get_only: args.switch("signed-get-only"),
        head: args.switch("head"),
        cors: args.switch("cors"),
        cache_ttl: u32::try_from(cache_ttl).ok(),
        source_cache_max: read.duration("source-cache-max"),
        // What a client's own header opened may be missing for that client alone.
        missing_ttl: match args.switch("enable-auth-forwarding") || !args.text("forward-headers").is_empty() {
            true => 0,
            false => read.integer("missing-source-ttl", 0, 3600, 0),
        },
        etag: args.switch("etag"),
        return_size: args.switch("return-size"),
        debug_headers: args.switch("debug-headers"),
        disabled: read.list("disable-endpoints").iter().map(|name| name.to_lowercase()).collect(),
        placeholder,
        placeholder_status: Some(status).filter(|&status| status != 0),
        access_log: AccessLevel::from_word(args.text("log-level")),
        access_log_format: match args.text("log-format") {
            "json" => AccessFormat::Json,
            _ => AccessFormat::Text,
        },
        admin: (admin_port != 0).then(|| Admin { address: args.text("admin-address").to_owned(), port: admin_port }),
        drain_delay: read.duration("drain-delay"),
        shutdown_timeout: read.duration("shutdown-timeout"),
        ..server::Config::default()
    }
}

/// Clients of a server without any limit open a few dozen connections each; these are taken in. Beyond that the deadline
/// and the memory budget refuse earlier anyhow.
const QUEUE_PER_THREAD: usize = 32;

fn engine_config(read: &mut Reader<'_>) -> engine::Config {
    let cpus = match read.integer("cpus", 0, 1024, 1) {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        cpus => cpus,
    };
    let max_queue = match read.integer("max-queue", 0, 1_000_000, 1) {
        0 => cpus * QUEUE_PER_THREAD,
        jobs => jobs,
    };
    let limits = Limits {
        pixels: read.megapixels("max-allowed-resolution"),
        output_pixels: read.megapixels("max-output-resolution"),
        ..Limits::default()
    };
    let mode = match read.args.text("gpu") {
        "on" => GpuMode::On,
        "off" => GpuMode::Off,
        _ => GpuMode::Auto,
    };
    let memory = Some(read.bytes("gpu-memory", None)).filter(|&bytes| bytes != 0);
    if memory.is_some_and(|bytes| bytes < 256 << 20) {
        read.fault("gpu-memory", "must be 256MiB or more, or 0");
    }
    let gpu = GpuConfig { mode, adapter: read.text("gpu-adapter"), memory, deadline: None, opening: None };
    engine::Config { cpus, max_queue, limits, gpu }
}

fn sources_config(read: &mut Reader<'_>) -> sources::Config {
    let args = read.args;
    let private_addresses = args.text("source-private-addresses").parse().unwrap_or_default();
    let allowed_origins = Origin::parse_list(args.text("allowed-origins")).unwrap_or_else(|errors| {
        read.faults.extend(errors.iter().map(ToString::to_string));
        Vec::new()
    });
    sources::Config {
        mount: read.text("mount").map(PathBuf::from),
        follow_symlinks_out: args.switch("follow-symlinks-out"),
        enable_url: args.switch("enable-url-source"),
        allowed_origins,
        max_allowed_size: read.bytes("max-allowed-size", None),
        max_body_size: read.bytes("max-body-size", None),
        authorization: read.text("authorization"),
        auth_forwarding: args.switch("enable-auth-forwarding"),
        forward_headers: read.list("forward-headers"),
        private_addresses,
        networks: read.parsed("source-networks", str::parse::<Cidr>),
        total_timeout: read.duration("source-timeout"),
        ..sources::Config::default()
    }
}

fn security_config(read: &mut Reader<'_>) -> security::Config {
    let args = read.args;
    let (signature_keys, signature_keys_fixed, signature_key_file) =
        if args.switch("enable-url-signature") { signature_keys(read) } else { Default::default() };
    let per_second = read.integer("concurrency", 0, 1_000_000_000, 0_u32);
    let burst = read.integer("burst", 0, i64::from(u32::MAX), 0_u32);
    security::Config {
        api_key: ApiKey::new(args.text("key")),
        signature_keys,
        signature_key_file,
        signature_keys_fixed,
        throttle: (per_second > 0).then_some(Rate { per_second, burst }),
    }
}

fn telemetry_config(read: &mut Reader<'_>) -> telemetry::Config {
    let args = read.args;
    let traces = traces(args).unwrap_or_else(|faults| {
        read.faults.extend(faults);
        (None, Vec::new())
    });
    telemetry::Config {
        filter: args.text("diagnostics").to_owned(),
        format: match args.text("diagnostics-format") {
            "json" => telemetry::LogFormat::Json,
            _ => telemetry::LogFormat::Text,
        },
        traces: traces.0,
    }
}

/// Traces, and what is odd about their settings.
fn traces(args: &Args) -> Result<(Option<telemetry::trace::Config>, Vec<String>), Faults> {
    let (endpoint, ratio) = (args.text("otlp-endpoint"), args.text("trace-ratio"));
    telemetry::trace::settings(endpoint, ratio, server::VERSION, &|name| args.standard(name))
}

fn shadow_config(read: &mut Reader<'_>) -> Option<shadow::Config> {
    let url = read.text("shadow")?;
    let share = read.args.text("shadow-share").parse().unwrap_or_default();
    shadow::Config::new(&url, share).map_err(|fault| read.faults.push(fault)).ok()
}

/// The keys of signed URLs, the first of which signs: flag or `URL_SIGNATURE_KEY`, then the others, then the file's; how
/// many of them are not the file's, and the file.
fn signature_keys(read: &mut Reader<'_>) -> (Vec<Key>, usize, Option<KeyFile>) {
    let mut texts: Vec<String> = read.text("url-signature-key").into_iter().collect();
    texts.extend(read.list("url-signature-keys"));
    let mut keys = Vec::new();
    // Never a key's text: faults are printed.
    let mut take = |result: Result<Vec<Key>, KeyError>, read: &mut Reader<'_>| match result {
        Ok(more) => keys.extend(more),
        Err(error) => read.faults.push(error.to_string()),
    };
    for text in &texts {
        take(Key::new(text).map(|key| vec![key]), read);
    }
    let fixed = texts.len();
    let mut file = None;
    if let Some(path) = read.text("url-signature-key-file") {
        match KeyFile::read(path.as_ref()) {
            Ok(found) => {
                take(found.keys(), read);
                file = Some(found);
            }
            Err(error) => read.faults.push(format!("-url-signature-key-file {path}: {error}")),
        }
    }
    if keys.is_empty() && read.faults.is_empty() {
        read.faults.push("URL signature key is required".to_owned());
    }
    (keys, fixed, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(args: &[&str]) -> Result<Config, Faults> {
        let (_, args) = args::parse(args.iter().map(|arg| (*arg).to_owned()), &|_| None)?;
        Config::from_args(&args)
    }

    #[test]
    fn defaults_are_imaginarys() {
        let config = config(&[]).unwrap();
        assert_eq!(config.server.port, 8088);
        assert_eq!(config.server.path_prefix, "");
        assert_eq!(config.server.cache_ttl, None);
        assert_eq!(config.server.read_timeout, Some(Duration::from_secs(60)));
        assert_eq!(config.engine.limits.pixels, 18_000_000);
        assert!(config.security.throttle.is_none() && config.security.api_key.is_none());
        assert!(!config.server.get_allowed && !config.sources.enable_url);
    }

    #[test]
    fn impossible_values_are_refused_all_at_once() {
        let faults = config(&[
            "-p",
            "70000",
            "-http-cache-ttl",
            "-2",
            "-mount",
            "/nonexistent/here",
            "-placeholder",
            "/nonexistent/p.jpg",
            "-enable-url-signature",
            "-url-signature-key",
            "short",
            "-source-networks",
            "10.0.0.0/33",
            "-max-allowed-resolution",
            "0",
        ])
        .unwrap_err();
        assert_eq!(faults.len(), 7, "{faults:#?}");
        assert!(!faults.iter().any(|fault| fault.contains("short,") || fault.contains("\"short\"")), "{faults:?}");
    }

    #[test]
    fn limits_of_the_cache_ttl_are_the_contracts() {
        for ttl in ["-1", "0", "31556926"] {
            assert!(config(&["-http-cache-ttl", ttl]).is_ok(), "{ttl}");
        }
        for ttl in ["-2", "31556927"] {
            assert!(config(&["-http-cache-ttl", ttl]).is_err(), "{ttl}");
        }
    }

    #[test]
    fn keys_rotate_and_are_asked_for() {
        let long = "k".repeat(32);
        let two =
            config(&["-enable-url-signature", "-url-signature-key", &long, "-url-signature-keys", &long]).unwrap();
        assert_eq!(two.security.signature_keys.len(), 2);
        assert_eq!(config(&["-enable-url-signature"]).unwrap_err(), ["URL signature key is required"]);
        assert!(config(&["-url-signature-key", "short"]).unwrap().security.signature_keys.is_empty());
    }

    #[test]
    fn lists_are_trimmed_and_lower_cased() {
        let config = config(&["-disable-endpoints", " Form, crop ,,", "-path-prefix", "api/"]).unwrap();
        assert_eq!(config.server.disabled, ["form", "crop"]);
        assert_eq!(config.server.path_prefix, "/api");
    }
}
