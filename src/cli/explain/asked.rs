//! What a signature covers of a request.

use crate::cli::url::Split;
use crate::query::Query;

/// Name and value, decoded.
pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The decoded path, and the decoded pairs of the query but `sign`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub path: Vec<u8>,
    pub pairs: Vec<Pair>,
}

impl Asked {
    pub(super) fn of(split: &Split<'_>) -> Self {
        let query = Query::parse(split.raw_query.as_bytes());
        let pairs = query.pairs().filter(|(name, _)| *name != b"sign").map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
        Self { path: split.path(), pairs }
    }

    pub(super) fn query(&self) -> Query {
        Query::from_pairs(self.pairs.clone())
    }

    /// The values of a name, in their order.
    pub(super) fn values(&self, name: &[u8]) -> Vec<&[u8]> {
        self.pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_slice()).collect()
    }

    /// The names, each once, in the order of their first value.
    pub(super) fn names(&self) -> Vec<&[u8]> {
        let mut names: Vec<&[u8]> = Vec::new();
        for (name, _) in &self.pairs {
            if !names.contains(&name.as_slice()) {
                names.push(name);
            }
        }
        names
    }
}

/// A text with its escapes resolved once more; `None` when there are none, or a bad one.
pub(super) fn decoded_once(text: &[u8]) -> Option<Vec<u8>> {
    let bad = text.iter().enumerate().any(|(i, &byte)| {
        byte == b'%' && !text.get(i + 1..i + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if bad || !text.contains(&b'%') {
        return None;
    }
    Some(percent_encoding::percent_decode(text).collect())
}

/// Slashes one after the other as one.
pub(super) fn slashes_merged(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if byte != b'/' || out.last() != Some(&b'/') {
            out.push(byte);
        }
    }
    out
}
