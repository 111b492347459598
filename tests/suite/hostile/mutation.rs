//! Ways to damage a file.

use super::random::Random;

/// Values that lengths and sizes go wrong at.
const VALUES: [u32; 16] =
    [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0xFFFF_FFFF];

/// Damages `file` in one to four ways; `other` is where spliced bytes come from.
pub fn mutate(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..=random.below(4) {
        once(&mut bytes, other, random);
    }
    if file.starts_with(b"\x89PNG") && !random.once_in(4) {
        mend_checksums(&mut bytes);
    }
    if file.starts_with(b"RIFF") && bytes.len() >= 8 && !random.once_in(4) {
        let length = bytes.len() as u32 - 8;
        bytes[4..8].copy_from_slice(&length.to_le_bytes());
    }
    bytes
}

fn once(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    if bytes.is_empty() {
        bytes.extend_from_slice(other);
        return;
    }
    match random.below(9) {
        0 | 1 => {
            for _ in 0..=random.below(8) {
                let at = place(bytes.len(), random);
                bytes[at] ^= 1 << random.below(8);
            }
        }
        2 => {
            let at = place(bytes.len(), random);
            bytes[at] = random.next() as u8;
        }
        3 => {
            let at = place(bytes.len(), random);
            bytes.truncate(at);
        }
        4 => {
            let with = &other[random.range(other.len())];
            let at = place(bytes.len(), random);
            let end = if random.once_in(2) { at } else { (at + with.len()).min(bytes.len()) };
            bytes.splice(at..end, with.iter().copied());
        }
        5 | 6 => number(bytes, random),
        7 => {
            let again = bytes[random.range(bytes.len())].to_vec();
            let at = place(bytes.len(), random);
            for _ in 0..=random.below(3) {
                bytes.splice(at..at, again.iter().copied());
            }
        }
        _ => drop(bytes.drain(random.range(bytes.len()))),
    }
}

/// Writes a telling number where a length may be, or moves the one that is there by a little.
fn number(bytes: &mut [u8], random: &mut Random) {
    let at = place(bytes.len(), random);
    let width = *random.pick(&[1, 2, 3, 4]);
    let Some(field) = bytes.get_mut(at..at + width) else { return };
    let big_endian = random.once_in(2);
    let mut value = *random.pick(&VALUES);
    if random.once_in(2) {
        let fold = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        let now = if big_endian { field.iter().fold(0, fold) } else { field.iter().rev().fold(0, fold) };
        value = now.wrapping_add(random.below(9) as u32).wrapping_sub(4);
    }
    let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
    field.copy_from_slice(if big_endian { &big[4 - width..] } else { &little[..width] });
}

/// A position, mostly near the start, where the numbers are.
fn place(length: usize, random: &mut Random) -> usize {
    let end = if random.once_in(2) { length.min(256) } else { length };
    random.below(end)
}

/// Makes the checksums of a PNG's chunks right again, so that damage is not found by them alone.
fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = bytes.get(at..at + 4) {
        let length = head.iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte));
        let end = at + 8 + length;
        let Some(body) = bytes.get(at + 4..end) else { return };
        let mut sum = flate2::Crc::new();
        sum.update(body);
        let sum = sum.sum().to_be_bytes();
        let Some(field) = bytes.get_mut(end..end + 4) else { return };
        field.copy_from_slice(&sum);
        at = end + 4;
    }
}
