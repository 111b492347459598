//! The one table of settings: names, kinds, defaults, groups and what they mean.

/// What a flag's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `-flag`, `-flag=true|false|1|0|t|f`.
    Switch,
    /// A whole number.
    Integer,
    /// A decimal number.
    Number,
    /// A duration: `30` (seconds), `1.5s`, `500ms`, `2m`; 0 switches the limit off where the help says so.
    Duration,
    /// A number of bytes: `67108864`, `64MiB`, `64M`, `1.5G`; where the help says so also a percentage of the memory.
    Bytes,
    /// Any text.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// Under which heading `--help` shows a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Addresses, prefixes, TLS.
    Listening,
    /// Who may ask, and how often.
    Access,
    /// Where pictures come from.
    Sources,
    /// How much of anything.
    Limits,
    /// What answers look like.
    Answers,
    /// Logs, probes, stopping.
    Operation,
}

impl Group {
    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Listening => "Listening",
            Self::Access => "Access",
            Self::Sources => "Sources",
            Self::Limits => "Limits",
            Self::Answers => "Answers",
            Self::Operation => "Operation",
        }
    }
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Without dashes.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// The value when nobody says one, as text; empty: none.
    pub default: &'static str,
    /// Heading in `--help`.
    pub group: Group,
    /// An environment variable that wins over the flag, kept from imaginary. Every flag also has `PHASOR_<NAME>`,
    /// over which the flag wins.
    pub env: Option<&'static str>,
    /// One or two lines for people.
    pub help: &'static str,
}

const fn flag(name: &'static str, kind: Kind, default: &'static str, group: Group, help: &'static str) -> Flag {
    Flag { name, kind, default, group, env: None, help }
}

const fn with_env(flag: Flag, env: &'static str) -> Flag {
    Flag { env: Some(env), ..flag }
}

use Group::{Access, Answers, Limits, Listening, Operation, Sources};
use Kind::{Bytes, Duration, Integer, Number, OneOf, Switch, Text};

/// Every setting there is.
pub const FLAGS: &[Flag] = &[
    flag("a", Text, "", Listening, "address to listen on; empty: all addresses, IPv4 and IPv6"),
    with_env(flag("p", Integer, "8088", Listening, "port to listen on; 0: any free port"), "PORT"),
    flag("path-prefix", Text, "/", Listening, "prefix of all routes"),
    flag("certfile", Text, "", Listening, "TLS certificate chain (PEM); HTTPS and HTTP/2 when -keyfile is given too"),
    flag("keyfile", Text, "", Listening, "TLS private key (PEM)"),
    flag("http-read-timeout", Duration, "60", Listening, "longest time a request may take to arrive; 0: no limit"),
    flag(
        "http-write-timeout",
        Duration,
        "60",
        Listening,
        "longest time a client may take to read an answer; 0: no limit",
    ),
    flag("max-connections", Integer, "10000", Listening, "open connections; more wait to be accepted"),
    flag("key", Text, "", Access, "API key that every request must show (header API-Key, or key=)"),
    flag("enable-url-signature", Switch, "false", Access, "image URLs must be signed (sign=)"),
    with_env(
        flag("url-signature-key", Text, "", Access, "key of signed URLs, 32 characters or more"),
        "URL_SIGNATURE_KEY",
    ),
    flag("url-signature-keys", Text, "", Access, "more keys that are accepted, comma separated, for rotation"),
    flag(
        "url-signature-key-file",
        Text,
        "",
        Access,
        "file that holds accepted keys, one a line; read again within seconds when it changes",
    ),
    flag("signed-get-only", Switch, "false", Access, "with signatures on, refuse POST (a body is not signed)"),
    flag("concurrency", Integer, "0", Access, "requests a second for each endpoint and method; 0: no limit"),
    flag("burst", Integer, "100", Access, "requests more than -concurrency that may come at once"),
    flag("disable-endpoints", Text, "", Access, "endpoints to switch off, comma separated"),
    flag("cors", Switch, "false", Access, "let scripts of any web origin read the answers"),
    flag("mount", Text, "", Sources, "directory for file="),
    flag("follow-symlinks-out", Switch, "false", Sources, "follow symbolic links that lead out of the mount"),
    flag("enable-url-source", Switch, "false", Sources, "allow url="),
    flag(
        "allowed-origins",
        Text,
        "",
        Sources,
        "comma-separated URLs that url= must match: host (*.host: its subdomains too), path as a prefix",
    ),
    flag("max-allowed-size", Bytes, "0", Sources, "largest source fetched by url=; 0: no fixed limit"),
    flag(
        "source-private-addresses",
        OneOf(&["auto", "allow", "deny"]),
        "auto",
        Sources,
        "sources in private networks; auto: when the request is signed or the host stands in -allowed-origins in full",
    ),
    flag(
        "source-networks",
        Text,
        "",
        Sources,
        "networks (CIDR, comma separated) where sources are allowed whatever they are, loopback too",
    ),
    flag("source-timeout", Duration, "10", Sources, "longest time a fetch may take"),
    flag(
        "enable-auth-forwarding",
        Switch,
        "false",
        Sources,
        "pass X-Forward-Authorization, else Authorization, on to the source",
    ),
    flag("authorization", Text, "", Sources, "constant Authorization for sources; wins over forwarding"),
    flag("forward-headers", Text, "", Sources, "request headers passed on to the source, comma separated"),
    flag("cpus", Integer, "0", Limits, "worker threads; 0: as many as there are processors"),
    flag("max-allowed-resolution", Number, "18", Limits, "largest input picture, in megapixels"),
    flag("max-output-resolution", Number, "64", Limits, "largest output picture, in megapixels"),
    flag("max-body-size", Bytes, "64MiB", Limits, "largest request body"),
    flag(
        "memory-budget",
        Bytes,
        "70%",
        Limits,
        "bytes that all requests together may hold, or a percentage of the memory there is",
    ),
    flag(
        "max-queue",
        Integer,
        "0",
        Limits,
        "jobs that may wait for a thread, more are refused with 503; 0: 32 for each thread",
    ),
    flag(
        "request-timeout",
        Duration,
        "30",
        Limits,
        "longest time from a request's head to its answer, beyond it 503; 0: no limit",
    ),
    flag(
        "http-cache-ttl",
        Integer,
        "-1",
        Answers,
        "seconds that answers may be cached, 0 to 31556926; -1: say nothing",
    ),
    flag(
        "source-cache-max",
        Duration,
        "0",
        Answers,
        "let caches keep an answer as its source's Cache-Control says, at most so long; 0: as -http-cache-ttl says",
    ),
    flag(
        "missing-source-ttl",
        Integer,
        "0",
        Answers,
        "seconds that caches may keep a source's 404 or 410, at most 3600; 0, or with headers forwarded: no errors are kept",
    ),
    flag("etag", Switch, "true", Answers, "ETag and Last-Modified, and 304 for who has the answer; -etag=false: none"),
    flag("return-size", Switch, "false", Answers, "headers Image-Width and Image-Height"),
    flag("head", Switch, "false", Answers, "answer HEAD as GET without a body"),
    flag("enable-placeholder", Switch, "false", Answers, "answer errors with the built-in placeholder picture"),
    flag("placeholder", Text, "", Answers, "answer errors with this picture"),
    flag("placeholder-status", Integer, "0", Answers, "status of a placeholder answer; 0: the error's own"),
    with_env(
        flag(
            "log-level",
            Text,
            "info",
            Operation,
            "access log on stdout: info (all), warning (400 and up), error (500 and up), none",
        ),
        "GOLANG_LOG",
    ),
    flag(
        "log-format",
        OneOf(&["text", "json"]),
        "text",
        Operation,
        "how the access log looks: imaginary's lines, or JSON with phases and trace ids",
    ),
    flag(
        "diagnostics",
        Text,
        "info,actix_server=warn",
        Operation,
        "what is logged on stderr: error, warn, info, debug, trace, or a filter like phasor=debug,hyper=warn",
    ),
    flag("diagnostics-format", OneOf(&["text", "json"]), "text", Operation, "how stderr's lines look"),
    flag(
        "otlp-endpoint",
        Text,
        "",
        Operation,
        "URL of an OpenTelemetry collector that takes OTLP over HTTP in JSON, http://collector:4318; empty: no traces",
    ),
    flag(
        "trace-ratio",
        Number,
        "",
        Operation,
        "share of traces that is recorded, 0 to 1; empty: all; callers that send traceparent have decided already",
    ),
    flag("admin-port", Integer, "0", Operation, "port of /livez /readyz /startupz /metrics; 0: off"),
    flag("admin-address", Text, "", Operation, "address of the admin port; empty: all"),
    flag("drain-delay", Duration, "0", Operation, "how long to go on accepting after SIGTERM, while /readyz says 503"),
    flag("shutdown-timeout", Duration, "25", Operation, "how long to wait for requests in flight when stopping"),
    flag(
        "gpu",
        OneOf(&["auto", "on", "off"]),
        "auto",
        Operation,
        "auto: a real GPU where it is predicted to be faster; on: any adapter, software too, wherever it can; off: never",
    ),
    flag(
        "gpu-adapter",
        Text,
        "",
        Operation,
        "use only this adapter: its number in `phasor gpus` or a part of its name",
    ),
    flag(
        "gpu-memory",
        Bytes,
        "0",
        Operation,
        "most memory to take on each GPU, 256MiB or more; 0: as the work needs it, about 4 GiB. Memory on the host's side \
         is part of -memory-budget",
    ),
    flag(
        "debug-headers",
        Switch,
        "false",
        Operation,
        "say in headers where a picture was made (Phasor-Placement) and how long each stage took (Server-Timing)",
    ),
    flag(
        "shadow",
        Text,
        "",
        Operation,
        "another server of the same API, such as http://imaginary:9000, that gets a sample of the requests too; what \
         differs is counted and logged",
    ),
    flag("shadow-share", Number, "0.01", Operation, "share of the requests that -shadow gets, up to 1"),
    flag("gzip", Switch, "false", Operation, "accepted for compatibility, does nothing"),
    flag("mrelease", Integer, "30", Operation, "accepted for compatibility, does nothing"),
];

/// The flag of this name.
pub(super) fn find(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

/// The flag whose name looks most like this one, when any does.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    FLAGS
        .iter()
        .map(|flag| (distance(&lower, flag.name), flag.name))
        .filter(|&(distance, known)| distance <= 1 + known.len().min(name.len()) / 3)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, known)| known)
}

/// Levenshtein distance by the two-row method.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_lower_case() {
        for (i, flag) in FLAGS.iter().enumerate() {
            assert!(flag.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{}", flag.name);
            assert!(FLAGS[i + 1..].iter().all(|other| other.name != flag.name), "{} twice", flag.name);
            assert!(!flag.help.is_empty());
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_nonsense_is_not() {
        assert_eq!(nearest("enable-url-sources"), Some("enable-url-source"));
        assert_eq!(nearest("max-alowed-size"), Some("max-allowed-size"));
        assert_eq!(nearest("Mount"), Some("mount"));
        assert_eq!(nearest("xyzzyplugh"), None);
    }
}
