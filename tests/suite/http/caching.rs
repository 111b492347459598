//! What caches are told, and what they can ask: tags, dates, lifetimes, 304.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::metrics::value;
use super::origin::{Origin, answer};
use super::serving::{Serving, free_port};
use super::{Answer, Client, Server, jpeg, png};

/// A server, and a picture in its mount that was written an hour ago.
fn with_file(flags: &[&str]) -> (Server, tempfile::TempDir) {
    let mount = tempfile::tempdir().unwrap();
    write(&mount.path().join("a.jpg"), &jpeg(80, 60), 3600);
    let path = mount.path().to_str().unwrap();
    (Server::with(&[&["-mount", path, "-http-cache-ttl", "60"], flags].concat()), mount)
}

/// Writes a file that looks so many seconds old.
fn write(path: &Path, bytes: &[u8], age: u64) {
    std::fs::write(path, bytes).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
}

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap_or_else(|| panic!("no tag: {answer:?}"))
}

fn if_none_match(server: &Server, target: &str, tags: &str) -> Answer {
    server.request("GET", target, &[("If-None-Match", tags)], None)
}

#[test]
fn who_has_the_picture_is_told_so() {
    let (server, _mount) = with_file(&[]);
    let target = "/resize?width=40&file=a.jpg";
    let first = server.get(target);
    first.assert_picture("image/jpeg", 40, 30);
    let tag = tag(&first);
    assert!(tag.starts_with('"') && tag.len() == 24, "{tag}");
    assert!(first.header("last-modified").unwrap().ends_with(" GMT"));
    assert_eq!(server.get(target).header("etag").as_deref(), Some(tag.as_str()));
    for listed in [tag.clone(), format!("W/{tag}"), format!("\"x,y\", {tag}"), "*".to_owned()] {
        let again = if_none_match(&server, target, &listed);
        assert_eq!((again.status, again.body.len()), (304, 0), "{listed}");
        assert_eq!(again.header("etag").as_deref(), Some(tag.as_str()));
        assert_eq!(again.header("cache-control"), first.header("cache-control"));
        assert!(again.header("expires").is_some());
        assert_eq!((again.header("content-type"), again.header("content-length")), (None, None));
    }
    if_none_match(&server, target, "\"x\", W/\"y\"").assert_picture("image/jpeg", 40, 30);
    // Another picture of the same source.
    let other = if_none_match(&server, "/resize?width=41&file=a.jpg", &tag);
    assert_eq!(other.status, 200);
    assert_ne!(self::tag(&other), tag);
    let facts = server.get("/info?file=a.jpg");
    assert_eq!(if_none_match(&server, "/info?file=a.jpg", &self::tag(&facts)).status, 304);
    // The connection goes on behind an answer without a body.
    let mut client = Client::connect(server.address);
    for status in [304, 200, 304] {
        let listed = if status == 304 { tag.as_str() } else { "\"x\"" };
        assert_eq!(client.request("GET", target, &[("If-None-Match", listed)], None).status, status);
    }
}

#[test]
fn dates_count_where_there_is_no_tag() {
    let (server, _mount) = with_file(&[]);
    let target = "/resize?width=40&file=a.jpg";
    let modified = server.get(target).header("last-modified").unwrap();
    let before = httpdate::fmt_http_date(httpdate::parse_http_date(&modified).unwrap() - Duration::from_secs(1));
    let since = |date: &str| server.request("GET", target, &[("If-Modified-Since", date)], None).status;
    assert_eq!((since(&modified), since(&before), since("long ago")), (304, 200, 200));
    let both = [("If-Modified-Since", modified.as_str()), ("If-None-Match", "\"x\"")];
    assert_eq!(server.request("GET", target, &both, None).status, 200);
}

/// A file's length and time say that it is the same; that its bytes are not is never found out.
#[test]
fn a_file_that_is_known_is_not_read() {
    let (server, mount) = with_file(&[]);
    let target = "/resize?width=40&file=a.jpg";
    let tag = tag(&server.get(target));
    let path = mount.path().join("a.jpg");
    let (length, modified) = (std::fs::metadata(&path).unwrap().len(), std::fs::metadata(&path).unwrap().modified());
    std::fs::write(&path, vec![0; length as usize]).unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified.unwrap()).unwrap();
    assert_eq!(if_none_match(&server, target, &tag).status, 304);
    assert_eq!(server.get(target).status, 406);
    // Of something that is no picture nobody has an answer, whatever they say.
    assert_eq!(if_none_match(&server, target, "*").status, 406);
    let date = httpdate::fmt_http_date(SystemTime::now());
    assert_eq!(server.request("GET", target, &[("If-Modified-Since", &date)], None).status, 406);
    write(&path, &jpeg(90, 60), 1800);
    assert_eq!(if_none_match(&server, target, &tag).status, 200);
}

/// The operations of a pipeline: fit into 50 × 50.
const FIT: &str = "operations=%5B%7B%22operation%22:%22fit%22,%22params%22:%7B%22width%22:50,%22height%22:50%7D%7D%5D";

/// An origin whose answers can be changed.
fn changing(first: Vec<u8>) -> (Origin, Arc<Mutex<Vec<u8>>>) {
    let now = Arc::new(Mutex::new(first));
    let answers = Arc::clone(&now);
    (Origin::with(move |_| answers.lock().unwrap().clone()), now)
}

fn with_headers(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn urls(flags: &[&str]) -> Server {
    Server::with(&[&["-enable-url-source", "-source-networks=127.0.0.1/32"], flags].concat())
}

#[test]
fn a_sources_strong_tag_is_enough_and_its_body_is_not_waited_for() {
    let headers = "ETag: \"v1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let (origin, now) = changing(with_headers(headers, &jpeg(80, 60)));
    let server = urls(&[]);
    let target = format!("/resize?width=40&url={}", origin.url("/a.jpg"));
    let first = server.get(&target);
    assert_eq!(first.header("last-modified").as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
    // So it is where operations are a list, as long as none of them brings a picture of its own.
    let listed = format!("/pipeline?{FIT}&url={}", origin.url("/a.jpg"));
    let fitted = server.get(&listed);
    fitted.assert_picture("image/jpeg", 50, 38);
    // A body that never comes.
    *now.lock().unwrap() = b"HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 90000\r\n\r\n".to_vec();
    let started = Instant::now();
    assert_eq!(if_none_match(&server, &target, &tag(&first)).status, 304);
    assert_eq!(if_none_match(&server, &listed, &tag(&fitted)).status, 304);
    assert!(started.elapsed() < Duration::from_secs(3));
    *now.lock().unwrap() = with_headers("ETag: \"v2\"\r\n", &jpeg(80, 60));
    let second = if_none_match(&server, &target, &tag(&first));
    assert_eq!(second.status, 200);
    assert_ne!(tag(&second), tag(&first));
}

#[test]
fn a_source_without_a_strong_tag_is_told_by_its_bytes() {
    let (origin, now) = changing(with_headers("ETag: W/\"1\"\r\n", &jpeg(80, 60)));
    let server = urls(&[]);
    let target = format!("/resize?width=40&url={}", origin.url("/a.jpg"));
    let first = tag(&server.get(&target));
    *now.lock().unwrap() = with_headers("ETag: W/\"2\"\r\n", &jpeg(80, 60));
    assert_eq!(if_none_match(&server, &target, &first).status, 304);
    *now.lock().unwrap() = with_headers("ETag: W/\"2\"\r\n", &jpeg(81, 60));
    assert_eq!(if_none_match(&server, &target, &first).status, 200);
    // Gone is gone, whoever has it still.
    *now.lock().unwrap() = answer("404 Not Found", b"");
    assert_eq!(if_none_match(&server, &target, &first).status, 404);
}

#[test]
fn a_watermark_is_part_of_the_answer() {
    let count = Arc::new(AtomicUsize::new(0));
    let version = Arc::clone(&count);
    let picture = jpeg(160, 120);
    let marks = [png(10, 10), png(12, 10)];
    let origin = Origin::with(move |path| match path {
        "/mark" => with_headers("", &marks[version.load(Ordering::Relaxed)]),
        _ => with_headers("ETag: \"v1\"\r\n", &picture),
    });
    let server = urls(&[]);
    let target = format!("/watermarkimage?image={}&url={}", origin.url("/mark"), origin.url("/a.jpg"));
    let first = server.get(&target);
    first.assert_picture("image/jpeg", 160, 120);
    assert_eq!(if_none_match(&server, &target, &tag(&first)).status, 304);
    count.store(1, Ordering::Relaxed);
    assert_eq!(if_none_match(&server, &target, &tag(&first)).status, 200);
}

#[test]
fn negotiated_answers_have_tags_of_their_own() {
    let (server, _mount) = with_file(&[]);
    let target = "/resize?width=40&file=a.jpg&type=auto";
    let ask =
        |accept: &str, tags: &str| server.request("GET", target, &[("Accept", accept), ("If-None-Match", tags)], None);
    let (webp, png) = (ask("image/webp", "\"x\""), ask("image/png", "\"x\""));
    assert_ne!(tag(&webp), tag(&png));
    let again = ask("image/webp", &tag(&webp));
    assert_eq!((again.status, again.header("vary").as_deref()), (304, Some("Accept")));
    assert_eq!(ask("image/webp", &tag(&png)).status, 200);
}

#[test]
fn head_says_what_get_says() {
    let (server, _mount) = with_file(&["-head", "-return-size"]);
    let target = "/resize?width=40&file=a.jpg";
    let (get, head) = (server.get(target), server.request("HEAD", target, &[], None));
    let kept = |answer: &Answer| {
        let moving = ["date", "expires"];
        let kept = answer.headers.iter().filter(|(name, _)| !moving.contains(&name.as_str()));
        kept.cloned().collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!((head.status, head.body.len(), kept(&head)), (200, 0, kept(&get)));
    assert_eq!(server.request("HEAD", target, &[("If-None-Match", &tag(&get))], None).status, 304);
}

/// A POST brings its picture: there is no stored answer that a condition could be about.
#[test]
fn posts_are_tagged_and_take_no_conditions() {
    let (server, _mount) = with_file(&[]);
    let first = server.post("/resize?width=40", &jpeg(80, 60));
    let headers = [("Content-Type", "image/jpeg"), ("If-None-Match", &tag(&first))];
    let again = server.request("POST", "/resize?width=40", &headers, Some(&jpeg(80, 60)));
    assert_eq!((again.status, tag(&again)), (200, tag(&first)));
    assert_eq!(again.header("last-modified"), None);
    assert_ne!(tag(&server.post("/resize?width=40", &jpeg(81, 60))), tag(&first));
}

#[test]
fn errors_are_not_kept_unless_a_missing_source_may_be() {
    let missing = Origin::with(|path| answer(if path == "/410" { "410 Gone" } else { "404 Not Found" }, b""));
    let url = |path: &str| format!("/resize?width=40&url={}", missing.url(path));
    let plain = urls(&[]);
    for (target, status) in [(url("/404"), 404), ("/resize?width=x".to_owned(), 400), ("/nope".to_owned(), 404)] {
        let answer = plain.get(&target);
        assert_eq!((answer.status, answer.header("cache-control").as_deref()), (status, Some("no-store")), "{target}");
        assert_eq!((answer.header("etag"), answer.header("last-modified")), (None, None));
    }
    let kept = urls(&["-missing-source-ttl", "30", "-http-cache-ttl", "600"]);
    for path in ["/404", "/410"] {
        assert_eq!(kept.get(&url(path)).header("cache-control").as_deref(), Some("public, max-age=30"), "{path}");
    }
    assert_eq!(kept.get("/nope").header("cache-control").as_deref(), Some("no-store"));
    // What somebody's credential did not open may open to the next.
    let forwarding = urls(&["-missing-source-ttl", "30", "-enable-auth-forwarding"]);
    assert_eq!(forwarding.get(&url("/404")).header("cache-control").as_deref(), Some("no-store"));
}

#[test]
fn a_sources_lifetime_is_taken_over_only_when_asked_and_within_bounds() {
    let body = jpeg(80, 60);
    let origin = Origin::with(move |path| match path {
        "/none" => with_headers("Cache-Control: no-store\r\n", &body),
        "/silent" => with_headers("", &body),
        _ => with_headers("Cache-Control: max-age=7200\r\nAge: 200\r\n", &body),
    });
    let said = |server: &Server, path: &str| {
        server.get(&format!("/resize?width=40&url={}", origin.url(path))).header("cache-control").unwrap_or_default()
    };
    let off = urls(&["-http-cache-ttl", "60"]);
    assert_eq!(said(&off, "/none"), "public, s-maxage=60, max-age=60, no-transform");
    let on = urls(&["-http-cache-ttl", "60", "-source-cache-max", "1h"]);
    assert_eq!(said(&on, "/some"), "public, s-maxage=3600, max-age=3600, no-transform");
    assert_eq!(said(&on, "/none"), "no-store");
    assert_eq!(said(&on, "/silent"), "public, s-maxage=60, max-age=60, no-transform");
    let alone = urls(&["-source-cache-max", "86400"]);
    assert_eq!(said(&alone, "/some"), "public, s-maxage=7000, max-age=7000, no-transform");
    assert_eq!(said(&alone, "/silent"), "");
}

#[test]
fn tags_can_be_switched_off() {
    let (server, _mount) = with_file(&["-etag=false"]);
    let target = "/resize?width=40&file=a.jpg";
    let answer = server.get(target);
    assert_eq!((answer.header("etag"), answer.header("last-modified")), (None, None));
    assert_eq!(if_none_match(&server, target, "*").status, 200);
}

/// How many pictures a process has decoded.
fn decoded(admin: u16) -> f64 {
    let page = Client::connect(([127, 0, 0, 1], admin).into()).request("GET", "/metrics", &[], None).text();
    value(&page, "phasor_stage_duration_seconds_count{stage=\"decode\"}")
}

fn measured(flags: &[&str]) -> (Serving, u16) {
    let port = free_port();
    let admin = port.to_string();
    let fixed =
        ["-a", "127.0.0.1", "-p", "0", "-mount", "tests/fixtures", "-admin-address", "127.0.0.1", "-admin-port"];
    (Serving::with(&[&fixed[..], &[admin.as_str()], flags].concat(), &[]), port)
}

#[test]
fn nothing_is_decoded_for_who_has_the_picture() {
    let (serving, admin) = measured(&[]);
    let ask = |tags: &str| {
        serving.client().request("GET", &format!("/pipeline?file=photo.jpg&{FIT}"), &[("If-None-Match", tags)], None)
    };
    let first = ask("\"x\"");
    assert_eq!((first.status, decoded(admin)), (200, 1.0), "{}", first.text());
    for listed in [tag(&first).as_str(), "*"] {
        assert_eq!(ask(listed).status, 304, "{listed}");
    }
    let target = "/resize?width=40&file=photo.jpg";
    let one = tag(&serving.client().request("GET", target, &[], None));
    assert_eq!(decoded(admin), 2.0);
    for _ in 0..5 {
        assert_eq!(serving.client().request("GET", target, &[("If-None-Match", &one)], None).status, 304);
    }
    assert_eq!(decoded(admin), 2.0);
}

/// With a mark, be it of a request's own or of a pipeline's, both pictures are read and neither is decoded.
#[test]
fn no_watermark_is_decoded_for_who_has_the_picture() {
    let mark = png(10, 10);
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let origin = Origin::with(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        answer("200 OK", &mark)
    });
    let (serving, admin) = measured(&["-enable-url-source", "-source-networks=127.0.0.1/32"]);
    let image = origin.url("/mark");
    let operations = format!(
        "%5B%7B%22operation%22:%22watermarkImage%22,%22params%22:%7B%22image%22:%22{image}%22%7D%7D,\
         %7B%22operation%22:%22fit%22,%22params%22:%7B%22width%22:50,%22height%22:50%7D%7D%5D"
    );
    let requests = [
        format!("/watermarkimage?file=photo.jpg&image={image}"),
        format!("/pipeline?file=photo.jpg&operations={operations}"),
    ];
    for (number, target) in (1_u8..).zip(&requests) {
        let first = serving.client().request("GET", target, &[], None);
        assert_eq!((first.status, decoded(admin)), (200, f64::from(number)), "{}", first.text());
        let fetched = served.load(Ordering::Relaxed);
        for listed in [tag(&first).as_str(), "*"] {
            assert_eq!(
                serving.client().request("GET", target, &[("If-None-Match", listed)], None).status,
                304,
                "{target}"
            );
        }
        assert_eq!((decoded(admin), served.load(Ordering::Relaxed)), (f64::from(number), fetched + 2), "{target}");
    }
}

/// A cache between client and server; killed when dropped.
struct Nginx(Child, u16);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Nginx {
    fn before(port: u16, folder: &Path) -> Option<Self> {
        let own = free_port();
        let path = folder.to_str().unwrap();
        let config = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error;\n\
             events {{ }}\n\
             http {{\n\
               access_log off; client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;\n\
               fastcgi_temp_path {path}/f; uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;\n\
               proxy_cache_path {path}/cache keys_zone=c:1m;\n\
               server {{ listen 127.0.0.1:{own}; location / {{\n\
                 proxy_pass http://127.0.0.1:{port}; proxy_cache c; proxy_cache_revalidate on;\n\
                 add_header X-Cache $upstream_cache_status always; }} }}\n\
             }}\n"
        );
        let file = folder.join("nginx.conf");
        std::fs::File::create(&file).unwrap().write_all(config.as_bytes()).unwrap();
        let nginx =
            |program: &str| Command::new(program).args(["-p", path, "-c"]).arg(&file).stderr(Stdio::null()).spawn();
        let Ok(child) = nginx("nginx").or_else(|_| nginx("/usr/sbin/nginx")) else {
            eprintln!("SKIPPED: nginx is not installed (Debian: apt-get install nginx-light)");
            return None;
        };
        let nginx = Self(child, own);
        let started = Instant::now();
        while Client::try_connect(([127, 0, 0, 1], own).into()).is_err() {
            let log = std::fs::read_to_string(folder.join("error")).unwrap_or_default();
            assert!(started.elapsed() < Duration::from_secs(10), "nginx does not listen: {log}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(nginx)
    }

    fn get(&self, target: &str) -> (u16, String, Vec<u8>) {
        let answer = Client::connect(([127, 0, 0, 1], self.1).into()).request("GET", target, &[], None);
        (answer.status, answer.header("x-cache").unwrap_or_default(), answer.body)
    }
}

#[test]
fn a_real_cache_keeps_its_picture_alive_without_a_second_decoding() {
    let (serving, admin) = measured(&["-http-cache-ttl", "1"]);
    let folder = tempfile::tempdir().unwrap();
    let Some(nginx) = Nginx::before(serving.port, folder.path()) else { return };
    let target = "/resize?width=40&file=photo.jpg";
    let first = nginx.get(target);
    assert_eq!((first.0, first.1.as_str()), (200, "MISS"));
    assert_eq!(nginx.get(target), (200, "HIT".to_owned(), first.2.clone()));
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(nginx.get(target), (200, "REVALIDATED".to_owned(), first.2.clone()));
    assert_eq!(nginx.get(target), (200, "HIT".to_owned(), first.2));
    assert_eq!(decoded(admin), 1.0);
    // Errors are passed on, never kept.
    for _ in 0..2 {
        let (status, cache, _) = nginx.get("/resize?width=40&file=none.jpg");
        assert_eq!((status, cache.as_str()), (400, "MISS"));
    }
}
