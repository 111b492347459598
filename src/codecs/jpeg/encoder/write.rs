//! Symbols to bits.

use super::headers;
use super::huffman::{Codes, Counts};
use super::kernels::Kernels;
use super::strips::Component;
use super::symbols;

/// The tables of a scan: DC and AC codes for luma and chroma.
pub(super) type Tables = [[Codes; 2]; 2];

/// Which symbols have been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbols {
    /// Some: any other may still come.
    Some,
    /// All.
    All,
}

/// A scan that is being written.
pub(super) struct Scan {
    bits: Bits,
    layout: &'static [Component],
    tables: Option<Tables>,
}

impl Scan {
    /// `out`: the file so far.
    pub(super) fn new(out: Vec<u8>, layout: &'static [Component]) -> Self {
        Self { bits: Bits::new(out), layout, tables: None }
    }

    /// Writes symbols; before the first of them tables made for all that have been counted.
    pub(super) fn write(&mut self, symbols: &mut symbols::Symbols, counted: Symbols, kernels: &Kernels) {
        let (bits, layout) = (&mut self.bits, self.layout);
        let tables = &*self.tables.get_or_insert_with(|| {
            let mut counts = symbols.counts;
            if counted == Symbols::Some {
                counts.iter_mut().zip([possible_dc as fn(usize) -> bool, possible_ac]).for_each(
                    |(tables, possible)| {
                        tables.iter_mut().for_each(|counts| allow(counts, possible));
                    },
                );
            }
            let tables = counts.map(|tables| tables.map(|counts| Codes::new(&counts)));
            for table in 0..layout.len().min(2) {
                for (class, codes) in tables.iter().enumerate() {
                    bits.out.extend_from_slice(&codes[table].segment(class, table));
                }
            }
            let parts: Vec<_> = layout.iter().copied().enumerate().collect();
            bits.out.extend_from_slice(&headers::scan(&parts, (0, 63), (0, 0)));
            if counted == Symbols::All {
                let of = |class: &[Codes; 2], counts: &[Counts; 2]| -> u64 {
                    class.iter().zip(counts).map(|(codes, counts)| codes.bits(counts)).sum()
                };
                bits.reserve(tables.iter().zip(&counts).map(|(class, counts)| of(class, counts)).sum::<u64>());
            }
            tables
        });
        symbols.drain(|words| (kernels.write)(words, tables, bits));
    }

    /// The file.
    pub(super) fn finish(self) -> Vec<u8> {
        self.bits.finish()
    }
}

fn allow(counts: &mut Counts, possible: fn(usize) -> bool) {
    for (_, count) in counts.iter_mut().enumerate().filter(|(symbol, _)| possible(*symbol)) {
        *count += 1;
    }
}

/// Symbols that 8-bit samples can make.
fn possible_dc(symbol: usize) -> bool {
    symbol <= 11
}

fn possible_ac(symbol: usize) -> bool {
    symbol == 0 || symbol == 0xF0 || (1..=10).contains(&(symbol & 15))
}

/// Writes blocks.
#[inline(always)]
pub(super) fn words(mut words: &[u16], tables: &Tables, bits: &mut Bits) {
    // In registers, not in memory.
    let (mut held, mut room) = (bits.held, bits.room);
    let out = &mut bits.out;
    while let Some((&head, rest)) = words.split_first() {
        let Some((block, rest)) = rest.split_at_checked(usize::from(head & 0x7FFF)) else { return };
        words = rest;
        let [dc, ac] = tables;
        let table = usize::from(head >> 15);
        let mut block = block.iter();
        let mut codes = &dc[table].entries;
        while let Some(&word) = block.next() {
            let symbol = word >> 8;
            let magnitude = if symbol & 15 <= 8 { word & 0xFF } else { block.next().copied().unwrap_or(0) };
            let entry = codes[usize::from(symbol)];
            put(&mut held, &mut room, out, entry >> 5 | u32::from(magnitude), entry & 31);
            codes = &ac[table].entries;
        }
    }
    (bits.held, bits.room) = (held, room);
}

/// At most 27 bits.
#[inline(always)]
fn put(held: &mut u64, room: &mut u32, out: &mut Vec<u8>, bits: u32, length: u32) {
    let bits = u64::from(bits);
    if length < *room {
        *held = *held << length | bits;
        *room -= length;
    } else {
        let over = length - *room;
        push(out, *held << *room | bits >> over);
        // What has been written is shifted out in time.
        *held = bits;
        *room = 64 - over;
    }
}

/// Eight bytes, with a zero behind each FF.
#[inline(always)]
fn push(out: &mut Vec<u8>, word: u64) {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const LOW: u64 = 0x0101_0101_0101_0101;
    // Mycroft's test for a zero byte, on the complement.
    if (!word).wrapping_sub(LOW) & word & HIGH == 0 {
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        stuffed(out, &word.to_be_bytes());
    }
}

#[cold]
fn stuffed(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        out.push(byte);
        if byte == 0xFF {
            out.push(0);
        }
    }
}

/// Writes bits with byte stuffing.
#[derive(Debug)]
pub(super) struct Bits {
    out: Vec<u8>,
    /// The last `64 - room` bits are still to be written.
    held: u64,
    /// 1 to 64.
    room: u32,
}

impl Bits {
    /// Behind what there is.
    pub(super) const fn new(out: Vec<u8>) -> Self {
        Self { out, held: 0, room: 64 }
    }

    /// At most 27 bits.
    #[inline(always)]
    pub(super) fn put(&mut self, bits: u32, length: u32) {
        put(&mut self.held, &mut self.room, &mut self.out, bits, length);
    }

    /// Markers, between scans.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Makes room for so many bits and the end of the picture.
    pub(super) fn reserve(&mut self, bits: u64) {
        let bytes = bits / 8;
        // One byte in 256 is stuffed, more or less; the last word.
        self.out.reserve_exact((bytes + bytes / 128) as usize + 64);
    }

    /// Fills the last byte with ones.
    pub(super) fn fill(&mut self) {
        let used = 64 - self.room;
        let bytes = used.div_ceil(8);
        if bytes > 0 {
            let fill = 8 * bytes - used;
            let word = self.held << fill | ((1 << fill) - 1);
            let eight = (word << (64 - 8 * bytes)).to_be_bytes();
            stuffed(&mut self.out, &eight[..bytes as usize]);
        }
        (self.held, self.room) = (0, 64);
    }

    /// The file.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.fill();
        self.out.extend_from_slice(&[0xFF, 0xD9]);
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_stuffed_and_filled_with_ones() {
        let mut bits = Bits::new(vec![7]);
        for (value, length) in [(0xFF, 8), (0x12, 8), (0b101, 3), (0x7FF, 11), (0, 2), (1, 1)] {
            bits.put(value, length);
        }
        // 101 11111 | 111111 00 | 1 and seven ones.
        assert_eq!(bits.finish(), [7, 0xFF, 0, 0x12, 0b1011_1111, 0b1111_1100, 0xFF, 0, 0xFF, 0xD9]);
        assert_eq!(Bits::new(Vec::new()).finish(), [0xFF, 0xD9]);
    }

    #[test]
    fn bits_are_as_one_by_one() {
        let mut random = 1_u32;
        let mut bits = Bits::new(Vec::new());
        let mut expected = Vec::new();
        for _ in 0..5000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let length = 1 + (random >> 8) % 27;
            let value = if random & 3 == 0 { u32::MAX } else { random } & ((1 << length) - 1);
            bits.put(value, length);
            expected.extend((0..length).rev().map(|bit| value >> bit & 1));
        }
        while !expected.len().is_multiple_of(8) {
            expected.push(1);
        }
        let expected: Vec<u8> =
            expected.chunks(8).map(|bits| bits.iter().fold(0, |byte, &bit| byte << 1 | bit as u8)).collect();
        let mut unstuffed = Vec::new();
        bits.fill();
        let out = bits.out;
        let mut bytes = out.iter();
        while let Some(&byte) = bytes.next() {
            unstuffed.push(byte);
            if byte == 0xFF {
                assert_eq!(bytes.next(), Some(&0));
            }
        }
        assert_eq!(unstuffed, expected);
    }
}
