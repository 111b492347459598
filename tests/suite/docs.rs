//! Texts that are made from tables. `UPDATE_DOCS=1 cargo test docs` writes them anew.

use phasor::config::{FLAGS, Group, Kind};

#[test]
fn configuration_is_the_table_of_flags() {
    let mut text = String::from(
        "# Settings\n\nMade from the table of flags in `src/config/flags.rs`; a test keeps the two the same.\n\n\
         Flags take one dash or two, and their value after a space or `=`; switches take theirs only after `=`. Each is\n\
         also an environment variable: `-max-queue` is `PHASOR_MAX_QUEUE`; the flag wins over it. The names kept from\n\
         imaginary (`PORT`, `URL_SIGNATURE_KEY`, `GOLANG_LOG`) win over the flag. Durations are seconds or `500ms`, `30s`,\n\
         `2m`; sizes are bytes or `64MiB`, `1.5G`.\n",
    );
    let groups = [Group::Listening, Group::Access, Group::Sources, Group::Limits, Group::Answers, Group::Operation];
    for group in groups {
        text.push_str(&format!("\n## {}\n\n| flag | value | default | meaning |\n|---|---|---|---|\n", group.title()));
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            let value = match flag.kind {
                Kind::Switch => "switch".to_owned(),
                Kind::Integer => "integer".to_owned(),
                Kind::Number => "number".to_owned(),
                Kind::Duration => "duration".to_owned(),
                Kind::Bytes => "size".to_owned(),
                Kind::Text => "text".to_owned(),
                Kind::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            };
            let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
            let env = flag.env.map(|env| format!("; environment `{env}` wins")).unwrap_or_default();
            text.push_str(&format!("| `-{}` | {value} | {default} | {}{env} |\n", flag.name, flag.help));
        }
    }
    assert_same("docs/configuration.md", &text);
}

#[track_caller]
fn assert_same(path: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{} is out of date: UPDATE_DOCS=1 cargo test docs", path.display());
}
