//! Forms (RFC 7578): finds the file in a body that is in memory. A pure function of bytes; nothing is copied.
//!
//! The rules are those of Go's `mime/multipart`, whose answers the contract quotes. A streaming parser would have to
//! bound what it buffers between boundaries; here the limits of the body bound everything.

use std::ops::Range;

/// Most parts of a form, and most bytes of the headers of one.
const PARTS: usize = 16;
const HEADER_BYTES: usize = 8 * 1024;

/// The longest boundary (RFC 2046, section 5.1.1).
const BOUNDARY_BYTES: usize = 70;

/// A form without a file. The texts are the contract's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// A `multipart/` type other than form-data, or one that cannot be read.
    #[error("request Content-Type isn't multipart/form-data")]
    NotFormData,
    /// No boundary.
    #[error("no multipart boundary param in Content-Type")]
    NoBoundary,
    /// The boundary is longer than the standard allows.
    #[error("multipart: boundary is too long")]
    LongBoundary,
    /// Nothing follows where a part or the end should.
    #[error("multipart: NextPart: EOF")]
    NoPart,
    /// The body ends inside a part.
    #[error("unexpected EOF")]
    Truncated,
    /// No part of that name with a file name.
    #[error("http: no such file")]
    NoFile,
    /// More than 16 parts, or more than 8 KiB of headers in one.
    #[error("multipart: message too large")]
    TooLarge,
    /// A line between headers that is none.
    #[error("malformed MIME header: missing colon: {0:?}")]
    MalformedHeader(String),
    /// Something else where a boundary should be.
    #[error("multipart: expecting a new Part")]
    NoNewPart,
}

/// The boundary that a `Content-Type` names.
pub(super) fn boundary(content_type: &str) -> Result<Vec<u8>, FormError> {
    let (kind, parameters) = parameters(content_type).ok_or(FormError::NotFormData)?;
    if kind != "multipart/form-data" {
        return Err(FormError::NotFormData);
    }
    let boundary = parameters.into_iter().find(|(name, _)| name == "boundary").map(|(_, value)| value);
    match boundary.filter(|value| !value.is_empty()) {
        None => Err(FormError::NoBoundary),
        Some(value) if value.len() > BOUNDARY_BYTES => Err(FormError::LongBoundary),
        Some(value) => Ok(value.into_bytes()),
    }
}

/// Where the content of the first part lies that is named `field` and has a file name. The form is read to its end:
/// one that breaks off later is an error as well.
pub(super) fn find_file(body: &[u8], boundary: &[u8], field: &str) -> Result<Range<usize>, FormError> {
    let dashed = [b"--", boundary].concat();
    let mut found = None;
    let mut at = 0;
    let mut parts = 0;
    loop {
        let (line, next) = match body.get(at..).and_then(|rest| rest.iter().position(|&b| b == b'\n')) {
            Some(end) => (&body[at..at + end], at + end + 1),
            None => (&body[at.min(body.len())..], body.len() + 1),
        };
        let after = line.strip_prefix(dashed.as_slice()).map(<[u8]>::trim_ascii_end);
        match after {
            Some(b"--") => break,
            Some(b"") if next <= body.len() => {}
            _ if next > body.len() => return Err(FormError::NoPart),
            _ if parts == 0 || line.trim_ascii_end().is_empty() => {
                // A preamble, or the line break in front of a boundary.
                at = next;
                continue;
            }
            _ => return Err(FormError::NoNewPart),
        }
        parts += 1;
        if parts > PARTS {
            return Err(FormError::TooLarge);
        }
        // A body that ends inside the headers counts as a form that ends there.
        let Some(headers) = read_headers(body, next)? else { break };
        let content = content_end(&body[headers.end..], &dashed).ok_or(FormError::Truncated)?;
        if found.is_none() && headers.name.as_deref() == Some(field) && headers.has_filename {
            found = Some(headers.end..headers.end + content);
        }
        at = headers.end + content;
    }
    found.ok_or(FormError::NoFile)
}

struct Headers {
    name: Option<String>,
    has_filename: bool,
    /// Where the content starts.
    end: usize,
}

/// Headers from `start` to the empty line; `None` when the body ends before it.
fn read_headers(body: &[u8], start: usize) -> Result<Option<Headers>, FormError> {
    let mut headers = Headers { name: None, has_filename: false, end: start };
    loop {
        let rest = &body[headers.end.min(body.len())..];
        let window = &rest[..rest.len().min(HEADER_BYTES + 1)];
        let Some(length) = window.iter().position(|&b| b == b'\n') else {
            return if window.len() > HEADER_BYTES { Err(FormError::TooLarge) } else { Ok(None) };
        };
        headers.end += length + 1;
        if headers.end - start > HEADER_BYTES {
            return Err(FormError::TooLarge);
        }
        let line = window[..length].trim_ascii_end();
        if line.is_empty() {
            return Ok(Some(headers));
        }
        let line = String::from_utf8_lossy(line);
        let Some((name, value)) = line.split_once(':') else {
            // A line that starts with a blank goes on with the one before; none that matters here is so long.
            if line.starts_with([' ', '\t']) && headers.end > start + length + 1 {
                continue;
            }
            return Err(FormError::MalformedHeader(line.into_owned()));
        };
        if name.eq_ignore_ascii_case("content-disposition")
            && headers.name.is_none()
            && let Some((kind, parameters)) = parameters(value)
            && kind == "form-data"
        {
            let value =
                |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
            headers.name = Some(value("name").unwrap_or_default());
            headers.has_filename = parameters
                .iter()
                .any(|(name, value)| (name == "filename" || name.starts_with("filename*")) && !value.is_empty());
        }
    }
}

/// Length of the content: up to the line break before a boundary, or to a boundary at its very start. What follows the
/// boundary must be able to follow one, so that `--XXabc` does not end a part of `--XX`.
fn content_end(rest: &[u8], dashed: &[u8]) -> Option<usize> {
    let ends_here = |at: usize| {
        let after = rest.get(at..)?.strip_prefix(dashed)?;
        match after.first() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'-') => Some(()),
            Some(_) => None,
        }
    };
    if ends_here(0).is_some() {
        return Some(0);
    }
    let mut from = 0;
    // `from` only moves forward, and each line break is looked at once: linear in the body.
    while let Some(step) = rest.get(from..)?.iter().position(|&b| b == b'\n') {
        let newline = from + step;
        if ends_here(newline + 1).is_some() {
            let carriage = newline.checked_sub(1).filter(|&at| rest[at] == b'\r');
            return Some(carriage.unwrap_or(newline));
        }
        from = newline + 1;
    }
    None
}

/// Takes `kind; name=value; name="quoted"` apart; kind and names in lower case (RFC 9110, section 8.3.1). `None` when it
/// is malformed.
fn parameters(text: &str) -> Option<(String, Vec<(String, String)>)> {
    let (kind, mut rest) = text.split_once(';').unwrap_or((text, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let mut list = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        if rest.is_empty() {
            return Some((kind, list));
        }
        let (name, value) = rest.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        if name.is_empty() || !name.chars().all(is_token) {
            return None;
        }
        let value = value.trim_start();
        let (value, tail) = match value.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let end = value.find(|c| !is_token(c)).unwrap_or(value.len());
                if end == 0 {
                    return None;
                }
                (value[..end].to_owned(), &value[end..])
            }
        };
        list.push((name, value));
        let tail = tail.trim_start();
        if !tail.is_empty() && !tail.starts_with(';') {
            return None;
        }
        rest = tail;
    }
}

/// The text up to the closing quote, and what follows it. Only special characters can be escaped: browsers of old sent
/// `C:\path` as it stands.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &text[at + 1..])),
            '\\' => match chars.next_if(|&(_, next)| next.is_ascii() && !is_token(next)) {
                Some((_, escaped)) => out.push(escaped),
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    None
}

/// A character of an HTTP token.
fn is_token(c: char) -> bool {
    c.is_ascii_graphic() && !"()<>@,;:\\\"/[]?=".contains(c) || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn find(body: &str) -> Result<&str, String> {
        find_file(body.as_bytes(), b"XX", "file").map(|range| &body[range]).map_err(|error| error.to_string())
    }

    const HEAD: &str = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n";

    /// Each row was sent to the reference.
    #[test]
    fn answers_are_the_references() {
        let eof = Err("multipart: NextPart: EOF".to_owned());
        let none = Err("http: no such file".to_owned());
        let cut = Err("unexpected EOF".to_owned());
        let part = |head: &str| format!("--XX\r\n{head}\r\n\r\nabc\r\n--XX--\r\n");
        for (body, expected) in [
            (String::new(), eof.clone()),
            ("hello\r\nworld\r\n".to_owned(), eof.clone()),
            ("--XX\r\nContent-Disposition: form-da".to_owned(), none.clone()),
            ("--XX\r\n".to_owned(), none.clone()),
            (format!("{HEAD}abc"), cut.clone()),
            (format!("{HEAD}abc\r\n--X"), cut.clone()),
            (format!("{HEAD}abc\r\n--XX"), eof.clone()),
            (format!("{HEAD}abc\r\n--XX\r\n"), Ok("abc")),
            (format!("{HEAD}abc\r\n--XX--"), Ok("abc")),
            (format!("{HEAD}abc\r\n--XX--\r\nepilogue"), Ok("abc")),
            (format!("preamble\r\n{HEAD}abc\r\n--XX--"), Ok("abc")),
            (format!("{HEAD}\r\n--XX--\r\n"), Ok("")),
            (format!("{HEAD}--XX--\r\n"), Ok("")),
            (part("Content-Disposition: form-data; name=\"file\""), none.clone()),
            (part("Content-Disposition: form-data; name=\"file\"; filename=\"\""), none.clone()),
            (part("Content-Disposition: form-data; filename=\"x\""), none.clone()),
            (part("Content-Disposition: attachment; name=\"file\"; filename=\"x\""), none.clone()),
            (part("CONTENT-DISPOSITION: Form-Data; NAME=file; FILENAME=x"), Ok("abc")),
            (part("Content-Disposition: form-data; name=file; filename*=UTF-8''x.jpg"), Ok("abc")),
            (part("Content-Type: image/png\r\nContent-Disposition: form-data; filename=x; name=\"file\""), Ok("abc")),
            (part("Content-Disposition: form-data; name=\"file\"; filename=\"C:\\dir\\a \\\"b\\\".jpg\""), Ok("abc")),
            ("--XX--\r\n".to_owned(), none.clone()),
            ("--XX\r\n\r\nabc\r\n--XX--\r\n".to_owned(), none.clone()),
            (
                "--XX\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\n\nabc\n--XX--\n".to_owned(),
                Ok("abc"),
            ),
            (format!("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n{HEAD}abc\r\n--XX--"), Ok("abc")),
            (format!("{HEAD}abc\r\n{HEAD}second\r\n--XX--"), Ok("abc")),
            (format!("{HEAD}abc\r\n--XXgarbage\r\n--XX--\r\n"), Ok("abc\r\n--XXgarbage")),
            (format!("{HEAD}a\r\n\r\n-\r\n--X\r\n--XX--\r\n"), Ok("a\r\n\r\n-\r\n--X")),
            (
                "--XX\r\nfoo bar\r\n\r\nabc\r\n--XX--\r\n".to_owned(),
                Err("malformed MIME header: missing colon: \"foo bar\"".to_owned()),
            ),
        ] {
            assert_eq!(find(&body), expected.as_ref().copied().map_err(Clone::clone), "{body:?}");
        }
    }

    /// H4.
    #[test]
    fn parts_and_headers_are_bounded() {
        let field = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n";
        assert_eq!(find(&format!("{}{HEAD}abc\r\n--XX--", field.repeat(15))), Ok("abc"));
        assert_eq!(
            find(&format!("{}{HEAD}abc\r\n--XX--", field.repeat(16))),
            Err("multipart: message too large".into())
        );
        assert!(find(&format!("--XX\r\nA: {}\r\n\r\n", "x".repeat(8200))).unwrap_err().contains("too large"));
        assert!(find(&format!("--XX\r\nA: {}", "x".repeat(1 << 20))).unwrap_err().contains("too large"));
        assert!(find(&format!("--XX\r\n{}", "A: x\r\n".repeat(2000))).unwrap_err().contains("too large"));
        let long = format!("multipart/form-data; boundary={}", "x".repeat(1 << 20));
        assert_eq!(boundary(&long), Err(FormError::LongBoundary));
        assert_eq!(boundary("multipart/form-data; charset=utf-8; Boundary=\"a b\"").unwrap(), b"a b");
    }

    proptest! {
        #[test]
        fn a_file_comes_out_as_it_went_in(content in proptest::collection::vec(any::<u8>(), 0..200), name in "[a-z]{1,8}") {
            let mut body = b"--ZZ--ZZ\r\nContent-Disposition: form-data; name=\"".to_vec();
            body.extend(name.as_bytes());
            body.extend(b"\"; filename=\"f\"\r\n\r\n");
            body.extend(&content);
            body.extend(b"\r\n--ZZ--ZZ--\r\n");
            let found = find_file(&body, b"ZZ--ZZ", &name).unwrap();
            prop_assert_eq!(&body[found], &content[..]);
        }

        #[test]
        fn any_bytes_are_read_without_panic(pieces in proptest::collection::vec("(\r\n|\n|--XX|--|XX|[a-z:; =\"]{0,6}|Content-Disposition: form-data; name=file; filename=f)", 0..40)) {
            let body = pieces.concat();
            if let Ok(range) = find_file(body.as_bytes(), b"XX", "file") {
                prop_assert!(range.end <= body.len());
            }
            let _ = parameters(&body);
        }
    }
}
