//! Subcommands beside the server: `phasor sign URL`, `phasor explain URL`. Answers are text; `main` prints them.

use std::fmt::Write as _;

use crate::config::{Args, Config};
use crate::plan::{self, Endpoint};
use crate::query::Query;
use crate::security::{Key, signature};

/// A URL as the server sees it: decoded path, raw query; and what stands before both.
struct Split<'a> {
    /// Scheme and authority, if there are any.
    base: &'a str,
    raw_path: &'a str,
    raw_query: &'a str,
}

impl<'a> Split<'a> {
    fn of(url: &'a str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        // A `://` further back belongs to the URL of a source.
        let authority = url.find("://").filter(|&at| !url[..at].contains(['/', '?'])).map(|at| at + 3);
        let path_at =
            authority.map_or(0, |start| url[start..].find(['/', '?']).map_or(url.len(), |length| start + length));
        let (base, rest) = url.split_at(path_at);
        let (raw_path, raw_query) = rest.split_once('?').unwrap_or((rest, ""));
        Self { base, raw_path, raw_query }
    }

    fn path(&self) -> Vec<u8> {
        percent_encoding::percent_decode_str(self.raw_path).collect()
    }
}

/// The GPUs of this machine.
#[cfg(feature = "gpu")]
pub fn gpus() -> String {
    crate::engine::gpu_listing()
}

/// The GPUs that a program without the feature sees.
#[cfg(not(feature = "gpu"))]
pub fn gpus() -> String {
    "no GPU: this program was built without the gpu feature\n".to_owned()
}

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

/// How a URL is read, what its signature should be, and why it would be refused; lines of text.
///
/// # Errors
/// Settings that cannot be served with.
pub fn explain(url: &str, args: &Args) -> Result<String, Vec<String>> {
    let config = Config::from_args(args)?;
    let split = Split::of(url);
    let path = split.path();
    let query = Query::parse(split.raw_query.as_bytes());
    let mut out = String::new();
    let mut faults: Vec<String> = Vec::new();

    let text = String::from_utf8_lossy(&path);
    let _ = writeln!(out, "path        {text}");
    let segment = text.strip_prefix(&*config.server.path_prefix).and_then(|rest| rest.strip_prefix('/'));
    let endpoint = segment.and_then(Endpoint::from_path_segment);
    match (endpoint, segment) {
        (Some(endpoint), _) => {
            let _ = writeln!(out, "endpoint    {}", endpoint.name());
            if config.server.disabled.iter().any(|name| name == endpoint.name()) {
                faults.push("501: the endpoint is switched off (-disable-endpoints)".to_owned());
            }
        }
        (None, Some("" | "form" | "health")) => out.push_str("endpoint    none: a page of the server\n"),
        (None, _) => faults.push("404: no such endpoint".to_owned()),
    }
    let names = query.pairs().map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>();
    for (i, (name, value)) in query.pairs().enumerate() {
        let name = String::from_utf8_lossy(name);
        let note = if names[..i].contains(&names[i]) { "   (ignored: the first of its name counts)" } else { "" };
        let value = if name == "key" { "…".into() } else { String::from_utf8_lossy(value) };
        let _ = writeln!(out, "parameter   {name} = {value}{note}");
    }
    if query.dropped() > 0 {
        let _ = writeln!(out, "dropped     {} pairs that hold `;` or a bad escape", query.dropped());
    }
    match plan::parse(&query) {
        Ok(params) => {
            let _ = writeln!(out, "parsed      {params:?}");
        }
        Err(error) => faults.push(format!("400: {error}")),
    }
    explain_signature(args, &config, &path, &query, endpoint.is_some(), &mut out, &mut faults)?;
    explain_source(&config, &query, &mut out, &mut faults);
    if faults.is_empty() {
        out.push_str("verdict     accepted, as far as can be told without the picture\n");
    }
    for fault in faults {
        let _ = writeln!(out, "refused     {fault}");
    }
    Ok(out)
}

fn explain_signature(
    args: &Args,
    config: &Config,
    path: &[u8],
    query: &Query,
    image: bool,
    out: &mut String,
    faults: &mut Vec<String>,
) -> Result<(), Vec<String>> {
    let canonical = signature::canonical(path, query);
    let _ = writeln!(out, "signed text {}", String::from_utf8_lossy(&canonical));
    match signing_key(args)? {
        None => out.push_str("signature   unknown: no key (URL_SIGNATURE_KEY or -url-signature-key)\n"),
        Some(key) => {
            let _ = writeln!(out, "signature   {}", signature::sign(&key, path, query));
        }
    }
    if let Some(shown) = query.get("sign") {
        let _ = writeln!(out, "shown       {shown}");
    }
    let keys = &config.security.signature_keys;
    if keys.is_empty() {
        out.push_str("            signatures are not checked (-enable-url-signature is off)\n");
    } else if image && let Err(error) = signature::verify(keys, path, query) {
        let status = if error == signature::SignatureError::Mismatch { 403 } else { 400 };
        let more = if query.count("sign") == 0 { ": there is no `sign`" } else { "" };
        faults.push(format!("{status}: {error}{more}"));
    }
    Ok(())
}

fn explain_source(config: &Config, query: &Query, out: &mut String, faults: &mut Vec<String>) {
    let given = |name| query.get(name).filter(|value| !value.is_empty());
    match (given("file"), given("url")) {
        (Some(file), _) => {
            let _ = writeln!(out, "source      file {file}");
            if config.sources.mount.is_none() {
                faults.push("400: file= needs -mount".to_owned());
            }
        }
        (None, Some(url)) => {
            let _ = writeln!(out, "source      url {url}");
            let signed = !config.security.signature_keys.is_empty();
            if !config.sources.enable_url {
                faults.push("400: url= needs -enable-url-source".to_owned());
            } else if let Err(error) = config.sources.judge(&url, signed) {
                faults.push(error.to_string());
            }
        }
        (None, None) => out.push_str("source      the body of a POST (a GET needs file= or url=)\n"),
    }
}

/// The key that signs: flag or `URL_SIGNATURE_KEY`.
fn signing_key(args: &Args) -> Result<Option<Key>, Vec<String>> {
    let text = args.text("url-signature-key");
    if text.is_empty() {
        return Ok(None);
    }
    Key::new(text).map(Some).map_err(|error| vec![error.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "4f46feebafc4b5e988f131c4ff8b5997";

    fn args(more: &[&str]) -> Args {
        let all = ["-url-signature-key", KEY].iter().chain(more).map(|arg| (*arg).to_owned());
        crate::config::args::parse(all, &|_| None).unwrap().1
    }

    #[test]
    fn a_signed_url_verifies_and_signing_twice_changes_nothing() {
        let signed = sign("https://img.example.com/resize?width=300&url=http%3A%2F%2Fx%2Fa+b.jpg", &args(&[])).unwrap();
        assert!(signed.starts_with("https://img.example.com/resize?width=300&url=http%3A%2F%2Fx%2Fa+b.jpg&sign="));
        assert_eq!(sign(signed.trim(), &args(&[])).unwrap(), signed);
        let told = explain(signed.trim(), &args(&["-enable-url-signature", "-enable-url-source"])).unwrap();
        assert!(!told.contains("mismatch"), "{told}");
    }

    #[test]
    fn explain_names_every_reason() {
        let told = explain("/nope?width=abc&sign=x", &args(&["-enable-url-signature"])).unwrap();
        assert!(told.contains("refused     404"), "{told}");
        assert!(told.contains("refused     400: Error while processing parameters"), "{told}");
        let told = explain("/resize?width=1&url=http://x/", &args(&["-enable-url-signature"])).unwrap();
        assert!(told.contains("refused     403: URL signature mismatch: there is no `sign`"), "{told}");
        assert!(told.contains("refused     400: url= needs -enable-url-source"), "{told}");
        assert!(!told.contains(KEY));
    }

    #[test]
    fn urls_split_with_and_without_an_authority() {
        let split = Split::of("http://h:1/a%20b?c=d#e");
        assert_eq!((split.base, split.raw_path, split.raw_query), ("http://h:1", "/a%20b", "c=d"));
        assert_eq!(split.path(), b"/a b");
        let split = Split::of("/resize?url=http://x/");
        assert_eq!((split.base, split.raw_path, split.raw_query), ("", "/resize", "url=http://x/"));
    }
}
