use super::*;
use crate::config::Args;

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
    let told = explain(signed.trim(), None, &args(&["-enable-url-signature", "-enable-url-source"])).unwrap();
    assert!(!told.contains("mismatch"), "{told}");
}

#[test]
fn explain_names_every_reason() {
    let told = explain("/nope?width=abc&sign=x", None, &args(&["-enable-url-signature"])).unwrap();
    assert!(told.contains("refused     404"), "{told}");
    assert!(told.contains("refused     400: Error while processing parameters"), "{told}");
    let told = explain("/resize?width=1&url=http://x/", None, &args(&["-enable-url-signature"])).unwrap();
    assert!(told.contains("refused     403: URL signature mismatch: there is no `sign`"), "{told}");
    assert!(told.contains("refused     400: url= needs -enable-url-source"), "{told}");
    assert!(!told.contains(KEY));
}

/// The MAC of a text in base64url, by the way of an empty query.
fn mac(text: &str) -> String {
    use crate::query::Query;
    use crate::security::{Key, signature};
    signature::sign(&Key::new(KEY).unwrap(), text.as_bytes(), &Query::default())
}

#[test]
fn explain_knows_what_signers_do_wrong() {
    let checked = args(&["-enable-url-signature", "-enable-url-source"]);
    let right = "/resizeurl=http%3A%2F%2Fx%2Fa+b.jpg&width=300";
    let query = "width=300&url=http://x/a+b.jpg";
    let hex: String = {
        use base64::Engine as _;
        let mac = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(mac(right)).unwrap();
        mac.iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let plain = mac(right).replace('-', "%2B").replace('_', "%2F");
    let table = [
        (mac(right), "verdict     accepted"),
        (mac(&format!("/resize?{}", &right[7..])), "a ? stands between path and query"),
        (mac(&format!("/resize{query}")), "sort its pairs by name"),
        (mac(&format!("/resize?{query}")), "signed as it is written"),
        (mac(&right.replace('+', "%20")), "a space is %20"),
        (mac(&right[7..]), "the query alone is signed"),
        (mac(&format!("https://img.example.com{right}")), "scheme and host are signed"),
        (format!("{}%3D", mac(right)), "ends in =; leave that out"),
        (hex, "hexadecimal digits"),
        (format!("{plain}%3D"), "plain base64; write - for +, _ for /, and no ="),
        (mac("something else"), "unknown     none of the 1 keys"),
    ];
    for (sign, expected) in table {
        let told = explain(&format!("https://img.example.com/resize?{query}&sign={sign}"), None, &checked).unwrap();
        let plain_text = expected.starts_with("plain base64") && !sign.contains("%2") && told.contains("ends in =");
        assert!(told.contains(expected) || plain_text, "{expected}: {told}");
    }
}

#[test]
fn explain_says_which_key_and_when_a_url_expired() {
    let other = "another-key-of-more-than-32-characters";
    let checked = args(&["-enable-url-signature", "-url-signature-keys", other, "-signed-get-only"]);
    let signed = sign("/info?file=a.jpg&expires=5", &args(&["-url-signature-key", other])).unwrap();
    let told = explain(signed.trim(), None, &checked).unwrap();
    assert!(told.contains("right, by key 2 of 2") && told.contains("a POST would be refused"), "{told}");
    assert!(told.contains("refused     410: URL has expired, "), "{told}");
    let signed = sign("/info?file=a.jpg&expires=99999999999", &args(&[])).unwrap();
    assert!(!explain(signed.trim(), None, &checked).unwrap().contains("refused     410"));
    let twice = format!("{}&sign=x", signed.trim());
    assert!(explain(&twice, None, &checked).unwrap().contains("400: Invalid URL signature: there are two"));
}
