//! Signatures against a second opinion, and against forgers. Input: a path and the pairs of a query.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;
use phasor::query::Query;
use phasor::security::signature::{Key, check_expiry, sign, verify};
use sha2::Sha256;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

static KEY: LazyLock<Key> = LazyLock::new(|| Key::new(SECRET).expect("a long key"));

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

fuzz_target!(|input: (Vec<u8>, Pairs)| {
    let (path, mut pairs) = input;
    let keys = std::slice::from_ref(&*KEY);

    // Nobody signed this.
    let raw = Query::parse(&path);
    assert!(verify(keys, b"/resize", &raw).is_err(), "a forged signature");
    let _ = check_expiry(&raw, 1);

    pairs.retain(|(name, _)| name != b"sign");
    let unsigned = Query::parse(written(&pairs).as_bytes());
    assert_eq!(unsigned.pairs().count(), pairs.len(), "every escape is read");
    let shown = sign(&KEY, &path, &unsigned);
    assert_eq!(shown, second_opinion(&path, &pairs), "the two opinions differ");

    let signed = |pairs: &Pairs| {
        let mut pairs = pairs.clone();
        pairs.push((b"sign".to_vec(), shown.clone().into_bytes()));
        Query::parse(written(&pairs).as_bytes())
    };
    assert_eq!(verify(keys, &path, &signed(&pairs)), Ok(()));

    // Anything else under the same signature is refused.
    let mut longer = path.clone();
    longer.push(b'x');
    assert!(verify(keys, &longer, &signed(&pairs)).is_err(), "another path");
    let mut more = pairs.clone();
    more.push((b"width".to_vec(), b"9".to_vec()));
    assert!(verify(keys, &path, &signed(&more)).is_err(), "another pair");
    if let Some((_, value)) = pairs.last_mut() {
        value.push(b'0');
        assert!(verify(keys, &path, &signed(&pairs)).is_err(), "another value");
    }
});

/// A query in which every byte is escaped.
fn written(pairs: &Pairs) -> String {
    let escaped = |bytes: &[u8]| bytes.iter().map(|b| format!("%{b:02X}")).collect::<String>();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
    pairs.join("&")
}

/// The rule once more, in other words: names in order, values as they come, form-encoded by the `url` crate.
fn second_opinion(path: &[u8], pairs: &Pairs) -> String {
    let mut by_name: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for (name, value) in pairs {
        by_name.entry(name).or_default().push(value);
    }
    // Form encoding keeps `*` and escapes `~`; Go does it the other way round.
    let escaped = |bytes: &[u8]| {
        let form: String = url::form_urlencoded::byte_serialize(bytes).collect();
        form.replace('*', "%2A").replace("%7E", "~")
    };
    let words: Vec<String> = by_name
        .iter()
        .flat_map(|(name, values)| values.iter().map(|value| format!("{}={}", escaped(name), escaped(value))))
        .collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(path);
    mac.update(words.join("&").as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}
