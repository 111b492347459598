//! How much text the entities of a document stand for, counted before the XML parser expands them.
//!
//! The parser stops entities that nest, but lets a long one be named any number of times.

use std::collections::HashMap;

use super::over_limit;
use crate::codecs::DecodeError;

/// Most bytes that all references to entities stand for together.
const MAX_BYTES: u64 = 1 << 20;

/// Deepest nesting of entities; the parser's own limit.
const MAX_DEPTH: u32 = 10;

/// Refuses documents whose entities expand to too much.
///
/// # Errors
/// [`DecodeError::OverLimit`].
pub(super) fn check(text: &str) -> Result<(), DecodeError> {
    let mut values: HashMap<&str, &str> = HashMap::new();
    for declaration in text.split("<!ENTITY").skip(1) {
        let declaration = declaration.trim_start();
        let Some((name, rest)) = declaration.split_once(char::is_whitespace) else { continue };
        let rest = rest.trim_start();
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
        let Some(value) = rest[1..].split(quote).next() else { continue };
        // Should a name be declared again, the longer value counts.
        let known = values.entry(name).or_insert(value);
        if value.len() > known.len() {
            *known = value;
        }
    }
    if values.is_empty() {
        return Ok(());
    }
    let mut lengths = HashMap::new();
    if referred(text, &values, &mut lengths, MAX_DEPTH) > MAX_BYTES {
        return Err(over_limit("the text of entities", MAX_BYTES));
    }
    Ok(())
}

/// Bytes that the references in `text` stand for; more than allowed where they nest too deep.
fn referred<'a>(
    text: &'a str,
    values: &HashMap<&'a str, &'a str>,
    lengths: &mut HashMap<&'a str, u64>,
    depth: u32,
) -> u64 {
    let mut sum = 0u64;
    for rest in text.split('&').skip(1) {
        let Some((name, _)) = rest.split_once(';') else { continue };
        let Some(value) = values.get(name) else { continue };
        let length = match lengths.get(name) {
            Some(length) => *length,
            None if depth == 0 => MAX_BYTES + 1,
            None => {
                let length = referred(value, values, lengths, depth - 1).saturating_add(value.len() as u64);
                lengths.insert(name, length);
                length
            }
        };
        sum = sum.saturating_add(length);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_fine_and_many_are_not() {
        let document =
            |n: usize| format!("<!DOCTYPE svg [<!ENTITY a '{}'>]><svg>{}</svg>", "x".repeat(1000), "&a;".repeat(n));
        assert_eq!(check(&document(1000)), Ok(()));
        assert!(check(&document(1100)).is_err());
    }

    #[test]
    fn nesting_multiplies_and_circles_end() {
        let doubled: String = (1..40).map(|i| format!("<!ENTITY e{i} \"&e{};&e{};\">", i - 1, i - 1)).collect();
        assert!(check(&format!("<!DOCTYPE svg [<!ENTITY e0 'x'>{doubled}]><svg>&e39;</svg>")).is_err());
        assert!(check("<!DOCTYPE svg [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><svg>&a;</svg>").is_err());
    }

    #[test]
    fn documents_without_any_pass() {
        assert_eq!(check("<svg><text>a &amp; b &lt;!ENTITY</text></svg>"), Ok(()));
    }
}
