//! Section 9 of the contract: pages and placeholders.

use super::Server;
use super::origin::{Origin, answer};

#[test]
fn index_and_health_have_imaginarys_keys() {
    let server = Server::with(&[]);
    for answer in [server.get("/"), server.post("/", b"")] {
        assert_eq!(answer.header("content-type").as_deref(), Some("application/json"));
        let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert!(["imaginary", "bimg", "libvips", "phasor"].iter().all(|key| json[key].is_string()));
    }
    let json: serde_json::Value = serde_json::from_slice(&server.get("/health").body).unwrap();
    for key in [
        "uptime",
        "allocatedMemory",
        "totalAllocatedMemory",
        "goroutines",
        "completedGCCycles",
        "cpus",
        "maxHeapUsage",
        "heapInUse",
        "objectsInUse",
        "OSMemoryObtained",
    ] {
        assert!(json[key].is_number(), "{key}");
    }
}

#[test]
fn the_form_is_a_page_of_its_own() {
    let server = Server::with(&["-path-prefix", "/p"]);
    let page = server.get("/p/form");
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let text = page.text();
    for target in
        ["/p/resize?width=300&height=200&type=jpeg", "/p/info?", "/p/zoom?factor=2&areawidth=300&top=80&left=80"]
    {
        assert!(text.contains(&format!("action=\"{target}\"")), "{target}");
    }
    assert!(!text.contains("http://") && !text.contains("src=\"https"), "nothing comes from elsewhere");
}

#[test]
fn placeholders_answer_errors_in_the_size_and_type_asked_for() {
    let server = Server::with(&["-mount", "MOUNT", "-enable-placeholder", "-http-cache-ttl", "60"]);
    let picture = |target: &str, mime: &str, status: u16, width: u32, height: u32| {
        let mut answer = server.get(target);
        assert_eq!(answer.status, status, "{target}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"));
        answer.status = 200;
        answer.assert_picture(mime, width, height);
        answer.header("error").unwrap()
    };
    let error = picture("/resize?width=100&height=50&file=nope", "image/jpeg", 400, 100, 50);
    assert_eq!(error, "{\"message\":\"Invalid file path\",\"status\":400}");
    picture("/resize?width=100&file=nope", "image/jpeg", 400, 100, 400);
    picture("/resize?file=nope", "image/jpeg", 400, 400, 400);
    picture("/resize?width=0&height=70&file=nope&type=png", "image/png", 400, 400, 70);
    picture("/resize?width=10&height=10&file=a.jpg&type=nope", "image/jpeg", 400, 10, 10);
    picture("/resize?width=10&height=10&file=text.txt&type=WEBP", "image/webp", 406, 10, 10);
    // Parameters that make no picture.
    let bad = server.get("/resize?width=abc&file=nope");
    assert_eq!(bad.status, 400);
    assert!(
        serde_json::from_slice::<serde_json::Value>(&bad.body).unwrap()["message"].as_str().unwrap().contains("abc")
    );
    assert_eq!(
        server.get("/resize?width=9&file=nope&type=gif").header("content-type").as_deref(),
        Some("application/json")
    );
}

#[test]
fn placeholders_have_their_own_status_and_picture() {
    let server = Server::adjusted(&["-mount", "MOUNT", "-enable-placeholder", "-placeholder-status", "200"], |_| {});
    server.get("/resize?width=10&height=10&file=nope").assert_picture("image/jpeg", 10, 10);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), super::png(30, 20)).unwrap();
    let server = Server::with(&["-placeholder", file.path().to_str().unwrap()]);
    let answer = server.post("/resize?width=10", b"");
    assert_eq!((answer.status, answer.header("content-type").as_deref()), (400, Some("image/png")));
}

#[test]
fn a_sources_status_passes_through() {
    let origin = Origin::with(|path| match path {
        "/302" => answer("304 Not Modified", b""),
        "/500" => answer("500 No", b"no"),
        _ => answer("404 Not Found", b"no"),
    });
    let flags = ["-enable-url-source", "-source-networks", "127.0.0.1/32"];
    let server = Server::with(&flags);
    for (path, http, told) in [("/404", 404, 404), ("/500", 500, 500), ("/302", 503, 304)] {
        let url = origin.url(path);
        let answer = server.get(&format!("/resize?width=1&url={url}"));
        let message = format!("error fetching remote http image: (status={told}) (url={url})");
        assert_eq!((answer.status, answer.text()), (http, format!("{{\"message\":\"{message}\",\"status\":{told}}}")));
    }
    let mut more = flags.to_vec();
    more.push("-enable-placeholder");
    let answer = Server::with(&more).get(&format!("/resize?width=10&height=10&url={}", origin.url("/404")));
    assert_eq!((answer.status, answer.header("content-type").as_deref()), (404, Some("image/jpeg")));
}
