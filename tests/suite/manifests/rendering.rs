//! `k8s/rendered` is what kustomize makes of the other folders. `UPDATE_MANIFESTS=1 cargo test manifests` writes it anew
//! and needs kubectl (or kustomize); without them a list of digests tells whether somebody forgot.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest as _, Sha256};

use super::SETS;

const SUMS: &str = "rendered/sums.txt";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s")
}

/// The digests of what is rendered and of what it is made from, by path.
fn sums() -> BTreeMap<String, String> {
    let mut sums = BTreeMap::new();
    let mut folders: Vec<PathBuf> =
        ["base", "components", "overlays", "sites", "rendered"].map(|name| folder().join(name)).into();
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder()).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
            // The keys of whoever has made some are theirs.
            } else if name != SUMS && !name.ends_with("keys.env") {
                let digest = Sha256::digest(std::fs::read(&path).unwrap());
                sums.insert(
                    name,
                    digest.iter().fold(String::new(), |mut hex, byte| {
                        let _ = write!(hex, "{byte:02x}");
                        hex
                    }),
                );
            }
        }
    }
    sums
}

/// The command that renders a folder, if there is one.
fn kustomize() -> Option<Vec<&'static str>> {
    let there = |arguments: &[&str]| {
        Command::new(arguments[0]).args(&arguments[1..]).output().is_ok_and(|output| output.status.success())
    };
    if there(&["kubectl", "kustomize", "--help"]) {
        return Some(vec!["kubectl", "kustomize"]);
    }
    there(&["kustomize", "version"]).then(|| vec!["kustomize", "build"])
}

fn render(kustomize: &[&str], source: &str) -> Result<String, String> {
    let output = Command::new(kustomize[0]).args(&kustomize[1..]).arg(folder().join(source)).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(told) }
}

#[test]
fn what_is_rendered_is_up_to_date() {
    let update = std::env::var_os("UPDATE_MANIFESTS").is_some();
    let hint = "UPDATE_MANIFESTS=1 cargo test manifests renders anew (needs kubectl)";
    match kustomize() {
        None => {
            assert!(!update, "neither kubectl nor kustomize is installed");
            eprintln!("SKIPPED: neither kubectl nor kustomize is installed, so only digests of k8s/ are compared");
        }
        Some(kustomize) => {
            for (name, source) in SETS {
                let path = folder().join(format!("rendered/{name}.yaml"));
                let made = render(&kustomize, source).unwrap_or_else(|told| panic!("{source}: {told}"));
                if update {
                    std::fs::write(&path, &made).unwrap();
                }
                assert!(std::fs::read_to_string(&path).unwrap_or_default() == made, "{name} is out of date: {hint}");
            }
        }
    }
    let text: String = sums().iter().map(|(path, sum)| format!("{sum}  {path}\n")).collect();
    let path = folder().join(SUMS);
    if update {
        std::fs::write(&path, &text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    let changed: Vec<&str> = text.lines().filter(|line| !there.lines().any(|old| old == *line)).collect();
    assert!(there == text, "k8s/{SUMS} knows other files than these: {changed:#?}; {hint}");
}

/// Keys of one's own, in the overlay with two pools: the name of the Secret is one in both.
#[test]
fn keys_of_ones_own_reach_every_pool() {
    let Some(kustomize) = kustomize() else {
        eprintln!("SKIPPED: neither kubectl nor kustomize is installed, so components/signing-keys is not rendered");
        return;
    };
    let copy = tempfile::tempdir().unwrap();
    let status = Command::new("cp").arg("-r").arg(folder()).arg(copy.path().join("k8s")).status().unwrap();
    assert!(status.success());
    let file = copy.path().join("k8s/components/signing-keys/keys.env");
    let own = copy.path().join("k8s/sites/own");
    std::fs::create_dir(&own).unwrap();
    let names = |keys: &str| {
        std::fs::write(&file, keys).unwrap();
        let kustomization = "resources: [../../overlays/mixed]\ncomponents: [../../components/signing-keys]\n";
        std::fs::write(own.join("kustomization.yaml"), kustomization).unwrap();
        let made = render(&kustomize, own.to_str().unwrap()).unwrap();
        let lines = made.lines().map(str::trim).filter_map(|line| line.strip_prefix("name: phasor-signing"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let first = names("key=k1\n");
    // The Secret, and two references from each pool.
    assert_eq!(first.len(), 5, "{first:?}");
    assert!(first.iter().all(|name| *name == first[0] && name.starts_with('-')), "{first:?}");
    assert_ne!(names("key=k2\nmore=k1\n")[0], first[0], "a new key does not roll the pods");
}
