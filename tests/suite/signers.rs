//! The signers under `docs/signers` and the vectors that others try theirs with.

use std::path::Path;
use std::process::Command;

use phasor::query::Query;
use phasor::security::Key;
use phasor::security::signature::verify;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// `docs/signing-vectors.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    key: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    url: String,
    /// What the signature is of.
    text: String,
    /// The URL with its signature.
    signed: String,
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)
}

fn vectors() -> Vectors {
    let vectors: Vectors =
        serde_json::from_str(&std::fs::read_to_string(path("signing-vectors.json")).unwrap()).unwrap();
    assert_eq!(vectors.vectors.len(), 50);
    vectors
}

/// HMAC as RFC 2104 writes it, by nothing of ours and nothing that ours uses but the hash.
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Base64url without padding, six bits at a time.
fn base64url(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)).collect();
    let six = |bits: &[u8]| (0..6).fold(0, |value, at| value * 2 + usize::from(bits.get(at).copied().unwrap_or(0)));
    bits.chunks(6).map(|bits| char::from(alphabet[six(bits)])).collect()
}

/// Path and query of a URL, without an authority and a fragment.
fn split(url: &str) -> (&str, &str) {
    let url = url.split('#').next().unwrap();
    let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let rest = rest.map_or(url, |rest| &rest[rest.find('/').unwrap()..]);
    rest.split_once('?').unwrap_or((rest, ""))
}

/// The signed text, by the `url` crate's reading and writing of forms.
fn text(url: &str) -> String {
    use url::form_urlencoded::{byte_serialize, parse};
    let (path, query) = split(url);
    let mut text = percent_encoding::percent_decode_str(path).decode_utf8().unwrap().into_owned();
    let lossless = !query.contains("%FF");
    assert!(lossless || query.contains("%FF%FE"), "one vector alone holds bytes that are no text");
    let mut pairs: Vec<_> = parse(query.as_bytes()).filter(|(name, _)| name != "sign").collect();
    // UTF-8 sorts like the characters that it stands for.
    pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
    let encode = |text: &str| {
        let encoded: String = byte_serialize(text.as_bytes()).collect();
        let encoded = encoded.replace('*', "%2A").replace("%7E", "~");
        if lossless { encoded } else { encoded.replace("%EF%BF%BD%EF%BF%BD", "%FF%FE") }
    };
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    text.push_str(&pairs.join("&"));
    text
}

#[test]
fn vectors_are_what_the_program_prints_and_what_others_compute() {
    let Vectors { key, vectors } = vectors();
    for Vector { url, text: signed_text, signed } in &vectors {
        let printed = Command::new(env!("CARGO_BIN_EXE_phasor"))
            .args(["sign", url])
            .env_clear()
            .env("URL_SIGNATURE_KEY", &key)
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&printed.stdout).trim_end(), signed, "{url}");
        assert_eq!(text(url), *signed_text, "{url}");
        let sign = signed.rsplit_once("sign=").unwrap().1;
        assert_eq!(base64url(&hmac(key.as_bytes(), signed_text.as_bytes())), sign, "{url}");
        let (path, query) = split(signed);
        let path: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
        verify(&[Key::new(&key).unwrap()], &path, &Query::parse(query.as_bytes())).expect(signed);
    }
}

/// RFC 4231, case 2, and RFC 4648: the computation above is one.
#[test]
fn the_other_computation_is_the_standards() {
    let mac = hmac(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    assert_eq!(mac[28..], [0x64, 0xec, 0x38, 0x43]);
    assert_eq!(
        (base64url(b"foobar"), base64url(b"\xfb\xff"), base64url(b"f")),
        ("Zm9vYmFy".into(), "-_8".into(), "Zg".into())
    );
}

/// The programs that are missing, one a line on stderr; with REQUIRE_SIGNERS=1 none may be.
fn there(programs: &[&str]) -> bool {
    let missing: Vec<&&str> = programs
        .iter()
        .filter(|program| {
            let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
            !found.is_ok_and(|output| output.status.success())
        })
        .collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: a signer of docs/signers is not tried, for want of {missing:?}");
        assert!(std::env::var("REQUIRE_SIGNERS").as_deref() != Ok("1"), "missing: {missing:?}");
    }
    missing.is_empty()
}

/// Runs a signer on all vectors.
fn signs_every_vector(programs: &[&str], command: &[&str], file: &str) {
    if !there(programs) {
        return;
    }
    let Vectors { key, vectors } = vectors();
    let caches = tempfile::tempdir().unwrap();
    let output = Command::new(command[0])
        .args(&command[1..])
        .arg(path("signers").join(file))
        .args(vectors.iter().map(|vector| &vector.url))
        .env("URL_SIGNATURE_KEY", &key)
        // Nothing is written beside the sources.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("GOCACHE", caches.path())
        .env("GO111MODULE", "off")
        .env("GOFLAGS", "")
        .output()
        .unwrap();
    assert!(output.status.success(), "{file}: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), vectors.len(), "{file}");
    for (line, vector) in lines.iter().zip(&vectors) {
        assert_eq!(*line, vector.signed, "{file}: {}", vector.url);
    }
}

#[test]
fn the_shells_signer_signs_every_vector() {
    signs_every_vector(&["sh", "openssl", "awk", "base64"], &["sh"], "sign.sh");
}

#[test]
fn javascripts_signer_signs_every_vector() {
    signs_every_vector(&["node"], &["node"], "sign.mjs");
}

#[test]
fn pythons_signer_signs_every_vector() {
    signs_every_vector(&["python3"], &["python3"], "sign.py");
}

#[test]
fn gos_signer_signs_every_vector() {
    signs_every_vector(&["go"], &["go", "run"], "sign.go");
}

#[test]
fn phps_signer_signs_every_vector() {
    signs_every_vector(&["php"], &["php"], "sign.php");
}

#[test]
fn rubys_signer_signs_every_vector() {
    signs_every_vector(&["ruby"], &["ruby"], "sign.rb");
}
