//! Every `crate::…` path in `src/` against the table of who may use whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Module, and the modules that it may name. Those of [`LEAVES`] use nothing and may be used by all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("image", &[]),
    ("query", &[]),
    ("budget", &[]),
    ("markdown", &[]),
    ("telemetry", &[]),
    ("ops", &["image"]),
    ("codecs", &["image", "telemetry"]),
    ("backend", &["ops", "image", "telemetry"]),
    ("plan", &["ops", "image", "codecs", "query", "telemetry"]),
    ("engine", &["plan", "backend", "codecs", "ops", "image", "budget", "telemetry"]),
    ("sources", &["query", "budget", "telemetry"]),
    ("security", &["query", "budget", "telemetry"]),
    ("shadow", &["backend", "codecs", "image", "sources", "budget", "telemetry"]),
    // Sums of what the areas declare.
    ("error", &["server", "security", "plan", "sources", "engine"]),
    ("config", &["server", "security", "shadow", "plan", "sources", "engine", "codecs", "telemetry"]),
    ("cli", &["config", "engine", "plan", "query", "security"]),
    (
        "server",
        &[
            "error",
            "config",
            "security",
            "shadow",
            "sources",
            "engine",
            "plan",
            "codecs",
            "backend",
            "ops",
            "image",
            "query",
            "budget",
            "telemetry",
        ],
    ),
    ("bench", &["backend", "codecs", "config", "image", "ops", "plan", "query", "server"]),
    ("capacity", &[]),
    ("main", &["bench", "capacity", "cli", "config", "server", "telemetry"]),
];

/// Beside the layers.
const LEAVES: &[&str] = &["query", "budget", "markdown"];

/// Crates that one module alone may name.
const OWNED_CRATES: &[(&str, &str)] = &[("actix_web", "server"), ("actix_http", "server"), ("actix_service", "server")];

#[test]
fn every_layer_uses_only_what_the_table_allows() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    visit(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").as_path(), &mut |path, text| {
        let module = module_of(path);
        if module == "lib" {
            return;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: module {module} is not in the table", path.display()));
            return;
        };
        seen.insert(module.clone());
        for used in used_modules(text) {
            if used != module && !LEAVES.contains(&used.as_str()) && !allowed.contains(&used.as_str()) {
                wrong.push(format!("{}: {module} must not use {used}", path.display()));
            }
        }
        for (krate, owner) in OWNED_CRATES {
            if module != *owner && without_comments(text).contains(&format!("{krate}::")) {
                wrong.push(format!("{}: only {owner} may name {krate}", path.display()));
            }
        }
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(seen.len() >= 12, "the tree was not read: {seen:?}");
}

#[test]
fn uses_are_found_in_every_spelling() {
    let text = "use crate::a::B;\nuse crate::{b, c::D, e::{self, F}};\nfn f() -> crate::g::H { }\n// crate::h::I\n\
                use crate::{\n    i,\n    j::{K, l},\n};\nuse phasor::m;";
    let found: Vec<String> = used_modules(text).into_iter().collect();
    assert_eq!(found, ["a", "b", "c", "e", "g", "i", "j", "m"]);
}

fn visit(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

/// The first folder or file under `src/`.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The names right after `crate::` or `phasor::`, in braces too.
fn used_modules(text: &str) -> BTreeSet<String> {
    let text = without_comments(text);
    let mut found = BTreeSet::new();
    for start in ["crate::", "phasor::"] {
        for (at, _) in text.match_indices(start) {
            // `$crate::` and `other_crate::` are something else.
            if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let rest = &text[at + start.len()..];
            if let Some(list) = rest.strip_prefix('{') {
                found.extend(top_names(list));
            } else {
                found.insert(name(rest));
            }
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

/// The first names of a brace list's items, at its own depth.
fn top_names(list: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut names = Vec::new();
    let mut item = String::new();
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(std::mem::take(&mut item).trim())),
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    names.push(name(item.trim()));
    names
}

fn name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
