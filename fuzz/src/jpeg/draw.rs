//! Numbers drawn from a fuzzer's bytes.

/// Draws bytes one after the other; behind the last one as many as are wanted, made from the first four, or zeros if these
/// are.
pub struct Draw<'a> {
    bytes: &'a [u8],
    state: u32,
}

impl<'a> Draw<'a> {
    /// Draws from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        match bytes.split_first_chunk() {
            Some((&seed, bytes)) => Self { bytes, state: u32::from_le_bytes(seed) },
            None => Self { bytes: &[], state: 0 },
        }
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        if let Some((&first, rest)) = self.bytes.split_first() {
            self.bytes = rest;
            return first;
        }
        // Xorshift; 0 stays 0.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        (self.state >> 24) as u8
    }

    /// A number below `end`, which is at least 1.
    pub fn below(&mut self, end: usize) -> usize {
        let byte = usize::from(self.byte());
        if end > 256 { (byte << 8 | usize::from(self.byte())) % end } else { byte % end }
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// One of some values.
    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// What is left of the bytes.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }
}
