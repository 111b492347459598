//! Names of traces and spans: random, never all zero, written in hexadecimal.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

/// Names a trace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceId(pub(in crate::telemetry) [u8; 16]);

/// Names a span within its trace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SpanId(pub(in crate::telemetry) [u8; 8]);

/// A random number other than zero. Not for secrets: SipHash of a counter, under keys that the system gave this thread.
fn random() -> u64 {
    thread_local! {
        static KEYS: RandomState = RandomState::new();
        static COUNT: Cell<u64> = const { Cell::new(0) };
    }
    loop {
        let count = COUNT.get();
        COUNT.set(count.wrapping_add(1));
        let number = KEYS.with(|keys| keys.hash_one(count));
        if number != 0 {
            return number;
        }
    }
}

impl TraceId {
    pub(in crate::telemetry) fn random() -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&random().to_be_bytes());
        bytes[8..].copy_from_slice(&random().to_be_bytes());
        Self(bytes)
    }

    /// The half that samplers look at: random also where an older system made only 64 bits of it random.
    pub(in crate::telemetry) fn lower(self) -> u64 {
        let mut lower = [0; 8];
        lower.copy_from_slice(&self.0[8..]);
        u64::from_be_bytes(lower)
    }
}

impl SpanId {
    pub(in crate::telemetry) fn random() -> Self {
        Self(random().to_be_bytes())
    }
}

/// Lower-case hexadecimal of exactly so many bytes that are not all zero.
pub(in crate::telemetry) fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    bytes.iter().any(|&byte| byte != 0).then_some(bytes)
}

fn hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_read_back() {
        let ids: Vec<TraceId> = (0..1000).map(|_| TraceId::random()).collect();
        for (i, id) in ids.iter().enumerate() {
            assert!(!ids[..i].contains(id));
            assert_eq!(from_hex(&id.to_string()), Some(id.0));
        }
        // Every bit is set in some and clear in others.
        let (all, any) = ids.iter().fold((u64::MAX, 0), |(all, any), id| (all & id.lower(), any | id.lower()));
        assert_eq!((all, any), (0, u64::MAX));
        assert_eq!(SpanId([0, 1, 2, 3, 0xfe, 5, 6, 7]).to_string(), "00010203fe050607");
    }

    #[test]
    fn other_texts_are_no_ids() {
        for text in
            ["", "0000000000000000", "00010203FE050607", "00010203fe05060", "00010203fe0506070", "g0010203fe050607"]
        {
            assert_eq!(from_hex::<8>(text), None, "{text}");
        }
    }
}
