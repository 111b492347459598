//! `phasor explain URL`, `phasor explain URL-AS-SIGNED URL-AS-RECEIVED`.

mod asked;
mod change;
mod guess;
mod signature;
mod signer;

use std::fmt::Write as _;

use super::url::Split;
use crate::config::{Args, Config};
use crate::plan::{self, Endpoint};
use crate::query::Query;

/// Lines of text, and why the server would refuse the URL.
#[derive(Debug, Default)]
struct Explanation {
    out: String,
    faults: Vec<String>,
}

/// How a URL is read, what its signature should be, and why it would be refused; lines of text. With `received`, `signed`
/// is what a client asked for and `received` what reached the server, from its access log for example: what was changed
/// between the two is named.
///
/// # Errors
/// Settings that cannot be served with.
pub fn explain(signed: &str, received: Option<&str>, args: &Args) -> Result<String, Vec<String>> {
    let config = Config::from_args(args)?;
    let restored = received.map(|received| with_sign(received, signed));
    let split = Split::of(restored.as_deref().unwrap_or(signed));
    let as_signed = restored.is_some().then(|| Split::of(signed));
    let path = split.path();
    let query = Query::parse(split.raw_query.as_bytes());
    let mut told = Explanation::default();
    let Explanation { out, faults } = &mut told;

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
    signature::explain(args, &config, (as_signed.as_ref(), &split), endpoint.is_some(), &mut told)?;
    explain_source(&config, &query, &mut told);
    let Explanation { mut out, faults } = told;
    if faults.is_empty() {
        out.push_str("verdict     accepted, as far as can be told without the picture\n");
    }
    for fault in faults {
        let _ = writeln!(out, "refused     {fault}");
    }
    Ok(out)
}

/// `url`, and where its signature is blacked out, as in the access log, that of the other.
fn with_sign(url: &str, other: &str) -> String {
    let sign = Query::parse(Split::of(other).raw_query.as_bytes());
    match sign.get("sign") {
        Some(sign) => url.replace("sign=REDACTED", &format!("sign={sign}")),
        None => url.to_owned(),
    }
}

fn explain_source(config: &Config, query: &Query, told: &mut Explanation) {
    let Explanation { out, faults } = told;
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
