//! What is known of a request that is sampled.

use bytes::Bytes;
use hyper::http::HeaderMap;

use crate::budget::{Charge, MemoryBudget};

/// A request and the answer that its client got.
#[derive(Debug)]
pub struct Exchange {
    /// A POST; else a GET.
    pub post: bool,
    /// Path and query as they came.
    pub target: String,
    /// The same without secrets, for the log.
    pub shown: String,
    /// Those that the other server needs.
    pub headers: HeaderMap,
    /// Of a POST.
    pub body: Option<BodyCopy>,
    /// Of our answer.
    pub status: u16,
    /// Our answer's bytes, shared with it.
    pub answer: Bytes,
    /// For them and for what comes on top; set by [`super::Shadow::offer`].
    pub charge: Option<Charge>,
}

/// A copy of a body that is being read: as long as it is small, and as there is memory for it.
#[derive(Debug)]
pub struct BodyCopy {
    bytes: Vec<u8>,
    charge: Option<Charge>,
    most: usize,
    cut: bool,
}

impl BodyCopy {
    pub(super) fn new(budget: &MemoryBudget, most: usize) -> Self {
        Self { bytes: Vec::new(), charge: budget.try_charge(0), most, cut: false }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        if self.cut || self.is_starved() {
            return;
        }
        self.cut = self.bytes.len() + piece.len() > self.most;
        let fits = self.charge.as_mut().is_some_and(|charge| charge.try_grow(piece.len() as u64));
        if self.cut || !fits {
            self.bytes = Vec::new();
            self.charge = None;
        } else {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// It was larger than may be.
    pub(super) const fn is_cut(&self) -> bool {
        self.cut
    }

    /// There was no memory for it.
    pub(super) const fn is_starved(&self) -> bool {
        self.charge.is_none() && !self.cut
    }

    pub(super) fn into_bytes(self) -> (Bytes, Option<Charge>) {
        (self.bytes.into(), self.charge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_ends_at_its_bounds() {
        let budget = MemoryBudget::new(10);
        let mut copy = BodyCopy::new(&budget, 8);
        copy.push(b"1234");
        copy.push(b"5678");
        assert!(!copy.is_cut() && !copy.is_starved());
        let mut second = BodyCopy::new(&budget, 8);
        second.push(b"123");
        assert!(second.is_starved() && !second.is_cut());
        copy.push(b"9");
        assert!(copy.is_cut() && !copy.is_starved());
        assert_eq!((budget.used(), copy.into_bytes().0.len()), (0, 0));
    }
}
