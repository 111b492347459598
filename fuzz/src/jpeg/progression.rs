//! Scans of progressive files. ITU-T T.81, annex G.

use super::Draw;
use super::code::{Token, magnitude};

/// What a scan codes.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Components, in the frame's order.
    pub components: Vec<usize>,
    pub first: u8,
    pub last: u8,
    pub high: u8,
    pub low: u8,
}

/// A progression that the standard allows, maybe one that ends before all bits were sent.
pub fn drawn(draw: &mut Draw<'_>, components: usize, may_interleave: bool) -> Vec<Scan> {
    let mut scans = Vec::new();
    // For each component and coefficient: the lowest bit sent. Means come first.
    let low = draw.below(4) as u8;
    let together = may_interleave && draw.once_in(2);
    let all: Vec<usize> = (0..components).collect();
    let means = |high: u8, low: u8| {
        let groups = if together { vec![all.clone()] } else { all.iter().map(|&c| vec![c]).collect() };
        groups.into_iter().map(move |components| Scan { components, first: 0, last: 0, high, low })
    };
    scans.extend(means(0, low));
    let mut todo: Vec<Vec<Scan>> = Vec::new();
    if low > 0 {
        let end = draw.below(usize::from(low) + 1) as u8;
        todo.push((end..low).rev().flat_map(|low| means(low + 1, low)).collect());
    }
    for component in 0..components {
        let mut first = 1;
        while first <= 63 {
            let last = if draw.once_in(3) { 63 } else { (first + draw.below(16) as u8).min(63) };
            let low = draw.of(&[0, 0, 1, 2, 3, 5]);
            let end = if draw.once_in(3) { draw.below(usize::from(low) + 1) as u8 } else { 0 };
            let scan = |high, low| Scan { components: vec![component], first, last, high, low };
            let mut band = vec![scan(0, low)];
            band.extend((end..low).rev().map(|low| scan(low + 1, low)));
            if !draw.once_in(6) {
                todo.push(band);
            }
            first = last + 1;
        }
    }
    todo.retain(|band| !band.is_empty());
    // In any order that keeps each band's own.
    while !todo.is_empty() && scans.len() < 60 {
        let i = draw.below(todo.len());
        scans.push(todo[i].remove(0));
        if todo[i].is_empty() {
            todo.remove(i);
        }
    }
    scans
}

/// The first or a later bit of a mean.
pub fn mean(scan: &Scan, value: i16, before: &mut i16, table: u8, tokens: &mut Vec<Token>) {
    let value = value >> scan.low;
    if scan.high > 0 {
        tokens.push(Token::Bits { value: value as u32, count: 1 });
        return;
    }
    let (bits, size) = magnitude(i32::from(value) - i32::from(std::mem::replace(before, value)));
    tokens.push(Token::Symbol { table, symbol: size as u8 });
    tokens.push(Token::Bits { value: bits, count: size });
}

/// Codes the bands of blocks, one after the other.
#[derive(Default)]
pub struct Bands {
    /// Blocks that end at once, and the bits of later scans that belong to them.
    run: u32,
    kept: Vec<Token>,
}

impl Bands {
    pub fn block(&mut self, scan: &Scan, block: &[i16; 64], table: u8, tokens: &mut Vec<Token>) {
        let band = &block[scan.first.into()..=scan.last.into()];
        if scan.high == 0 {
            self.first(band, scan.low, table, tokens)
        } else {
            self.later(band, scan.low, table, tokens)
        }
    }

    fn first(&mut self, band: &[i16], low: u8, table: u8, tokens: &mut Vec<Token>) {
        let mut run = 0;
        for &value in band {
            let value = i32::from(value.signum()) * (i32::from(value).abs() >> low);
            if value == 0 {
                run += 1;
                continue;
            }
            self.end(table, tokens);
            while run > 15 {
                tokens.push(Token::Symbol { table, symbol: 0xF0 });
                run -= 16;
            }
            let (bits, size) = magnitude(value);
            tokens.push(Token::Symbol { table, symbol: run << 4 | size as u8 });
            tokens.push(Token::Bits { value: bits, count: size });
            run = 0;
        }
        if run > 0 {
            self.run += 1;
            if self.run == 0x7FFF {
                self.end(table, tokens);
            }
        }
    }

    fn later(&mut self, band: &[i16], low: u8, table: u8, tokens: &mut Vec<Token>) {
        let sizes = || band.iter().map(|value| value.unsigned_abs() >> low);
        // Behind the last value that is new nothing but bits of old ones comes.
        let last = sizes().rposition(|size| size == 1);
        let mut run = 0;
        let mut bits = Vec::new();
        for (k, (size, &value)) in sizes().zip(band).enumerate() {
            if size == 0 {
                run += 1;
                continue;
            }
            while run > 15 && Some(k) <= last {
                self.end(table, tokens);
                tokens.push(Token::Symbol { table, symbol: 0xF0 });
                tokens.append(&mut bits);
                run -= 16;
            }
            if size > 1 {
                bits.push(Token::Bits { value: size.into(), count: 1 });
                continue;
            }
            self.end(table, tokens);
            tokens.push(Token::Symbol { table, symbol: run << 4 | 1 });
            tokens.push(Token::Bits { value: (value > 0).into(), count: 1 });
            tokens.append(&mut bits);
            run = 0;
        }
        if run > 0 || !bits.is_empty() {
            self.run += 1;
            self.kept.append(&mut bits);
            if self.run == 0x7FFF || self.kept.len() > 900 {
                self.end(table, tokens);
            }
        }
    }

    /// Says how many blocks ended at once.
    pub fn end(&mut self, table: u8, tokens: &mut Vec<Token>) {
        if self.run > 0 {
            let size = 31 - self.run.leading_zeros();
            tokens.push(Token::Symbol { table, symbol: (size << 4) as u8 });
            tokens.push(Token::Bits { value: self.run, count: size });
            self.run = 0;
        }
        tokens.append(&mut self.kept);
    }
}
