//! Signed URLs through a real nginx that does to them what proxies do: what the server answers, and what `phasor explain`
//! makes of it.

use std::io::{BufRead as _, BufReader};

use super::edge::Edge;
use super::there;
use crate::http::serving::{Serving, phasor};
use crate::http::{Client, jpeg};

const OLD: &str = "an-old-key-of-more-than-32-characters";
const NEW: &str = "a-new-key-of-more-than-32-characters!";

/// What a proxy does to a signed URL.
struct Case {
    name: &'static str,
    /// Of nginx.
    lines: &'static str,
    /// What the client writes in front of what was signed.
    front: &'static str,
    /// Signed, then asked for.
    asked: &'static str,
    status: u16,
    /// What `explain` must say of the URL as it was signed and the line of the access log.
    compared: &'static [&'static str],
    /// What it must say of the URL alone as it reached the server; nothing where that cannot be known.
    alone: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "passed on as it came",
        lines: "location / { proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 200,
        compared: &["right, by key 2 of 2", "verdict     accepted"],
        alone: "right, by key 2 of 2",
    },
    Case {
        name: "the prefix is stripped",
        lines: "location /img/ { proxy_pass http://UPSTREAM/; }",
        front: "",
        asked: "/img/resize?width=40&file=a+b.jpg",
        status: 403,
        compared: &["lost its front, /img", "--path-prefix /img", "refused     403: URL signature mismatch"],
        alone: "",
    },
    Case {
        name: "a slash is doubled",
        lines: "location /img { proxy_pass http://UPSTREAM/; }",
        front: "",
        asked: "/img/resize?width=40&file=a+b.jpg",
        status: 404,
        compared: &["refused     404", "a slash too many", "lost its front, /img"],
        alone: "",
    },
    Case {
        name: "a prefix that was not signed is stripped",
        lines: "location /img/ { proxy_pass http://UPSTREAM/; }",
        front: "/img",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 200,
        compared: &["right, by key 2 of 2", "verdict     accepted"],
        alone: "right, by key 2 of 2",
    },
    Case {
        name: "a prefix that was not signed is passed on",
        lines: "location / { proxy_pass http://UPSTREAM; }",
        front: "/img",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 404,
        compared: &["has /img in front, which was not signed"],
        alone: "has /img in front, which was not signed",
    },
    Case {
        name: "a prefix is stripped, and a slash stays",
        lines: "location /img { proxy_pass http://UPSTREAM/; }",
        front: "/img",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 404,
        compared: &["a slash too many", "both end in a slash"],
        alone: "a slash too many",
    },
    Case {
        name: "slashes are merged",
        lines: "location / { proxy_pass http://UPSTREAM/; }",
        front: "",
        asked: "//resize?width=40&file=a+b.jpg",
        status: 403,
        compared: &["doubled slashes of the path were merged", "merge_slashes off"],
        alone: "",
    },
    Case {
        name: "a slash at the end",
        lines: "location / { rewrite ^(.*[^/])$ $1/ break; proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 404,
        compared: &["got a slash at its end", "refused     404"],
        alone: "got a slash at its end",
    },
    Case {
        name: "a parameter is added",
        lines: "location / { set $args $args&utm_source=mail; proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 403,
        compared: &["parameter utm_source was added", "add nothing to the query"],
        alone: "parameter utm_source was added",
    },
    Case {
        name: "a parameter is dropped",
        lines: "location / { set $args width=$arg_width&file=$arg_file&sign=$arg_sign; proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&quality=70&file=a+b.jpg",
        status: 403,
        compared: &["parameter quality was dropped", "all query strings"],
        alone: "",
    },
    Case {
        name: "values of one name are re-ordered",
        lines: "location / {
                  if ($args ~ ^(.*)&(text=[^&]*)&(text=[^&]*)(.*)$) { set $args $1&$3&$2$4; }
                  proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&text=a&text=b&file=a+b.jpg",
        status: 403,
        compared: &["values of text came in another order"],
        alone: "values of text came in another order",
    },
    Case {
        name: "an escape is escaped again",
        lines: "location / {
                  if ($args ~ ^(.*)%28(.*)$) { set $args $1%2528$2; }
                  proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a%28b.jpg",
        status: 403,
        compared: &["value of file was percent-encoded a second time", "$request_uri"],
        alone: "value of file was percent-encoded a second time",
    },
    Case {
        name: "an escaped plus sign is decoded",
        lines: "location / {
                  if ($args ~ ^(.*)%2B(.*)$) { set $args $1+$2; }
                  proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a%2Bb.jpg",
        status: 403,
        compared: &["a + in the value of file came as a space"],
        alone: "a + in the value of file came as a space",
    },
    Case {
        name: "an escaped ampersand is decoded",
        lines: "location / {
                  if ($args ~ ^(.*)%26(.*)$) { set $args $1&$2; }
                  proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&url=http%3A%2F%2Fx%2F%3Fa%3D1%26b=2&quality=70",
        status: 403,
        compared: &["value of url was cut at a &"],
        alone: "value of url was cut at a &",
    },
    Case {
        name: "two things at once",
        lines: "location / { set $args $args&utm_source=mail&utm_medium=x; rewrite ^(.*[^/])$ $1/ break;
                  proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 404,
        compared: &["got a slash at its end", "utm_source was added", "utm_medium was added"],
        alone: "utm_medium was added",
    },
    Case {
        name: "another host, another order, other spellings",
        lines: "location / {
                  if ($args ~ ^(width=[0-9]+)&(.*)[+](.*)$) { set $args $2%20$3&$1; }
                  proxy_set_header Host inside.example; proxy_pass http://UPSTREAM; }",
        front: "",
        asked: "/resize?width=40&file=a+b.jpg",
        status: 200,
        compared: &["another order: they are sorted", "host are not signed", "verdict     accepted"],
        alone: "right, by key 2 of 2",
    },
];

#[test]
fn explain_names_what_a_proxy_did_to_a_signed_url() {
    if !there("nginx") {
        return;
    }
    let mount = tempfile::tempdir().unwrap();
    for name in ["a b.jpg", "a+b.jpg", "a(b.jpg"] {
        std::fs::write(mount.path().join(name), jpeg(80, 60)).unwrap();
    }
    let mount = mount.path().to_str().unwrap();
    // Two keys are valid; what is asked for is signed with the second.
    let flags = ["-enable-url-signature", "-url-signature-keys", NEW, "-enable-url-source", "-mount", mount];
    let keys = [("URL_SIGNATURE_KEY", OLD)];
    let mut serving = Serving::with(&[&["-a", "127.0.0.1", "-p", "0"], &flags[..]].concat(), &keys);
    let mut log = BufReader::new(serving.child.stdout.take().unwrap());
    for case in CASES {
        let edge = Edge::with(case.lines, serving.address());
        let url = format!("http://img.example.com{}", case.asked);
        let signed = phasor(&["sign", &url], &[("URL_SIGNATURE_KEY", NEW)]);
        let signed = String::from_utf8(signed.stdout).unwrap().trim().to_owned();
        let target = signed.strip_prefix("http://img.example.com").unwrap();
        let target = format!("{}{target}", case.front);
        let answer = Client::connect(edge.address).request("GET", &target, &[], None);
        assert_eq!(answer.status, case.status, "{}: {}", case.name, answer.text());

        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let received = line.split(' ').skip_while(|word| *word != "\"GET").nth(1).unwrap();
        let explain = |urls: &[&str]| {
            let output = phasor(&[&["explain"], &flags[..], urls].concat(), &keys);
            String::from_utf8(output.stdout).unwrap()
        };
        let told = explain(&[&signed, received]);
        for part in case.compared {
            assert!(told.contains(part), "{}: {part} is not said of {received}\n{told}", case.name);
        }
        let sign = signed.rsplit_once("sign=").unwrap().1;
        let told = explain(&[&received.replace("REDACTED", sign)]);
        let expected = if case.alone.is_empty() { "unknown     none of the 2 keys" } else { case.alone };
        assert!(told.contains(expected), "{}: {expected} is not said of {received} alone\n{told}", case.name);
        assert!(!told.contains(OLD) && !told.contains(NEW));
    }
}
