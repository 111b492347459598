use super::Format;

/// Recognises the format by content alone, never by name or header field. Needs only the first few KiB.
///
/// A magic is enough: garbage behind it is for [`super::probe`] to refuse. `None`: no picture format that anybody
/// knows.
pub fn sniff(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Some(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
        return Some(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some(Format::Webp);
    }
    if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        return Some(Format::Gif);
    }
    if is_tiff(bytes) {
        return Some(Format::Tiff);
    }
    if bytes.starts_with(b"%PDF-") {
        return Some(Format::Pdf);
    }
    if let Some(format) = iso_media(bytes) {
        return Some(format);
    }
    if bytes.starts_with(&[0xFF, 0x0A]) || bytes.starts_with(b"\0\0\0\x0CJXL \r\n\x87\n") {
        return Some(Format::Jxl);
    }
    if is_bmp(bytes) {
        return Some(Format::Bmp);
    }
    if is_ico(bytes) {
        return Some(Format::Ico);
    }
    is_svg(bytes).then_some(Format::Svg)
}

/// TIFF 6.0 and BigTIFF, both byte orders.
fn is_tiff(bytes: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| bytes.starts_with(*magic))
}

/// "BM" alone is two letters of text, so the size of the second header must be one that exists.
fn is_bmp(bytes: &[u8]) -> bool {
    let Some(&[a, b, c, d]) = bytes.get(14..18) else { return false };
    bytes.starts_with(b"BM") && matches!(u32::from_le_bytes([a, b, c, d]), 12 | 16 | 40 | 52 | 56 | 64 | 108 | 124)
}

/// Icons and cursors. Four bytes of magic are mostly zeros, so the first entry's reserved byte must be zero and its
/// offset must lie behind the directory.
fn is_ico(bytes: &[u8]) -> bool {
    let Some(head) = bytes.get(..22) else { return false };
    let count = u16::from_le_bytes([head[4], head[5]]);
    let offset = u32::from_le_bytes([head[18], head[19], head[20], head[21]]);
    matches!(head[..4], [0, 0, 1 | 2, 0]) && count > 0 && head[9] == 0 && offset >= 6 + 16 * u32::from(count)
}

/// The `ftyp` box of ISO/IEC 14496-12 with a brand of ISO/IEC 23008-12 (HEIF) or of AV1 Image File Format.
fn iso_media(bytes: &[u8]) -> Option<Format> {
    if bytes.get(4..8)? != b"ftyp" {
        return None;
    }
    let size = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let content = &bytes[8..size.clamp(8, bytes.len().max(8))];
    // Major brand, minor version, compatible brands; the version is never equal to a brand of interest.
    let mut generic = false;
    for brand in content.as_chunks::<4>().0.iter().take(64) {
        match brand {
            b"avif" | b"avis" => return Some(Format::Avif),
            b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"hevm" | b"hevs" => {
                return Some(Format::Heif);
            }
            b"mif1" | b"msf1" => generic = true,
            _ => {}
        }
    }
    generic.then_some(Format::Heif)
}

/// Whether this is XML text whose root element is `svg`, possibly with a namespace prefix.
fn is_svg(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    loop {
        rest = rest.trim_ascii_start();
        let after = if let Some(comment) = rest.strip_prefix(b"<!--") {
            after(comment, b"-->")
        } else if rest.starts_with(b"<?") {
            after(rest, b"?>")
        } else if rest.get(..9).is_some_and(|word| word.eq_ignore_ascii_case(b"<!doctype")) {
            after_doctype(rest)
        } else {
            break;
        };
        let Some(after) = after else { return false };
        rest = after;
    }
    let Some(tag) = rest.strip_prefix(b"<") else { return false };
    let end = tag.iter().position(|c| c.is_ascii_whitespace() || matches!(c, b'>' | b'/')).unwrap_or(tag.len());
    // A tag cut off by the end of the bytes is no proof.
    end < tag.len() && tag[..end].rsplit(|&c| c == b':').next() == Some(b"svg")
}

/// What follows the first `end` in `text`.
fn after<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(end.len()).position(|window| window == end)?;
    Some(&text[at + end.len()..])
}

/// What follows a document type declaration, whose internal subset in brackets may hold `>`.
fn after_doctype(text: &[u8]) -> Option<&[u8]> {
    let stop = text.iter().position(|&c| matches!(c, b'[' | b'>'))?;
    let rest = &text[stop..];
    let rest = if rest[0] == b'[' { after(rest, b"]")? } else { rest };
    after(rest, b">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magics_name_their_formats() {
        let table: [(&[u8], Format); 17] = [
            (b"\xFF\xD8\xFF", Format::Jpeg),
            (b"\x89PNG\r\n\x1A\n", Format::Png),
            (b"RIFF\0\0\0\0WEBP", Format::Webp),
            (b"GIF87a", Format::Gif),
            (b"GIF89a...", Format::Gif),
            (b"II*\0\x08", Format::Tiff),
            (b"MM\0*\0", Format::Tiff),
            (b"MM\0+\0", Format::Tiff),
            (b"%PDF-1.7", Format::Pdf),
            (b"\0\0\0\x18ftypavif\0\0\0\0mif1miaf", Format::Avif),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Format::Avif),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Format::Heif),
            (b"\0\0\0\x14ftypmif1\0\0\0\0miaf", Format::Heif),
            (b"\xFF\x0A\0", Format::Jxl),
            (b"\0\0\0\x0CJXL \r\n\x87\n", Format::Jxl),
            (b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0", Format::Bmp),
            (b"\0\0\x01\0\x01\0\x10\x10\0\0\x01\0\x20\0\x10\0\0\0\x16\0\0\0", Format::Ico),
        ];
        for (bytes, format) in table {
            assert_eq!(sniff(bytes), Some(format), "{bytes:?}");
        }
    }

    #[test]
    fn svg_is_found_behind_prologue() {
        for text in [
            "<svg/>",
            "<svg xmlns='http://www.w3.org/2000/svg'>",
            "\u{FEFF}<?xml version='1.0'?>\n<!-- <html> -->\n<svg>",
            "<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'>\n<svg\n>",
            "<!DOCTYPE svg [<!ENTITY a '>'> <!ENTITY b 'b'>]><svg >",
            "  <?xml-stylesheet href='a'?><s:svg xmlns:s='x'>",
        ] {
            assert_eq!(sniff(text.as_bytes()), Some(Format::Svg), "{text}");
        }
    }

    #[test]
    fn other_bytes_are_nothing() {
        for bytes in [
            &b""[..],
            b"a",
            b"\xFF\xD8",
            b"\x89PNG\n\x1A\n",
            b"RIFF\0\0\0\0WAVE",
            b"GIF88a",
            b"BMW is a maker of cars and so on",
            b"\0\0\x01\0\x01\0",
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"<svg",
            b"<svgx>",
            b"<html><svg></svg></html>",
            b"<!-- <svg>",
            b"<!DOCTYPE svg [",
            b"<?xml version='1.0'",
            b"\0\0\0\x18ftypisom\0\0\0\0mp42avc1",
            b"\0\0\0\x00ftyp",
            b"\xFF\xFF\xFF\xFFftyp",
        ] {
            assert_eq!(sniff(bytes), None, "{bytes:?}");
        }
    }
}
