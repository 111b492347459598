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
    /// 128 to 255.
    range: u32,
}

impl<'a> Bools<'a> {
    pub(in crate::codecs::webp) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, taken: 0, window: 0, held: 0, range: 255 }
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
                None => self.last(),
            };
            self.window |= next >> self.held;
            // Whole bytes only; the bits of a last half one are or'ed once more next time, the same as they are.
            let bytes = (63 - self.held) / 8;
            self.taken += bytes as usize;
            self.held += 8 * bytes;
        }
    }

    #[cold]
    #[inline(never)]
    fn last(&self) -> u64 {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        rest.iter().zip((0..8).rev()).fold(0, |word, (&byte, place)| word | u64::from(byte) << (8 * place))
    }

    /// A decision that is false with `probability` / 256, without looking whether the window holds enough for it.
    #[inline(always)]
    pub(super) fn held_bit(&mut self, probability: u8) -> bool {
        let split = 1 + (((self.range - 1) * u32::from(probability)) >> 8);
        let high = u64::from(split) << 56;
        let set = self.window >= high;
        if set {
            self.range -= split;
            self.window -= high;
        } else {
            self.range = split;
        }
        // The range is never 0 and never more than 255: 24 zeros or more lead.
        let shift = self.range.leading_zeros().wrapping_sub(24) & 7;
        self.range <<= shift;
        self.window <<= shift;
        self.held -= shift;
        set
    }

    /// Gives `value` the sign of a decision at even odds; no branch depends on it.
    #[inline(always)]
    pub(super) fn held_sign(&mut self, value: i32) -> i32 {
        let split = self.range.div_ceil(2);
        let high = u64::from(split) << 56;
        let negative = self.window >= high;
        let mask = u64::from(negative).wrapping_neg();
        self.window -= high & mask;
        self.range = if negative { self.range - split } else { split };
        let shift = self.range.leading_zeros().wrapping_sub(24) & 7;
        self.range <<= shift;
        self.window <<= shift;
        self.held -= shift;
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
