//! Bodies: forms, lengths, codings, and heads that try to hide a second request.

use super::{Client, Server, jpeg};

fn form(field: &str, content: &[u8]) -> Vec<u8> {
    let mut body =
        format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a.jpg\"\r\n\r\n").into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(b"\r\n--XX--\r\n");
    body
}

const FORM: (&str, &str) = ("Content-Type", "multipart/form-data; boundary=XX");

#[test]
fn a_raw_body_is_a_picture_whatever_it_is_called() {
    let server = Server::with(&[]);
    for kind in ["image/jpeg", "application/json", "text/plain", "x/y"] {
        server.request("POST", "/resize?width=20", &[("Content-Type", kind)], Some(&jpeg(80, 60))).assert_picture(
            "image/jpeg",
            20,
            15,
        );
    }
}

#[test]
fn a_chunked_body_is_a_picture() {
    let server = Server::with(&[]);
    let mut client = Client::connect(server.address);
    client.send(b"POST /resize?width=20 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for chunk in jpeg(80, 60).chunks(100) {
        client.send(format!("{:x}\r\n", chunk.len()).as_bytes());
        client.send(chunk);
        client.send(b"\r\n");
    }
    client.send(b"0\r\n\r\n");
    client.answer(false).unwrap().assert_picture("image/jpeg", 20, 15);
}

#[test]
fn forms_give_their_file_or_say_what_is_wrong() {
    let server = Server::with(&[]);
    let post = |target: &str, kind: (&str, &str), body: &[u8]| server.request("POST", target, &[kind], Some(body));
    post("/resize?width=20", FORM, &form("file", &jpeg(80, 60))).assert_picture("image/jpeg", 20, 15);
    post("/resize?width=20&field=photo", FORM, &form("photo", &jpeg(80, 60))).assert_picture("image/jpeg", 20, 15);
    post("/resize?width=20", FORM, &form("photo", b"x")).assert_error(400, "http: no such file");
    post("/resize?width=20", FORM, &form("file", b"")).assert_error(400, "Empty or unreadable image");
    post("/resize?width=20", ("Content-Type", "multipart/form-data"), b"x")
        .assert_error(400, "no multipart boundary param in Content-Type");
    let whole = form("file", &jpeg(80, 60));
    post("/resize?width=20", FORM, &whole[..whole.len() / 2]).assert_error(400, "unexpected EOF");
}

#[test]
fn the_body_wins_over_file_and_url() {
    let server = Server::with(&["-mount", "MOUNT", "-enable-url-source"]);
    let target = "/resize?width=20&file=nope.jpg&url=http://127.0.0.1:1/";
    server.post(target, &jpeg(80, 60)).assert_picture("image/jpeg", 20, 15);
}

#[test]
fn a_compressed_body_is_refused_unread() {
    let server = Server::with(&[]);
    for coding in ["gzip", "br", "zstd", "deflate", "identity, br"] {
        let answer = server.request("POST", "/resize?width=1", &[("Content-Encoding", coding)], Some(b"x"));
        assert_eq!(answer.status, 415, "{coding}");
    }
    server
        .request("POST", "/resize?width=20", &[("Content-Encoding", "identity")], Some(&jpeg(80, 60)))
        .assert_picture("image/jpeg", 20, 15);
}

#[test]
fn too_long_a_body_is_refused_by_its_word_and_by_its_bytes() {
    let server = Server::with(&["-max-body-size", "10K"]);
    // Not a byte of it is sent: the length alone is enough.
    let mut client = Client::connect(server.address);
    client.send(b"POST /resize?width=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10241\r\n\r\n");
    client.answer(false).unwrap().assert_error(413, "Request body exceeds maximum allowed 10240 bytes");
    let mut client = Client::connect(server.address);
    client.send(b"POST /resize?width=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for _ in 0..20 {
        client.try_send(b"400\r\n");
        client.try_send(&[0; 1024]);
        client.try_send(b"\r\n");
    }
    assert_eq!(client.answer(false).unwrap().status, 413);
}

#[test]
fn a_body_that_breaks_off_is_told_of() {
    let server = Server::with(&[]);
    let mut client = Client::connect(server.address);
    client.send(b"POST /resize?width=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this");
    client.shutdown_write();
    client.answer(false).unwrap().assert_error(400, "unexpected EOF");
}

/// H2: whatever hides behind such a head is never answered.
#[test]
fn smuggled_requests_are_never_answered() {
    let server = Server::with(&[]);
    let hidden = "GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let heads = [
        format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}", hidden.len() + 5),
        format!("Content-Length: 0\r\nContent-Length: {}\r\n\r\n{hidden}", hidden.len()),
        format!("Content-Length: +{}\r\n\r\n{hidden}", hidden.len()),
        format!("Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}"),
        format!("X: a\r\n b: c\r\n\r\n{hidden}"),
        format!("Content-Length : 3\r\n\r\nabc{hidden}"),
        format!("Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n{hidden}"),
    ];
    for head in heads {
        let mut client = Client::connect(server.address);
        client.send(format!("POST /nope HTTP/1.1\r\nHost: x\r\n{head}").as_bytes());
        client.shutdown_write();
        let all = String::from_utf8_lossy(&client.rest()).into_owned();
        assert!(!all.contains("uptime"), "{head:?} let a second request through:\n{all}");
    }
}

#[test]
fn heads_without_end_are_cut() {
    let server = Server::with(&[]);
    let mut client = Client::connect(server.address);
    client.try_send(b"GET / HTTP/1.1\r\nHost: x\r\n");
    for i in 0..400 {
        if !client.try_send(format!("X-{i}: {}\r\n", "y".repeat(1000)).as_bytes()) {
            break;
        }
    }
    let answer = client.answer(false);
    assert!(answer.is_none_or(|answer| answer.status == 431 || answer.status == 400));
    assert_eq!(server.get("/").status, 200);
}
