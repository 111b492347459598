//! Where the parts of a lossy bitstream end (RFC 6386 section 9).
//!
//! The decoder allocates as many bytes as a partition says that it has before it reads them; eight of them can say
//! 128 MB in a file of 40 bytes. Their lengths are held against the file first.

use super::vp8::Bools;

/// Key frame header: frame tag, start code, two sides.
const HEADER: usize = 10;

/// Whether all partitions of a key frame lie inside `body`, the `VP8 ` chunk. The last one has no length; it is the rest.
pub(super) fn fit(body: &[u8]) -> bool {
    let Some((&[t0, t1, t2, ..], rest)) = body.split_first_chunk::<HEADER>() else { return false };
    let first = u32::from_le_bytes([t0, t1, t2, 0]) >> 5;
    let Some((first, mut rest)) = rest.split_at_checked(first as usize) else { return false };
    let others = partitions(first) - 1;
    let Some((lengths, data)) = rest.split_at_checked(3 * others) else { return false };
    rest = data;
    lengths.as_chunks::<3>().0.iter().all(|&[a, b, c]| {
        let inside = rest.get(u32::from_le_bytes([a, b, c, 0]) as usize..);
        rest = inside.unwrap_or_default();
        inside.is_some()
    })
}

/// How many partitions of coefficients there are, as the first partition says behind segments and filters.
fn partitions(first: &[u8]) -> usize {
    let mut bits = Bools::new(first);
    bits.literal(2); // colour space, clamping
    if bits.flag() {
        segmentation(&mut bits);
    }
    bits.literal(1 + 6 + 3); // filter: type, level, sharpness
    if bits.flag() && bits.flag() {
        for _ in 0..8 {
            optional(&mut bits, 6 + 1);
        }
    }
    1 << bits.literal(2)
}

/// Section 9.3.
fn segmentation(bits: &mut Bools<'_>) {
    let (map, data) = (bits.flag(), bits.flag());
    if data {
        bits.literal(1);
        for _ in 0..4 {
            optional(bits, 7 + 1);
        }
        for _ in 0..4 {
            optional(bits, 6 + 1);
        }
    }
    if map {
        for _ in 0..3 {
            optional(bits, 8);
        }
    }
}

/// A flag, and where it is set as many bits.
fn optional(bits: &mut Bools<'_>, count: u32) {
    if bits.flag() {
        bits.literal(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::OutputFormat;
    use crate::codecs::tests::pictures::{gradient, write};
    use crate::image::PixelFormat;

    /// Writes bits of even odds as section 7.3 does, the value held whole so that nothing is carried.
    fn bools(bits: &[bool]) -> Vec<u8> {
        let (mut low, mut range) = (0u128, 255u128 << 112);
        for &bit in bits {
            let unit = 1u128 << range.ilog2().saturating_sub(7);
            let split = (1 + (range / unit - 1) / 2) * unit;
            if bit {
                low += split;
                range -= split;
            } else {
                range = split;
            }
        }
        low.to_be_bytes()[1..].to_vec()
    }

    #[test]
    fn bits_come_back() {
        let bits: Vec<bool> = (0..60).map(|i| i * i % 7 < 3).collect();
        let bytes = bools(&bits);
        let mut read = Bools::new(&bytes);
        assert_eq!(bits, bits.iter().map(|_| read.flag()).collect::<Vec<_>>());
    }

    /// A chunk whose first partition says `log2` of the count, and the lengths of all but the last.
    fn chunk(log2: usize, lengths: &[u32], data: usize) -> Vec<u8> {
        let mut bits = vec![false; 2 + 1 + 10 + 1];
        bits.extend([log2 & 2 != 0, log2 & 1 != 0]);
        let first = bools(&bits);
        let tag = (first.len() as u32) << 5;
        let mut out = [&tag.to_le_bytes()[..3], &[0x9D, 1, 0x2A, 8, 0, 8, 0], &first].concat();
        out.extend(lengths.iter().flat_map(|length| length.to_le_bytes()[..3].to_vec()));
        out.resize(out.len() + data, 0);
        out
    }

    #[test]
    fn partitions_must_lie_inside_the_chunk() {
        assert!(fit(&chunk(0, &[], 0)));
        assert!(fit(&chunk(1, &[5], 5)));
        assert!(!fit(&chunk(1, &[6], 5)));
        assert!(!fit(&chunk(1, &[], 2)));
        assert!(fit(&chunk(3, &[1; 7], 7)));
        assert!(!fit(&chunk(3, &[1, 1, 1, 1, 1, 1, 0xFF_FFFF], 100)));
        assert!(!fit(&[0, 0, 0]));
        let mut long = chunk(0, &[], 0);
        long[2] = 0x7F;
        assert!(!fit(&long));
    }

    #[test]
    fn files_of_the_encoder_fit_and_their_beginnings_do_not() {
        let bytes = write(&gradient(64, 64, PixelFormat::Rgb8), OutputFormat::Webp);
        assert!(fit(&bytes[20..]));
        assert!(!fit(&bytes[20..60]));
    }
}
