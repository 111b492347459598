//! The text of a URL, read once: what is checked is what is dialled.

use hyper::http::Uri;
use percent_encoding::percent_decode_str;
use url::{Position, Url};

use super::origins::escapes_are_valid;

/// A URL that may be fetched as far as its text goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// As the WHATWG parser reads it: scheme http or https, a host, no user information.
    pub(super) url: Url,
    /// The URL for messages, as the client wrote it where that needs no escaping.
    pub(super) shown: String,
    /// Host, port and decoded path for messages.
    pub(super) origin: String,
}

impl Target {
    /// Reads what a client wrote. `None`: no scheme or another than http and https, no host, user information, control
    /// characters, blanks around it, bad escapes, and whatever else the parser refuses.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.chars().any(char::is_control) || text.trim() != text {
            return None;
        }
        let colon = text.find("://")?;
        let scheme = text[..colon].to_ascii_lowercase();
        let rest = &text[colon + 3..];
        let (rest, fragment) = rest.find('#').map_or((rest, ""), |at| rest.split_at(at));
        let (rest, query) = rest.find('?').map_or((rest, ""), |at| rest.split_at(at));
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        // A backslash ends the host for one parser and not for another; user information is a disguise for hosts.
        if authority.is_empty() || authority.contains(['@', '\\']) {
            return None;
        }
        if ![authority, path, fragment].into_iter().all(escapes_are_valid) {
            return None;
        }
        // In a path it is a character like others, yet the parser would take it for a slash.
        let escaped_path = path.replace('\\', "%5C");
        let url = Url::parse(&format!("{scheme}://{authority}{escaped_path}{query}{fragment}")).ok()?;
        let plain = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
        let tail = format!("{path}{query}{fragment}");
        let shown = if tail.bytes().all(plain) { format!("{scheme}://{authority}{tail}") } else { url.to_string() };
        let origin = format!("{authority}{}", percent_decode_str(path).decode_utf8_lossy());
        fetchable(&url).then_some(Self { url, shown, origin })
    }

    /// Reads the `Location` of a redirect from here.
    pub(super) fn redirected(&self, location: &str) -> Option<Self> {
        let url = self.url.join(location).ok()?;
        let origin = format!(
            "{}{}",
            &url[Position::BeforeHost..Position::BeforePath],
            percent_decode_str(url.path()).decode_utf8_lossy()
        );
        fetchable(&url).then(|| Self { shown: self.shown.clone(), url, origin })
    }

    /// What the HTTP client is given. `None` if it would read another host or port out of it than was checked.
    pub(super) fn uri(&self) -> Option<Uri> {
        let uri = Uri::try_from(&self.url[..Position::AfterQuery]).ok()?;
        (uri.host() == self.url.host_str() && uri.port_u16() == self.url.port()).then_some(uri)
    }

    /// Host and port, for limits per host.
    pub(super) fn host_and_port(&self) -> String {
        format!("{}:{}", self.url.host_str().unwrap_or_default(), self.url.port_or_known_default().unwrap_or_default())
    }
}

fn fetchable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url
            .host_str()
            .is_some_and(|host| host.strip_suffix('.').unwrap_or(host).split('.').all(|label| !label.is_empty()))
        && url.username().is_empty()
        && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Host;

    use super::*;

    /// S10, and what the reference calls no URL.
    #[test]
    fn other_schemes_and_broken_texts_are_no_targets() {
        for text in [
            "file:///etc/passwd",
            "ftp://h/x",
            "gopher://h/x",
            "data:image/png,x",
            "unix:/run/x",
            "foo",
            "/foo",
            "//h/x",
            "http:foo",
            "http:///foo",
            "http://",
            "http://./",
            "http://1../",
            "http://a..b/",
            "http://.h/",
            "http://h/%zz",
            "http://h/%",
            "http://h%zz/",
            "http://h/#%zz",
            "http://[::1",
            "http://h:99999/",
            "http://h:x/",
            " http://h/",
            "http://h/ ",
            "http://h/\n",
            "http://h\t/",
            "http://u:p@h/",
            "http://u@h/",
            "http://@h/",
            "http://h\\@g/",
            "http://a b/",
            "javascript:alert(1)",
            "ws://h/",
            "http://h/\0",
            "",
        ] {
            assert!(Target::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn messages_show_what_was_written() {
        for (text, shown, origin) in [
            ("http://h", "http://h", "h"),
            ("HTTP://EVIL.com:80/%41b/../x?q#f", "http://EVIL.com:80/%41b/../x?q#f", "EVIL.com:80/Ab/../x"),
            ("http://h/a b", "http://h/a%20b", "h/a b"),
            ("http://h/a\\b", "http://h/a%5Cb", "h/a\\b"),
            ("http://h/x?%zz&u=http://g/", "http://h/x?%zz&u=http://g/", "h/x"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!((target.shown.as_str(), target.origin.as_str()), (shown, origin), "{text}");
        }
    }

    /// S4.
    #[test]
    fn numeric_spellings_are_addresses() {
        for host in [
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "0x7f000001",
            "0x7f.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "１２７.0.0.1",
            "%31%32%37.0.0.1",
            "127。0。0。1",
            "127.0.0.1%2e",
            "0X7F.0X0.0X0.0X1",
            "0x7f.0.1",
            "127.0x1",
            "0000177.0.0.1",
            "127.000.000.001",
            "１２７．１",
            "0x7F000001.",
        ] {
            let target = Target::parse(&format!("http://{host}/x")).unwrap();
            assert_eq!(target.url.host_str(), Some("127.0.0.1"), "{host}");
            assert_eq!(target.uri().unwrap().host(), Some("127.0.0.1"), "{host}");
        }
    }

    #[test]
    fn redirects_are_read_from_where_they_stand() {
        let target = Target::parse("http://h:81/a/b?c").unwrap();
        for (location, url) in [
            ("x", Some("http://h:81/a/x")),
            ("/x", Some("http://h:81/x")),
            ("//g/x", Some("http://g/x")),
            ("https://g/é", Some("https://g/%C3%A9")),
            ("file:///etc/passwd", None),
            ("gopher://g/", None),
            ("http://u:p@g/", None),
            ("http://", None),
        ] {
            assert_eq!(target.redirected(location).map(|t| t.url.to_string()).as_deref(), url, "{location}");
        }
    }

    proptest! {
        #[test]
        fn no_host_looks_like_a_number(host in "[0-9a-fx.%１٠]{1,16}") {
            if let Some(target) = Target::parse(&format!("http://{host}/")) && let Some(Host::Domain(domain)) = target.url.host() {
                let last = domain.strip_suffix('.').unwrap_or(domain).rsplit('.').next().unwrap().to_owned();
                prop_assert!(!last.bytes().all(|b| b.is_ascii_digit()), "{domain}");
            }
        }

        #[test]
        fn the_client_dials_what_was_checked(text in "https?://[\\PC]{0,40}") {
            if let Some(target) = Target::parse(&text) && let Some(uri) = target.uri() {
                prop_assert_eq!(uri.host(), target.url.host_str());
                prop_assert_eq!(uri.scheme_str(), Some(target.url.scheme()));
            }
        }
    }
}
