//! One budget of bytes for everything that requests hold in memory. Uses no other module.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A shared number of bytes that may be in use at once. Cloning shares it.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    total: u64,
    used: AtomicU64,
    shortages: AtomicU64,
}

/// Bytes taken from a [`MemoryBudget`]; they go back when this is dropped.
#[derive(Debug)]
pub struct Charge {
    budget: MemoryBudget,
    bytes: u64,
}

impl MemoryBudget {
    /// A budget of `total` bytes.
    pub fn new(total: u64) -> Self {
        Self { inner: Arc::new(Inner { total, used: AtomicU64::new(0), shortages: AtomicU64::new(0) }) }
    }

    /// Bytes there are.
    pub fn total(&self) -> u64 {
        self.inner.total
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.inner.used.load(Ordering::Relaxed)
    }

    /// Says that somebody waits for bytes: whoever holds some that it could do without gives them back.
    pub fn report_shortage(&self) {
        self.inner.shortages.fetch_add(1, Ordering::Relaxed);
    }

    /// How often somebody had to wait.
    pub fn shortages(&self) -> u64 {
        self.inner.shortages.load(Ordering::Relaxed)
    }

    /// Takes `bytes` at once, or `None` when that many are not free. Never waits.
    pub fn try_charge(&self, bytes: u64) -> Option<Charge> {
        let mut charge = Charge { budget: self.clone(), bytes: 0 };
        charge.try_grow(bytes).then_some(charge)
    }
}

impl Charge {
    /// Takes `more` bytes on top; `false` (and nothing taken) when they are not free.
    #[must_use]
    pub fn try_grow(&mut self, more: u64) -> bool {
        let total = self.budget.inner.total;
        let taken = self.budget.inner.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            used.checked_add(more).filter(|&sum| sum <= total)
        });
        if taken.is_ok() {
            self.bytes += more;
        }
        taken.is_ok()
    }

    /// Bytes held.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.inner.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_go_back_and_never_exceed() {
        let budget = MemoryBudget::new(100);
        let mut a = budget.try_charge(60).unwrap();
        assert!(budget.try_charge(41).is_none());
        assert!(a.try_grow(40));
        assert!(!a.try_grow(u64::MAX));
        assert_eq!(budget.used(), 100);
        drop(a);
        assert_eq!(budget.used(), 0);
    }
}
