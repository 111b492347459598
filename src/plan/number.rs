//! Numbers as the contract reads them.

/// Why a text is no number, in the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberError {
    Syntax,
    Range,
}

/// A decimal number with optional sign and exponent; empty is 0. Infinities, NaN, hexadecimal and `_` are refused.
pub(super) fn float(text: &str) -> Result<f64, NumberError> {
    if text.is_empty() {
        return Ok(0.0);
    }
    if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return Err(NumberError::Syntax);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(NumberError::Range),
        Err(_) => Err(NumberError::Syntax),
    }
}

/// Absolute value, rounded half up; saturates far beyond any limit.
pub(super) fn integer(text: &str) -> Result<i64, NumberError> {
    Ok((float(text)?.abs() + 0.5).floor().min(f64::from(u32::MAX)) as i64)
}

/// Go's booleans; empty is false.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "" | "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Quotes as Go's `%q` does: printable characters stay, the rest is escaped.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if c.is_control() || (c.is_whitespace() && c != ' ') => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_rounded_absolute_values() {
        for (text, want) in [("", 0), ("200.5", 201), ("-200", 200), ("2e2", 200), ("+5", 5), (".5", 1), ("0.4", 0)] {
            assert_eq!(integer(text), Ok(want), "{text}");
        }
        for text in ["abc", "100px", "0x64", " 100", "1,5", "inf", "nan", "1_00", "--1", "e", "."] {
            assert_eq!(integer(text), Err(NumberError::Syntax), "{text}");
        }
        assert_eq!(integer("1e400"), Err(NumberError::Range));
        assert_eq!(integer("1e300"), Ok(i64::from(u32::MAX)));
    }

    #[test]
    fn quoting_escapes_what_does_not_print() {
        assert_eq!(quoted("a\"b\\\n\u{1}é\u{a0}"), "\"a\\\"b\\\\\\n\\x01é\\u00a0\"");
    }
}
