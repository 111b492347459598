//! Numbers with units, as people write them on a command line.

use std::time::Duration;

/// Parses `30`, `30s`, `1.5s`, `500ms`, `2m`, `1h`.
///
/// # Errors
/// A sentence that says what is expected.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("\"{text}\" is not a duration; write seconds (30) or 500ms, 30s, 2m");
    let cut = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..cut].trim().parse().map_err(|_| expected())?;
    let unit = match &text[cut..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(expected()),
    };
    let seconds = number * unit;
    // A year is beyond any sense and far below what clocks overflow at.
    if !(0.0..=31_556_926.0).contains(&seconds) {
        return Err(format!("\"{text}\" is out of range; 0 to one year"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Parses `1024`, `64K`, `64KiB`, `1.5G`; and, of `whole` bytes when given, `70%`.
///
/// # Errors
/// A sentence that says what is expected.
pub(super) fn bytes(text: &str, whole: Option<u64>) -> Result<u64, String> {
    let expected = || format!("\"{text}\" is not a size; write bytes (67108864) or 64MiB, 1.5GiB");
    let cut = text.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(text.len());
    let number = text[..cut].trim();
    let unit: u64 = match (text[cut..].to_ascii_lowercase().as_str(), whole) {
        ("" | "b", _) => 1,
        ("k" | "kb" | "ki" | "kib", _) => 1 << 10,
        ("m" | "mb" | "mi" | "mib", _) => 1 << 20,
        ("g" | "gb" | "gi" | "gib", _) => 1 << 30,
        ("t" | "tb" | "ti" | "tib", _) => 1 << 40,
        ("%", Some(whole)) => {
            let percent: f64 = number.parse().map_err(|_| expected())?;
            if !(0.0..=100.0).contains(&percent) {
                return Err(format!("\"{text}\" is out of range; 0% to 100%"));
            }
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "at most `whole`, not negative"
            )]
            return Ok((whole as f64 * percent / 100.0) as u64);
        }
        _ => return Err(expected()),
    };
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit).ok_or_else(|| format!("\"{text}\" is too large"));
    }
    let number: f64 = number.parse().map_err(|_| expected())?;
    let product = number * unit as f64;
    if !(0.0..9e18).contains(&product) {
        return Err(format!("\"{text}\" is out of range"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked above")]
    Ok(product as u64)
}

/// Parses a switch as Go's `strconv.ParseBool` does.
pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("60"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "s", "-1", "1d", "nan", "inf", "1e99", "ten", "5 s s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_have_units_and_percentages_need_a_whole() {
        assert_eq!(bytes("1000", None), Ok(1000));
        assert_eq!(bytes("64MiB", None), Ok(64 << 20));
        assert_eq!(bytes("64m", None), Ok(64 << 20));
        assert_eq!(bytes("1.5G", None), Ok(3 << 29));
        assert_eq!(bytes("70%", Some(1000)), Ok(700));
        for bad in ["", "-1", "70%", "1X", "99999999999999999999", "99999999T", "nan"] {
            assert!(bytes(bad, None).is_err(), "{bad}");
        }
        assert!(bytes("101%", Some(1000)).is_err());
    }
}
