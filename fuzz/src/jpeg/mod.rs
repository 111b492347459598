//! Files built from a fuzzer's bytes. Bytes that are mutated blindly seldom get past a header; here the header is sound
//! nearly always, and the bytes choose what it says, the tables, the scans and what the scans hold.
//!
//! Scans hold either coefficients, coded as they should be ([`Built::written`] says what a decoder must find), or the
//! fuzzer's own bytes, which the tables make something of.

mod code;
mod draw;
mod file;
mod progression;

pub use draw::Draw;
pub use file::{Built, Form, build};

use phasor::codecs::Format;
use phasor::codecs::jpeg::coefficients::laws;
use phasor::image::{Rect, Size};

/// Builds a file and holds it to one of the laws.
pub fn check(form: Form, bytes: &[u8]) {
    let mut draw = Draw::new(bytes);
    let (law, part) = (draw.below(8), [draw.byte(), draw.byte(), draw.byte(), draw.byte()]);
    let Built { bytes, written, .. } = build(form, &mut draw);
    keep(&bytes);
    if let Some(written) = &written {
        let found = laws::coefficients_as_written(&bytes).expect("a sound file");
        for (i, (written, found)) in written.iter().zip(&found).enumerate() {
            for (at, (written, found)) in written.iter().zip(found).enumerate() {
                assert_eq!(written, found, "block {at} of component {i}");
            }
        }
    }
    match law {
        _ if !is_small(&bytes) => super::codec::decode(Format::Jpeg, &bytes),
        0 | 1 => {
            laws::second_opinion_agrees(&bytes, written.is_some());
        }
        2 | 3 => super::codec::decode(Format::Jpeg, &bytes),
        4 if form == Form::Sequential => laws::lenient_agrees(&bytes, [1, 6, 64][usize::from(part[0]) % 3]),
        5 if form == Form::Sequential => {
            laws::streams_agree(&bytes, [1, 6, 21][usize::from(part[0]) % 3], part[1].into())
        }
        _ => {
            let Some(size) = laws::size(&bytes) else { return };
            // A part of the picture, in its 256ths.
            let (across, down) = (size.width(), size.height());
            let at = |part: u8, of: u32| (u32::from(part) * of / 256).min(of - 1);
            let (left, top) = (at(part[0], across), at(part[1], down));
            let size = Size::at_least_one(at(part[2], across - left), at(part[3], down - top));
            laws::windows_are_parts(&bytes, Rect { left, top, size });
        }
    }
}

/// Damage may have made more of a picture, which only the header check refuses.
pub fn is_small(bytes: &[u8]) -> bool {
    laws::size(bytes).is_none_or(|size| size.area() <= 1 << 14)
}

/// A header made of segments: a marker's code, a byte that says how long, and so many bytes; what is left is the data of a
/// scan. Codes and the bodies' first bytes are those that mean something more often than not.
pub fn segments(bytes: &[u8]) -> Vec<u8> {
    const CODES: [u8; 16] =
        [0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD, 0xDC, 0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xD8, 0xC3, 0x01];
    let mut draw = Draw::new(bytes);
    let mut out = vec![0xFF, 0xD8];
    for _ in 0..=draw.below(12) {
        let code = draw.byte();
        let code = if code < 0xF0 { CODES[usize::from(code % 16)] } else { draw.byte() };
        out.extend([0xFF, code]);
        let length = draw.byte();
        let body: Vec<u8> = (0..length.min(180)).map(|_| draw.byte()).collect();
        let shape = draw.byte();
        let body = match code {
            // A frame of up to 1024 pixels and of as many components as it says.
            0xC0..=0xC3 if shape < 220 => {
                let count = [1, 3, 4, 2][usize::from(shape % 4)];
                let mut frame = vec![8, 0, 1 + draw.byte() % 32, 0, 1 + draw.byte() % 32, count];
                frame
                    .extend((1..=count).flat_map(|id| [id, [0x11, 0x22, 0x21, 0x41][usize::from(draw.byte() % 4)], 0]));
                frame
            }
            0xDA if shape < 220 => {
                let count = [1, 3, 4, 2][usize::from(shape % 4)];
                let mut scan = vec![count];
                scan.extend((1..=count).flat_map(|id| [id, 0]));
                scan.extend(if shape & 4 == 0 { [0, 63, 0] } else { [0, 0, shape >> 5] });
                scan
            }
            0xDB if shape < 220 => [&[0][..], &[1 + shape; 64]].concat(),
            0xC4 if shape < 220 => {
                let table = [&[shape & 0x10][..], &[0, 2, 3], &[0; 13], &[0, 1, 2, 3, 4]].concat();
                if shape & 1 == 0 {
                    table
                } else {
                    [table.clone(), [&[0x10 & !shape][..], &table[1..]].concat()].concat()
                }
            }
            0xE1 if shape < 128 => [b"Exif\0\0", &body[..]].concat(),
            0xE2 if shape < 128 => [b"ICC_PROFILE\0", &body[..]].concat(),
            0xEE if shape < 128 => [b"Adobe\0\x64\0\0\0\0", &body[..]].concat(),
            0xE0 if shape < 128 => [b"JFIF\0", &body[..]].concat(),
            0xDD | 0xDC if shape < 220 => vec![0, shape % 40],
            _ => body,
        };
        let length = body.len() as u16 + 2;
        // Seldom another length than there is.
        let length = if shape == 255 { length.wrapping_add(u16::from(draw.byte())).wrapping_sub(128) } else { length };
        if !matches!(code, 0x01 | 0xD0..=0xD9) {
            out.extend(length.to_be_bytes());
        }
        out.extend(body);
    }
    out.extend(draw.rest());
    out
}

/// Writes a built file to where `KEEP` says, to look at what a finding is made of.
pub fn keep(bytes: &[u8]) {
    if let Some(path) = std::env::var_os("KEEP") {
        std::fs::write(path, bytes).unwrap();
    }
}
