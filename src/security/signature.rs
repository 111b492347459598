//! Signed URLs: HMAC-SHA256 over the path and the query without `sign`, in base64url without padding.
//!
//! What the reference accepts is accepted with the same bytes signed, and what it refuses is refused with the same
//! answer. It also accepts unsigned variations of a signed URL, each of which is a key to a second cache entry that a
//! stranger can make; those are refused here (see [`verify`]).

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::query::Query;

/// The shortest key that is accepted, in bytes.
pub const MIN_KEY_LEN: usize = 32;

/// Decodes what the reference's decoder decodes: any bits after the last byte. [`verify`] refuses those afterwards,
/// when it knows that the signature is right otherwise.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// A key for URL signatures. Its `Debug` text shows nothing of it.
#[derive(Clone)]
pub struct Key {
    mac: Hmac<Sha256>,
}

/// A key that is too short to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The URL signature key must be at least {MIN_KEY_LEN} characters long, this one has {length}")]
pub struct KeyError {
    /// Bytes of the key.
    pub length: usize,
}

impl Key {
    /// # Errors
    /// The key has fewer than [`MIN_KEY_LEN`] bytes.
    pub fn new(key: &str) -> Result<Self, KeyError> {
        let error = KeyError { length: key.len() };
        if key.len() < MIN_KEY_LEN {
            return Err(error);
        }
        Hmac::new_from_slice(key.as_bytes()).map(|mac| Self { mac }).map_err(|_| error)
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        self.mac.clone().chain_update(text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(redacted)")
    }
}

/// Why a URL is not taken for a signed one. The texts are the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `sign` is not base64url, or the query holds something that the signature does not cover.
    #[error("Invalid URL signature")]
    Invalid,
    /// `sign` is missing, empty or wrong.
    #[error("URL signature mismatch")]
    Mismatch,
    /// The signed time `expires` is over.
    #[error("URL has expired")]
    Expired,
}

/// The text that is signed: the decoded path, followed without a separator by the pairs of the query but `sign`,
/// sorted by name (pairs of one name keep their order) and encoded as Go's `url.Values.Encode` does.
pub fn canonical(path: &[u8], query: &Query) -> Vec<u8> {
    let mut pairs: Vec<(&[u8], &[u8])> = query.pairs().filter(|(name, _)| *name != b"sign").collect();
    pairs.sort_by_key(|(name, _)| *name);
    let mut text = path.to_vec();
    for (i, (name, value)) in pairs.into_iter().enumerate() {
        if i > 0 {
            text.push(b'&');
        }
        escape(&mut text, name);
        text.push(b'=');
        escape(&mut text, value);
    }
    text
}

/// The value of `sign` that makes `path` and `query` a signed URL; a `sign` in the query does not count.
pub fn sign(key: &Key, path: &[u8], query: &Query) -> String {
    URL_SAFE_NO_PAD.encode(key.mac(&canonical(path, query)).finalize().into_bytes())
}

/// Whether `sign` signs the rest of the query and the path with one of the keys. The comparison takes constant time.
///
/// A signature that is right still fails when the URL could have been made by a stranger from another signed URL:
/// bits after the last byte of `sign`, a second `sign`, empty pairs, and pairs that the parser drops (`;`, bad
/// escapes). No honest signer writes any of them.
///
/// # Errors
/// [`SignatureError::Invalid`] and [`SignatureError::Mismatch`] as they say.
pub fn verify(keys: &[Key], path: &[u8], query: &Query) -> Result<(), SignatureError> {
    let shown = query.get_bytes("sign").unwrap_or_default();
    let mac = LENIENT.decode(shown).map_err(|_| SignatureError::Invalid)?;
    let text = canonical(path, query);
    let signed = keys.iter().fold(false, |found, key| key.mac(&text).verify_slice(&mac).is_ok() | found);
    if !signed {
        return Err(SignatureError::Mismatch);
    }
    let strict = URL_SAFE_NO_PAD.decode(shown).is_ok();
    if !strict || query.count("sign") != 1 || query.dropped() > 0 || query.empty_pairs() > 0 {
        return Err(SignatureError::Invalid);
    }
    Ok(())
}

/// Whether a signed URL is still good at `now` (unix seconds): without `expires` it is good for ever, otherwise up to
/// and including that second. Only meaningful after [`verify`], which covers `expires` as it covers every pair.
///
/// # Errors
/// [`SignatureError::Expired`] after that time, [`SignatureError::Invalid`] when it is not a number.
pub fn check_expiry(query: &Query, now: u64) -> Result<(), SignatureError> {
    let Some(expires) = query.get_bytes("expires") else { return Ok(()) };
    let digits = !expires.is_empty() && expires.iter().all(u8::is_ascii_digit);
    let expires = std::str::from_utf8(expires).ok().filter(|_| digits).ok_or(SignatureError::Invalid)?;
    // More digits than fit are a time that never comes.
    if expires.parse().unwrap_or(u64::MAX) < now { Err(SignatureError::Expired) } else { Ok(()) }
}

/// Appends `text` as Go's `url.QueryEscape` writes it: unreserved characters as they are, space as `+`.
fn escape(out: &mut Vec<u8>, text: &[u8]) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
}

#[cfg(test)]
mod tests;
