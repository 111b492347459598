//! A seeded generator (SplitMix64, Steele, Lea and Flood 2014) and choices made with it.

pub struct Random(u64);

impl Random {
    /// The generator of the mutation `number` of a kind.
    pub const fn of(kind: u64, number: u64) -> Self {
        Self((kind << 48) ^ number.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, or 0 when that is 0.
    pub const fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }

    /// True once in `times`.
    pub const fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A range inside `0..length`, mostly short.
    pub const fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length);
        let longest = if self.once_in(4) { length - start } else { 64 };
        let end = start + self.below(longest + 1);
        start..if end < length { end } else { length }
    }
}
