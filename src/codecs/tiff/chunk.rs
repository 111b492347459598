//! Strips and tiles: from stored bytes to rows of samples.

use std::borrow::Cow;
use std::io::Read;

use super::layout::Layout;
use super::{fax, jpeg, malformed, tag};
use crate::codecs::DecodeError;

/// Decompresses a chunk of `rows` rows: exactly `layout.row_bytes() * rows` bytes, never more whatever the stream says.
///
/// # Errors
/// [`DecodeError::Malformed`] for a chunk outside the file, too few bytes, or a compression that is not read.
pub(super) fn read<'a>(
    file: &'a [u8],
    layout: &Layout<'_>,
    index: usize,
    rows: u32,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    let stored = layout.stored(file, index).ok_or_else(|| malformed("a strip or tile lies outside the file"))?;
    let length = layout.row_bytes() * rows as usize;
    let stored = if layout.reversed_bits && layout.compression != tag::JPEG {
        Cow::Owned(stored.iter().map(|byte| byte.reverse_bits()).collect())
    } else {
        Cow::Borrowed(stored)
    };
    if layout.compression == 1 {
        let enough = |s: &[u8]| s.len() >= length;
        return match stored {
            Cow::Borrowed(s) if enough(s) => Ok(Cow::Borrowed(&s[..length])),
            Cow::Owned(mut s) if enough(&s) => {
                s.truncate(length);
                Ok(Cow::Owned(s))
            }
            _ => Err(short()),
        };
    }
    if layout.compression == tag::JPEG {
        return jpeg::decode(&stored, layout, rows).map(Cow::Owned);
    }
    // No stream here gives more than some 2 700 bytes for one, so tiny files cannot ask for much.
    if stored.len().saturating_mul(4096) < length && !(2..=4).contains(&layout.compression) {
        return Err(short());
    }
    let mut out = vec![0; length];
    match layout.compression {
        2..=4 => {
            if layout.bits != 1 || layout.samples_in_chunk() != 1 {
                return Err(malformed("fax compression needs one bit a pixel"));
            }
            let scheme = match layout.compression {
                2 => fax::Scheme::ModifiedHuffman,
                3 => fax::Scheme::Group3 { two_dimensional: layout.t4_options & 1 != 0 },
                _ => fax::Scheme::Group4,
            };
            fax::decode(&stored, scheme, layout.chunk.width(), &mut out)
                .ok_or_else(|| malformed("a fax code is damaged"))?;
        }
        5 => lzw(&stored, &mut out)?,
        8 | 32946 => flate2::read::ZlibDecoder::new(&*stored).read_exact(&mut out).map_err(|_| short())?,
        32773 => pack_bits(&stored, &mut out)?,
        other => return Err(malformed(format!("compression {other} is not supported"))),
    }
    Ok(Cow::Owned(out))
}

fn short() -> DecodeError {
    malformed("a strip or tile breaks off")
}

/// LZW as TIFF has it: codes from the top bit down, the width growing one code early.
fn lzw(mut from: &[u8], mut out: &mut [u8]) -> Result<(), DecodeError> {
    let mut decoder = match from {
        // Files from before TIFF 5 have the bits of GIF; they start with the clear code 256.
        [0, second, ..] if second & 1 == 1 => weezl::decode::Decoder::new(weezl::BitOrder::Lsb, 8),
        _ => weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8),
    };
    while !out.is_empty() {
        let step = decoder.decode_bytes(from, out);
        from = &from[step.consumed_in..];
        out = &mut out[step.consumed_out..];
        match step.status {
            Ok(weezl::LzwStatus::Ok) if step.consumed_in + step.consumed_out > 0 => {}
            _ => break,
        }
    }
    if out.is_empty() { Ok(()) } else { Err(short()) }
}

/// PackBits (TIFF 6.0, section 9).
fn pack_bits(mut from: &[u8], mut out: &mut [u8]) -> Result<(), DecodeError> {
    while let (Some((&head, rest)), false) = (from.split_first(), out.is_empty()) {
        from = rest;
        let head = head as i8;
        if head >= 0 {
            let count = (head as usize + 1).min(out.len());
            let (literal, rest) = from.split_at_checked(count).ok_or_else(short)?;
            out[..count].copy_from_slice(literal);
            (from, out) = (rest, &mut out[count..]);
        } else if head != -128 {
            let (&byte, rest) = from.split_first().ok_or_else(short)?;
            let count = (1 - isize::from(head)).unsigned_abs().min(out.len());
            out[..count].fill(byte);
            (from, out) = (rest, &mut out[count..]);
        }
    }
    if out.is_empty() { Ok(()) } else { Err(short()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pack_bits_runs_and_literals() {
        // The example of the specification's source, Apple's technical note 1023.
        let packed = [0xFE, 0xAA, 0x02, 0x80, 0x00, 0x2A, 0xFD, 0xAA, 0x03, 0x80, 0x00, 0x2A, 0x22, 0xF7, 0xAA];
        let mut out = [0; 24];
        pack_bits(&packed, &mut out).unwrap();
        assert_eq!(out[..10], [0xAA, 0xAA, 0xAA, 0x80, 0x00, 0x2A, 0xAA, 0xAA, 0xAA, 0xAA]);
        assert_eq!(out[14..], [0xAA; 10]);
        assert!(pack_bits(&packed[..9], &mut out).is_err());
    }

    #[test]
    fn lzw_reads_both_bit_orders_and_refuses_to_fall_short() {
        let data: Vec<u8> = (0..5000u32).map(|i| ((i * i) >> 3) as u8).collect();
        let new = weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8).encode(&data).unwrap();
        let mut out = vec![0; data.len()];
        lzw(&new, &mut out).unwrap();
        assert_eq!(out, data);
        assert!(lzw(&new[..new.len() / 2], &mut out).is_err());
        let old = weezl::encode::Encoder::new(weezl::BitOrder::Lsb, 8).encode(&data).unwrap();
        lzw(&old, &mut out).unwrap();
        assert_eq!(out, data);
    }
}
