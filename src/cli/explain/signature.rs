//! The part of an explanation that is about the signature.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use super::asked::Asked;
use super::change::between;
use super::{Explanation, guess, signer};
use crate::cli::sign::signing_key;
use crate::cli::url::Split;
use crate::config::{Args, Config};
use crate::query::Query;
use crate::security::{Key, SignatureError, signature};

/// Which of the keys has signed this.
fn signer_of(keys: &[Key], asked: &Asked, shown: &str) -> Option<usize> {
    keys.iter().position(|key| signature::sign(key, &asked.path, &asked.query()) == shown)
}

/// Explains the signature of `received`; `signed` is the same URL as it was signed, where that is known.
pub(super) fn explain(
    args: &Args,
    config: &Config,
    (signed, received): (Option<&Split<'_>>, &Split<'_>),
    image: bool,
    told: &mut Explanation,
) -> Result<(), Vec<String>> {
    let (path, query) = (received.path(), Query::parse(received.raw_query.as_bytes()));
    let checked = !config.security.signature_keys.is_empty();
    let keys = if checked { config.security.signature_keys.clone() } else { Vec::from_iter(signing_key(args)?) };
    let out = &mut told.out;
    let _ = writeln!(out, "signed text {}", String::from_utf8_lossy(&signature::canonical(&path, &query)));
    match keys.first() {
        None => out.push_str("signature   unknown: no key (URL_SIGNATURE_KEY or -url-signature-key)\n"),
        Some(key) => {
            let _ = writeln!(out, "signature   {}", signature::sign(key, &path, &query));
        }
    }
    let shown = query.get("sign").filter(|shown| !shown.is_empty());
    if let Some(shown) = &shown {
        let _ = writeln!(out, "shown       {shown}");
        let asked = Asked::of(received);
        match signer_of(&keys, &asked, shown) {
            Some(key) => {
                let _ = writeln!(out, "            right, by key {} of {}", key + 1, keys.len());
            }
            None if keys.is_empty() => {}
            None => why_wrong(config, &keys, signed, received, shown, out),
        }
    }
    if let Some(signed) = signed {
        harmless(signed, received, out);
    }
    if !checked {
        out.push_str("            signatures are not checked (-enable-url-signature is off)\n");
    } else if image {
        if config.server.signed_get_only {
            out.push_str("method      GET: a POST would be refused with 405 (-signed-get-only)\n");
        }
        faults(&keys, &path, &query, &mut told.faults);
    }
    Ok(())
}

/// Why none of the keys has signed this.
fn why_wrong(
    config: &Config,
    keys: &[Key],
    signed: Option<&Split<'_>>,
    received: &Split<'_>,
    shown: &str,
    out: &mut String,
) {
    let came = Asked::of(received);
    let mut changed = |changes: &[super::change::Change]| {
        for change in changes {
            let _ = writeln!(out, "changed     {}\nadvice      {}", change.what(), change.advice());
        }
    };
    if let Some(split) = signed {
        let asked = Asked::of(split);
        let changes = between(&asked, &came);
        changed(&changes);
        match signer_of(keys, &asked, shown) {
            Some(key) => {
                let _ = writeln!(out, "as signed   right, by key {} of {}", key + 1, keys.len());
            }
            None => {
                let mistake = signer::mistake(split, shown, keys);
                let mistake = mistake.unwrap_or_else(|| "none of the keys has signed it".to_owned());
                let _ = writeln!(out, "as signed   wrong, too: {mistake}");
            }
        }
        return;
    }
    let found = guess::guess(&came, &config.server.path_prefix, |asked| signer_of(keys, asked, shown));
    if let Some((asked, key, changes)) = found {
        changed(&changes);
        let text = signature::canonical(&asked.path, &asked.query());
        let _ = writeln!(out, "as signed   {} (key {} of {})", String::from_utf8_lossy(&text), key + 1, keys.len());
    } else if let Some(mistake) = signer::mistake(received, shown, keys) {
        let _ = writeln!(out, "signer      {mistake}");
    } else {
        let _ = writeln!(
            out,
            "unknown     none of the {} keys has signed this, nor what it would be without the usual changes of proxies. \
             Another key, or something was taken away on the way: compare with `phasor explain URL-AS-SIGNED \
             URL-AS-RECEIVED` (the latter from the access log; its sign=REDACTED is understood)",
            keys.len()
        );
    }
}

/// Differences that a signature does not mind.
fn harmless(signed: &Split<'_>, received: &Split<'_>, out: &mut String) {
    if !signed.base.is_empty() && signed.base != received.base {
        out.push_str("harmless    scheme and host are not signed: whatever the server is called is right\n");
    }
    let (before, after) = (Asked::of(signed), Asked::of(received));
    if before.pairs != after.pairs && between(&before, &after).is_empty() {
        out.push_str("harmless    parameters in another order: they are sorted by name before they are signed\n");
    }
    let spelled = |split: &Split<'_>| split.raw_query.split('&').filter(|p| !p.starts_with("sign=")).count();
    if before.pairs == after.pairs && signed.raw_query != received.raw_query && spelled(signed) == spelled(received) {
        let without = |split: &Split<'_>| {
            let pairs: Vec<&str> = split.raw_query.split('&').filter(|pair| !pair.starts_with("sign=")).collect();
            pairs.join("&")
        };
        if without(signed) != without(received) {
            out.push_str(
                "harmless    other spellings of the same bytes (%20 and +, %2f and /): they are signed decoded\n",
            );
        }
    }
}

/// What the server says.
fn faults(keys: &[Key], path: &[u8], query: &Query, faults: &mut Vec<String>) {
    if let Err(error) = signature::verify(keys, path, query) {
        let status = if error == SignatureError::Mismatch { 403 } else { 400 };
        let why = if query.count("sign") == 0 {
            ": there is no `sign`"
        } else if error == SignatureError::Mismatch {
            ""
        } else if query.count("sign") > 1 {
            ": there are two of `sign`"
        } else if query.dropped() > 0 {
            ": a pair holds ; or a bad escape"
        } else if query.empty_pairs() > 0 {
            ": there is an empty pair, && or a & at an end"
        } else {
            ": `sign` is not base64url without padding"
        };
        faults.push(format!("{status}: {error}{why}"));
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match signature::check_expiry(query, now) {
        Ok(()) => {}
        Err(SignatureError::Expired) => {
            let ago = query.get("expires").and_then(|at| at.parse::<u64>().ok()).map_or(0, |at| now.saturating_sub(at));
            faults.push(format!("410: {}, {ago} seconds ago", SignatureError::Expired));
        }
        Err(error) => faults.push(format!("400: {error}: `expires` is no number of seconds")),
    }
}
