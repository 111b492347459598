//! Numbers and switches as a query string writes them: section 3 of the contract.

/// Why a text is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NumberError {
    /// Not a decimal number.
    #[error("invalid syntax")]
    Syntax,
    /// Beyond what a double holds.
    #[error("value out of range")]
    Range,
}

/// The absolute value of a decimal number with optional sign, fraction and exponent; the empty text is 0. Words
/// (`inf`, `nan`), hexadecimal, separators and surrounding space are refused, so the answer is always finite.
pub(super) fn parse_float(text: &[u8]) -> Result<f64, NumberError> {
    if text.is_empty() {
        return Ok(0.0);
    }
    if !text.iter().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return Err(NumberError::Syntax);
    }
    let value: f64 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(NumberError::Syntax)?;
    if value.is_finite() { Ok(value.abs()) } else { Err(NumberError::Range) }
}

/// [`parse_float`], rounded half up; beyond the 64-bit range the nearest end of it.
pub(super) fn parse_integer(text: &[u8]) -> Result<i64, NumberError> {
    parse_float(text).map(|value| (value + 0.5).floor() as i64)
}

/// `1 t T TRUE true True` or `0 f F FALSE false False`; the empty text is false.
pub(super) fn parse_switch(text: &[u8]) -> Option<bool> {
    match text {
        b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Some(true),
        b"" | b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_rounded_absolute_values() {
        let table: [(&str, i64); 12] = [
            ("", 0),
            ("300", 300),
            ("200.5", 201),
            ("200.49", 200),
            ("-200", 200),
            ("+7", 7),
            ("2e2", 200),
            (".5", 1),
            ("5.", 5),
            ("0.4", 0),
            ("1e300", i64::MAX),
            ("1e-400", 0),
        ];
        for (text, value) in table {
            assert_eq!(parse_integer(text.as_bytes()), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in [
            "abc", "100px", "0x64", " 100", "100 ", "1,5", ".", "e5", "1e", "--1", "1.2.3", "inf", "nan", "1_00",
            "0x1p4",
        ] {
            assert_eq!(parse_float(text.as_bytes()), Err(NumberError::Syntax), "{text}");
        }
        assert_eq!(parse_float(b"1e400"), Err(NumberError::Range));
        assert_eq!(parse_float(b"\xff"), Err(NumberError::Syntax));
    }

    #[test]
    fn only_the_listed_words_are_switches() {
        assert_eq!(parse_switch(b"True"), Some(true));
        assert_eq!(parse_switch(b""), Some(false));
        for text in ["yes", "tRUE", "2", " true", "on"] {
            assert_eq!(parse_switch(text.as_bytes()), None, "{text}");
        }
    }
}
