//! Section 7 of the contract.

use super::origin::{Origin, answer};
use super::{Server, jpeg};

#[test]
fn pictures_say_what_they_are_and_that_nothing_in_them_runs() {
    let server = Server::with(&["-mount", "MOUNT", "-return-size"]);
    for (kind, mime) in [("jpeg", "image/jpeg"), ("png", "image/png"), ("webp", "image/webp"), ("tiff", "image/tiff")] {
        let answer = server.get(&format!("/resize?width=40&file=a.jpg&type={kind}"));
        answer.assert_picture(mime, 40, 30);
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string()));
        assert_eq!(answer.header("image-width").as_deref(), Some("40"));
        assert_eq!(answer.header("image-height").as_deref(), Some("30"));
        assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(answer.header("content-security-policy").as_deref(), Some("default-src 'none'; sandbox"));
        assert!(answer.header("server").unwrap().starts_with("phasor/"));
    }
    assert_eq!(server.get("/info?file=a.jpg").header("image-width"), None);
    assert_eq!(server.get("/resize?file=a.jpg").header("image-width"), None);
}

#[test]
fn sizes_are_not_told_unasked() {
    let server = Server::with(&["-mount", "MOUNT"]);
    assert_eq!(server.get("/resize?width=40&file=a.jpg").header("image-width"), None);
}

#[test]
fn caching_is_for_pictures_and_never_for_errors() {
    let server = Server::with(&["-mount", "MOUNT", "-http-cache-ttl", "3600", "-disable-endpoints", "crop"]);
    let answer = server.get("/resize?width=40&file=a.jpg");
    assert_eq!(answer.header("cache-control").as_deref(), Some("public, s-maxage=3600, max-age=3600, no-transform"));
    assert!(answer.header("expires").unwrap().ends_with(" GMT"));
    for page in ["/", "/health", "/form"] {
        assert_eq!(server.get(page).header("cache-control"), None, "{page}");
    }
    assert_eq!(server.post("/resize?width=40", &jpeg(80, 60)).header("cache-control"), None);
    for bad in ["/resize?file=a.jpg", "/nope", "/crop", "/resize?width=x", "/resize?width=1&file=../x"] {
        let answer = server.get(bad);
        assert!(answer.status >= 400);
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{bad}");
        assert_eq!(answer.header("expires"), None, "{bad}");
    }
    let server = Server::with(&["-mount", "MOUNT", "-http-cache-ttl", "0"]);
    let answer = server.get("/resize?width=40&file=a.jpg");
    assert_eq!(answer.header("cache-control").as_deref(), Some("private, no-cache, no-store, must-revalidate"));
}

#[test]
fn negotiated_types_vary() {
    let server = Server::with(&["-mount", "MOUNT", "-cors"]);
    let ask = |target: &str, accept: &str| server.request("GET", target, &[("Accept", accept)], None);
    let auto = "/resize?width=40&file=a.jpg&type=auto";
    ask(auto, "text/html, image/webp").assert_picture("image/webp", 40, 30);
    ask(auto, "image/png;q=0.1, image/webp").assert_picture("image/png", 40, 30);
    ask(auto, "*/*").assert_picture("image/jpeg", 40, 30);
    assert_eq!(ask(auto, "image/webp").header("vary").as_deref(), Some("Accept, Origin"));
    assert_eq!(ask("/resize?file=a.jpg&type=auto", "*/*").header("vary").as_deref(), Some("Accept, Origin"));
    // Without `auto` the header means nothing.
    let plain = ask("/resize?width=40&file=a.jpg", "image/webp");
    plain.assert_picture("image/jpeg", 40, 30);
    assert_eq!(plain.header("vary").as_deref(), Some("Origin"));
}

#[test]
fn cors_answers_origins_and_preflights() {
    let server = Server::with(&["-cors"]);
    let with = server.request("GET", "/", &[("Origin", "http://a.example")], None);
    assert_eq!(with.header("access-control-allow-origin").as_deref(), Some("*"));
    assert_eq!(server.get("/").header("access-control-allow-origin"), None);
    let asked = [("Origin", "http://a.example"), ("Access-Control-Request-Method", "POST")];
    let preflight = server.request("OPTIONS", "/resize", &asked, None);
    assert!(matches!(preflight.status, 200 | 204));
    assert_eq!(preflight.header("access-control-allow-origin").as_deref(), Some("*"));
    assert!(preflight.header("access-control-allow-methods").unwrap().contains("POST"));
    assert_eq!(server.request("OPTIONS", "/resize", &[("Origin", "http://a")], None).status, 405);
    assert_eq!(Server::with(&[]).request("OPTIONS", "/resize", &asked, None).status, 405);
}

#[test]
fn the_throttle_counts_down() {
    let server = Server::with(&["-concurrency", "1", "-burst", "2"]);
    let remaining: Vec<String> = (0..3).map(|_| server.get("/").header("x-ratelimit-remaining").unwrap()).collect();
    assert_eq!(remaining, ["2", "1", "0"]);
    let over = server.get("/");
    assert_eq!((over.status, over.text().trim()), (429, "limit exceeded"));
    assert_eq!(over.header("x-ratelimit-limit").as_deref(), Some("3"));
    assert!(over.header("retry-after").is_some());
}

/// C2: what was made with a client's credential is that client's alone.
#[test]
fn forwarded_credentials_make_the_answer_private() {
    let origin = Origin::with(|_| answer("200 OK", &jpeg(80, 60)));
    let server = Server::with(&[
        "-enable-url-source",
        "-source-networks",
        "127.0.0.1/32",
        "-enable-auth-forwarding",
        "-http-cache-ttl",
        "60",
    ]);
    let target = format!("/resize?width=40&url={}", origin.url("/a.jpg"));
    let with = server.request("GET", &target, &[("X-Forward-Authorization", "Bearer x")], None);
    with.assert_picture("image/jpeg", 40, 30);
    assert!(with.header("cache-control").unwrap().starts_with("private"), "{with:?}");
    assert!(with.header("vary").unwrap().to_ascii_lowercase().contains("authorization"), "{with:?}");
    let without = server.get(&target);
    assert!(without.header("cache-control").unwrap().starts_with("public"));
    let heads = origin.heads.lock().unwrap();
    assert!(heads[0].to_ascii_lowercase().contains("authorization: bearer x"));
    assert!(!heads[1].to_ascii_lowercase().contains("authorization"));
}
