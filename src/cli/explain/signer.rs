//! Mistakes that are made when signers are written: the right key, another text or another spelling of the MAC.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::asked::Asked;
use crate::cli::url::Split;
use crate::query::Query;
use crate::security::{Key, signature};

/// What is wrong with how `shown` was made, if it was made of this URL with one of the keys.
pub(super) fn mistake(split: &Split<'_>, shown: &str, keys: &[Key]) -> Option<String> {
    let asked = Asked::of(split);
    let macs = spellings(shown);
    let raw: Vec<&str> = split
        .raw_query
        .split('&')
        .filter(|pair| !pair.is_empty() && Query::parse(pair.as_bytes()).count("sign") == 0)
        .collect();
    let raw = raw.join("&").into_bytes();
    let whole = signature::canonical(&asked.path, &asked.query());
    let query = whole[asked.path.len()..].to_vec();
    let (path, raw_path, base) = (asked.path.as_slice(), split.raw_path.as_bytes(), split.base.as_bytes());
    let spaced = String::from_utf8_lossy(&query).replace('+', "%20").into_bytes();
    let texts: [(&str, Vec<u8>); 8] = [
        ("", whole.clone()),
        ("a ? stands between path and query; nothing does", [path, b"?", &query].concat()),
        (
            "the query is signed as it is written; sort its pairs by name and encode them as a form",
            [path, &raw].concat(),
        ),
        (
            "the URL is signed as it is written; sign the path, then the sorted query without the ?",
            [raw_path, b"?", &raw].concat(),
        ),
        ("a space is %20 in the signed text; write it as +", [path, &spaced].concat()),
        ("the path is signed with its escapes; decode it first", [raw_path, &query].concat()),
        ("the query alone is signed; the path stands before it", query.clone()),
        ("scheme and host are signed; they are not", [base, &whole].concat()),
    ];
    for (wrong_text, text) in &texts {
        for key in keys {
            // With an empty query the path is the whole text.
            let right = signature::sign(key, text, &Query::default());
            let Some((wrong_spelling, _)) =
                macs.iter().find(|(_, mac)| URL_SAFE_NO_PAD.decode(&right).is_ok_and(|right| right == *mac))
            else {
                continue;
            };
            let both: Vec<&str> = [*wrong_text, *wrong_spelling].into_iter().filter(|text| !text.is_empty()).collect();
            return (!both.is_empty()).then(|| both.join("; "));
        }
    }
    None
}

/// The MACs that a signature may stand for, and what is wrong with the way in which it says so.
fn spellings(shown: &str) -> Vec<(&'static str, Vec<u8>)> {
    // In a query a plus sign is a space.
    let plus = shown.replace(' ', "+");
    let hex: Option<Vec<u8>> = (0..shown.len() / 2)
        .map(|at| shown.get(2 * at..2 * at + 2).and_then(|two| u8::from_str_radix(two, 16).ok()))
        .collect();
    [
        ("", URL_SAFE_NO_PAD.decode(shown).ok()),
        ("`sign` ends in =; leave that out", URL_SAFE.decode(shown).ok()),
        ("`sign` is in plain base64; write - for +, _ for /, and no =", STANDARD.decode(&plus).ok()),
        ("`sign` is in plain base64; write - for + and _ for /", STANDARD_NO_PAD.decode(&plus).ok()),
        ("`sign` is in hexadecimal digits; write it in base64url without =", hex),
    ]
    .into_iter()
    .filter_map(|(wrong, mac)| Some((wrong, mac?)))
    .collect()
}
