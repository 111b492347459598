use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;

/// `base/img` is the mount, `base/img-private` and `base/secret.txt` lie beside it.
struct Tree {
    base: TempDir,
    budget: MemoryBudget,
}

impl Tree {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir_all(base.path().join("img/sub")).unwrap();
        fs::create_dir(base.path().join("img-private")).unwrap();
        fs::write(base.path().join("secret.txt"), "secret").unwrap();
        fs::write(base.path().join("img-private/x.jpg"), "secret").unwrap();
        for name in ["a.jpg", "sub/b.jpg", "a b.jpg", "a+b.jpg", "100%.jpg", "a\\b.jpg", "é.jpg"] {
            fs::write(base.path().join("img").join(name), name).unwrap();
        }
        Self { base, budget: MemoryBudget::new(1 << 20) }
    }

    fn img(&self, name: &str) -> PathBuf {
        self.base.path().join("img").join(name)
    }

    fn read_as(&self, value: &str, follow_out: bool) -> Result<String, String> {
        let mount = Mount::open(&self.img(""), follow_out).unwrap();
        let read = mount.read(value, None, &self.budget);
        let text = |found| match found {
            Found::Bytes(f) => String::from_utf8(f.bytes.to_vec()).unwrap(),
            Found::Unchanged { .. } => panic!("nothing was known"),
        };
        read.map(text).map_err(|error| error.to_string())
    }

    fn read(&self, value: &str) -> Result<String, String> {
        self.read_as(value, false)
    }
}

fn invalid() -> Result<String, String> {
    Err("Invalid file path".to_owned())
}

#[test]
fn values_are_decoded_once_more() {
    let tree = Tree::new();
    for (value, name) in [
        ("a.jpg", "a.jpg"),
        ("/a.jpg", "a.jpg"),
        ("//sub//b.jpg", "sub/b.jpg"),
        ("./sub/../a.jpg", "a.jpg"),
        ("none/../a.jpg", "a.jpg"),
        ("sub%2Fb.jpg", "sub/b.jpg"),
        ("a%20b.jpg", "a b.jpg"),
        ("a%2Bb.jpg", "a+b.jpg"),
        ("a+b.jpg", "a b.jpg"),
        ("100%25.jpg", "100%.jpg"),
        ("100%.jpg", "100%.jpg"),
        ("a\\b.jpg", "a\\b.jpg"),
        ("%C3%A9.jpg", "é.jpg"),
        ("é.jpg", "é.jpg"),
    ] {
        assert_eq!(tree.read(value), Ok(name.to_owned()), "{value}");
    }
    fs::remove_file(tree.img("a b.jpg")).unwrap();
    assert_eq!(tree.read("a+b.jpg").unwrap(), "a+b.jpg");
}

/// M1; the first row is read by the reference.
#[test]
fn no_path_leads_out() {
    let tree = Tree::new();
    let absolute = tree.base.path().join("secret.txt");
    for value in [
        "../img-private/x.jpg",
        "..",
        "../secret.txt",
        "sub/../../secret.txt",
        "%2e%2e/secret.txt",
        "%2e%2e%2fsecret.txt",
        "..%2fsecret.txt",
        "%252e%252e/secret.txt",
        "/../secret.txt",
        "..\\secret.txt",
        "a.jpg\0",
        "a.jpg%00",
        "%00",
        "",
        ".",
        "/",
        "sub",
        "sub/",
        "none.jpg",
        "a.jpg/..",
        "a.jpg/x",
        "../img/../secret.txt",
        absolute.to_str().unwrap(),
        "%zz",
        "%",
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "....//secret.txt",
    ] {
        assert_eq!(tree.read(value), invalid(), "{value}");
    }
    assert_eq!(tree.budget.used(), 0);
}

/// M2.
#[test]
fn links_are_followed_inside_only() {
    let tree = Tree::new();
    let base = tree.base.path();
    for (target, link) in [
        (PathBuf::from("sub/b.jpg"), "relative"),
        (tree.img("a.jpg"), "absolute"),
        (PathBuf::from("relative"), "chain"),
        (PathBuf::from("../secret.txt"), "out"),
        (base.join("secret.txt"), "absolute-out"),
        (PathBuf::from("out"), "chain-out"),
        (base.to_owned(), "dir-out"),
        (PathBuf::from("../img/a.jpg"), "out-and-in"),
        (PathBuf::from("loop"), "loop"),
        (base.join("img-private"), "sibling"),
    ] {
        symlink(target, tree.img(link)).unwrap();
    }
    for (value, name) in
        [("relative", "sub/b.jpg"), ("absolute", "a.jpg"), ("chain", "sub/b.jpg"), ("out-and-in", "a.jpg")]
    {
        assert_eq!(tree.read(value), Ok(name.to_owned()), "{value}");
    }
    for value in ["out", "absolute-out", "chain-out", "dir-out/secret.txt", "loop", "sibling/x.jpg"] {
        assert_eq!(tree.read(value), invalid(), "{value}");
    }
    assert_eq!(tree.read_as("out", true).unwrap(), "secret");
    assert_eq!(tree.read_as("sibling/x.jpg", true).unwrap(), "secret");
    assert_eq!(tree.read_as("../secret.txt", true), invalid());
}

/// M2: a link that is swapped while it is read.
#[test]
fn a_swapped_link_never_leads_out() {
    let tree = Tree::new();
    let stop = Arc::new(AtomicBool::new(false));
    let swapper = {
        let (stop, link, next) = (Arc::clone(&stop), tree.img("swap"), tree.img("next"));
        let targets = [
            tree.img("a.jpg"),
            tree.base.path().join("secret.txt"),
            PathBuf::from("a.jpg"),
            PathBuf::from("../secret.txt"),
        ];
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for target in &targets {
                    symlink(target, &next).unwrap();
                    fs::rename(&next, &link).unwrap();
                }
            }
        })
    };
    let mount = Mount::open(&tree.img(""), false).unwrap();
    let (mut good, end) = (0, Instant::now() + Duration::from_millis(700));
    while Instant::now() < end {
        if let Ok(Found::Bytes(fetched)) = mount.read("swap", None, &tree.budget) {
            assert_eq!(&fetched.bytes[..], b"a.jpg");
            good += 1;
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
    assert!(good > 0);
}

/// M3.
#[test]
fn only_regular_files_are_read_and_nothing_waits() {
    let tree = Tree::new();
    let fifo = tree.img("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(tree.img("socket")).unwrap();
    symlink("/dev/zero", tree.img("zero")).unwrap();
    symlink("/proc/self/status", tree.img("proc")).unwrap();
    fs::write(tree.img("empty"), "").unwrap();
    let start = Instant::now();
    for value in ["fifo", "socket", "sub", "zero", "proc"] {
        assert_eq!(tree.read(value), invalid(), "{value}");
    }
    assert_eq!(tree.read_as("zero", true), invalid());
    assert_eq!(tree.read_as("proc", true).unwrap_err(), "Empty or unreadable image");
    assert_eq!(tree.read("empty").unwrap_err(), "Empty or unreadable image");
    assert!(start.elapsed() < Duration::from_secs(2));
}

/// M4.
#[test]
fn sizes_are_checked_before_reading() {
    let tree = Tree::new();
    fs::File::create(tree.img("sparse")).unwrap().set_len(1 << 40).unwrap();
    assert!(tree.read("sparse").unwrap_err().starts_with("Image file is too big"));
    fs::write(tree.img("large"), vec![1; 700_000]).unwrap();
    let held = tree.budget.try_charge(500_000).unwrap();
    let mount = Mount::open(&tree.img(""), false).unwrap();
    assert!(matches!(mount.read("large", None, &tree.budget), Err(FetchError::OverBudget)));
    drop(held);
    let Found::Bytes(fetched) = mount.read("large", None, &tree.budget).unwrap() else { panic!("nothing was known") };
    assert_eq!((fetched.bytes.len(), tree.budget.used()), (700_000, 700_000));
}

#[test]
fn mounts_that_are_none_are_refused() {
    let tree = Tree::new();
    assert!(matches!(Mount::open(Path::new("/"), false), Err(ConfigError::MountIsRoot)));
    assert!(matches!(Mount::open(Path::new("/tmp/.."), false), Err(ConfigError::MountIsRoot)));
    assert!(matches!(Mount::open(&tree.img("a.jpg"), false), Err(ConfigError::MountNotDirectory(_))));
    assert!(matches!(Mount::open(&tree.img("none"), false), Err(ConfigError::MountMissing { .. })));
    let dotted = Mount::open(&tree.img("sub/.."), false).unwrap();
    assert!(dotted.read("a.jpg", None, &tree.budget).is_ok());
}
