/// The boolean entropy decoder of section 7.3. Zeros follow the end; [`Bools::overrun`] tells.
///
/// The window holds the next bits at its upper end, so that a decision looks at its upper byte alone. What a decision
/// leaves is brought back to a range of 128 or more by the next one, which multiplies the old range meanwhile: what waits
/// for what decides how fast this is. It takes 7 bits at most, so several may follow one [`Bools::refill`].
#[derive(Debug, Clone, Copy)]
pub(in crate::codecs::webp) struct Bools<'a> {
    bytes: &'a [u8],
    /// Bytes that went into the window, the zeros behind the end among them.
    taken: usize,
    window: u64,
    /// Bits of the window that hold data.
    held: u32,
    /// What the last decision left, 1 to 255: zeros in front of it, in a byte, are the bits that it takes.
    range: u32,
}

impl<'a> Bools<'a> {
    pub(in crate::codecs::webp) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0, window: 0, held: 0, range: 255 }
    }

    /// Whether bits behind the end were used. The library that reads what this refuses allows a byte more or so.
    pub(super) fn overrun(&self) -> bool {
        8 * self.taken + self.excess() as usize > 8 * self.bytes.len() + self.held as usize
    }

    /// Makes the window hold enough for so many decisions, six at most.
    #[inline(always)]
    pub(super) fn refill<const DECISIONS: u32>(&mut self) {
        const { assert!(DECISIONS > 0 && DECISIONS <= 6) };
        // Each takes what the one before has left; then it needs a byte.
        if self.held < 7 * DECISIONS + 8 {
            let next = match self.bytes.get(self.taken..).and_then(|rest| rest.first_chunk()) {
                Some(next) => u64::from_be_bytes(*next),
                None => last(self.bytes, self.taken),
            };
            self.window |= next >> self.held;
            // Whole bytes only; the bits of a last half one are or'ed once more next time, the same as they are.
            let bytes = (63 - self.held) / 8;
            self.taken += bytes as usize;
            self.held += 8 * bytes;
        }
    }

    /// Bits that the last decision takes.
    #[inline(always)]
    fn excess(&self) -> u32 {
        // 24 to 31 zeros in a word of 32 bits.
        self.range.leading_zeros() & 7
    }

    /// A decision that is false with `probability` / 256, without looking whether the window holds enough for it.
    #[inline(always)]
    pub(super) fn held_bit(&mut self, probability: u8) -> bool {
        let excess = self.excess();
        // Section 7.3's (range - 1) * probability >> 8 of the range brought back.
        let probability = u32::from(probability);
        let split = (((self.range * probability) << excess) - probability) >> 8;
        let range = self.range << excess;
        let window = self.window << excess;
        self.held -= excess;
        let set = (window >> 56) as u32 > split;
        if set {
            self.range = range - 1 - split;
            self.window = window - (u64::from(split + 1) << 56);
        } else {
            self.range = split + 1;
            self.window = window;
        }
        set
    }

    /// Gives `value` the sign of a decision at even odds; no branch depends on it.
    #[inline(always)]
    pub(super) fn held_sign(&mut self, value: i32) -> i32 {
        let excess = self.excess();
        let range = self.range << excess;
        let window = self.window << excess;
        self.held -= excess;
        let split = (range - 1) >> 1;
        let high = u64::from(split + 1) << 56;
        let negative = window >= high;
        let mask = u64::from(negative).wrapping_neg();
        self.window = window - (high & mask);
        // The lower half is the larger one of an odd range.
        self.range = (range + u32::from(!negative)) >> 1;
        (value ^ mask as i32).wrapping_sub(mask as i32)
    }

    /// A decision that is false with `probability` / 256.
    #[inline(always)]
    pub(super) fn bit(&mut self, probability: u8) -> bool {
        self.refill::<1>();
        self.held_bit(probability)
    }

    pub(in crate::codecs::webp) fn flag(&mut self) -> bool {
        self.bit(128)
    }

    /// `count` bits, the highest first.
    pub(in crate::codecs::webp) fn literal(&mut self, count: u32) -> u32 {
        (0..count).fold(0, |value, _| value << 1 | u32::from(self.flag()))
    }

    /// A flag, and where it is set a magnitude of `count` bits and a sign.
    pub(super) fn optional(&mut self, count: u32) -> i32 {
        if !self.flag() {
            return 0;
        }
        let magnitude = self.literal(count) as i32;
        if self.flag() { -magnitude } else { magnitude }
    }
}

/// The word at the end of the data. By value: an address would keep the reader in memory.
#[cold]
#[inline(never)]
fn last(bytes: &[u8], taken: usize) -> u64 {
    let rest = bytes.get(taken..).unwrap_or_default();
    rest.iter().zip((0..8).rev()).fold(0, |word, (&byte, place)| word | u64::from(byte) << (8 * place))
}
