//! Redirects: each hop passes the gates of the first.

use std::sync::Arc;

use super::origin::{Origin, answer};
use super::{Server, jpeg};

fn to(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// `/to?PLACE` redirects there, `/a.jpg` is a picture, `/again` leads to itself.
fn origin() -> Origin {
    Origin::with(|path| match path.split_once('?') {
        Some(("/to", place)) => to(place),
        _ if path == "/again" => to("/again"),
        _ => answer("200 OK", &jpeg(80, 60)),
    })
}

const OPEN: &[&str] = &["-enable-url-source", "-source-networks", "127.0.0.1/32"];
const DENIED: &str = "Source address is not allowed";

fn ask(server: &Server, url: &str) -> super::Answer {
    server.get(&format!("/resize?width=40&url={url}"))
}

#[test]
fn redirects_are_followed_from_where_they_stand() {
    let origin = origin();
    let server = Server::with(OPEN);
    for place in [origin.url("/a.jpg"), "/a.jpg".to_owned(), "a.jpg".to_owned()] {
        ask(&server, &origin.url(&format!("/to?{place}"))).assert_picture("image/jpeg", 40, 30);
    }
    let url = origin.url(&format!("/to?{}", origin.url("/to?/a.jpg")));
    ask(&server, &url).assert_picture("image/jpeg", 40, 30);
}

#[test]
fn a_redirect_into_a_forbidden_network_is_refused_undialled() {
    let (origin, inner) = (origin(), origin());
    let heads = Arc::clone(&inner.heads);
    let server = Server::with(OPEN);
    let port = inner.address.port();
    // All of these reach this machine; the fake origin listens on 127.0.0.1 alone, which is the one that is allowed.
    for host in
        ["127.0.0.2", "[::1]", "[::ffff:127.0.0.2]", "0.0.0.0", "2130706434", "0x7f.2", "169.254.169.254", "10.0.0.1"]
    {
        let place = format!("http://{host}:{port}/a.jpg");
        ask(&server, &origin.url(&format!("/to?{place}"))).assert_error(403, DENIED);
    }
    assert_eq!(heads.lock().unwrap().len(), 0);
    assert_eq!(origin.heads.lock().unwrap().len(), 8);
}

#[test]
fn a_redirect_to_an_origin_that_is_not_allowed_is_refused_undialled() {
    let (origin, other) = (origin(), origin());
    let allowed = format!("http://{}", origin.address);
    let mut flags = OPEN.to_vec();
    flags.extend(["-allowed-origins", &allowed]);
    let server = Server::with(&flags);
    ask(&server, &origin.url("/to?/a.jpg")).assert_picture("image/jpeg", 40, 30);
    let answer = ask(&server, &origin.url(&format!("/to?{}", other.url("/a.jpg"))));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("not allowed remote URL origin: "), "{}", answer.text());
    assert_eq!(other.heads.lock().unwrap().len(), 0);
}

#[test]
fn redirects_end() {
    let origin = origin();
    let server = Server::with(OPEN);
    let text = "error fetching remote http image: ";
    ask(&server, &origin.url("/again")).assert_error(400, &format!("{text}too many redirects"));
    assert_eq!(origin.heads.lock().unwrap().len(), 11);
    for place in ["ftp://127.0.0.1/a.jpg", "file:///etc/passwd", "gopher://127.0.0.1:70/_x"] {
        let answer = ask(&server, &origin.url(&format!("/to?{place}")));
        answer.assert_error(400, &format!("{text}redirect to an unsupported URL"));
    }
}

#[test]
fn credentials_stay_with_the_first_origin() {
    let (first, second) = (origin(), origin());
    let mut flags = OPEN.to_vec();
    flags.extend(["-authorization", "Basic c2VjcmV0"]);
    let server = Server::with(&flags);
    ask(&server, &first.url(&format!("/to?{}", second.url("/a.jpg")))).assert_picture("image/jpeg", 40, 30);
    let had = |origin: &Origin| origin.heads.lock().unwrap()[0].to_ascii_lowercase().contains("authorization: basic");
    assert_eq!((had(&first), had(&second)), (true, false));
}
