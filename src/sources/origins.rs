//! Allowed origins: which hosts and paths a URL may name.

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// One entry of `-allowed-origins`. The scheme does not count; the host may start with `*.`, which stands for the
/// domain itself and everything under it; a path is a prefix (`/img` means `/img/`, `/my-buck*` is taken literally).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// In the URL parser's spelling: lower case, IDNA, addresses in their usual form; without a trailing dot.
    host: String,
    subdomains: bool,
    port: Option<u16>,
    /// Percent-decoded; empty: any.
    path: Vec<u8>,
}

/// An entry of `-allowed-origins` that cannot be understood. Skipping it could allow everything, so nothing starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("-allowed-origins: {entry:?} is not an origin ({reason}); write it as https://images.example.com/path")]
pub struct OriginError {
    entry: String,
    reason: &'static str,
}

impl Origin {
    /// Reads a comma-separated list. Blanks around entries and empty entries are skipped; the empty text is an empty
    /// list.
    ///
    /// # Errors
    /// Every entry that is not an origin, or a list of nothing but commas.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, Vec<OriginError>> {
        let entries: Vec<&str> = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect();
        if entries.is_empty() && !text.trim().is_empty() {
            return Err(vec![OriginError { entry: text.to_owned(), reason: "the list has no entries" }]);
        }
        let (mut origins, mut errors) = (Vec::new(), Vec::new());
        for entry in entries {
            match Self::parse(entry) {
                Ok(origin) => origins.push(origin),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(origins) } else { Err(errors) }
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// No scheme or `//`, no host, a bad port, a wildcard elsewhere than in front, a path with `..` or a bad escape.
    pub fn parse(entry: &str) -> Result<Self, OriginError> {
        let error = |reason| OriginError { entry: entry.to_owned(), reason };
        let (_, rest) = entry.split_once("//").ok_or_else(|| error("it has no scheme"))?;
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let authority = authority.rsplit('@').next().unwrap_or_default();
        let (subdomains, authority) = match authority.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, authority),
        };
        let (host, port) = split_port(authority).ok_or_else(|| error("its port is not a number"))?;
        if host.is_empty() {
            return Err(error("it has no host"));
        }
        if host.contains(['*', '\\']) {
            return Err(error("only a leading *. may be used in the host"));
        }
        let host = Host::parse(host).map_err(|_| error("its host is not valid"))?;
        if subdomains && !matches!(host, Host::Domain(_)) {
            return Err(error("an address has no subdomains"));
        }
        let host = without_dot(&host.to_string()).to_owned();
        let path = match path.strip_suffix('*') {
            Some(prefix) => prefix.to_owned(),
            None if path.is_empty() || path.ends_with('/') => path.to_owned(),
            None => format!("{path}/"),
        };
        if !escapes_are_valid(&path) {
            return Err(error("its path holds a bad escape"));
        }
        let path = decode(&path);
        if climbs(&path) {
            return Err(error("its path holds .."));
        }
        Ok(Self { host, subdomains, port, path: if path == b"/" { Vec::new() } else { path } })
    }

    fn admits(&self, url: &Url) -> bool {
        let path = decode(url.path());
        self.admits_host(url) && (self.path.is_empty() || !climbs(&path) && path.starts_with(&self.path))
    }

    fn admits_host(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().map(without_dot) else { return false };
        let under = || host.strip_suffix(self.host.as_str()).is_some_and(|front| front.ends_with('.'));
        // `url.port()` is nothing when it is the scheme's own.
        let port = self.port == url.port() || self.port.is_some() && self.port == url.port_or_known_default();
        port && (host == self.host || self.subdomains && under())
    }
}

/// Whether one of the origins admits the URL; no origins admit every URL.
pub(super) fn admit(origins: &[Origin], url: &Url) -> bool {
    origins.is_empty() || origins.iter().any(|origin| origin.admits(url))
}

/// Whether the operator wrote this very host down.
pub(super) fn name_host(origins: &[Origin], url: &Url) -> bool {
    origins.iter().any(|origin| !origin.subdomains && origin.admits_host(url))
}

fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_address = authority.rfind(']').map_or(0, |at| at + 1);
    match authority.get(after_address..)?.find(':') {
        None => Some((authority, None)),
        Some(colon) => {
            let (host, port) = authority.split_at(after_address + colon);
            let port = &port[1..];
            match port.bytes().all(|b| b.is_ascii_digit()) {
                true if port.is_empty() => Some((host, None)),
                true => Some((host, Some(port.parse().ok()?))),
                false => None,
            }
        }
    }
}

fn without_dot(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

fn decode(path: &str) -> Vec<u8> {
    percent_decode_str(path).collect()
}

/// Every `%` is followed by two hexadecimal digits.
pub(super) fn escapes_are_valid(text: &str) -> bool {
    text.split('%').skip(1).all(|tail| tail.len() >= 2 && tail.bytes().take(2).all(|b| b.is_ascii_hexdigit()))
}

/// Whether a decoded path has a segment `..`, for a server that takes `\` for a separator or decodes once more.
fn climbs(path: &[u8]) -> bool {
    let mut path = path.to_vec();
    for _ in 0..3 {
        if path.split(|b| matches!(b, b'/' | b'\\')).any(|segment| segment == b"..") {
            return true;
        }
        let again: Vec<u8> = percent_encoding::percent_decode(&path).collect();
        if again == path {
            return false;
        }
        path = again;
    }
    // Escaped over and over: nobody names a picture so.
    true
}

#[cfg(test)]
mod tests;
