//! The API key: header `API-Key`, or the query parameter `key`.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::query::Query;

/// The key every request has to show. Kept and compared as a SHA-256 digest, so that the time of a comparison depends
/// neither on the bytes that agree nor on the length of the key.
#[derive(Clone)]
pub struct ApiKey {
    digest: [u8; 32],
}

impl ApiKey {
    /// A key; `None` for the empty text, which means that no key is asked for.
    pub fn new(key: &str) -> Option<Self> {
        (!key.is_empty()).then(|| Self { digest: Sha256::digest(key.as_bytes()).into() })
    }

    /// Whether a request shows the key: `header` is the value of its `API-Key` header. Absent or empty, the first
    /// `key` parameter of the query counts instead.
    pub fn admits(&self, header: Option<&[u8]>, query: &Query) -> bool {
        let shown = header.filter(|value| !value.is_empty()).or_else(|| query.get_bytes("key")).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(shown).into();
        self.digest.ct_eq(&digest).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_wins_over_query_unless_it_is_empty() {
        let key = ApiKey::new("secret").unwrap();
        let good = Query::parse(b"key=secret&key=other");
        let bad = Query::parse(b"key=other&key=secret");
        let table: &[(Option<&[u8]>, &Query, bool)] = &[
            (Some(b"secret"), &bad, true),
            (Some(b"wrong"), &good, false),
            (Some(b""), &good, true),
            (None, &good, true),
            (None, &bad, false),
            (None, &Query::default(), false),
            (Some(b"secret "), &bad, false),
            (Some(b"secre"), &bad, false),
            (Some(b"SECRET"), &bad, false),
        ];
        for (header, query, admitted) in table {
            assert_eq!(key.admits(*header, query), *admitted, "{header:?} {query:?}");
        }
    }

    #[test]
    fn empty_key_asks_nobody_and_debug_shows_nothing() {
        assert!(ApiKey::new("").is_none());
        assert_eq!(format!("{:?}", ApiKey::new("hunter2")), "Some(ApiKey(redacted))");
    }
}
