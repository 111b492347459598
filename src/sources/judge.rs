//! The verdict on a URL as far as its text tells, without a look-up and without a connection.

use url::Host;

use super::address::{Guard, Reach};
use super::target::Target;
use super::{Config, FetchError, origins};

impl Config {
    /// Whether `url` would be asked for: its text, its origin, and its address when the host is one. The addresses that
    /// a name has are only known, and only judged, when it is dialled. `signed`: the request's signature is right.
    ///
    /// # Errors
    /// As [`super::Sources::fetch_url`] would have them.
    pub fn judge(&self, url: &str, signed: bool) -> Result<(), FetchError> {
        let target = Target::parse(url).ok_or(FetchError::InvalidUrl)?;
        if !origins::admit(&self.allowed_origins, &target.url) {
            return Err(FetchError::OriginNotAllowed { origin: target.origin });
        }
        let address = match target.url.host() {
            Some(Host::Ipv4(address)) => address.into(),
            Some(Host::Ipv6(address)) => address.into(),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let trusted = signed || origins::name_host(&self.allowed_origins, &target.url);
        let reach = if trusted { Reach::Private } else { Reach::Public };
        let guard = Guard { mode: self.private_addresses, networks: self.networks.clone() };
        let host = target.url.host_str().unwrap_or_default().to_owned();
        if guard.allows(&host, address, reach) { Ok(()) } else { Err(FetchError::AddressNotAllowed { host }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_addresses_are_judged_as_when_dialled() {
        let config = Config::default();
        assert!(config.judge("http://example.com/a.jpg", false).is_ok());
        assert!(matches!(config.judge("http://127.1/", true), Err(FetchError::AddressNotAllowed { .. })));
        assert!(matches!(config.judge("http://10.0.0.1/", false), Err(FetchError::AddressNotAllowed { .. })));
        assert!(config.judge("http://10.0.0.1/", true).is_ok());
        assert!(matches!(config.judge("ftp://example.com/", false), Err(FetchError::InvalidUrl)));
        let allowed_origins = super::super::Origin::parse_list("http://a.example/x").unwrap();
        let config = Config { allowed_origins, ..Config::default() };
        assert!(matches!(config.judge("http://b.example/", false), Err(FetchError::OriginNotAllowed { .. })));
    }
}
