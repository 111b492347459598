//! Best Huffman tables for a finished baseline file.
//!
//! The encoder writes its one interleaved scan with the tables of the standard's annex K. Here the symbols are counted
//! and written again under tables made for them, a tenth smaller. (The encoder can optimise by itself, but then writes
//! a scan a component: such a file paints in grey first, and hardware decoders refuse it.)

use super::coefficients::bits::Unstuffed;
use super::coefficients::frame::{Frame, read_frame, read_scan};
use super::coefficients::huffman::{Definition, Table};

/// Counts of the symbols of one table.
type Counts = [u32; 256];

/// The same picture under tables made for it. `None` when the file is not of the kind described above.
pub(super) fn optimised(file: &[u8]) -> Option<Vec<u8>> {
    let parts = Parts::read(file)?;
    let mut counts = [[[0_u32; 256]; 2]; 2];
    parts.symbols(|class, table, symbol, _, _| counts[class][table][usize::from(symbol)] += 1)?;

    let mut out = Vec::with_capacity(file.len());
    out.extend_from_slice(&parts.before_scan);
    let mut codes = [const { [const { None }; 2] }; 2];
    for class in 0..2 {
        for table in 0..2 {
            if counts[class][table].iter().any(|&count| count > 0) {
                let lengths = code_lengths(&counts[class][table]);
                let written = Written::new(&lengths);
                out.extend_from_slice(&written.segment(class, table)?);
                codes[class][table] = Some(written);
            }
        }
    }
    out.extend_from_slice(parts.scan_header);
    let mut writer = BitWriter { out, bits: 0, held: 0 };
    parts.symbols(|class, table, symbol, extra, size| {
        if let Some(written) = &codes[class][table] {
            let (code, length) = written.codes[usize::from(symbol)];
            // A code of at most 16 bits and as many magnitude bits, at most 11.
            writer.put(u64::from(code) << size | extra, length + size);
        }
    })?;
    let mut out = writer.finish();
    out.extend_from_slice(&[0xFF, 0xD9]);
    Some(out)
}

/// A file taken apart.
struct Parts<'a> {
    /// Everything up to the scan header, without Huffman tables.
    before_scan: Vec<u8>,
    /// The scan header's segment, marker included.
    scan_header: &'a [u8],
    tables: [[Option<Table>; 2]; 2],
    /// DC and AC table of each block of an MCU, in order.
    blocks: Vec<(usize, usize)>,
    mcus: usize,
    data: Unstuffed,
}

impl<'a> Parts<'a> {
    fn read(file: &'a [u8]) -> Option<Self> {
        let mut before_scan = file.get(..2)?.to_vec();
        let mut tables = [const { [const { None }; 2] }; 2];
        let mut frame = None;
        let mut at = 2;
        loop {
            let &[0xFF, code, high, low] = file.get(at..at + 4)? else { return None };
            let end = at + 2 + usize::from(u16::from_be_bytes([high, low]));
            let (segment, body) = (file.get(at..end)?, file.get(at + 4..end)?);
            at = end;
            match code {
                0xC4 => define(&mut tables, body)?,
                0xDA => {
                    let (blocks, mcus) = layout(&frame?, body)?;
                    let mut data = Unstuffed::default();
                    let read = data.fill(&file[at..]);
                    let ends = file[at + read..] == [0xFF, 0xD9];
                    return ends.then_some(Self { before_scan, scan_header: segment, tables, blocks, mcus, data });
                }
                0xDD => return None,
                0xC0 => frame = Some(read_frame(false, body).ok()?),
                _ => {}
            }
            if code != 0xC4 {
                before_scan.extend_from_slice(segment);
            }
        }
    }

    /// Calls `each` with class (0 DC, 1 AC), table, symbol, magnitude bits and their number for every symbol.
    fn symbols(&self, mut each: impl FnMut(usize, usize, u8, u64, u32)) -> Option<()> {
        let mut at = 0;
        for _ in 0..self.mcus {
            for &(dc, ac) in &self.blocks {
                let (dc_table, ac_table) = (self.tables[0][dc].as_ref()?, self.tables[1][ac].as_ref()?);
                let mut one = |class, table, codes: &Table, at: &mut usize| {
                    let window = self.data.peek(*at);
                    let (length, symbol) = codes.look(window)?;
                    let size = u32::from(symbol & 15);
                    let extra = if size == 0 { 0 } else { window << length >> (64 - size) };
                    each(class, table, symbol, extra, size);
                    *at += (length + size) as usize;
                    Some(symbol)
                };
                one(0, dc, dc_table, &mut at)?;
                let mut k = 1;
                while k < 64 {
                    match one(1, ac, ac_table, &mut at)? {
                        0 => break,
                        symbol => k += usize::from(symbol >> 4) + 1,
                    }
                }
            }
            if at > self.data.len() {
                return None;
            }
        }
        Some(())
    }
}

fn define(tables: &mut [[Option<Table>; 2]; 2], mut body: &[u8]) -> Option<()> {
    while let Some((&head, rest)) = body.split_first() {
        let (definition, used) = Definition::read(rest).ok()?;
        *tables.get_mut(usize::from(head >> 4))?.get_mut(usize::from(head & 15))? = Some(Table::new(&definition));
        body = &rest[used..];
    }
    Some(())
}

/// Tables of the blocks of an MCU, and the number of MCUs, when one scan holds all components.
fn layout(frame: &Frame, scan_header: &[u8]) -> Option<(Vec<(usize, usize)>, usize)> {
    let scan = read_scan(frame, scan_header).ok()?;
    if scan.parts.len() != frame.components.len() || (scan.first, scan.last) != (0, 63) {
        return None;
    }
    let blocks = scan.parts.iter().flat_map(|&(component, dc, ac)| {
        let component = &frame.components[component];
        std::iter::repeat_n((usize::from(dc), usize::from(ac)), component.h * component.v)
    });
    let blocks: Vec<_> = blocks.collect();
    let known = blocks.iter().all(|&(dc, ac)| dc < 2 && ac < 2);
    known.then_some((blocks, frame.mcus_across * frame.mcus_down))
}

/// Lengths of the best prefix code of at most 16 bits in which no code is all ones; 0 for symbols that do not occur.
/// T.81, K.2.
fn code_lengths(counts: &Counts) -> [u8; 256] {
    /// A symbol that nobody uses: it takes the code of all ones.
    const RESERVED: usize = 256;
    let mut weights: Vec<u64> = counts.iter().map(|&count| u64::from(count)).chain([1]).collect();
    let mut depth = [0_usize; RESERVED + 1];
    // Members of each tree, the tree named by its first.
    let mut members: Vec<Vec<usize>> = (0..=RESERVED).map(|symbol| vec![symbol]).collect();
    loop {
        // The lightest two; of equals the larger symbol, so that the reserved one ends up deepest.
        let (mut least, mut next) = (None::<usize>, None::<usize>);
        for tree in (0..=RESERVED).filter(|&tree| weights[tree] > 0) {
            if least.is_none_or(|least| weights[tree] <= weights[least]) {
                (least, next) = (Some(tree), least);
            } else if next.is_none_or(|next| weights[tree] <= weights[next]) {
                next = Some(tree);
            }
        }
        let (Some(least), Some(next)) = (least, next) else { break };
        weights[next] += weights[least];
        weights[least] = 0;
        let joined = std::mem::take(&mut members[least]);
        members[next].extend(joined);
        for &symbol in &members[next] {
            depth[symbol] += 1;
        }
    }
    // How many codes of each length; too long ones are paired off with shorter ones (figure K.3).
    let mut numbers = [0_usize; RESERVED + 2];
    depth.iter().filter(|&&depth| depth > 0).for_each(|&depth| numbers[depth] += 1);
    for length in (17..numbers.len()).rev() {
        while numbers[length] > 0 {
            let Some(shorter) = (1..length - 1).rev().find(|&shorter| numbers[shorter] > 0) else { break };
            numbers[length] -= 2;
            numbers[length - 1] += 1;
            numbers[shorter + 1] += 2;
            numbers[shorter] -= 1;
        }
    }
    // The reserved symbol's code, one of the longest.
    if let Some(longest) = (1..=16).rev().find(|&length| numbers[length] > 0) {
        numbers[longest] -= 1;
    }
    let mut symbols: Vec<usize> = (0..RESERVED).filter(|&symbol| counts[symbol] > 0).collect();
    symbols.sort_by_key(|&symbol| (depth[symbol], symbol));
    let mut lengths = [0; 256];
    let by_length = (1..=16).flat_map(|length| std::iter::repeat_n(length as u8, numbers[length]));
    for (symbol, length) in symbols.into_iter().zip(by_length) {
        lengths[symbol] = length;
    }
    lengths
}

/// A table as it is written.
struct Written {
    numbers: [u8; 16],
    symbols: Vec<u8>,
    /// Code and length of each symbol.
    codes: [(u16, u32); 256],
}

impl Written {
    /// Canonical codes of these lengths. T.81, C.2.
    fn new(lengths: &[u8; 256]) -> Self {
        let mut symbols: Vec<u8> = (0..=255).filter(|&symbol| lengths[usize::from(symbol)] > 0).collect();
        symbols.sort_by_key(|&symbol| (lengths[usize::from(symbol)], symbol));
        let (mut numbers, mut codes) = ([0; 16], [(0, 0); 256]);
        let (mut code, mut before) = (0_u16, 0);
        for &symbol in &symbols {
            let length = lengths[usize::from(symbol)];
            code <<= length - before;
            codes[usize::from(symbol)] = (code, u32::from(length));
            numbers[usize::from(length) - 1] += 1;
            code += 1;
            before = length;
        }
        Self { numbers, symbols, codes }
    }

    /// The DHT segment, marker included.
    fn segment(&self, class: usize, table: usize) -> Option<Vec<u8>> {
        let length = u16::try_from(2 + 1 + 16 + self.symbols.len()).ok()?.to_be_bytes();
        let head = [0xFF, 0xC4, length[0], length[1], (class << 4 | table) as u8];
        Some([&head[..], &self.numbers, &self.symbols].concat())
    }
}

/// Writes bits with byte stuffing.
struct BitWriter {
    out: Vec<u8>,
    /// The last `held` bits are still to be written.
    bits: u64,
    held: u32,
}

impl BitWriter {
    /// At most 27 bits.
    #[inline(always)]
    fn put(&mut self, bits: u64, length: u32) {
        self.bits = self.bits << length | bits;
        self.held += length;
        if self.held >= 32 {
            self.held -= 32;
            let word = ((self.bits >> self.held) as u32).to_be_bytes();
            if word.contains(&0xFF) {
                word.into_iter().for_each(|byte| self.byte(byte));
            } else {
                self.out.extend_from_slice(&word);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
        if byte == 0xFF {
            self.out.push(0);
        }
    }

    /// Fills the last byte with ones.
    fn finish(mut self) -> Vec<u8> {
        let fill = (8 - self.held % 8) % 8;
        self.bits = self.bits << fill | ((1 << fill) - 1);
        self.held += fill;
        while self.held > 0 {
            self.held -= 8;
            self.byte((self.bits >> self.held) as u8);
        }
        self.out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codecs::jpeg::coefficients;

    fn kraft(lengths: &[u8; 256]) -> f64 {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 0.5_f64.powi(length.into())).sum()
    }

    proptest! {
        #[test]
        fn codes_are_prefix_codes_of_at_most_16_bits(pairs in prop::collection::vec((any::<u8>(), 1_u32..1 << 28), 1..256)) {
            let mut counts = [0; 256];
            pairs.iter().for_each(|&(symbol, count)| counts[usize::from(symbol)] = count);
            let lengths = code_lengths(&counts);
            for symbol in 0..256 {
                prop_assert_eq!(lengths[symbol] > 0, counts[symbol] > 0);
                prop_assert!(lengths[symbol] <= 16);
            }
            // Room is left for the code of all ones.
            prop_assert!(kraft(&lengths) <= 1.0 - 0.5_f64.powi(16));
            let written = Written::new(&lengths);
            let definition = [&written.numbers[..], &written.symbols].concat();
            let table = Table::new(&Definition::read(&definition).unwrap().0);
            for symbol in 0..=255_u8 {
                let (code, length) = written.codes[usize::from(symbol)];
                if length > 0 {
                    prop_assert!(u32::from(code) + 1 < 1 << length, "all ones");
                    prop_assert_eq!(table.look(u64::from(code) << (64 - length)), Some((length, symbol)));
                }
            }
        }
    }

    #[test]
    fn growing_counts_are_cut_off_at_16_bits() {
        let mut counts = [0; 256];
        let (mut a, mut b) = (1_u32, 1_u32);
        for count in &mut counts[..40] {
            *count = a;
            (a, b) = (b, a + b);
        }
        let lengths = code_lengths(&counts);
        assert_eq!(lengths[..40].iter().max(), Some(&16));
        assert!(lengths[39] <= 2);
    }

    #[test]
    fn even_counts_give_even_lengths() {
        let mut counts = [0; 256];
        counts[..7].fill(100);
        assert_eq!(code_lengths(&counts)[..8], [3, 3, 3, 3, 3, 3, 3, 0]);
    }

    #[test]
    fn bits_are_stuffed_and_filled_with_ones() {
        let mut writer = BitWriter { out: Vec::new(), bits: 0, held: 0 };
        for (bits, length) in [(0xFF, 8), (0x12, 8), (0b101, 3), (0x7FF, 11), (0, 2), (1, 1)] {
            writer.put(bits, length);
        }
        // 101 11111 | 111111 00 | 1 and seven ones.
        assert_eq!(writer.finish(), [0xFF, 0, 0x12, 0b1011_1111, 0b1111_1100, 0xFF, 0]);
    }

    /// Same scan, same coefficients, fewer bytes.
    #[test]
    fn the_picture_is_the_same_and_the_file_smaller() {
        let (width, height) = (83_u16, 51_u16);
        let mut pixels = Vec::new();
        for y in 0..u32::from(height) {
            for x in 0..u32::from(width) {
                pixels.extend([(x * 3) as u8, (y * 5) as u8, ((x ^ y) * 7) as u8]);
            }
        }
        for (sampling, colour) in [
            (jpeg_encoder::SamplingFactor::R_4_2_0, jpeg_encoder::ColorType::Rgb),
            (jpeg_encoder::SamplingFactor::R_4_4_4, jpeg_encoder::ColorType::Rgb),
            (jpeg_encoder::SamplingFactor::R_4_4_4, jpeg_encoder::ColorType::Luma),
        ] {
            let mut file = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut file, 85);
            encoder.set_sampling_factor(sampling);
            let grey = colour == jpeg_encoder::ColorType::Luma;
            let samples = if grey { &pixels[..pixels.len() / 3] } else { &pixels[..] };
            encoder.encode(samples, width, height, colour).unwrap();
            let smaller = optimised(&file).unwrap();
            assert!(smaller.len() < file.len(), "{} {}", smaller.len(), file.len());
            let decoded = |file: &[u8]| coefficients::decode(file, 64, 1, &|| false).unwrap();
            assert_eq!(decoded(&smaller), decoded(&file));
            let scans = smaller.windows(2).filter(|pair| pair == &[0xFF, 0xDA]).count();
            assert_eq!(scans, 1);
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        assert_eq!(optimised(b""), None);
        assert_eq!(optimised(&[0xFF, 0xD8, 0xFF, 0xD9]), None);
    }
}
