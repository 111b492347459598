//! The bytes of answers beside the number that stands for them in every entity tag. `UPDATE_RENDERING=1 cargo test
//! rendering` writes `tests/data/rendering.txt` anew, once the number has been raised.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::goldens::{GOLDENS, encoded};
use super::http::Server;

/// More than the goldens show, which are all PNG: every encoder and its settings, and the ways of a JPEG that never
/// becomes RGB.
const ENCODED: &[(&str, &str, &str)] = &[
    ("jpeg/photo", "photo.jpg", "resize?width=120&type=jpeg"),
    ("jpeg/half", "photo.jpg", "resize?width=300&type=jpeg&quality=50"),
    ("jpeg/best", "photo.jpg", "resize?width=120&type=jpeg&quality=100"),
    ("jpeg/whole", "photo.jpg", "convert?type=jpeg"),
    ("jpeg/progressive", "photo.jpg", "resize?width=120&type=jpeg&interlace=true"),
    ("jpeg/of-progressive", "progressive.jpg", "resize?width=60&type=jpeg"),
    ("jpeg/of-422", "422.jpg", "resize?width=120&type=jpeg"),
    ("jpeg/of-444", "444.jpg", "resize?width=120&type=jpeg"),
    ("jpeg/of-grey", "grey.jpg", "resize?width=60&type=jpeg"),
    ("jpeg/of-cmyk", "cmyk.jpg", "resize?width=60&type=jpeg"),
    ("jpeg/of-rgb", "rgb.png", "resize?width=90&type=jpeg"),
    ("jpeg/of-alpha", "rgba.png", "resize?width=90&type=jpeg"),
    ("jpeg/of-lossy", "lossy.webp", "resize?width=60&type=jpeg"),
    ("jpeg/turned", "exif-6.jpg", "resize?width=60&type=jpeg"),
    ("jpeg/blurred", "photo.jpg", "blur?sigma=4&width=120&type=jpeg"),
    ("jpeg/cropped", "photo.jpg", "crop?width=120&height=120&type=jpeg"),
    ("jpeg/metadata", "metadata.jpg", "resize?width=60&type=jpeg"),
    ("jpeg/stripped", "metadata.jpg", "resize?width=60&type=jpeg&stripmeta=true"),
    ("png/fast", "rgb.png", "resize?width=90&type=png&compression=1"),
    ("png/small", "rgb.png", "resize?width=90&type=png&compression=9"),
    ("png/interlaced", "rgb.png", "resize?width=90&type=png&interlace=true"),
    ("png/palette", "lossless.webp", "convert?type=png&palette=true"),
    ("webp/photo", "photo.jpg", "resize?width=120&type=webp"),
    ("webp/alpha", "rgba.png", "resize?width=90&type=webp"),
    ("webp/of-lossy", "lossy.webp", "resize?width=60&type=webp"),
    ("tiff/photo", "photo.jpg", "resize?width=120&type=tiff"),
];

/// What stands in the file.
#[derive(Debug, Clone, Default, PartialEq)]
struct Recorded {
    rendering: u32,
    /// By architecture and name.
    digests: BTreeMap<(String, String), String>,
}

impl Recorded {
    fn read(text: &str) -> Self {
        let mut recorded = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["RENDERING", number] => recorded.rendering = number.parse().unwrap(),
                [arch, name, digest] => {
                    recorded.digests.insert((arch.to_owned(), name.to_owned()), digest.to_owned());
                }
                _ => panic!("tests/data/rendering.txt: {line}"),
            }
        }
        recorded
    }

    fn text(&self) -> String {
        let mut text =
            "# Digests of answers, by architecture, beside the number in their entity tags: tests/suite/rendering.rs\n"
                .to_owned();
        writeln!(text, "RENDERING {}", self.rendering).unwrap();
        for ((arch, name), digest) in &self.digests {
            writeln!(text, "{arch} {name} {digest}").unwrap();
        }
        text
    }

    /// What was recorded, with what is made today; refused where a picture became another one under the same number.
    fn renewed(&self, rendering: u32, arch: &str, made: &BTreeMap<String, String>) -> Result<Self, String> {
        let of = |name: &String| self.digests.get(&(arch.to_owned(), name.clone()));
        let changed: Vec<_> = made
            .iter()
            .filter(|(name, digest)| of(name).is_some_and(|before| before != *digest))
            .map(|(n, _)| n)
            .collect();
        if !changed.is_empty() && rendering <= self.rendering {
            return Err(format!(
                "answers have other bytes than under RENDERING {}: {changed:?}\nCaches would keep the old ones under the \
                 same tags: raise RENDERING in src/server/conditional.rs, then UPDATE_RENDERING=1 cargo test rendering",
                self.rendering
            ));
        }
        if rendering < self.rendering {
            return Err(format!(
                "RENDERING was {} and is {rendering}: tags of old answers would be used again",
                self.rendering
            ));
        }
        // Other architectures are recorded where they are at home; under another number what they have is of the past.
        let others = self.digests.iter().filter(|((of, _), _)| of != arch && rendering == self.rendering);
        let own = made.iter().map(|(name, digest)| ((arch.to_owned(), name.clone()), digest.clone()));
        let digests = others.map(|(key, digest)| (key.clone(), digest.clone())).chain(own).collect();
        Ok(Self { rendering, digests })
    }
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/rendering.txt")
}

/// The number in the tags, read from the code: nothing else needs to know it.
fn rendering() -> u32 {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/server/conditional.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let number =
        source.lines().find_map(|line| line.strip_prefix("const RENDERING: u32 = ")?.strip_suffix(';')).unwrap();
    number.parse().unwrap()
}

#[test]
fn other_bytes_need_another_number_in_the_tags() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let server = Server::with(&["-mount", fixtures.to_str().unwrap(), "-gpu", "off"]);
    // Marks come from an origin with another port each time, which does not matter to bytes; texts are drawn with the
    // machine's fonts, too, which are not part of a tag.
    let goldens = GOLDENS.iter().filter(|(_, _, request)| !request.contains("MARKS") && !request.contains("text="));
    let goldens = goldens.map(|(name, fixture, request)| (*name, *fixture, format!("{request}&type=png")));
    let encoders = ENCODED.iter().map(|(name, fixture, request)| (*name, *fixture, (*request).to_owned()));
    let mut made = BTreeMap::new();
    for (name, fixture, request) in goldens.chain(encoders) {
        let answer = server.get(&format!("/{}&file={fixture}", encoded(&request)));
        assert_eq!(answer.status, 200, "{name}");
        let digest: String = Sha256::digest(&answer.body)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(made.insert(name.to_owned(), digest), None, "two requests are called {name}");
    }
    let recorded = Recorded::read(&std::fs::read_to_string(file()).unwrap_or_default());
    let renewed =
        recorded.renewed(rendering(), std::env::consts::ARCH, &made).unwrap_or_else(|fault| panic!("{fault}"));
    if std::env::var_os("UPDATE_RENDERING").is_some() {
        std::fs::write(file(), renewed.text()).unwrap();
    } else if recorded.digests.keys().any(|(arch, _)| arch == std::env::consts::ARCH) {
        assert_eq!(recorded, renewed, "UPDATE_RENDERING=1 cargo test rendering");
    } else {
        eprintln!(
            "SKIPPED: nothing is recorded for {}: UPDATE_RENDERING=1 cargo test rendering",
            std::env::consts::ARCH
        );
    }
}

#[test]
fn a_changed_answer_is_recorded_only_under_another_number() {
    let made = |digest: &str| BTreeMap::from([("a/b".to_owned(), digest.to_owned())]);
    let old = Recorded::default().renewed(2, "x", &made("1")).unwrap();
    let both = old.renewed(2, "y", &made("3")).unwrap();
    assert_eq!(Recorded::read(&both.text()), both);
    assert_eq!(both.digests.len(), 2);
    assert_eq!(both.renewed(2, "x", &made("1")), Ok(both.clone()));
    assert!(both.renewed(2, "x", &made("2")).unwrap_err().contains("raise RENDERING"));
    assert!(both.renewed(1, "x", &made("1")).unwrap_err().contains("was 2 and is 1"));
    // A new request changes nothing that was sent before.
    let more = BTreeMap::from([("a/b".to_owned(), "1".to_owned()), ("c".to_owned(), "9".to_owned())]);
    assert_eq!(both.renewed(2, "x", &more).unwrap().digests.len(), 3);
    let raised = both.renewed(3, "x", &made("2")).unwrap();
    assert_eq!((raised.rendering, raised.digests.len()), (3, 1));
}
