/// The boolean entropy decoder of section 7.3. Zeros follow the end; [`Bools::overrun`] tells.
///
/// The window holds the next bits at its upper end, so that a decision looks at its upper byte alone. One takes 7 bits
/// at most, so several may follow one [`Bools::refill`].
#[derive(Debug, Clone, Copy)]
pub(in crate::codecs::webp) struct Bools<'a> {
    bytes: &'a [u8],
    /// Bytes that went into the window, the zeros behind the end among them.
    taken: usize,
    window: u64,
    /// Bits of the window that hold data.
    held: u32,
    /// 128 to 255, in the uppermost byte: zeros in front of it are what a decision takes.
    range: u32,
}

impl<'a> Bools<'a> {
    pub(in crate::codecs::webp) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0, window: 0, held: 0, range: 255 << 24 }
    }

    /// Whether bits behind the end were used. The library that reads what this refuses allows a byte more or so.
    pub(super) fn overrun(&self) -> bool {
        8 * self.taken > 8 * self.bytes.len() + self.held as usize
    }

    /// Makes the window hold enough for so many decisions, seven at most.
    #[inline(always)]
    pub(super) fn refill<const DECISIONS: u32>(&mut self) {
        const { assert!(DECISIONS > 0 && DECISIONS <= 7) };
        // The last one needs a byte.
        if self.held < 7 * (DECISIONS - 1) + 8 {
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

    /// A decision that is false with `probability` / 256, without looking whether the window holds enough for it.
    #[inline(always)]
    pub(super) fn held_bit(&mut self, probability: u8) -> bool {
        let split = self.split(probability);
        let high = u64::from(split) << 32;
        let set = self.window >= high;
        if set {
            self.range -= split;
            self.window -= high;
        } else {
            self.range = split;
        }
        self.normalise();
        set
    }

    /// Section 7.3's 1 + ((range - 1) * probability >> 8), in the uppermost byte.
    #[inline(always)]
    fn split(&self, probability: u8) -> u32 {
        let probability = u64::from(probability);
        let product = u64::from(self.range) * probability + ((256 - probability) << 24);
        (product >> 32 << 24) as u32
    }

    #[inline(always)]
    fn normalise(&mut self) {
        let shift = self.range.leading_zeros();
        self.range <<= shift;
        self.window <<= shift;
        self.held -= shift;
    }

    /// Gives `value` the sign of a decision at even odds; no branch depends on it.
    #[inline(always)]
    pub(super) fn held_sign(&mut self, value: i32) -> i32 {
        let split = self.split(128);
        let high = u64::from(split) << 32;
        let negative = self.window >= high;
        let mask = u64::from(negative).wrapping_neg();
        self.window -= high & mask;
        self.range = std::hint::select_unpredictable(negative, self.range - split, split);
        self.normalise();
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
