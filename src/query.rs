//! The query string, taken apart once: what is signed, what is parsed and what is executed are the same pairs.
//! Uses no other module.

use std::borrow::Cow;

/// Decoded name-value pairs in the order written. Names and values are bytes: a client may percent-encode anything.
///
/// As in Go's `url.ParseQuery`, which the contract follows: pairs are split at `&`, names from values at the first `=`,
/// `+` is a space, empty pairs vanish, and a pair that holds `;` or a bad escape is dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pairs: Vec<(Vec<u8>, Vec<u8>)>,
    dropped: usize,
    empty: usize,
}

impl Query {
    /// Takes a raw query string (without the `?`) apart. Never fails; what cannot be read is counted.
    pub fn parse(raw: &[u8]) -> Self {
        let mut query = Self::default();
        if raw.is_empty() {
            return query;
        }
        for pair in raw.split(|&b| b == b'&') {
            if pair.is_empty() {
                query.empty += 1;
                continue;
            }
            if pair.contains(&b';') {
                query.dropped += 1;
                continue;
            }
            let cut = pair.iter().position(|&b| b == b'=');
            let (name, value) = match cut {
                Some(i) => (&pair[..i], &pair[i + 1..]),
                None => (pair, &pair[..0]),
            };
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => query.pairs.push((name, value)),
                _ => query.dropped += 1,
            }
        }
        query
    }

    /// A query of these pairs, decoded.
    pub const fn from_pairs(pairs: Vec<(Vec<u8>, Vec<u8>)>) -> Self {
        Self { pairs, dropped: 0, empty: 0 }
    }

    /// The first value of a name, as text; bytes that are not UTF-8 become U+FFFD.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get_bytes(name).map(String::from_utf8_lossy)
    }

    /// The first value of a name.
    pub fn get_bytes(&self, name: &str) -> Option<&[u8]> {
        self.pairs.iter().find(|(n, _)| n == name.as_bytes()).map(|(_, v)| v.as_slice())
    }

    /// How often a name occurs.
    pub fn count(&self, name: &str) -> usize {
        self.pairs.iter().filter(|(n, _)| n == name.as_bytes()).count()
    }

    /// All pairs in the order written.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.pairs.iter().map(|(n, v)| (n.as_slice(), v.as_slice()))
    }

    /// Pairs that were dropped because they hold `;` or a bad escape.
    pub const fn dropped(&self) -> usize {
        self.dropped
    }

    /// Empty pairs (`a=1&&b=2` has one).
    pub const fn empty_pairs(&self) -> usize {
        self.empty
    }
}

/// Percent-decoding with `+` as space; `None` for a bad escape.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&b, tail)) = rest.split_first() {
        rest = match b {
            b'+' => {
                out.push(b' ');
                tail
            }
            b'%' => {
                let (high, low) = (hex(*tail.first()?)?, hex(*tail.get(1)?)?);
                out.push(high << 4 | low);
                &tail[2..]
            }
            _ => {
                out.push(b);
                tail
            }
        };
    }
    Some(out)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_value_wins_and_plus_is_space() {
        let q = Query::parse(b"a=1+2&a=3&%62=%2B&c");
        assert_eq!(q.get("a").as_deref(), Some("1 2"));
        assert_eq!(q.get("b").as_deref(), Some("+"));
        assert_eq!(q.get("c").as_deref(), Some(""));
        assert_eq!(q.count("a"), 2);
        assert_eq!(q.get("d"), None);
    }

    #[test]
    fn bad_pairs_are_dropped_and_counted() {
        let q = Query::parse(b"a=%zz&b=1;c=2&&d=%4&e=5&=x");
        assert_eq!(q.dropped(), 3);
        assert_eq!(q.empty_pairs(), 1);
        assert_eq!(q.pairs().count(), 2);
        assert_eq!(q.get("e").as_deref(), Some("5"));
    }
}
