//! As much of YAML as kustomize writes, and nothing else: block mappings and sequences, plain, single- and double-quoted
//! scalars (folded over lines too), literal blocks. What it does not know it refuses, so a manifest cannot be read in
//! two ways.

use serde_json::{Map, Value};

/// The documents of a file.
pub(super) fn documents(text: &str) -> Result<Vec<Value>, String> {
    text.split("\n---\n").map(document).collect()
}

fn document(text: &str) -> Result<Value, String> {
    let mut lines = Lines { lines: text.lines().map(str::to_owned).collect(), at: 0 };
    let value = lines.block(0)?;
    match lines.peek()? {
        None => Ok(value),
        Some((_, text)) => Err(format!("{text:?} stands nowhere")),
    }
}

struct Lines {
    lines: Vec<String>,
    at: usize,
}

impl Lines {
    /// The next line that is neither empty nor a comment, and its indentation.
    fn peek(&mut self) -> Result<Option<(usize, String)>, String> {
        while let Some(line) = self.lines.get(self.at) {
            let bare = line.trim_start_matches(' ');
            if bare.is_empty() || bare.starts_with('#') {
                self.at += 1;
                continue;
            }
            if bare.starts_with('\t') || bare.ends_with(' ') || bare.contains(" #") {
                return Err(format!("{line:?}: a tab, a trailing space or a comment behind something"));
            }
            return Ok(Some((line.len() - bare.len(), bare.to_owned())));
        }
        Ok(None)
    }

    /// The block of this indentation that starts here.
    fn block(&mut self, indent: usize) -> Result<Value, String> {
        match self.peek()? {
            Some((_, text)) if text.starts_with("- ") => self.sequence(indent),
            _ => self.mapping(indent),
        }
    }

    fn sequence(&mut self, indent: usize) -> Result<Value, String> {
        let mut items = Vec::new();
        while let Some((_, text)) = self.peek()?.filter(|(i, text)| *i == indent && text.starts_with("- ")) {
            let item = &text[2..];
            if entry(item).is_some() {
                // The first entry of a mapping that stands two further in.
                self.lines[self.at] = format!("{:1$}{item}", "", indent + 2);
                items.push(self.block(indent + 2)?);
            } else {
                self.at += 1;
                items.push(self.scalar(item, indent)?);
            }
        }
        Ok(Value::Array(items))
    }

    fn mapping(&mut self, indent: usize) -> Result<Value, String> {
        let mut fields = Map::new();
        while let Some((_, text)) = self.peek()?.filter(|(i, text)| *i == indent && !text.starts_with("- ")) {
            let (name, value) = entry(&text).ok_or_else(|| format!("{text:?} is no entry"))?;
            self.at += 1;
            let value = match value {
                "" => match self.peek()? {
                    Some((inner, _)) if inner > indent => self.block(inner)?,
                    Some((inner, text)) if inner == indent && text.starts_with("- ") => self.sequence(indent)?,
                    _ => return Err(format!("{name:?} has no value")),
                },
                "|" => Value::from(self.literal(indent) + "\n"),
                "|-" => Value::from(self.literal(indent)),
                value => self.scalar(value, indent)?,
            };
            if fields.insert(name.to_owned(), value).is_some() {
                return Err(format!("{name:?} stands twice"));
            }
        }
        Ok(Value::Object(fields))
    }

    /// The lines that stand further in than `indent`, without what they have in common.
    fn literal(&mut self, indent: usize) -> String {
        let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let inside = self.lines[self.at..].iter().take_while(|line| line.is_empty() || depth(line) > indent).count();
        let lines = &self.lines[self.at..self.at + inside];
        let common = lines.first().map_or(0, |line| depth(line));
        let text: Vec<&str> = lines.iter().map(|line| line.get(common..).unwrap_or_default()).collect();
        self.at += inside;
        text.join("\n").trim_end_matches('\n').to_owned()
    }

    /// A scalar whose first line is `first`; lines further in than `indent` go on with it.
    fn scalar(&mut self, first: &str, indent: usize) -> Result<Value, String> {
        let mut text = first.to_owned();
        while let Some((_, more)) = self.peek()?.filter(|(i, _)| *i > indent) {
            text.push(' ');
            text.push_str(&more);
            self.at += 1;
        }
        scalar(&text)
    }
}

/// `name: value` or `name:`.
fn entry(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once(": ").or_else(|| Some((text.strip_suffix(':')?, "")))?;
    (!name.contains(['"', '\'', ' '])).then_some((name, value))
}

fn scalar(text: &str) -> Result<Value, String> {
    if let Some(quoted) = text.strip_prefix('"') {
        let inner = quoted.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\']));
        return inner.map(Value::from).ok_or_else(|| format!("{text}: quotes"));
    }
    if let Some(quoted) = text.strip_prefix('\'') {
        let inner = quoted.strip_suffix('\'').map(|inner| inner.replace("''", "\u{0}"));
        let inner = inner.filter(|inner| !inner.contains('\''));
        return inner.map(|inner| inner.replace('\u{0}', "'").into()).ok_or_else(|| format!("{text}: quotes"));
    }
    if text.starts_with(['[', '{', '&', '*', '!', '|', '>', '%', '@', '`', '?']) || text.contains(": ") {
        return Err(format!("{text}: more YAML than is known here"));
    }
    Ok(match text {
        "true" => Value::from(true),
        "false" => Value::from(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    })
}

#[test]
fn what_kustomize_writes_is_read_and_what_it_does_not_is_refused() {
    let text = "# c\na:\n  b: 1\n  c:\n  - x\n  - name: y\n    v: \"2\"\n  - --flag=10s\nd: true\n---\ne: f\n\
                g: 'it''s {{ long\n  }}: folded'\nh: |-\n  a: b\n    # kept\n\n  c\ni: |\n  {}\n";
    let read: Vec<String> = documents(text).unwrap().iter().map(Value::to_string).collect();
    assert_eq!(
        read,
        [
            r#"{"a":{"b":1,"c":["x",{"name":"y","v":"2"},"--flag=10s"]},"d":true}"#,
            r##"{"e":"f","g":"it's {{ long }}: folded","h":"a: b\n  # kept\n\nc","i":"{}\n"}"##
        ]
    );
    for bad in [
        "a: [1]",
        "a: 1\na: 2",
        "a: 'x",
        "a: 'x'y'",
        "a: \"x",
        "a: x: y",
        "a:\n\tb: 1",
        "a: 1 # c",
        "a:",
        "a: 1\n  b: 2",
        "a",
        "a: {}",
        "a: &x 1",
        "a: >-\n  b",
        "a:\n    b: 1\n  c: 2",
    ] {
        assert!(documents(bad).is_err(), "{bad:?}");
    }
}
