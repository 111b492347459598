//! Every endpoint, once as it should be asked and once as it should not; every source; the common refusals.

use super::{Client, Server, jpeg};

const FAILED: &str = "Error while processing the image: ";

fn server() -> Server {
    Server::with(&["-mount=MOUNT", "-return-size"])
}

#[test]
fn every_endpoint_makes_its_picture() {
    let server = server();
    for (request, mime, width, height) in [
        ("resize?width=40", "image/jpeg", 40, 30),
        ("resize?width=40&type=png", "image/png", 40, 30),
        ("resize?width=40&type=webp", "image/webp", 40, 30),
        ("fit?width=40&height=40", "image/jpeg", 40, 30),
        ("enlarge?width=160&height=160", "image/jpeg", 160, 160),
        ("extract?top=5&left=5&areawidth=20&areaheight=10", "image/jpeg", 20, 10),
        ("crop?width=30&height=20", "image/jpeg", 30, 20),
        ("smartcrop?width=30&height=20", "image/jpeg", 30, 20),
        ("thumbnail?width=20", "image/jpeg", 20, 15),
        ("zoom?factor=1", "image/jpeg", 160, 120),
        ("rotate?rotate=90", "image/jpeg", 60, 80),
        ("autorotate", "image/jpeg", 80, 60),
        ("flip", "image/jpeg", 80, 60),
        ("flop", "image/jpeg", 80, 60),
        ("convert?type=png", "image/png", 80, 60),
        ("watermark?text=Hi", "image/jpeg", 80, 60),
        ("blur?sigma=3", "image/jpeg", 80, 60),
        (
            "pipeline?operations=%5B%7B%22operation%22:%22crop%22,%22params%22:%7B%22width%22:30,%22height%22:20%7D%7D,%7B%22operation%22:%22convert%22,%22params%22:%7B%22type%22:%22webp%22%7D%7D%5D",
            "image/webp",
            30,
            20,
        ),
    ] {
        let join = if request.contains('?') { '&' } else { '?' };
        let answer = server.get(&format!("/{request}{join}file=a.jpg"));
        assert_eq!(answer.status, 200, "{request}: {}", answer.text());
        answer.assert_picture(mime, width, height);
        assert_eq!(answer.header("image-width").as_deref(), Some(width.to_string().as_str()), "{request}");
        let posted = server.post(&format!("/{request}"), &jpeg(80, 60));
        assert_eq!(posted.status, 200, "{request}: {}", posted.text());
        posted.assert_picture(mime, width, height);
    }
    let info = server.get("/info?file=a.png");
    assert_eq!(
        info.text(),
        r#"{"width":80,"height":60,"type":"png","space":"srgb","hasAlpha":false,"hasProfile":false,"channels":3,"orientation":0}"#
    );
}

#[test]
fn missing_parameters_are_named() {
    let server = server();
    for (request, message) in [
        ("resize", "Missing required param: height or width"),
        ("fit?width=1", "Missing required params: height, width"),
        ("enlarge?width=1", "Missing required params: height, width"),
        ("extract?top=1", "Missing required params: areawidth or areaheight"),
        ("crop", "Missing required param: height or width"),
        ("smartcrop", "Missing required param: height or width"),
        ("thumbnail", "Missing required params: width or height"),
        ("zoom", "Missing required param: factor"),
        ("rotate", "Missing required param: rotate"),
        ("convert", "Missing required param: type"),
        ("watermark", "Missing required param: text"),
        ("watermarkimage", "Missing required param: image"),
        ("blur", "Missing required param: sigma or minampl"),
        ("pipeline", "Missing or invalid pipeline operations JSON"),
    ] {
        let join = if request.contains('?') { '&' } else { '?' };
        server.get(&format!("/{request}{join}file=a.jpg")).assert_error(400, &format!("{FAILED}{message}"));
    }
}

#[test]
fn what_is_no_picture_or_no_source_is_refused() {
    let server = server();
    server.get("/resize?width=10&file=text.txt").assert_error(406, "Unsupported media type");
    server.get("/resize?width=10&file=nope.jpg").assert_error(400, "Invalid file path");
    server.get("/resize?width=10&file=../../etc/passwd").assert_error(400, "Invalid file path");
    server
        .get("/resize?width=10&url=http://127.0.0.1/x.jpg")
        .assert_error(400, "Cannot process the image due to missing or invalid params");
    server.post("/resize?width=10", b"").assert_error(400, "Empty or unreadable image");
    server.get("/nope").assert_error(404, "Not found");
    server.get("/resize?width=10&type=xyz&file=a.jpg").assert_error(400, "Unsupported output image format");
    let put = server.request("PUT", "/resize?width=10", &[], None);
    assert_eq!(put.status, 405);
    Server::with(&[]).get("/resize?width=10&file=a.jpg").assert_error(
        405,
        "GET method not allowed. Make sure remote URL source is enabled by using the flag: -enable-url-source",
    );
    Server::with(&["-mount=MOUNT", "-max-allowed-resolution=0.001"])
        .get("/resize?width=10&file=a.jpg")
        .assert_error(422, "Image resolution is too big");
}

#[test]
fn loopback_sources_are_refused_unless_listed() {
    let server = Server::with(&["-enable-url-source"]);
    server.get("/resize?width=10&url=http://127.0.0.1:1/x.jpg").assert_error(403, "Source address is not allowed");
    server.get("/resize?width=10&url=ftp://example.com/x.jpg").assert_error(400, "Invalid image URL");
}

#[test]
fn keys_and_signatures_are_checked() {
    let keyed = Server::with(&["-key=secret", "-mount=MOUNT"]);
    keyed.get("/resize?width=10&file=a.jpg").assert_error(401, "Invalid or missing API key");
    assert_eq!(keyed.get("/resize?width=10&file=a.jpg&key=secret").status, 200);
    let signed =
        Server::with(&["-mount=MOUNT", "-enable-url-signature", "-url-signature-key=4f46feebafc4b5e988f131c4ff8b5997"]);
    signed.get("/resize?width=10&file=a.jpg").assert_error(403, "URL signature mismatch");
    signed.get("/resize?width=10&file=a.jpg&sign=!!").assert_error(400, "Invalid URL signature");
    assert_eq!(signed.get("/health").status, 200);
}

#[test]
fn one_connection_serves_many_requests() {
    let server = server();
    let mut client = Client::connect(server.address);
    for _ in 0..20 {
        let answer = client.request("GET", "/resize?width=10&file=a.jpg", &[], None);
        assert_eq!(answer.status, 200);
    }
}

#[test]
fn mutated_pictures_never_cost_more_than_a_refusal() {
    let server = server();
    let original = jpeg(64, 48);
    let mut random = 0x9E37_79B9_u32;
    let mut client = Client::connect(server.address);
    for round in 0..400 {
        let mut bytes = original.clone();
        for _ in 0..=round % 8 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = random as usize % bytes.len();
            bytes[at] = (random >> 24) as u8;
        }
        let answer = client.request("POST", "/resize?width=20", &[("Content-Type", "image/jpeg")], Some(&bytes));
        assert!(matches!(answer.status, 200 | 400 | 406 | 422), "{}: {}", answer.status, answer.text());
    }
}
