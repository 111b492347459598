//! Text into JSON the way Go's encoder writes it, which clients of the contract compare byte by byte.

use std::fmt::Write as _;

/// A JSON string with its quotes: `<`, `>`, `&`, U+2028 and U+2029 escaped as `\u00XX`, other non-ASCII as it is.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The body of an error: `{"message":"…","status":N}`, newlines removed from the message.
pub(super) fn error(message: &str, status: u16) -> String {
    format!("{{\"message\":{},\"status\":{status}}}", string(&message.replace('\n', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_gos() {
        assert_eq!(string("a<b>&\"\\\u{1}é\u{2028}\t"), r#""a\u003cb\u003e\u0026\"\\\u0001é\u2028\t""#);
        assert_eq!(error("two\nlines", 400), r#"{"message":"twolines","status":400}"#);
    }
}
