//! Huffman tables and the data coded with them. ITU-T T.81, annexes C, F and G.

use super::Draw;

/// A part of a scan's data.
#[derive(Debug, Clone, Copy)]
pub enum Token {
    /// A symbol of one of the scan's tables.
    Symbol { table: u8, symbol: u8 },
    /// So many bits as they are, the lowest of the value.
    Bits { value: u32, count: u32 },
}

/// A Huffman table: codes of each length and symbols in their order.
#[derive(Debug, Clone)]
pub struct Table {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Table {
    /// A code for these symbols, of any shape. The code of ones alone stays free.
    pub fn drawn(draw: &mut Draw<'_>, mut symbols: Vec<u8>) -> Self {
        // In another order than they came.
        let turn = draw.below(symbols.len().max(1));
        symbols.rotate_left(turn);
        if draw.once_in(4) {
            symbols.reverse();
        }
        // Leaves of a tree: one more than symbols.
        let mut leaves = [0_usize; 17];
        leaves[1] = 2;
        let style = draw.below(4);
        for _ in 2..=symbols.len() {
            let splits = |length: usize| leaves[length] > 0;
            let from = match style {
                // As even as can be, as uneven, and by chance.
                0 => 1,
                1 => 15,
                _ => 1 + draw.below(15),
            };
            // The shortest ones have room for all that may come.
            let even = (1..16).find(|&length| splits(length)).unwrap_or(15);
            let length = (1..=from).rev().find(|&length| splits(length)).unwrap_or(even);
            leaves[length] -= 1;
            leaves[length + 1] += 2;
        }
        if let Some(last) = (1..=16).rev().find(|&length| leaves[length] > 0) {
            leaves[last] -= 1;
        }
        if symbols.is_empty() {
            leaves = [0; 17];
        }
        Self { counts: std::array::from_fn(|i| leaves[i + 1] as u8), symbols }
    }

    /// As a segment DHT has it, `head` its class and number.
    pub fn defined(&self, head: u8) -> Vec<u8> {
        [&[head][..], &self.counts, &self.symbols].concat()
    }

    fn codes(&self) -> [(u32, u32); 256] {
        let mut codes = [(0, 0); 256];
        let (mut code, mut symbols) = (0, self.symbols.iter());
        for (length, &count) in (1..).zip(&self.counts) {
            for &symbol in symbols.by_ref().take(count.into()) {
                codes[usize::from(symbol)] = (code, length);
                code += 1;
            }
            code <<= 1;
        }
        codes
    }
}

/// Codes tokens; what is left of the last byte is ones. Every FF has a 0 behind it.
pub fn coded(tokens: &[Token], tables: &[Table]) -> Vec<u8> {
    let codes: Vec<_> = tables.iter().map(Table::codes).collect();
    let mut out = Vec::new();
    let (mut bits, mut have) = (0_u64, 0);
    for &token in tokens {
        let (value, count) = match token {
            Token::Symbol { table, symbol } => codes[usize::from(table)][usize::from(symbol)],
            Token::Bits { value, count } => (value & ((1 << count) - 1), count),
        };
        bits = bits << count | u64::from(value);
        have += count;
        while have >= 8 {
            have -= 8;
            push(&mut out, (bits >> have) as u8);
        }
    }
    if have > 0 {
        push(&mut out, (bits << (8 - have)) as u8 | 0xFF >> have);
    }
    out
}

fn push(out: &mut Vec<u8>, byte: u8) {
    out.push(byte);
    if byte == 0xFF {
        out.push(0);
    }
}

/// The bits that a value is written with, and how many (T.81, F.1.2.1).
pub fn magnitude(value: i32) -> (u32, u32) {
    let size = 32 - value.unsigned_abs().leading_zeros();
    let bits = if value < 0 { value - 1 } else { value };
    (bits as u32, size)
}

/// A block of a sequential scan.
pub fn sequential(block: &[i16; 64], before: i16, tables: (u8, u8), tokens: &mut Vec<Token>) {
    let (bits, size) = magnitude(i32::from(block[0]) - i32::from(before));
    tokens.push(Token::Symbol { table: tables.0, symbol: size as u8 });
    tokens.push(Token::Bits { value: bits, count: size });
    let mut run = 0;
    for &value in &block[1..] {
        if value == 0 {
            run += 1;
            continue;
        }
        while run > 15 {
            tokens.push(Token::Symbol { table: tables.1, symbol: 0xF0 });
            run -= 16;
        }
        let (bits, size) = magnitude(value.into());
        tokens.push(Token::Symbol { table: tables.1, symbol: run << 4 | size as u8 });
        tokens.push(Token::Bits { value: bits, count: size });
        run = 0;
    }
    if run > 0 {
        tokens.push(Token::Symbol { table: tables.1, symbol: 0 });
    }
}
