//! `phasor sign URL`.

use super::url::Split;
use crate::config::Args;
use crate::query::Query;
use crate::security::{Key, signature};

/// The signed form of a URL, with a newline: the URL as it is, `sign` at its end. An old `sign` is replaced.
///
/// # Errors
/// When there is no key, or one that is too short.
pub fn sign(url: &str, args: &Args) -> Result<String, Vec<String>> {
    let key = signing_key(args)?
        .ok_or_else(|| vec!["a key is needed: URL_SIGNATURE_KEY or -url-signature-key".to_owned()])?;
    let split = Split::of(url);
    let kept: Vec<&str> = split
        .raw_query
        .split('&')
        .filter(|pair| !pair.is_empty() && Query::parse(pair.as_bytes()).count("sign") == 0)
        .collect();
    let query = Query::parse(kept.join("&").as_bytes());
    if query.dropped() > 0 {
        return Err(vec!["a pair of the query holds `;` or a bad escape; such URLs are refused".to_owned()]);
    }
    let sign = signature::sign(&key, &split.path(), &query);
    let mut pairs = kept;
    let last = format!("sign={sign}");
    pairs.push(&last);
    Ok(format!("{}{}?{}\n", split.base, split.raw_path, pairs.join("&")))
}

/// The key that signs: flag or `URL_SIGNATURE_KEY`.
pub(super) fn signing_key(args: &Args) -> Result<Option<Key>, Vec<String>> {
    let text = args.text("url-signature-key");
    if text.is_empty() {
        return Ok(None);
    }
    Key::new(text).map(Some).map_err(|error| vec![error.to_string()])
}
