//! Section 8 of the contract: key and signature.

use phasor::query::Query;
use phasor::security::{Key, signature};

use super::Server;

const KEY: &str = "4f46feebafc4b5e988f131c4ff8b5997";
const OLD_KEY: &str = "0123456789abcdef0123456789abcdef";

fn signed(key: &str, target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let sign = signature::sign(&Key::new(key).unwrap(), path.as_bytes(), &Query::parse(query.as_bytes()));
    format!("{target}&sign={sign}")
}

#[test]
fn the_key_is_asked_for_everywhere() {
    let server = Server::with(&["-key", "secret", "-mount", "MOUNT"]);
    for path in ["/", "/health", "/form", "/resize?width=10&file=a.jpg", "/nope"] {
        server.get(path).assert_error(401, "Invalid or missing API key");
    }
    assert_eq!(server.get("/health?key=secret").status, 200);
    assert_eq!(server.request("GET", "/health", &[("API-Key", "secret")], None).status, 200);
    assert_eq!(server.request("GET", "/health?key=secret", &[("API-Key", "wrong")], None).status, 401);
    assert_eq!(server.request("GET", "/health?key=secret", &[("API-Key", "")], None).status, 200);
}

#[test]
fn signed_urls_are_served_and_unsigned_variations_are_not() {
    let server = Server::with(&["-mount", "MOUNT", "-enable-url-signature", "-url-signature-key", KEY]);
    let good = signed(KEY, "/resize?width=10&file=a.jpg");
    server.get(&good).assert_picture("image/jpeg", 10, 8);
    for extra in ["&sign=x", "&%zz=1", "&a;b=1", "&", "&x=1"] {
        let status = server.get(&format!("{good}{extra}")).status;
        assert!(status == 400 || status == 403, "{extra}: {status}");
    }
    server.get(&format!("{good}=")).assert_error(400, "Invalid URL signature");
    server.get(&good.replace("width=10", "width=11")).assert_error(403, "URL signature mismatch");
    let other = signed(OLD_KEY, "/resize?width=10&file=a.jpg");
    server.get(&other).assert_error(403, "URL signature mismatch");
}

#[test]
fn keys_rotate() {
    let flags = ["-mount", "MOUNT", "-enable-url-signature", "-url-signature-key", KEY, "-url-signature-keys", OLD_KEY];
    let server = Server::with(&flags);
    for key in [KEY, OLD_KEY] {
        assert_eq!(server.get(&signed(key, "/info?file=a.jpg")).status, 200);
    }
}

/// Without a restart, and never into having none.
#[test]
fn keys_of_a_file_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, OLD_KEY).unwrap();
    let flag = format!("-url-signature-key-file={}", path.display());
    let server = Server::with(&["-mount", "MOUNT", "-enable-url-signature", &flag]);
    let (old, new) = (signed(OLD_KEY, "/info?file=a.jpg"), signed(KEY, "/info?file=a.jpg"));
    let until = |target: &str, status: u16| {
        let begun = std::time::Instant::now();
        while server.get(target).status != status {
            assert!(begun.elapsed() < std::time::Duration::from_secs(15), "{target} is never {status}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    };
    assert_eq!((server.get(&old).status, server.get(&new).status), (200, 403));
    std::fs::write(&path, format!("{OLD_KEY}\n{KEY}\n")).unwrap();
    until(&new, 200);
    assert_eq!(server.get(&old).status, 200);
    std::fs::write(&path, KEY).unwrap();
    until(&old, 403);
    std::fs::write(&path, "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!((server.get(&new).status, server.get("/info?file=a.jpg").status), (200, 403));
}

#[test]
fn signed_get_only_refuses_posts() {
    let flags = ["-mount", "MOUNT", "-enable-url-signature", "-url-signature-key", KEY, "-signed-get-only"];
    let server = Server::with(&flags);
    assert_eq!(server.post(&signed(KEY, "/resize?width=10"), b"x").status, 405);
    assert_eq!(server.get(&signed(KEY, "/info?file=a.jpg")).status, 200);
}

#[test]
fn an_expired_url_is_gone() {
    let server = Server::with(&["-mount", "MOUNT", "-enable-url-signature", "-url-signature-key", KEY]);
    assert_eq!(server.get(&signed(KEY, "/info?file=a.jpg&expires=1")).status, 410);
    assert_eq!(server.get(&signed(KEY, "/info?file=a.jpg&expires=99999999999")).status, 200);
}
