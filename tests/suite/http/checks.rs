//! Section 2 of the contract: the order of checks, seen by which of two faults is told.

use super::{Client, Server, jpeg};

const NO_GET: &str =
    "GET method not allowed. Make sure remote URL source is enabled by using the flag: -enable-url-source";
const NO_METHOD: &str =
    "HTTP method not allowed. Try with a POST or GET method (-enable-url-source flag must be defined)";
const KEY: &str = "4f46feebafc4b5e988f131c4ff8b5997";

#[test]
fn the_signature_comes_before_everything() {
    let server = Server::with(&["-enable-url-signature", "-url-signature-key", KEY, "-key", "secret"]);
    server.get("/resize?width=1").assert_error(403, "URL signature mismatch");
    server.request("PUT", "/resize?width=1", &[], None).assert_error(403, "URL signature mismatch");
    server.post("/resize?width=1&sign=a+b", b"x").assert_error(400, "Invalid URL signature");
    // The pages are not signed.
    server.get("/health").assert_error(401, "Invalid or missing API key");
}

#[test]
fn get_needs_a_source_before_it_needs_a_key() {
    let server = Server::with(&["-key", "secret"]);
    server.get("/resize?width=1").assert_error(405, NO_GET);
    server.post("/resize?width=1", b"x").assert_error(401, "Invalid or missing API key");
    server.get("/nope").assert_error(401, "Invalid or missing API key");
    server.get("/nope?key=secret").assert_error(404, "Not found");
}

#[test]
fn only_get_and_post_are_methods() {
    let server = Server::with(&["-mount", "MOUNT", "-key", "secret"]);
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = server.request(method, "/resize?width=1", &[], None);
        answer.assert_error(405, NO_METHOD);
        assert_eq!(answer.header("server"), None);
        server.request(method, "/health", &[], None).assert_error(405, NO_METHOD);
    }
    assert_eq!(server.request("HEAD", "/health", &[], None).status, 405);
}

#[test]
fn head_is_get_without_a_body_when_switched_on() {
    let server = Server::with(&["-mount", "MOUNT", "-head"]);
    let got = server.get("/resize?width=40&file=a.jpg");
    let head = server.request("HEAD", "/resize?width=40&file=a.jpg", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(got.body.len().to_string()));
    assert_eq!(head.header("content-type"), got.header("content-type"));
}

#[test]
fn key_then_throttle_then_disabled() {
    let server = Server::with(&["-key", "k", "-concurrency", "1", "-burst", "0", "-disable-endpoints", "crop"]);
    // A stranger uses nothing up.
    for _ in 0..5 {
        server.post("/crop?width=1", b"x").assert_error(401, "Invalid or missing API key");
    }
    server.post("/crop?width=1&key=k", b"x").assert_error(501, "Not implemented endpoint");
    let answer = server.post("/crop?width=1&key=k", b"x");
    assert_eq!((answer.status, answer.text().trim()), (429, "limit exceeded"));
    assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
    assert_eq!(answer.header("retry-after").as_deref(), Some("1"));
    // Another endpoint, another method: their own rate.
    assert_eq!(server.get("/health?key=k").status, 200);
    assert_eq!(server.post("/health?key=k", b"").status, 200);
    assert_eq!(server.get("/health?key=k").status, 429);
}

#[test]
fn disabled_endpoints_cannot_be_reached_by_another_spelling() {
    let server = Server::with(&["-disable-endpoints", " Crop, form"]);
    let picture = jpeg(8, 8);
    server.post("/crop?width=4", &picture).assert_error(501, "Not implemented endpoint");
    server.post("/%63rop?width=4", &picture).assert_error(501, "Not implemented endpoint");
    server.get("/form").assert_error(501, "Not implemented endpoint");
    for path in ["//crop", "/crop/", "/x/../crop", "/./crop", "/CROP"] {
        server.post(&format!("{path}?width=4"), &picture).assert_error(404, "Not found");
    }
}

#[test]
fn source_then_media_type_then_type_then_required_parameters() {
    let server = Server::with(&["-mount", "MOUNT"]);
    server.get("/resize").assert_error(400, "Cannot process the image due to missing or invalid params");
    server.get("/resize?file=").assert_error(400, "Cannot process the image due to missing or invalid params");
    server
        .get("/resize?url=http://example.com/a.jpg")
        .assert_error(400, "Cannot process the image due to missing or invalid params");
    server.get("/resize?file=nope.jpg").assert_error(400, "Invalid file path");
    server.post("/resize", b"").assert_error(400, "Empty or unreadable image");
    server.get("/resize?file=text.txt&type=nope").assert_error(406, "Unsupported media type");
    server.get("/resize?file=a.jpg&type=nope").assert_error(400, "Unsupported output image format");
    server
        .get("/resize?file=a.jpg")
        .assert_error(400, "Error while processing the image: Missing required param: height or width");
    server.get("/info?file=a.jpg&width=abc").assert_error(
        400,
        "Error while processing parameters, error while processing parameter \"width\" with value \"abc\", error: \
         strconv.ParseFloat: parsing \"abc\": invalid syntax",
    );
}

#[test]
fn resolution_is_checked_for_info_too() {
    let server = Server::with(&["-mount", "MOUNT", "-max-allowed-resolution", "0.0047"]);
    server.get("/info?file=a.jpg").assert_error(422, "Image resolution is too big");
    server.get("/resize?file=a.jpg").assert_error(422, "Image resolution is too big");
    let server = Server::with(&["-mount", "MOUNT", "-max-allowed-resolution", "0.0048"]);
    assert_eq!(server.get("/info?file=a.jpg").status, 200);
}

#[test]
fn parameters_are_read_before_anything_is_fetched() {
    let server = Server::with(&["-mount", "MOUNT"]);
    let answer = server.get("/resize?file=nope.jpg&width=abc");
    assert!(answer.text().contains("error while processing parameter"), "{}", answer.text());
}

#[test]
fn unknown_paths_are_not_found_with_and_without_a_prefix() {
    let server = Server::with(&["-mount", "MOUNT", "-enable-placeholder"]);
    for path in ["/nope", "/resize/", "/resize/extra", "/health/", "/Resize", "//resize"] {
        server.get(path).assert_error(404, "Not found");
    }
    let server = Server::with(&["-mount", "MOUNT", "-path-prefix", "/api/v1/"]);
    server.get("/api/v1/resize?width=40&file=a.jpg").assert_picture("image/jpeg", 40, 30);
    assert_eq!(server.get("/api/v1").status, 200);
    for path in ["/resize", "/", "/api/v1/nope", "/api/v1resize"] {
        assert_eq!(server.get(path).status, 404, "{path}");
    }
}

#[test]
fn long_urls_keep_alive_and_expectations_work() {
    let server = Server::with(&["-mount", "MOUNT"]);
    let mut client = Client::connect(server.address);
    let long = format!("/resize?width=20&file=a.jpg&x={}", "y".repeat(20_000));
    client.request("GET", &long, &[], None).assert_picture("image/jpeg", 20, 15);
    let large = "z".repeat(100_000);
    client.request("GET", "/resize?width=20&file=a.jpg", &[("X-Large", &large)], None).assert_picture(
        "image/jpeg",
        20,
        15,
    );
    for width in [16, 20, 40] {
        let target = format!("/resize?width={width}");
        client.request("POST", &target, &[("Expect", "100-continue")], Some(&jpeg(80, 60))).assert_picture(
            "image/jpeg",
            width,
            width * 3 / 4,
        );
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::with(&["-mount", "MOUNT"]);
    let mut client = Client::connect(server.address);
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    client.send(format!("{}{}{}", one("/nope"), one("/info?file=a.jpg"), one("/")).as_bytes());
    assert_eq!(client.answer(false).unwrap().status, 404);
    assert!(client.answer(false).unwrap().text().starts_with("{\"width\":80"));
    assert!(client.answer(false).unwrap().text().starts_with("{\"imaginary\""));
}
