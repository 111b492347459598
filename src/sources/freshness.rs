//! How long a source allows its answer to be kept: `Cache-Control`, `Age`, `Expires` (RFC 9111).

use std::time::{Duration, SystemTime};

use hyper::http::HeaderMap;
use hyper::http::header::{AGE, CACHE_CONTROL, EXPIRES};

/// What a source says of keeping its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Nobody may keep them.
    pub no_store: bool,
    /// Ask again before each use.
    pub no_cache: bool,
    /// Not for caches that several people share.
    pub private: bool,
    /// Not to be used any longer than that, be the source there or not.
    pub must_revalidate: bool,
    /// Seconds that shared caches may use them from now on; `None`: nothing is said.
    pub shared: Option<u64>,
    /// The same for a browser's own cache.
    pub own: Option<u64>,
}

impl Freshness {
    /// Reads an answer's headers; `None` when they say nothing of it.
    pub fn read(headers: &HeaderMap, now: SystemTime) -> Option<Self> {
        let mut read = Self::default();
        let mut said = false;
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        for directive in values.flat_map(|value| value.split(',')) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim().to_ascii_lowercase();
            // A number that cannot be read is taken for the most careful one.
            let seconds = || Some(value.trim().trim_matches('"').parse::<u64>().unwrap_or(0));
            let known = match name.as_str() {
                "no-store" => {
                    read.no_store = true;
                    true
                }
                // With names of fields they concern those alone; the careful reading is for all.
                "no-cache" => {
                    read.no_cache = true;
                    true
                }
                "private" => {
                    read.private = true;
                    true
                }
                "must-revalidate" | "proxy-revalidate" => {
                    read.must_revalidate = true;
                    false
                }
                "s-maxage" => {
                    read.shared = read.shared.min(seconds()).or_else(seconds);
                    true
                }
                "max-age" => {
                    read.own = read.own.min(seconds()).or_else(seconds);
                    true
                }
                _ => false,
            };
            said |= known;
        }
        if !said && let Some(expires) = headers.get(EXPIRES) {
            let at = expires.to_str().ok().and_then(|text| httpdate::parse_http_date(text).ok());
            let left = at.and_then(|at| at.duration_since(now).ok()).map_or(0, |left| left.as_secs());
            (read.own, said) = (Some(left), true);
        }
        if !said {
            return None;
        }
        let age = headers.get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
        let (shared, own) = (read.shared.or(read.own), read.own.or(read.shared));
        read.shared = shared.map(|seconds| seconds.saturating_sub(age));
        read.own = own.map(|seconds| seconds.saturating_sub(age));
        Some(read)
    }

    /// What holds for something made of both.
    pub fn and(self, other: Self) -> Self {
        let least = |a: Option<u64>, b: Option<u64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (one, None) | (None, one) => one,
        };
        Self {
            no_store: self.no_store || other.no_store,
            no_cache: self.no_cache || other.no_cache,
            private: self.private || other.private,
            must_revalidate: self.must_revalidate || other.must_revalidate,
            shared: least(self.shared, other.shared),
            own: least(self.own, other.own),
        }
    }

    /// No longer than that.
    pub fn at_most(self, limit: Duration) -> Self {
        let cap = |seconds: Option<u64>| seconds.map(|seconds| seconds.min(limit.as_secs()));
        Self { shared: cap(self.shared), own: cap(self.own), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Option<Freshness> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        Freshness::read(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(1000))
    }

    #[test]
    fn directives_are_read_in_any_spelling() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[("cache-control", "public, immutable")]), None);
        let both =
            read(&[("cache-control", "Public, MAX-AGE=60"), ("cache-control", " s-maxage=\"600\""), ("age", "10")]);
        assert_eq!(both, Some(Freshness { shared: Some(590), own: Some(50), ..Freshness::default() }));
        let one = read(&[("cache-control", "private,max-age=5,must-revalidate"), ("age", "10")]).unwrap();
        assert_eq!((one.private, one.must_revalidate, one.own, one.shared), (true, true, Some(0), Some(0)));
        assert!(read(&[("cache-control", "no-store")]).unwrap().no_store);
        assert!(read(&[("cache-control", "no-cache=\"set-cookie\"")]).unwrap().no_cache);
    }

    #[test]
    fn doubt_shortens() {
        for wrong in ["max-age=x", "max-age", "max-age=-1", "max-age=9999999999999999999999", "max-age=5, max-age=0"] {
            assert_eq!(read(&[("cache-control", wrong)]).unwrap().own, Some(0), "{wrong}");
        }
    }

    #[test]
    fn expires_counts_where_nothing_else_is_said() {
        let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(1060));
        assert_eq!(read(&[("expires", &date)]).unwrap().own, Some(60));
        assert_eq!(read(&[("expires", "0")]).unwrap().own, Some(0));
        assert_eq!(read(&[("expires", &date), ("cache-control", "max-age=5")]).unwrap().own, Some(5));
    }

    #[test]
    fn of_two_sources_the_stricter_holds_and_of_a_limit_too() {
        let long = Freshness { own: Some(100), shared: Some(100), ..Freshness::default() };
        let short = Freshness { own: Some(5), private: true, ..Freshness::default() };
        let both = long.and(short);
        assert_eq!((both.own, both.shared, both.private), (Some(5), Some(100), true));
        assert_eq!(long.at_most(Duration::from_secs(7)).shared, Some(7));
    }
}
