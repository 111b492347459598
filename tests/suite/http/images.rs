//! The work itself, from request to picture.

use super::origin::{Origin, answer};
use super::{Server, jpeg, png};

#[test]
fn every_endpoint_answers() {
    let server = Server::with(&["-mount", "MOUNT"]);
    let table: &[(&str, &str, u32, u32)] = &[
        ("/resize?width=40", "image/jpeg", 40, 30),
        ("/fit?width=40&height=40", "image/jpeg", 40, 30),
        ("/enlarge?width=160&height=120", "image/jpeg", 160, 120),
        ("/extract?top=5&left=5&areawidth=20&areaheight=10", "image/jpeg", 20, 10),
        ("/crop?width=20&height=20", "image/jpeg", 20, 20),
        ("/smartcrop?width=20&height=20", "image/jpeg", 20, 20),
        ("/thumbnail?width=20", "image/jpeg", 20, 15),
        ("/zoom?factor=1", "image/jpeg", 160, 120),
        ("/rotate?rotate=90", "image/jpeg", 60, 80),
        ("/autorotate?", "image/jpeg", 80, 60),
        ("/flip?", "image/jpeg", 80, 60),
        ("/flop?", "image/jpeg", 80, 60),
        ("/convert?type=png", "image/png", 80, 60),
        ("/watermark?text=Hi", "image/jpeg", 80, 60),
        ("/blur?sigma=2", "image/jpeg", 80, 60),
        (
            "/pipeline?operations=%5B%7B%22operation%22%3A%22crop%22%2C%22params%22%3A%7B%22width%22%3A30%2C%22height%22%3A30%7D%7D%2C%7B%22operation%22%3A%22convert%22%2C%22params%22%3A%7B%22type%22%3A%22webp%22%7D%7D%5D",
            "image/webp",
            30,
            30,
        ),
    ];
    for (target, mime, width, height) in table {
        server.get(&format!("{target}&file=a.jpg")).assert_picture(mime, *width, *height);
        server.post(target, &jpeg(80, 60)).assert_picture(mime, *width, *height);
    }
    assert_eq!(
        server.get("/info?file=a.jpg").text(),
        "{\"width\":80,\"height\":60,\"type\":\"jpeg\",\"space\":\"srgb\",\"hasAlpha\":false,\"hasProfile\":false,\
         \"channels\":3,\"orientation\":0}"
    );
}

#[test]
fn nextclouds_request_works() {
    let server = Server::with(&["-return-size", "-max-allowed-resolution", "222.2"]);
    let operations = "%5B%7B%22operation%22%3A%22autorotate%22%7D%2C%7B%22operation%22%3A%22fit%22%2C%22params%22%3A%7B%22width%22%3A64%2C%22height%22%3A64%2C%22stripmeta%22%3A%22true%22%2C%22type%22%3A%22jpeg%22%2C%22norotation%22%3A%22true%22%2C%22quality%22%3A%2280%22%7D%7D%5D";
    let answer = server.post(&format!("/pipeline?operations={operations}&key="), &png(80, 60));
    answer.assert_picture("image/jpeg", 64, 48);
    assert_eq!(answer.header("image-width").as_deref(), Some("64"));
    assert_eq!(answer.header("image-height").as_deref(), Some("48"));
}

#[test]
fn urls_are_fetched_within_bounds() {
    let origin = Origin::with(|path| match path {
        "/a.jpg" => answer("200 OK", &jpeg(80, 60)),
        "/empty" => answer("200 OK", b""),
        _ => answer("200 OK", b"<html>no picture here, sorry</html>"),
    });
    let server = Server::with(&["-enable-url-source", "-source-networks", "127.0.0.1/32"]);
    server.get(&format!("/resize?width=40&url={}", origin.url("/a.jpg"))).assert_picture("image/jpeg", 40, 30);
    server
        .get(&format!("/resize?width=40&url={}", origin.url("/empty")))
        .assert_error(400, "Empty or unreadable image");
    server.get(&format!("/resize?width=40&url={}", origin.url("/html"))).assert_error(406, "Unsupported media type");
    server.get("/resize?width=40&url=ftp://x/a.jpg").assert_error(400, "Invalid image URL");
    server
        .get("/resize?width=40&file=a.jpg")
        .assert_error(400, "Cannot process the image due to missing or invalid params");
    let closed = Server::with(&["-enable-url-source"]);
    closed
        .get(&format!("/resize?width=40&url={}", origin.url("/a.jpg")))
        .assert_error(403, "Source address is not allowed");
    let small = Server::with(&["-enable-url-source", "-source-networks", "127.0.0.1/32", "-max-allowed-size", "100"]);
    let answer = small.get(&format!("/resize?width=40&url={}", origin.url("/a.jpg")));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("exceeds maximum allowed 100 bytes"), "{}", answer.text());
}

#[test]
fn watermark_pictures_pass_the_same_gates() {
    let origin = Origin::with(|path| match path {
        "/mark.png" => answer("200 OK", &png(10, 10)),
        "/empty" => answer("200 OK", b""),
        "/text" => answer("200 OK", b"this is text, and not a picture"),
        _ => answer("404 Not Found", b"no"),
    });
    let server = Server::with(&["-mount", "MOUNT", "-enable-url-source", "-source-networks", "127.0.0.1/32"]);
    let ask = |path: &str| server.get(&format!("/watermarkimage?file=a.jpg&image={}", origin.url(path)));
    ask("/mark.png").assert_picture("image/jpeg", 80, 60);
    let marked = server.get(&format!("/watermarkimage?file=a.png&left=50&top=40&image={}", origin.url("/mark.png")));
    marked.assert_picture("image/png", 80, 60);
    let pixels = |png: &[u8]| {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut data = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut data).unwrap();
        (info.color_type.samples(), data)
    };
    let ((samples, before), (_, mark), (after_samples, after)) =
        (pixels(&png(80, 60)), pixels(&png(10, 10)), pixels(&marked.body));
    for (y, x) in (0..60).flat_map(|y| (0..80).map(move |x| (y, x))) {
        let inside = (40..50).contains(&y) && (50..60).contains(&x);
        let wanted = if inside { &mark[((y - 40) * 10 + x - 50) * 3..] } else { &before[(y * 80 + x) * samples..] };
        assert_eq!(after[(y * 80 + x) * after_samples..][..3], wanted[..3], "at {x}, {y}");
    }
    let prefix = "Error while processing the image: ";
    ask("/404").assert_error(400, &format!("{prefix}Unable to retrieve watermark image. {}", origin.url("/404")));
    ask("/empty").assert_error(400, &format!("{prefix}Unable to read watermark image"));
    ask("/text").assert_error(400, &format!("{prefix}Unsupported image format"));
}
