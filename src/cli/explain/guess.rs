//! What was done to a URL, from the URL alone: each thing that proxies are known for is taken back, one of the path with
//! one or two of the query, until what is left is what one of the keys has signed. A signature cannot be right by chance,
//! so a guess that fits is no guess any more.

use super::asked::{Asked, Pair, decoded_once, slashes_merged};
use super::change::Change;
use crate::plan::PARAMS;

/// Pairs beyond which pairs of pairs are not tried.
const MOST: usize = 24;

/// The URL as it must have been signed, by which of the keys, and what was done to it. `signer` says which key has signed
/// a URL.
pub(super) fn guess(
    received: &Asked,
    prefix: &str,
    signer: impl Fn(&Asked) -> Option<usize>,
) -> Option<(Asked, usize, Vec<Change>)> {
    let paths = paths(&received.path, prefix);
    let queries = queries(&received.pairs);
    // Few changes before many.
    let mut all: Vec<_> = paths.iter().flat_map(|path| queries.iter().map(move |query| (path, query))).collect();
    all.sort_by_key(|(path, query)| path.1.len() + query.1.len());
    all.into_iter().find_map(|((path, of_path), (pairs, of_query))| {
        let asked = Asked { path: path.clone(), pairs: pairs.clone() };
        let key = signer(&asked)?;
        Some((asked, key, of_path.iter().chain(of_query).cloned().collect()))
    })
}

/// Paths that may have been signed; the first is the one that came.
fn paths(received: &[u8], prefix: &str) -> Vec<(Vec<u8>, Vec<Change>)> {
    let mut all = vec![(received.to_vec(), Vec::new())];
    let mut add = |path: Vec<u8>, change| all.push((path, vec![change]));
    let merged = slashes_merged(received);
    if merged != received {
        add(merged, Change::SlashDoubled);
    }
    if let Some(short) = received.strip_suffix(b"/").filter(|short| !short.is_empty()) {
        add(short.to_vec(), Change::SlashAdded);
    }
    add([received, b"/"].concat(), Change::SlashLost);
    if let Some(decoded) = decoded_once(received) {
        add(decoded, Change::PathEncodedTwice);
    }
    if !prefix.is_empty() {
        add([prefix.as_bytes(), received].concat(), Change::PrefixLost(prefix.to_owned()));
    }
    // `/img/v1/resize`: signed as `/v1/resize` or as `/resize`.
    for (at, _) in received.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/') {
        let front = String::from_utf8_lossy(&received[..at]).into_owned();
        add(received[at..].to_vec(), Change::PrefixAdded(front));
    }
    all
}

/// Queries that may have been signed; the first is the one that came.
fn queries(received: &[Pair]) -> Vec<(Vec<Pair>, Vec<Change>)> {
    let mut all = vec![(received.to_vec(), Vec::new())];
    all.extend(once(received));
    let unknown: Vec<usize> = (0..received.len()).filter(|&at| !is_known(&received[at].0)).collect();
    if unknown.len() > 1 {
        let kept = received.iter().filter(|(name, _)| is_known(name)).cloned().collect();
        all.push((kept, unknown.iter().map(|&at| Change::Added(text(&received[at].0))).collect()));
    }
    // Every value, where a query was encoded anew as a whole.
    let decoded: Vec<Pair> =
        received.iter().map(|(n, v)| (n.clone(), decoded_once(v).unwrap_or_else(|| v.clone()))).collect();
    let changed = received.iter().zip(&decoded).filter(|(before, after)| before != after);
    let changes: Vec<Change> = changed.map(|((name, _), _)| Change::EncodedTwice(text(name))).collect();
    if changes.len() > 1 {
        all.push((decoded, changes));
    }
    if received.len() <= MOST {
        for (pairs, first) in once(received) {
            all.extend(once(&pairs).into_iter().map(|(pairs, second)| (pairs, [first.clone(), second].concat())));
        }
    }
    all
}

/// One change of the query taken back, in each way.
fn once(received: &[Pair]) -> Vec<(Vec<Pair>, Vec<Change>)> {
    let mut all = Vec::new();
    for (at, (name, value)) in received.iter().enumerate() {
        let name = text(name);
        let mut add = |pairs: Vec<Pair>, change| all.push((pairs, vec![change]));
        let with = |value: Vec<u8>| {
            let mut pairs = received.to_vec();
            pairs[at].1 = value;
            pairs
        };
        let mut fewer = received.to_vec();
        fewer.remove(at);
        add(fewer, Change::Added(name.clone()));
        if let Some(decoded) = decoded_once(value) {
            add(with(decoded), Change::EncodedTwice(name.clone()));
        }
        if value.contains(&b' ') {
            let plus = value.iter().map(|&byte| if byte == b' ' { b'+' } else { byte }).collect();
            add(with(plus), Change::Plus(name.clone()));
        }
        if let Some(colon) = value.windows(2).position(|two| two == b":/")
            && value.get(colon + 2) != Some(&b'/')
        {
            let doubled = [&value[..=colon], b"/", &value[colon + 1..]].concat();
            add(with(doubled), Change::ValueSlashes(name.clone()));
        }
        // A value that was cut: what fell out stands behind it.
        let mut whole = value.clone();
        for end in at + 1..received.len() {
            let (name, value) = &received[end];
            whole.push(b'&');
            whole.extend_from_slice(name);
            whole.push(b'=');
            whole.extend_from_slice(value);
            let mut pairs = with(whole.clone());
            pairs.drain(at + 1..=end);
            add(pairs, Change::Cut(text(&received[at].0)));
        }
        // Two values of one name, the other way round.
        for later in (at + 1..received.len()).filter(|&later| received[later].0 == received[at].0) {
            let mut pairs = received.to_vec();
            pairs.swap(at, later);
            add(pairs, Change::Order(name.clone()));
        }
    }
    all
}

/// Whether the server knows the parameter.
fn is_known(name: &[u8]) -> bool {
    PARAMS.iter().any(|spec| spec.name.as_bytes() == name)
        || matches!(name, b"file" | b"url" | b"field" | b"key" | b"expires")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
