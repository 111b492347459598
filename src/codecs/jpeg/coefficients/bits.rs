//! Entropy-coded data with its byte stuffing taken out, and bit access to it.

/// Bytes of zeros behind the data, so that a reader may look ahead without a check.
const PADDING: usize = 16;

/// The entropy-coded data of one restart interval, or of a whole scan without restarts.
#[derive(Debug, Default)]
pub(in crate::codecs::jpeg) struct Unstuffed {
    bytes: Vec<u8>,
    bits: usize,
}

impl Unstuffed {
    /// Copies the data at the front of `from` without its stuffing (`FF 00` → `FF`), up to the next marker.
    /// Returns the number of bytes read; `from[read..]` begins with the marker (or is empty).
    pub(in crate::codecs::jpeg) fn fill(&mut self, from: &[u8]) -> usize {
        self.clear();
        self.append(from)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.bits = 0;
    }

    /// As [`Self::fill`], behind what is there and the zeros behind that.
    pub(super) fn append(&mut self, from: &[u8]) -> usize {
        self.bytes.reserve(from.len() + PADDING);
        let mut rest = from;
        loop {
            let plain = plain(rest);
            self.bytes.extend_from_slice(&rest[..plain]);
            rest = &rest[plain..];
            match rest {
                [0xFF, 0, behind @ ..] => {
                    self.bytes.push(0xFF);
                    rest = behind;
                }
                // Fill bytes belong to what they come before.
                [0xFF, 0xFF, ..] => {
                    let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count() - 1;
                    if rest.get(1 + fill) != Some(&0) {
                        break;
                    }
                    rest = &rest[fill..];
                }
                // A marker, a lone FF at the very end, or the end.
                _ => break,
            }
        }
        self.bits = self.bytes.len() * 8;
        self.bytes.resize(self.bytes.len() + PADDING, 0);
        from.len() - rest.len()
    }

    /// The bit at which more would be appended.
    pub(super) fn end(&self) -> usize {
        8 * self.bytes.len()
    }

    /// The bit behind the last one.
    pub(in crate::codecs::jpeg) const fn len(&self) -> usize {
        self.bits
    }

    /// At least 57 bits from bit `at`, left-aligned; zeros beyond the end.
    #[inline(always)]
    pub(in crate::codecs::jpeg) fn peek(&self, at: usize) -> u64 {
        let byte = at >> 3;
        match self.bytes.get(byte..byte + 8) {
            Some(window) => {
                let mut eight = [0; 8];
                eight.copy_from_slice(window);
                u64::from_be_bytes(eight) << (at & 7)
            }
            None => 0,
        }
    }
}

/// Bytes before the first FF. There is one in a few hundred: too near for a search that takes its time to begin.
fn plain(bytes: &[u8]) -> usize {
    let (chunks, rest) = bytes.as_chunks::<32>();
    for (i, chunk) in chunks.iter().enumerate() {
        if chunk.iter().fold(0, |any, &byte| any | u8::from(byte == 0xFF)) != 0 {
            let found = chunk.as_chunks::<8>().0.iter().map(|&eight| before_ff(u64::from_le_bytes(eight)));
            return 32 * i + found.enumerate().find(|&(_, n)| n < 8).map_or(32, |(j, n)| 8 * j + n);
        }
    }
    bytes.len() - rest.len() + rest.iter().position(|&byte| byte == 0xFF).unwrap_or(rest.len())
}

/// Bytes before the first FF of eight, the lowest first; 8 where there is none.
fn before_ff(eight: u64) -> usize {
    // The highest bit of each byte that is zero once inverted, and maybe of those above one.
    let zeros = (!eight).wrapping_sub(0x0101_0101_0101_0101) & eight & 0x8080_8080_8080_8080;
    zeros.trailing_zeros() as usize / 8
}

/// Bits of entropy-coded data, read from the front of a window.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    /// With zeros behind.
    bytes: &'a [u8],
    next: usize,
    /// The bits to come, from the highest down; at least `have` of them are right, zeros or right ones follow.
    pub(super) window: u64,
    have: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(data: &'a Unstuffed) -> Self {
        Self { bytes: &data.bytes, next: 0, window: 0, have: 0 }
    }

    /// Sees to it that there are 32 bits, enough for the longest symbol and its value; zeros beyond the end.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if self.have < 32 {
            let mut eight = [0; 8];
            if let Some(bytes) = self.bytes.get(self.next..self.next + 8) {
                eight.copy_from_slice(bytes);
            }
            self.window |= u64::from_be_bytes(eight) >> self.have;
            let bytes = (63 - self.have) >> 3;
            self.next += bytes as usize;
            self.have += 8 * bytes;
        }
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, bits: u32) {
        self.window <<= bits;
        self.have -= bits;
    }

    /// Bits read so far.
    pub(super) fn read(&self) -> usize {
        8 * self.next - self.have as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stuffing_goes_and_markers_stop() {
        let mut u = Unstuffed::default();
        let data: Vec<u8> = [vec![1; 40], vec![0xFF, 0, 2, 0xFF, 0, 0xFF, 0xD9, 7]].concat();
        assert_eq!(u.fill(&data), 45);
        assert_eq!(u.len(), 43 * 8);
        assert_eq!(u.peek(40 * 8) >> 40, 0xFF02FF);
        assert_eq!(u.peek(40 * 8 + 4) >> 44, 0xF02FF);
        assert_eq!(u.peek(1 << 40), 0);
    }

    #[test]
    fn bits_come_one_after_the_other_and_zeros_behind_them() {
        let mut data = Unstuffed::default();
        let bytes: Vec<u8> = (0..200_u8).map(|i| i.wrapping_mul(37) & 0x7F).collect();
        data.fill(&bytes);
        let (mut bits, mut at) = (Bits::new(&data), 0);
        for length in (1..=31).cycle().take(300) {
            bits.refill();
            assert_eq!(bits.window >> (64 - length), data.peek(at) >> (64 - length), "{at}");
            bits.skip(length);
            at += length as usize;
            assert_eq!(bits.read(), at);
        }
        assert!(at > data.len());
    }

    #[test]
    fn the_first_ff_is_found_wherever_it_is() {
        for len in 0..100 {
            for at in 0..=len {
                for other in [0, 0x7F, 0x80, 0xFE] {
                    let mut bytes = vec![other; len];
                    for byte in bytes.iter_mut().skip(at).step_by(3) {
                        *byte = 0xFF;
                    }
                    assert_eq!(plain(&bytes), at, "{len} {other:x}");
                }
            }
        }
    }

    #[test]
    fn fill_bytes_before_stuffing_are_stuffing() {
        let mut u = Unstuffed::default();
        assert_eq!(u.fill(&[1, 0xFF, 0xFF, 0xFF, 0, 2, 0xFF, 0xFF, 0xD9]), 6);
        assert_eq!((u.len(), u.peek(0) >> 40), (24, 0x01FF02));
    }

    #[test]
    fn a_lone_ff_at_the_end_is_left_over() {
        let mut u = Unstuffed::default();
        assert_eq!(u.fill(&[1, 2, 0xFF]), 2);
        assert_eq!(u.fill(&[]), 0);
        assert_eq!(u.len(), 0);
    }
}
