//! The first image file directory of a TIFF or BigTIFF (TIFF 6.0, section 2), read in place.

use super::malformed;
use crate::codecs::DecodeError;

/// Most entries of a directory; real files have fewer than a hundred.
const MAX_ENTRIES: u64 = 4096;

/// Tags and where their values lie.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    bytes: &'a [u8],
    /// Whether numbers are little-endian.
    pub(super) little: bool,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u64,
    /// Offset of the values, checked only when they are read.
    at: u64,
}

impl<'a> Directory<'a> {
    /// Reads the entries of the first directory.
    ///
    /// # Errors
    /// [`DecodeError::Unreadable`] for another magic, [`DecodeError::Malformed`] for a directory outside the file.
    pub(super) fn first(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let little = match bytes.get(..2) {
            Some(b"II") => true,
            Some(b"MM") => false,
            _ => return Err(DecodeError::Unreadable),
        };
        let number = |at: u64, width: usize| number(bytes, little, at, width).ok_or(DecodeError::Unreadable);
        let big = match number(2, 2)? {
            42 => false,
            43 if number(4, 4)? == if little { 8 } else { 8 << 16 } => true,
            _ => return Err(DecodeError::Unreadable),
        };
        let number = |at: u64, width: usize| {
            self::number(bytes, little, at, width).ok_or_else(|| malformed("the directory lies outside the file"))
        };
        let start = if big { number(8, 8)? } else { number(4, 4)? };
        let (count, head) = if big { (number(start, 8)?, 8) } else { (number(start, 2)?, 2) };
        let (length, inline) = if big { (20, 8) } else { (12, 4) };
        if start == 0 || count == 0 || count > MAX_ENTRIES {
            return Err(malformed("no usable directory"));
        }
        let mut entries = Vec::new();
        for n in 0..count {
            // In range: `number` has seen `start`, and the rest is small.
            let at = start + head + n * length;
            let (tag, kind) = (number(at, 2)? as u16, number(at + 2, 2)? as u16);
            let values = if big { number(at + 4, 8)? } else { number(at + 4, 4)? };
            let field = at + length - inline;
            number(field, inline as usize)?;
            let fits = values.checked_mul(width(kind) as u64).is_some_and(|bytes| bytes <= inline);
            let at = if fits { field } else { number(field, inline as usize)? };
            entries.push(Entry { tag, kind, count: values, at });
        }
        Ok(Self { bytes, little, entries })
    }

    fn find(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Whether there is such a tag.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.find(tag).is_some()
    }

    /// How many values a tag has, 0 without it.
    pub(super) fn count(&self, tag: u16) -> u64 {
        self.find(tag).map_or(0, |entry| entry.count)
    }

    /// The first value of an unsigned tag.
    pub(super) fn unsigned(&self, tag: u16) -> Option<u64> {
        self.list(tag, 1).and_then(|list| list.first().copied())
    }

    /// The first `n` values of an unsigned tag; `None` when it has fewer, or they lie outside the file.
    pub(super) fn list(&self, tag: u16, n: u64) -> Option<Vec<u64>> {
        let entry = self.find(tag)?;
        let width = width(entry.kind);
        if entry.count < n || width == 0 {
            return None;
        }
        // Nothing is reserved before the file is known to hold it.
        let length = usize::try_from(n.checked_mul(width as u64)?).ok()?;
        let at = usize::try_from(entry.at).ok()?;
        let raw = self.bytes.get(at..at.checked_add(length)?)?;
        Some(raw.chunks_exact(width).map(|value| assemble(value, self.little)).collect())
    }

    /// The bytes of a BYTE, ASCII or UNDEFINED tag.
    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        let entry = self.find(tag)?;
        if width(entry.kind) != 1 {
            return None;
        }
        let at = usize::try_from(entry.at).ok()?;
        self.bytes.get(at..at.checked_add(usize::try_from(entry.count).ok()?)?)
    }
}

/// Bytes of one value; 0 for kinds that hold no unsigned number.
const fn width(kind: u16) -> usize {
    match kind {
        1 | 2 | 6 | 7 => 1,
        3 => 2,
        4 | 13 => 4,
        16 | 18 => 8,
        _ => 0,
    }
}

fn assemble(value: &[u8], little: bool) -> u64 {
    let fold = |sum: u64, &byte: &u8| (sum << 8) | u64::from(byte);
    if little { value.iter().rev().fold(0, fold) } else { value.iter().fold(0, fold) }
}

fn number(bytes: &[u8], little: bool, at: u64, width: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    Some(assemble(bytes.get(at..at.checked_add(width)?)?, little))
}
