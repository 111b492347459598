//! What proxies do to URLs, in words, and what to do about it.

use super::asked::{Asked, decoded_once, slashes_merged};
use crate::query::Query;

/// One thing that was done to a URL between its signer and the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    PrefixLost(String),
    PrefixAdded(String),
    SlashDoubled,
    SlashesMerged,
    SlashAdded,
    SlashLost,
    PathEncodedTwice,
    PathDecoded,
    /// Nothing that has a name.
    Path,
    Added(String),
    Lost(String),
    /// Values of this one name came in another order; the order of different names does not count.
    Order(String),
    EncodedTwice(String),
    Decoded(String),
    Plus(String),
    /// The value ends at a `&` that was escaped when it was signed.
    Cut(String),
    ValueSlashes(String),
    Value(String),
}

impl Change {
    pub(super) fn what(&self) -> String {
        match self {
            Self::PrefixLost(prefix) => format!("the path lost its front, {prefix}, on the way (prefix stripping)"),
            Self::PrefixAdded(prefix) => format!("the path has {prefix} in front, which was not signed"),
            Self::SlashDoubled => "the path has a slash too many".to_owned(),
            Self::SlashesMerged => "doubled slashes of the path were merged into one".to_owned(),
            Self::SlashAdded => "the path got a slash at its end".to_owned(),
            Self::SlashLost => "the path lost the slash at its end".to_owned(),
            Self::PathEncodedTwice => "the path was percent-encoded a second time".to_owned(),
            Self::PathDecoded => "the path was percent-decoded once too often".to_owned(),
            Self::Path => "the path is another one".to_owned(),
            Self::Added(name) => format!("the parameter {name} was added after signing"),
            Self::Lost(name) => format!("the parameter {name} was dropped after signing"),
            Self::Order(name) => format!("the values of {name} came in another order (re-ordering)"),
            Self::EncodedTwice(name) => {
                format!("the value of {name} was percent-encoded a second time (re-encoding)")
            }
            Self::Decoded(name) => format!("the value of {name} was percent-decoded once too often (re-encoding)"),
            Self::Plus(name) => format!("a + in the value of {name} came as a space: %2B was decoded (re-encoding)"),
            Self::Cut(name) => format!("the value of {name} was cut at a &: %26 was decoded (re-encoding)"),
            Self::ValueSlashes(name) => format!("doubled slashes in the value of {name} were merged into one"),
            Self::Value(name) => format!("the value of {name} is another one"),
        }
    }

    pub(super) fn advice(&self) -> String {
        match self {
            Self::PrefixLost(prefix) => format!(
                "let the proxy pass the path on as it came (nginx: proxy_pass without a path) and start the server \
                 with --path-prefix {prefix}; or sign the path without {prefix}"
            ),
            Self::PrefixAdded(prefix) => format!(
                "sign the whole path, {prefix} too, and start the server with --path-prefix {prefix}; or let the \
                 proxy take {prefix} away"
            ),
            Self::SlashDoubled => {
                "nginx: a location and its proxy_pass both end in a slash, or neither does; nothing joins /img/ and / \
                 with two"
                    .to_owned()
            }
            Self::SlashesMerged => {
                "sign paths without doubled slashes; or nginx: proxy_pass without a path, merge_slashes off".to_owned()
            }
            Self::SlashAdded | Self::SlashLost => "let the proxy leave the end of the path alone".to_owned(),
            Self::PathEncodedTwice | Self::PathDecoded => {
                "let the proxy pass the path on as it came (nginx: proxy_pass without a path)".to_owned()
            }
            Self::Path => "let the proxy pass the path on as it came, or sign what it makes of it".to_owned(),
            Self::Added(name) => format!(
                "let the proxy or the CDN add nothing to the query (every parameter is signed); where {name} is \
                 known beforehand, sign it"
            ),
            Self::Lost(_) => "pass the whole query on (a CDN: all query strings)".to_owned(),
            Self::Order(name) => format!(
                "pass the query on as it came; or sign one value of {name} only: no parameter of ours is read twice"
            ),
            Self::EncodedTwice(_) | Self::Decoded(_) | Self::Plus(_) | Self::Cut(_) | Self::ValueSlashes(_) => {
                "pass the query on as it came (nginx: $request_uri or $args, no rewrite that takes values apart)"
                    .to_owned()
            }
            Self::Value(_) => "pass the query on as it came, or sign what the proxy makes of it".to_owned(),
        }
    }
}

/// What differs between a URL as it was signed and as it came.
pub(super) fn between(signed: &Asked, received: &Asked) -> Vec<Change> {
    let mut changes = Vec::new();
    let merged = slashes_merged(&received.path);
    if signed.path != received.path && slashes_merged(&signed.path) == signed.path && merged != received.path {
        changes.push(Change::SlashDoubled);
        if merged != signed.path {
            changes.push(of_path(&signed.path, &merged));
        }
    } else if signed.path != received.path {
        changes.push(of_path(&signed.path, &received.path));
    }
    let mut fallen_out = Vec::new();
    for name in signed.names() {
        let (before, after) = (signed.values(name), received.values(name));
        let text = String::from_utf8_lossy(name).into_owned();
        if after.is_empty() {
            changes.push(Change::Lost(text));
        } else if before != after {
            let sorted = |values: &[&[u8]]| {
                let mut values: Vec<Vec<u8>> = values.iter().map(|value| value.to_vec()).collect();
                values.sort();
                values
            };
            if sorted(&before) == sorted(&after) {
                changes.push(Change::Order(text));
                continue;
            }
            for (before, after) in before.iter().zip(&after).filter(|(before, after)| before != after) {
                let change = of_value(&text, before, after);
                if matches!(change, Change::Cut(_)) {
                    let rest = Query::parse(&before[after.len()..]);
                    fallen_out.extend(rest.pairs().map(|(name, _)| name.to_vec()));
                }
                changes.push(change);
            }
            if before.len() > after.len() {
                changes.push(Change::Lost(text));
            } else if before.len() < after.len() {
                changes.push(Change::Added(text));
            }
        }
    }
    for name in received.names() {
        // What fell out of a cut value is no addition of somebody else's.
        if signed.values(name).is_empty() && !fallen_out.iter().any(|fallen| fallen == name) {
            changes.push(Change::Added(String::from_utf8_lossy(name).into_owned()));
        }
    }
    changes
}

fn of_path(signed: &[u8], received: &[u8]) -> Change {
    let front = |long: &[u8], short: &[u8]| {
        let front = long.strip_suffix(short)?;
        (front.starts_with(b"/") && front.len() > 1 && short.starts_with(b"/"))
            .then(|| String::from_utf8_lossy(front).into_owned())
    };
    let with_slash = |path: &[u8]| [path, b"/"].concat();
    if slashes_merged(signed) == received {
        Change::SlashesMerged
    } else if with_slash(signed) == received {
        Change::SlashAdded
    } else if with_slash(received) == signed {
        Change::SlashLost
    } else if let Some(prefix) = front(signed, received) {
        Change::PrefixLost(prefix)
    } else if let Some(prefix) = front(received, signed) {
        Change::PrefixAdded(prefix)
    } else if decoded_once(received).is_some_and(|decoded| decoded == signed) {
        Change::PathEncodedTwice
    } else if decoded_once(signed).is_some_and(|decoded| decoded == received) {
        Change::PathDecoded
    } else {
        Change::Path
    }
}

fn of_value(name: &str, signed: &[u8], received: &[u8]) -> Change {
    let name = name.to_owned();
    let plus_as_space: Vec<u8> = signed.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    let cut = signed.strip_prefix(received).is_some_and(|rest| rest.starts_with(b"&"));
    if decoded_once(received).is_some_and(|decoded| decoded == signed) {
        Change::EncodedTwice(name)
    } else if plus_as_space == received {
        Change::Plus(name)
    } else if decoded_once(signed).is_some_and(|decoded| decoded == received) {
        Change::Decoded(name)
    } else if slashes_merged(signed) == received {
        Change::ValueSlashes(name)
    } else if cut {
        Change::Cut(name)
    } else {
        Change::Value(name)
    }
}
