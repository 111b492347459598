//! Headers of a fetch: what is said to every source, and what is handed on from the client.

use hyper::http::header::{ACCEPT_ENCODING, AUTHORIZATION, EXPECT, HOST, USER_AGENT, VIA};
use hyper::http::{HeaderMap, HeaderName, HeaderValue};

use super::config::{Config, ConfigError};

/// The name this server signs itself with in `Via`.
const MARK: &str = "phasor";

/// A request may have come through this many of our kind, so that one may fetch from another; the next one refuses.
const MARKS: usize = 1;

const X_FORWARD_AUTHORIZATION: HeaderName = HeaderName::from_static("x-forward-authorization");

/// Never handed on: they belong to one connection or to the message itself (RFC 9110, section 7.6.1).
const HOP_BY_HOP: &[&str] =
    &["connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// The settings, read once.
#[derive(Debug)]
pub(super) struct Headers {
    user_agent: HeaderValue,
    authorization: Option<HeaderValue>,
    auth_forwarding: bool,
    forward: Vec<HeaderName>,
    wanted: Vec<HeaderName>,
}

/// What one fetch hands on. It is for the origin of the first URL only.
#[derive(Debug, Default)]
pub(super) struct Handed {
    pub(super) headers: HeaderMap,
    /// Names that came from the client.
    pub(super) from_client: Vec<HeaderName>,
}

impl Headers {
    pub(super) fn new(config: &Config) -> Result<Self, ConfigError> {
        let secret = |value: &String| {
            let value = HeaderValue::from_str(value).map_err(|_| ConfigError::HeaderValue("-authorization"));
            value.map(|mut value| {
                value.set_sensitive(true);
                value
            })
        };
        let authorization = config.authorization.as_ref().filter(|value| !value.is_empty()).map(secret).transpose()?;
        let mut forward = Vec::new();
        for name in config.forward_headers.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
            let parsed = HeaderName::from_bytes(name.as_bytes());
            forward.push(parsed.map_err(|_| ConfigError::ForwardHeader(name.to_owned()))?);
        }
        forward.retain(may_be_handed_on);
        let mut wanted = forward.clone();
        wanted.push(VIA);
        if config.auth_forwarding {
            wanted.extend([X_FORWARD_AUTHORIZATION, AUTHORIZATION]);
        }
        Ok(Self {
            user_agent: HeaderValue::from_str(&config.user_agent)
                .map_err(|_| ConfigError::HeaderValue("The user agent"))?,
            authorization,
            auth_forwarding: config.auth_forwarding,
            forward,
            wanted,
        })
    }

    /// Headers of a client's request that [`Headers::hand_on`] and [`marks`] look at.
    pub(super) fn wanted(&self) -> &[HeaderName] {
        &self.wanted
    }

    /// Picks what is handed on from a client's request: the listed headers (their first value) and the authorization,
    /// the constant one before the client's.
    pub(super) fn hand_on(&self, client: &HeaderMap) -> Handed {
        let mut handed = Handed::default();
        for name in &self.forward {
            if let Some(value) = client.get(name) {
                handed.headers.insert(name.clone(), value.clone());
                handed.from_client.push(name.clone());
            }
        }
        let given = |name: HeaderName| client.get(&name).filter(|value| !value.is_empty()).map(|value| (name, value));
        let clients =
            || given(X_FORWARD_AUTHORIZATION).or_else(|| given(AUTHORIZATION)).filter(|_| self.auth_forwarding);
        if let Some(constant) = &self.authorization {
            handed.headers.insert(AUTHORIZATION, constant.clone());
            handed.from_client.retain(|name| *name != AUTHORIZATION);
        } else if let Some((name, value)) = clients() {
            handed.headers.insert(AUTHORIZATION, value.clone());
            if !handed.from_client.contains(&name) {
                handed.from_client.push(name);
            }
        }
        handed
    }

    /// All headers of a request to a source; `handed` is nothing once a redirect has left the first origin. `marks`:
    /// how often the client's request was marked as ours.
    pub(super) fn outgoing(&self, handed: Option<&Handed>, marks: usize) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, self.user_agent.clone());
        headers.extend(handed.map(|handed| handed.headers.clone()).unwrap_or_default());
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for _ in 0..=marks {
            headers.append(VIA, HeaderValue::from_static("1.1 phasor"));
        }
        headers
    }
}

/// How often a request is marked as ours.
pub(super) fn marks(client: &HeaderMap) -> usize {
    let entries = client.get_all(VIA).iter().flat_map(|value| value.as_bytes().split(|&b| b == b','));
    let names = entries.filter_map(|entry| {
        let words = entry.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.map(<[u8]>::to_ascii_lowercase).nth(1)
    });
    names.filter(|name| name == MARK.as_bytes()).count()
}

/// Whether that many marks are a loop.
pub(super) const fn is_loop(marks: usize) -> bool {
    marks > MARKS
}

fn may_be_handed_on(name: &HeaderName) -> bool {
    let own = [HOST, ACCEPT_ENCODING, EXPECT, VIA].contains(name);
    !own && !HOP_BY_HOP.contains(&name.as_str()) && !name.as_str().starts_with("proxy-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.parse::<HeaderValue>().unwrap())).collect()
    }

    fn config(authorization: Option<&str>, auth_forwarding: bool, forward: &[&str]) -> Headers {
        Headers::new(&Config {
            authorization: authorization.map(str::to_owned),
            auth_forwarding,
            forward_headers: forward.iter().map(|&name| name.to_owned()).collect(),
            ..Config::default()
        })
        .unwrap()
    }

    #[test]
    fn constant_wins_over_forwarded_and_forwarded_over_the_clients_own() {
        let both = [("Authorization", "own"), ("X-Forward-Authorization", "forwarded")];
        for (constant, forwarding, client, sent, from) in [
            (None, false, &both[..], None, 0),
            (None, true, &both[..], Some("forwarded"), 1),
            (None, true, &both[..1], Some("own"), 1),
            (None, true, &[][..], None, 0),
            (Some("constant"), false, &both[..], Some("constant"), 0),
            (Some("constant"), true, &both[..], Some("constant"), 0),
        ] {
            let handed = config(constant, forwarding, &[]).hand_on(&headers(client));
            assert_eq!(handed.headers.get(AUTHORIZATION).map(|v| v.to_str().unwrap()), sent);
            assert_eq!(handed.from_client.len(), from);
        }
    }

    /// S16.
    #[test]
    fn hop_by_hop_headers_stay_even_if_listed() {
        let listed = [
            "Connection",
            "Host",
            "TE",
            "Transfer-Encoding",
            "Content-Length",
            "Upgrade",
            "Proxy-Authorization",
            "Proxy-Connection",
            "Keep-Alive",
            "Trailer",
            "Accept-Encoding",
            "Expect",
            "Via",
            " x-custom ",
            "",
        ];
        let client: Vec<_> = listed.iter().map(|n| n.trim()).filter(|n| !n.is_empty()).map(|n| (n, "1")).collect();
        let handed = config(None, false, &listed).hand_on(&headers(&client));
        assert_eq!(handed.headers, headers(&[("X-Custom", "1")]));
    }

    #[test]
    fn faults_in_settings_are_reported() {
        for (authorization, forward) in [(Some("a\r\nb: c"), "X"), (None, "X Y"), (None, "X:")] {
            let config = Config {
                authorization: authorization.map(str::to_owned),
                forward_headers: vec![forward.to_owned()],
                ..Config::default()
            };
            assert_eq!(config.check().len(), 1);
            assert!(Headers::new(&config).is_err());
        }
    }

    /// S17.
    #[test]
    fn marks_are_counted_among_other_proxies() {
        assert_eq!(marks(&headers(&[])), 0);
        assert_eq!(marks(&headers(&[("Via", "1.1 varnish, 1.1 phasor (x)")])), 1);
        let mut twice = headers(&[("Via", "1.1 PHASOR")]);
        twice.append(VIA, HeaderValue::from_static("2 edge,1.1 phasor,1.1 phasorette"));
        assert_eq!(marks(&twice), 2);
        assert!(is_loop(2) && !is_loop(1));
        assert_eq!(marks(&config(None, false, &[]).outgoing(None, 1)), 2);
    }
}
