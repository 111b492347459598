use proptest::prelude::*;

use super::*;
use crate::sources::target::Target;

fn admits(list: &str, url: &str) -> bool {
    let origins = Origin::parse_list(list).unwrap();
    Target::parse(url).is_some_and(|target| admit(&origins, &target.url))
}

/// Section 6.3 of the contract.
#[test]
fn hosts_ports_and_prefixes() {
    for (list, url, admitted) in [
        ("http://a.com", "http://a.com/x.jpg", true),
        ("http://a.com", "https://a.com/x.jpg", true),
        ("https://a.com", "http://a.com", true),
        ("http://a.com", "http://a.com:8080/x", false),
        ("http://a.com:8080", "http://a.com:8080/x", true),
        ("http://a.com:8080", "http://a.com/x", false),
        ("http://a.com:80", "http://a.com/x", true),
        ("http://a.com", "http://b.com/x", false),
        ("http://a.com", "http://xa.com/x", false),
        ("http://a.com", "http://a.com.evil/x", false),
        ("http://u:p@a.com", "http://a.com/x", true),
        ("http://a", "http://a/x", true),
        ("http://a", "http://b/x", false),
        ("http://*.a.com", "http://a.com/x", true),
        ("http://*.a.com", "http://img.a.com/x", true),
        ("http://*.a.com", "http://x.y.a.com/x", true),
        ("http://*.a.com", "http://xa.com/x", false),
        ("http://*.a.com:81", "http://x.a.com:81/x", true),
        ("http://*.a.com:81", "http://x.a.com/x", false),
        ("http://a.com/img", "http://a.com/img/x", true),
        ("http://a.com/img", "http://a.com/img", false),
        ("http://a.com/img", "http://a.com/imgx/x", false),
        ("http://a.com/img/", "http://a.com/img/x", true),
        ("http://a.com/my-buck*", "http://a.com/my-bucket/x", true),
        ("http://a.com/my-buck*", "http://a.com/my-bu/x", false),
        ("http://a.com/a%20b", "http://a.com/a b/x", true),
        ("http://a.com/", "http://a.com", true),
        ("http://a.com/img, http://b.com", "http://b.com/x", true),
        ("http://a.com/img,http://b.com", "http://a.com/x", false),
        ("//a.com", "http://a.com/x", true),
        ("http://[::1]:80", "http://[0:0::1]/x", true),
        ("", "http://anything/x", true),
    ] {
        assert_eq!(admits(list, url), admitted, "{list} {url}");
    }
}

/// S11.
#[test]
fn what_looks_like_the_host_is_not_enough() {
    for url in [
        "http://good.com@evil.com/",
        "http://evil.com#@good.com",
        "http://good.com\\@evil.com/",
        "http://evil.com\\good.com/",
        "http://good.com:80@evil.com/",
        "http://evil.com?@good.com/",
        "http://evil.com/good.com",
        "http://good.com.evil.com/",
        "http://gооd.com/",
        "http://good.com:81/",
        "http://evil.com/?http://good.com/",
        "http://@evil.com/",
        "http:good.com",
        "http:///good.com/",
        "//good.com/",
        "http://good.com%40evil.com/",
        "http://evil.com%2F.good.com/",
        "http://goodxcom/",
        "http://good.com%00.evil.com/",
        "http://good.com%2eevil.com/",
        "http://[good.com]/",
        "http://good.com,evil.com/",
    ] {
        assert!(!admits("http://good.com", url), "{url}");
    }
    for url in
        ["http://GOOD.com/", "http://good.com./", "http://good.com:80/", "https://good.com:443/", "http://g%6Fod.com/"]
    {
        assert!(admits("http://good.com", url), "{url}");
    }
    assert!(admits("http://bücher.example", "http://xn--bcher-kva.example/x"));
}

/// S12.
#[test]
fn dot_segments_do_not_leave_the_prefix() {
    for path in [
        "/public/../secret",
        "/public/%2e%2e/secret",
        "/public/%2E./secret",
        "/public/..%2fsecret",
        "/public/..%5csecret",
        "/public/%2e%2e%2fsecret",
        "/public/a/..%2f..%2fsecret",
        "/public/..\\secret",
        "/public/%252e%252e%252fsecret",
        "/public/..%252fsecret",
        "/public%2f../secret",
        "/public/%25252e%25252e/x",
        "/public/..",
        "/public/.%2e%5csecret",
    ] {
        assert!(!admits("http://a.com/public", &format!("http://a.com{path}")), "{path}");
    }
    for path in ["/public/x", "/public/a..b", "/public/...", "/public/./x", "/secret/../public/x", "/public/100%25.jpg"]
    {
        assert!(admits("http://a.com/public", &format!("http://a.com{path}")), "{path}");
    }
}

/// S13, and entries that the reference drops silently.
#[test]
fn entries_that_do_not_parse_are_all_reported() {
    let errors =
        Origin::parse_list("a.com, http://ok, http://, http://a:x, http://*, http://a*b, ftp:/x, http://a/%zz")
            .unwrap_err();
    assert_eq!(errors.len(), 7, "{errors:?}");
    for bad in
        [",", " , ", "http://*.1.2.3.4", "http://a/b/../c", "http://a b", "http://[::1", "http://a:99999", "*.a.com"]
    {
        assert!(Origin::parse_list(bad).is_err(), "{bad}");
    }
    assert_eq!(Origin::parse_list("").unwrap(), []);
    assert_eq!(Origin::parse_list("http://a, ,").unwrap().len(), 1);
}

#[test]
fn only_hosts_written_in_full_are_named() {
    let origins = Origin::parse_list("http://*.a.com,http://b.com/img,http://10.0.0.1:81").unwrap();
    for (url, named) in [
        ("http://a.com/", false),
        ("http://x.a.com/", false),
        ("http://b.com/img/x", true),
        ("http://10.0.0.1:81/", true),
        ("http://10.0.0.1/", false),
    ] {
        assert_eq!(name_host(&origins, &Url::parse(url).unwrap()), named, "{url}");
    }
}

proptest! {
    #[test]
    fn admitted_means_the_dialled_host_is_listed(url in "http://[a-z@:#?/\\\\%.0-9]{0,24}(good\\.com)?[@:#?/\\\\%.a-z0-9]{0,12}") {
        let origins = Origin::parse_list("http://good.com").unwrap();
        if let Some(target) = Target::parse(&url) && admit(&origins, &target.url) {
            prop_assert!(matches!(target.uri().unwrap().host(), Some("good.com" | "good.com.")));
        }
    }

    #[test]
    fn any_list_is_read_or_refused(list in ".{0,60}", url in ".{0,60}") {
        let origins = Origin::parse_list(&list);
        if let (Ok(origins), Some(target)) = (origins, Target::parse(&url)) {
            let _ = admit(&origins, &target.url);
        }
    }
}
