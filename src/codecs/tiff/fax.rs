//! CCITT compression: modified Huffman, Group 3 in one and two dimensions, Group 4 (ITU-T T.4, T.6; TIFF 6.0, sections
//! 10 and 11). Code tables and bit reading are the `fax` crate's.

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};

/// How rows follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Compression 2: one-dimensional rows, each from a byte boundary.
    ModifiedHuffman,
    /// Compression 3: an end-of-line code before each row, and where `two_dimensional` a bit that says how it is coded.
    Group3 { two_dimensional: bool },
    /// Compression 4: two-dimensional rows without a break.
    Group4,
}

/// Decodes rows of `width` pixels into bits, 0 for white, the top bit first, `width.div_ceil(8)` bytes a row, as many
/// as `out` has room for. Rows after the end code stay white.
///
/// `None` for a code that does not exist or runs that leave the row.
pub(super) fn decode(bytes: &[u8], scheme: Scheme, width: u32, out: &mut [u8]) -> Option<()> {
    // The tables look further ahead than the last code is long.
    let padded = bytes.iter().copied().chain([0; 4]).map(Ok::<u8, Infallible>);
    let mut rows = Rows { reader: ByteReader::new(padded).ok()?, width };
    let (mut reference, mut current) = (Vec::new(), Vec::new());
    for row in out.chunks_exact_mut(width.div_ceil(8) as usize) {
        let two_dimensional = match scheme {
            Scheme::ModifiedHuffman => {
                let rest = rows.reader.bits_to_byte_boundary();
                rows.reader.consume(rest).ok()?;
                false
            }
            Scheme::Group3 { two_dimensional } => match rows.line_start(two_dimensional)? {
                Line::Flat => false,
                Line::Relative => true,
                Line::End => return Some(()),
            },
            Scheme::Group4 => true,
        };
        current.clear();
        let more = if two_dimensional { rows.relative(&reference, &mut current)? } else { rows.flat(&mut current)? };
        if !more {
            return Some(());
        }
        blacken(&current, width, row);
        std::mem::swap(&mut reference, &mut current);
    }
    Some(())
}

enum Line {
    /// One-dimensional.
    Flat,
    /// Relative to the row above.
    Relative,
    /// End of the picture.
    End,
}

struct Rows<R> {
    reader: ByteReader<R>,
    width: u32,
}

impl<R: Iterator<Item = Result<u8, Infallible>>> Rows<R> {
    /// Passes fill bits and end-of-line codes before a row of Group 3.
    fn line_start(&mut self, tagged: bool) -> Option<Line> {
        let mut line = Line::Flat;
        let mut codes = 0;
        while self.reader.peek(11) == Some(0) {
            while self.reader.peek(1)? == 0 {
                self.reader.consume(1).ok()?;
            }
            self.reader.consume(1).ok()?;
            codes += 1;
            if tagged {
                line = if self.reader.peek(1)? == 1 { Line::Flat } else { Line::Relative };
                self.reader.consume(1).ok()?;
            }
        }
        Some(if codes > 1 { Line::End } else { line })
    }

    /// One run: make-up codes, then a terminating code.
    fn run(&mut self, is_black: bool) -> Option<u32> {
        let mut sum = 0u32;
        loop {
            let code = if is_black { black::decode(&mut self.reader) } else { white::decode(&mut self.reader) }?;
            sum += u32::from(code);
            if code < 64 {
                return Some(sum);
            }
            if sum > self.width {
                return None;
            }
        }
    }

    /// A row on its own: the positions where the colour changes, white first.
    fn flat(&mut self, changes: &mut Vec<u32>) -> Option<bool> {
        let (mut at, mut is_black) = (0, false);
        while at < self.width {
            at += self.run(is_black)?;
            if at > self.width {
                return None;
            }
            changes.push(at);
            is_black = !is_black;
        }
        Some(true)
    }

    /// A row by its differences from the changes of the row above; `Some(false)` for the end code.
    fn relative(&mut self, above: &[u32], changes: &mut Vec<u32>) -> Option<bool> {
        // `at` is T.6's a0; -1 before the first pixel.
        let (mut at, mut is_black) = (-1i64, false);
        let width = i64::from(self.width);
        let mut nth = 0;
        while at < width {
            // b1: the first change above, right of a0, to the colour opposite to the current one.
            while nth > 0 && i64::from(above[nth - 1]) > at {
                nth -= 1;
            }
            while above.get(nth).is_some_and(|&b| i64::from(b) <= at) || (nth % 2 == 1) != is_black {
                nth += 1;
            }
            let b1 = above.get(nth).map_or(width, |&b| b.into());
            let b2 = above.get(nth + 1).map_or(width, |&b| b.into());
            match mode::decode(&mut self.reader)? {
                Mode::Pass => at = b2,
                Mode::Vertical(delta) => {
                    let next = b1 + i64::from(delta);
                    if next < at.max(0) || next > width {
                        return None;
                    }
                    changes.push(next as u32);
                    (at, is_black) = (next, !is_black);
                }
                Mode::Horizontal => {
                    let first = at.max(0) + i64::from(self.run(is_black)?);
                    let second = first + i64::from(self.run(!is_black)?);
                    if second > width {
                        return None;
                    }
                    changes.extend([first as u32, second as u32]);
                    at = second;
                }
                Mode::EOF if at < 0 => return Some(false),
                Mode::EOF | Mode::Extension => return None,
            }
            nth = nth.min(above.len());
        }
        Some(true)
    }
}

/// Sets the bits of the black runs; `row` is zero.
fn blacken(changes: &[u32], width: u32, row: &mut [u8]) {
    for run in changes.chunks(2) {
        let from = run.first().copied().filter(|_| run.len() == 2);
        // A change to black that is the last one holds to the end of the row.
        let (Some(from), to) = (from.or(run.first().copied()), run.get(1).copied().unwrap_or(width)) else { continue };
        for x in from..to.min(width) {
            row[x as usize / 8] |= 0x80 >> (x % 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fax::encoder::Encoder;
    use fax::{Color, VecWriter};

    fn group4(rows: &[&str]) -> Vec<u8> {
        let mut encoder = Encoder::new(VecWriter::new());
        for row in rows {
            let pixels = row.bytes().map(|b| if b == b'#' { Color::Black } else { Color::White });
            encoder.encode_line(pixels, row.len() as u16).unwrap();
        }
        encoder.finish().unwrap().finish()
    }

    fn drawn(bits: &[u8], width: usize) -> Vec<String> {
        bits.chunks(width.div_ceil(8))
            .map(|row| (0..width).map(|x| if row[x / 8] & (0x80 >> (x % 8)) == 0 { '.' } else { '#' }).collect())
            .collect()
    }

    const PICTURE: [&str; 6] =
        ["............", "..####...#..", ".######.####", "#..........#", "############", "...#.#.#...."];

    #[test]
    fn group_4_gives_back_what_was_coded() {
        let mut out = vec![0; 2 * PICTURE.len()];
        decode(&group4(&PICTURE), Scheme::Group4, 12, &mut out).unwrap();
        assert_eq!(drawn(&out, 12), PICTURE);
    }

    #[test]
    fn one_dimensional_rows_start_where_the_scheme_says() {
        // White 2 = 0111, black 3 = 10, white 3 = 1000 for eight pixels.
        let mut out = [0; 2];
        decode(&[0b0111_1010, 0b0000_0000, 0b0111_1010, 0], Scheme::ModifiedHuffman, 8, &mut out).unwrap();
        assert_eq!(out, [0b0011_1000; 2]);
        // 000000000001 before each row.
        let mut out = [0; 2];
        let stream = [0x00, 0x17, 0xA0, 0x00, 0x17, 0xA0, 0x00];
        decode(&stream, Scheme::Group3 { two_dimensional: false }, 8, &mut out).unwrap();
        assert_eq!(out, [0b0011_1000; 2]);
    }

    #[test]
    fn nonsense_ends_without_a_panic() {
        for seed in 0..200u32 {
            let bytes: Vec<u8> =
                (0..97u32).map(|i| (seed.wrapping_mul(2_654_435_761) >> (i % 24)) as u8 ^ i as u8).collect();
            for scheme in [Scheme::ModifiedHuffman, Scheme::Group3 { two_dimensional: true }, Scheme::Group4] {
                let mut out = vec![0; 40 * 5];
                let _ = decode(&bytes, scheme, 33, &mut out);
            }
        }
    }
}
