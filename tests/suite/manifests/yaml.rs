//! As much of YAML as the manifests use, and nothing else: block mappings and sequences, plain and double-quoted
//! scalars, whole-line comments. What it does not know it refuses, so a manifest cannot be read in two ways.

use serde_json::{Map, Value};

/// The documents of a file.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    text.split("\n---\n").map(document).collect()
}

fn document(text: &str) -> Result<Value, String> {
    let mut lines = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty()) {
        let bare = line.trim_start_matches(' ');
        let indent = line.len() - bare.len();
        if indent % 2 == 1 || bare.starts_with('\t') || bare.ends_with(' ') || bare.contains(" #") {
            return Err(format!("{line:?}: indentation, trailing space or comment"));
        }
        lines.push((indent, bare.to_owned()));
    }
    let mut at = 0;
    let value = block(&mut lines, &mut at, 0)?;
    if at < lines.len() { Err(format!("{:?} stands nowhere", lines[at].1)) } else { Ok(value) }
}

/// The block of this indentation that starts at `at`.
fn block(lines: &mut [(usize, String)], at: &mut usize, indent: usize) -> Result<Value, String> {
    if lines.get(*at).is_some_and(|(_, text)| text.starts_with("- ")) {
        let mut items = Vec::new();
        while let Some((_, text)) = lines.get(*at).filter(|(i, text)| *i == indent && text.starts_with("- ")) {
            let item = text[2..].to_owned();
            if entry(&item).is_some() {
                // The first entry of a mapping that stands two further in.
                lines[*at] = (indent + 2, item);
                items.push(block(lines, at, indent + 2)?);
            } else {
                *at += 1;
                items.push(scalar(&item)?);
            }
        }
        return Ok(Value::Array(items));
    }
    let mut fields = Map::new();
    while let Some((_, text)) = lines.get(*at).filter(|(i, _)| *i == indent) {
        let (name, value) = entry(text).ok_or_else(|| format!("{text:?} is no entry"))?;
        let (name, value) = (name.to_owned(), value.to_owned());
        *at += 1;
        let value = match (value.as_str(), lines.get(*at)) {
            ("", Some(&(inner, _))) if inner > indent => block(lines, at, inner)?,
            ("", _) => return Err(format!("{name:?} has no value")),
            (value, _) => scalar(value)?,
        };
        if fields.insert(name.clone(), value).is_some() {
            return Err(format!("{name:?} stands twice"));
        }
    }
    Ok(Value::Object(fields))
}

/// `name: value` or `name:`.
fn entry(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(": ").or_else(|| Some((text.strip_suffix(':')?, "")))?;
    (!name.contains(['"', ' '])).then_some((name, value))
}

fn scalar(text: &str) -> Result<Value, String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let inner = quoted.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\']));
        return inner.map(Value::from).ok_or_else(|| format!("{text}: quotes"));
    }
    if text.starts_with(['[', '{', '&', '*', '!', '|', '>', '%', '@', '`', '\'', '?']) || text.contains(": ") {
        return Err(format!("{text}: more YAML than is known here"));
    }
    Ok(match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    })
}

#[test]
fn what_the_manifests_use_is_read_and_what_they_do_not_is_refused() {
    let text = "# c\na:\n  b: 1\n  c:\n    - x\n    - name: y\n      v: \"2\"\n    - --flag=10s\nd: true\n---\ne: f\n";
    let read: Vec<String> = documents(text).unwrap().iter().map(Value::to_string).collect();
    assert_eq!(read, [r#"{"a":{"b":1,"c":["x",{"name":"y","v":"2"},"--flag=10s"]},"d":true}"#, r#"{"e":"f"}"#]);
    for bad in [
        "a: [1]",
        "a:\n   b: 1",
        "a: 1\na: 2",
        "a: 'x'",
        "a:\n\tb: 1",
        "a: 1 # c",
        "a:",
        "a: 1\n  b: 2",
        "a",
        "a: b: c",
    ] {
        assert!(documents(bad).is_err(), "{bad:?}");
    }
}
