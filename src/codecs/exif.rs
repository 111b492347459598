//! A bounded reader of EXIF, a TIFF stream (JEITA CP-3451; TIFF 6.0). It walks two directories once each, follows no
//! other pointer, and believes no count further than the bytes reach.

use std::ops::Range;

use crate::image::Orientation;

const ORIENTATION: u16 = 0x0112;
const STRIP_OFFSETS: u16 = 0x0111;
const STRIP_BYTE_COUNTS: u16 = 0x0117;
const THUMBNAIL_OFFSET: u16 = 0x0201;
const THUMBNAIL_LENGTH: u16 = 0x0202;

const SHORT: u16 = 3;
const LONG: u16 = 4;
const ENTRY: usize = 12;

/// The orientation tag of the first directory: 1 to 8, or 0 when there is none or it is odd.
pub(super) fn orientation(exif: &[u8]) -> u16 {
    let read = || {
        let tiff = Tiff::new(exif)?;
        let directory = tiff.directory(tiff.first()?)?;
        tiff.value(directory.find(&tiff, ORIENTATION)?)
    };
    match read() {
        Some(value @ 1..=8) => value as u16,
        _ => 0,
    }
}

/// EXIF fit for a picture that was resized: `orientation` is what is left to turn, and the thumbnail directory unlinked and its
/// bytes gone, since a thumbnail shows what the new picture no longer does. `None` when the stream cannot be read.
pub(super) fn sanitised(mut exif: Vec<u8>, orientation: Orientation) -> Option<Vec<u8>> {
    let tiff = Tiff::new(&exif)?;
    let directory = tiff.directory(tiff.first()?)?;
    let entry = directory.find(&tiff, ORIENTATION);
    let big_endian = tiff.big_endian;
    let next = tiff.u32(directory.end).map_or(0, |offset| offset as usize);
    let mut gone = thumbnail(&tiff, next);
    // A range that reaches into the header or the first directory is hostile; leave nothing of such a stream.
    if gone.iter().any(|range| range.start < 8 || (range.start < directory.end + 4 && range.end > directory.start)) {
        return None;
    }

    if let Some(entry) = entry {
        // Type SHORT and one value, whatever type it had.
        let tag = orientation.exif() as u8;
        let value: [u8; 10] =
            if big_endian { [0, 3, 0, 0, 0, 1, 0, tag, 0, 0] } else { [3, 0, 1, 0, 0, 0, tag, 0, 0, 0] };
        exif.get_mut(entry + 2..entry + ENTRY)?.copy_from_slice(&value);
    }
    if let Some(pointer) = exif.get_mut(directory.end..directory.end + 4) {
        pointer.fill(0);
    }
    gone.sort_by_key(|range| std::cmp::Reverse(range.end));
    for range in gone {
        if range.end == exif.len() {
            exif.truncate(range.start);
        } else if let Some(bytes) = exif.get_mut(range) {
            bytes.fill(0);
        }
    }
    Some(exif)
}

/// The bytes of the thumbnail directory at `offset` and of the pictures it names, all inside the stream.
fn thumbnail(tiff: &Tiff<'_>, offset: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let Some(directory) = (offset != 0).then(|| tiff.directory(offset)).flatten() else { return ranges };
    for (offset, length) in [(THUMBNAIL_OFFSET, THUMBNAIL_LENGTH), (STRIP_OFFSETS, STRIP_BYTE_COUNTS)] {
        let read = |tag| tiff.value(directory.find(tiff, tag)?).map(|value| value as usize);
        if let (Some(start), Some(length)) = (read(offset), read(length)) {
            let end = start.saturating_add(length).min(tiff.bytes.len());
            if start < end {
                ranges.push(start..end);
            }
        }
    }
    ranges.push(directory.start..(directory.end + 4).min(tiff.bytes.len()));
    ranges
}

/// A TIFF stream whose byte order is known.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

/// Where a directory lies: its entry count, entries up to `end`, then the offset of the next one.
struct Directory {
    start: usize,
    end: usize,
}

impl<'a> Tiff<'a> {
    fn new(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"II*\0" => false,
            b"MM\0*" => true,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = *self.bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// Offset of the first directory.
    fn first(&self) -> Option<usize> {
        self.u32(4).map(|offset| offset as usize)
    }

    /// The directory at `offset`, with as many of its entries as the bytes hold.
    fn directory(&self, offset: usize) -> Option<Directory> {
        let count = usize::from(self.u16(offset)?);
        let room = (self.bytes.len() - offset - 2) / ENTRY;
        Some(Directory { start: offset, end: offset + 2 + count.min(room) * ENTRY })
    }

    /// The single SHORT or LONG of the entry at `entry`; of several values the first where it lies in the entry.
    fn value(&self, entry: usize) -> Option<u32> {
        match self.u16(entry + 2)? {
            SHORT => self.u16(entry + 8).map(u32::from),
            LONG => self.u32(entry + 8),
            _ => None,
        }
    }
}

impl Directory {
    /// Position of the first entry with this tag.
    fn find(&self, tiff: &Tiff<'_>, tag: u16) -> Option<usize> {
        (self.start + 2..self.end).step_by(ENTRY).find(|&entry| tiff.u16(entry) == Some(tag))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn short(big: bool, value: u16) -> [u8; 2] {
        if big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn long(big: bool, value: u32) -> [u8; 4] {
        if big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// EXIF with an orientation and, behind it, a thumbnail directory with `thumbnail` as its JPEG.
    pub(in crate::codecs) fn sample(big: bool, orientation: u16, thumbnail: &[u8]) -> Vec<u8> {
        let mut out = if big { b"MM\0*".to_vec() } else { b"II*\0".to_vec() };
        let entry = |out: &mut Vec<u8>, tag: u16, kind: u16, value: u32| {
            out.extend(short(big, tag));
            out.extend(short(big, kind));
            out.extend(long(big, 1));
            if kind == SHORT {
                out.extend(short(big, value as u16));
                out.extend([0, 0]);
            } else {
                out.extend(long(big, value));
            }
        };
        out.extend(long(big, 8));
        out.extend(short(big, 1));
        entry(&mut out, ORIENTATION, SHORT, u32::from(orientation));
        out.extend(long(big, if thumbnail.is_empty() { 0 } else { 26 }));
        if !thumbnail.is_empty() {
            out.extend(short(big, 2));
            entry(&mut out, THUMBNAIL_OFFSET, LONG, 26 + 2 + 24 + 4);
            entry(&mut out, THUMBNAIL_LENGTH, LONG, thumbnail.len() as u32);
            out.extend(long(big, 0));
            out.extend(thumbnail);
        }
        out
    }

    #[test]
    fn orientation_is_read_in_both_byte_orders() {
        for big in [false, true] {
            for tag in 1..=8 {
                assert_eq!(orientation(&sample(big, tag, b"")), tag);
            }
            for odd in [0, 9, 65535] {
                assert_eq!(orientation(&sample(big, odd, b"")), 0);
            }
        }
    }

    #[test]
    fn orientation_as_long_counts_too() {
        let mut exif = sample(true, 1, b"");
        exif[13] = 4;
        exif[18..22].copy_from_slice(&[0, 0, 0, 6]);
        assert_eq!(orientation(&exif), 6);
        assert_eq!(orientation(&sanitised(exif, Orientation::UPRIGHT).unwrap()), 1);
    }

    #[test]
    fn what_is_left_to_turn_is_written() {
        for big in [false, true] {
            for tag in 1..=8 {
                let kept = sanitised(sample(big, 3, b""), Orientation::from_exif(tag)).unwrap();
                assert_eq!(orientation(&kept), tag);
            }
        }
    }

    #[test]
    fn sanitised_resets_orientation_and_forgets_the_thumbnail() {
        for big in [false, true] {
            let clean = sanitised(sample(big, 6, b"secret thumbnail"), Orientation::UPRIGHT).unwrap();
            assert_eq!(orientation(&clean), 1);
            assert!(!clean.windows(6).any(|w| w == b"secret"));
            assert_eq!(clean.len(), 26, "thumbnail at the end is cut off");
            assert_eq!(clean, sample(big, 1, b""));
        }
    }

    #[test]
    fn thumbnail_in_the_middle_is_zeroed() {
        let mut exif = sample(false, 3, b"secret");
        exif.extend(b"maker note");
        let clean = sanitised(exif.clone(), Orientation::UPRIGHT).unwrap();
        assert_eq!(clean.len(), exif.len());
        assert!(!clean.windows(6).any(|w| w == b"secret"));
        assert!(clean.ends_with(b"maker note"));
    }

    #[test]
    fn hostile_streams_end() {
        // Every prefix, and every single byte set to 0 or 255.
        let good = sample(false, 6, b"thumb");
        for length in 0..good.len() {
            let _ = (orientation(&good[..length]), sanitised(good[..length].to_vec(), Orientation::UPRIGHT));
        }
        for at in 0..good.len() {
            for byte in [0, 1, 8, 255] {
                let mut bad = good.clone();
                bad[at] = byte;
                let _ = orientation(&bad);
                if let Some(clean) = sanitised(bad, Orientation::UPRIGHT) {
                    assert!(orientation(&clean) <= 1);
                }
            }
        }
        // The next directory is the first one.
        let mut looped = sample(false, 6, b"");
        looped[22] = 8;
        assert_eq!(orientation(&looped), 6);
        assert_eq!(sanitised(looped, Orientation::UPRIGHT), None);
        // 65535 entries claimed.
        let mut many = sample(false, 6, b"");
        many[8..10].fill(255);
        assert_eq!(orientation(&many), 6);
    }
}
