//! The best Huffman tables for counted symbols. ITU-T T.81, annexes C and K.2.

/// How often each symbol occurs.
pub(super) type Counts = [u32; 256];

/// A table, ready to be written and to write with.
#[derive(Debug)]
pub(super) struct Codes {
    numbers: [u8; 16],
    symbols: Vec<u8>,
    /// For each symbol its code with room for the magnitude behind it, and in the low five bits the length of both.
    pub(super) entries: [u32; 256],
}

impl Codes {
    /// The canonical code for symbols that occur so often. T.81, C.2.
    pub(super) fn new(counts: &Counts) -> Self {
        let mut symbols: Vec<u8> = (0..=255).filter(|&symbol| counts[usize::from(symbol)] > 0).collect();
        symbols.sort_by_key(|&symbol| (std::cmp::Reverse(counts[usize::from(symbol)]), symbol));
        let rising: Vec<u32> = symbols.iter().rev().map(|&symbol| counts[usize::from(symbol)]).collect();
        let numbers = numbers(&rising);
        let mut entries = [0; 256];
        let (mut code, mut next) = (0_u32, symbols.iter());
        for (length, &number) in (1..).zip(&numbers) {
            for &symbol in next.by_ref().take(number.into()) {
                let size = u32::from(symbol & 15);
                entries[usize::from(symbol)] = code << (size + 5) | (length + size);
                code += 1;
            }
            code <<= 1;
        }
        Self { numbers, symbols, entries }
    }

    /// Bits of so many symbols with their magnitudes.
    pub(super) fn bits(&self, counts: &Counts) -> u64 {
        self.entries.iter().zip(counts).map(|(entry, &count)| u64::from(entry & 31) * u64::from(count)).sum()
    }

    /// The DHT segment, marker included. `class`: 0 for DC, 1 for AC.
    pub(super) fn segment(&self, class: usize, table: usize) -> Vec<u8> {
        let length = (2 + 1 + 16 + self.symbols.len() as u16).to_be_bytes();
        let head = [0xFF, 0xC4, length[0], length[1], (class << 4 | table) as u8];
        [&head[..], &self.numbers, &self.symbols].concat()
    }
}

/// How many codes there are of each length, 1 to 16, in the best prefix code for symbols of these rising counts in which
/// no code is all ones.
fn numbers(counts: &[u32]) -> [u8; 16] {
    // Leaves, of which the first is a symbol that nobody uses: it takes the code of all ones. Behind them the joined
    // nodes, which come into being in rising order, too: two queues (van Leeuwen, 1976).
    let leaves = counts.len() + 1;
    let mut weights: Vec<u64> = std::iter::once(1).chain(counts.iter().map(|&count| count.into())).collect();
    let mut parents = vec![0_usize; 2 * leaves - 1];
    let (mut leaf, mut joined) = (0, leaves);
    for node in leaves..2 * leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let lightest = if joined >= node || (leaf < leaves && weights[leaf] <= weights[joined]) {
                leaf += 1;
                leaf - 1
            } else {
                joined += 1;
                joined - 1
            };
            parents[lightest] = node;
            weight += weights[lightest];
        }
        weights.push(weight);
    }
    // From the root down; a child lies before its parent.
    let mut depths = vec![0_usize; 2 * leaves - 1];
    let mut by_length = vec![0_usize; leaves.max(17) + 1];
    for node in (0..(2 * leaves - 1).saturating_sub(1)).rev() {
        depths[node] = depths[parents[node]] + 1;
        if node < leaves {
            by_length[depths[node]] += 1;
        }
    }
    // Too long codes are paired off with shorter ones (figure K.3).
    for length in (17..by_length.len()).rev() {
        while by_length[length] > 0 {
            let Some(shorter) = (1..length - 1).rev().find(|&shorter| by_length[shorter] > 0) else { break };
            by_length[length] -= 2;
            by_length[length - 1] += 1;
            by_length[shorter + 1] += 2;
            by_length[shorter] -= 1;
        }
    }
    // The unused symbol's code, one of the longest.
    if let Some(longest) = (1..=16).rev().find(|&length| by_length[length] > 0) {
        by_length[longest] -= 1;
    }
    std::array::from_fn(|i| by_length[i + 1] as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::codecs::jpeg::coefficients::huffman::{Definition, Table};

    fn lengths(codes: &Codes) -> [u32; 256] {
        std::array::from_fn(|symbol| match codes.entries[symbol] {
            0 => 0,
            entry => (entry & 31) - (symbol as u32 & 15),
        })
    }

    /// As the standard builds it: the two lightest of all, over and over (figures K.1 and K.2), bits in all.
    fn bits_of_the_best(counts: &Counts) -> u64 {
        let mut weights: Vec<u64> = counts.iter().filter(|&&count| count > 0).map(|&count| count.into()).collect();
        weights.push(0);
        let mut bits = 0;
        while weights.len() > 1 {
            weights.sort_unstable_by_key(|&weight| std::cmp::Reverse(weight));
            let pair = weights.pop().unwrap() + weights.pop().unwrap();
            bits += pair;
            weights.push(pair);
        }
        bits
    }

    proptest! {
        #[test]
        fn codes_are_prefix_codes_of_at_most_16_bits(pairs in prop::collection::vec((any::<u8>(), 1_u32..1 << 28), 1..256)) {
            let mut counts = [0; 256];
            // Magnitudes of more than 11 bits do not occur.
            pairs.iter().filter(|&(symbol, _)| symbol & 15 <= 11).for_each(|&(s, count)| counts[usize::from(s)] = count);
            let codes = Codes::new(&counts);
            let lengths = lengths(&codes);
            for symbol in 0..256 {
                prop_assert_eq!(lengths[symbol] > 0, counts[symbol] > 0);
                prop_assert!(lengths[symbol] <= 16);
            }
            // Room is left for the code of all ones: Kraft's inequality.
            let kraft: f64 = lengths.iter().filter(|&&length| length > 0).map(|&length| 0.5_f64.powi(length as i32)).sum();
            prop_assert!(kraft <= 1.0 - 0.5_f64.powi(16));
            let segment = codes.segment(1, 0);
            let table = Table::new(&Definition::read(&segment[5..]).unwrap().0);
            for symbol in 0..=255_u8 {
                let length = lengths[usize::from(symbol)];
                if length > 0 {
                    let code = codes.entries[usize::from(symbol)] >> (5 + u32::from(symbol & 15));
                    prop_assert!(code + 1 < 1 << length, "all ones");
                    prop_assert_eq!(table.look(u64::from(code) << (64 - length)), Some((length, symbol)));
                }
            }
        }

        #[test]
        fn no_code_is_shorter_in_all(pairs in prop::collection::vec((any::<u8>(), 1_u32..1000), 1..200)) {
            let mut counts = [0; 256];
            // Magnitudes of more than 11 bits do not occur.
            pairs.iter().filter(|&(symbol, _)| symbol & 15 <= 11).for_each(|&(s, count)| counts[usize::from(s)] = count);
            let codes = Codes::new(&counts);
            let lengths = lengths(&codes);
            let bits: u64 = counts.iter().zip(lengths).map(|(&count, length)| u64::from(count) * u64::from(length)).sum();
            let best = bits_of_the_best(&counts);
            // Counts below 1000 do not make codes of more than 16 bits. The reserved symbol weighs one here, nothing there.
            prop_assert!(bits >= best && bits <= best + 16, "{} {}", bits, best);
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
        let lengths = lengths(&Codes::new(&counts));
        assert_eq!(lengths[..40].iter().max(), Some(&16));
        assert!(lengths[39] <= 2);
    }

    #[test]
    fn even_counts_give_even_lengths() {
        let mut counts = [0; 256];
        counts[..7].fill(100);
        assert_eq!(lengths(&Codes::new(&counts))[..8], [3, 3, 3, 3, 3, 3, 3, 0]);
        let mut counts = [0; 256];
        counts[9] = 1;
        assert_eq!(lengths(&Codes::new(&counts))[9], 1);
    }
}
