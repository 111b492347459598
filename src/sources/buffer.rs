//! Bytes collected under a limit, charged to the memory budget before they are allocated.

use bytes::Bytes;

use crate::budget::{Charge, MemoryBudget};

/// The first allocation, where the length is not known to be smaller.
const FIRST: u64 = 16 * 1024;

/// A growing buffer. Its capacity doubles, so that at most twice the bytes are charged; with a declared length it ends
/// at exactly that. A declared length is never allocated at once: it is only a claim.
#[derive(Debug)]
pub(super) struct ChargedBuffer {
    data: Vec<u8>,
    charge: Charge,
    limit: u64,
    declared: Option<u64>,
}

/// Why a buffer takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The limit; with the length that would have been reached.
    Limit(u64),
    /// The memory budget.
    Budget,
}

impl ChargedBuffer {
    /// `limit`: the most bytes to take. `declared`: how many there will be, as somebody claims.
    pub(super) fn new(budget: &MemoryBudget, limit: u64, declared: Option<u64>) -> Result<Self, Full> {
        let charge = budget.try_charge(0).ok_or(Full::Budget)?;
        Ok(Self { data: Vec::new(), charge, limit, declared })
    }

    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), Full> {
        let needed = self.data.len() as u64 + chunk.len() as u64;
        if needed > self.limit {
            return Err(Full::Limit(needed));
        }
        if needed > self.charge.bytes() {
            self.grow(needed)?;
        }
        self.data.extend_from_slice(chunk);
        Ok(())
    }

    fn grow(&mut self, needed: u64) -> Result<(), Full> {
        let roomy = self.charge.bytes().saturating_mul(2).max(FIRST).min(self.limit);
        let roomy = match self.declared {
            Some(declared) if declared >= needed => roomy.min(declared),
            _ => roomy,
        };
        let charged = self.charge.bytes();
        let capacity = [roomy.max(needed), needed].into_iter().find(|&c| self.charge.try_grow(c - charged));
        let capacity = capacity.and_then(|c| usize::try_from(c).ok()).ok_or(Full::Budget)?;
        self.data.try_reserve_exact(capacity - self.data.len()).map_err(|_| Full::Budget)
    }

    pub(super) fn finish(self) -> (Bytes, Charge) {
        (Bytes::from(self.data), self.charge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_charged_and_given_back() {
        let budget = MemoryBudget::new(100_000);
        let mut buffer = ChargedBuffer::new(&budget, u64::MAX, None).unwrap();
        for _ in 0..30 {
            buffer.push(&[7; 1000]).unwrap();
            assert!(budget.used() >= buffer.data.capacity() as u64);
        }
        assert!(budget.used() <= 60_000);
        let (bytes, charge) = buffer.finish();
        assert_eq!(bytes.len(), 30_000);
        drop((bytes, charge));
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn declared_length_is_reached_without_slack_and_not_believed() {
        let budget = MemoryBudget::new(1 << 40);
        let mut buffer = ChargedBuffer::new(&budget, u64::MAX, Some(40_000)).unwrap();
        for _ in 0..40 {
            buffer.push(&[7; 1000]).unwrap();
        }
        assert_eq!(budget.used(), 40_000);
        let mut liar = ChargedBuffer::new(&budget, u64::MAX, Some(1 << 39)).unwrap();
        liar.push(b"x").unwrap();
        assert_eq!(budget.used(), 40_000 + FIRST);
    }

    #[test]
    fn stops_at_the_limit_and_at_the_budget() {
        let budget = MemoryBudget::new(20_000);
        let mut buffer = ChargedBuffer::new(&budget, 10, None).unwrap();
        buffer.push(&[0; 10]).unwrap();
        assert_eq!(budget.used(), 10);
        assert_eq!(buffer.push(&[0]), Err(Full::Limit(11)));
        let mut buffer = ChargedBuffer::new(&budget, u64::MAX, None).unwrap();
        buffer.push(&[0; 16_000]).unwrap();
        buffer.push(&[0; 3_990]).unwrap();
        assert_eq!(buffer.push(&[0]), Err(Full::Budget));
    }
}
