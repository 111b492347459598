//! Buffers that are used again. A fresh large buffer costs milliseconds of zeroing; one that was used before costs none.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wgpu::{Buffer, BufferDescriptor, BufferUsages, Device};

use crate::budget::{Charge, MemoryBudget};

use super::holds::Turns;
use super::shortage::unless_short;
use super::threads::within;

/// Smallest buffer.
const LEAST: u64 = 4096;

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Written by the host; kept mapped while idle.
    Staging,
    /// Read by the host.
    Readback,
    /// Seen by shaders.
    Device,
}

impl Use {
    const fn usages(self) -> BufferUsages {
        match self {
            Self::Staging => BufferUsages::MAP_WRITE.union(BufferUsages::COPY_SRC),
            Self::Readback => BufferUsages::MAP_READ.union(BufferUsages::COPY_DST),
            Self::Device => BufferUsages::STORAGE
                .union(BufferUsages::UNIFORM)
                .union(BufferUsages::COPY_SRC)
                .union(BufferUsages::COPY_DST),
        }
    }
}

/// What buffers are counted in, over all lives of a device.
#[derive(Debug, Clone)]
pub(super) struct Accounts {
    /// The memory of all requests, which the host's side of buffers is part of.
    shared: Option<MemoryBudget>,
    /// Whether the device's memory is the host's.
    unified: bool,
    /// Bytes that the host sees, and bytes that only shaders see, as many as may be.
    pub(super) host: MemoryBudget,
    pub(super) device: MemoryBudget,
}

impl Accounts {
    /// `most`: bytes on the device.
    pub(super) fn new(shared: Option<MemoryBudget>, unified: bool, most: u64) -> Self {
        Self { shared, unified, host: MemoryBudget::new(u64::MAX), device: MemoryBudget::new(most) }
    }

    /// Bytes of host memory that may lie idle: an eighth of what all requests share.
    fn idle(&self) -> u64 {
        self.shared.as_ref().map_or(u64::MAX, |budget| budget.total() / 8)
    }

    fn shortages(&self) -> u64 {
        self.shared.as_ref().map_or(0, MemoryBudget::shortages)
    }

    /// `None` when that many bytes are not free.
    fn charge(&self, usage: Use, bytes: u64) -> Option<[Option<Charge>; 2]> {
        let on_host = usage != Use::Device || self.unified;
        let shared = match &self.shared {
            Some(budget) if on_host => Some(budget.try_charge(bytes)?),
            _ => None,
        };
        let own = if usage == Use::Device { &self.device } else { &self.host };
        Some([shared, Some(own.try_charge(bytes)?)])
    }
}

/// A buffer with what it is charged.
#[derive(Debug)]
pub(super) struct Lent {
    buffer: Buffer,
    usage: Use,
    /// Given back when the buffer is.
    _charges: [Option<Charge>; 2],
}

impl Deref for Lent {
    type Target = Buffer;

    fn deref(&self) -> &Buffer {
        &self.buffer
    }
}

/// Longest wait for a driver to make a buffer. The largest are zeroed in some 20 ms.
const MAKING: Duration = Duration::from_secs(1);

/// Idle buffers of one device, oldest first, no more than a number of bytes.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
    accounts: Accounts,
    /// Bytes that may lie idle, seen by the host and by shaders.
    bounds: [u64; 2],
    /// Bytes of the largest buffer.
    largest: u64,
    turns: Arc<Turns>,
}

#[derive(Debug, Default)]
struct Idle {
    buffers: VecDeque<Lent>,
    bytes: [u64; 2],
    /// Nothing lies idle any more.
    closed: bool,
}

impl Idle {
    fn remove(&mut self, at: usize) -> Option<Lent> {
        let lent = self.buffers.remove(at)?;
        self.bytes[kind(lent.usage)] -= lent.size();
        Some(lent)
    }
}

/// Place in counters by kind.
const fn kind(usage: Use) -> usize {
    match usage {
        Use::Staging | Use::Readback => 0,
        Use::Device => 1,
    }
}

impl Pool {
    /// `bound`: bytes of each kind that may lie idle, at most.
    pub(super) fn new(accounts: Accounts, bound: u64, largest: u64, turns: Arc<Turns>) -> Self {
        let host = bound.min(accounts.idle());
        let device = if accounts.unified { host } else { bound.min(accounts.device.total() / 2) };
        Self { idle: Mutex::default(), accounts, bounds: [host, device], largest, turns }
    }

    /// A buffer of at least `bytes`; a staging buffer is mapped. `None` when the memory that there may be is in use.
    pub(super) fn take(&self, device: &Device, usage: Use, bytes: u64) -> Option<Lent> {
        let class = class(bytes).min(self.largest).max(bytes);
        {
            let mut idle = self.lock();
            // The youngest is the likeliest to be in a cache.
            let found = idle.buffers.iter().rposition(|lent| lent.usage == usage && lent.size() == class);
            if let Some(lent) = found.and_then(|at| idle.remove(at)) {
                return Some(lent);
            }
        }
        let charges = self.accounts.charge(usage, class).or_else(|| {
            // What lies idle in other sizes is in the way.
            self.evict();
            self.accounts.charge(usage, class)
        })?;
        let descriptor = BufferDescriptor {
            label: None,
            size: class,
            usage: usage.usages(),
            mapped_at_creation: usage == Use::Staging,
        };
        let turn = self.turns.making()?;
        let device = device.clone();
        // Mapping may fail, and then the device is lost.
        let make = move || {
            let buffer = unless_short(|| device.create_buffer(&descriptor));
            drop(turn);
            buffer.map(|buffer| Lent { buffer, usage, _charges: charges })
        };
        // Whoever needs it has other work to do, should the driver not come back.
        within("gpu-make", MAKING, make, drop).ok().flatten()
    }

    /// Takes a buffer back that nothing uses any more; a staging buffer must be mapped.
    pub(super) fn put(&self, lent: Lent) {
        let kind = kind(lent.usage);
        let mut out = Vec::new();
        let mut idle = self.lock();
        if idle.closed {
            drop(idle);
            return;
        }
        idle.bytes[kind] += lent.size();
        idle.buffers.push_back(lent);
        while idle.bytes[kind] > self.bounds[kind] {
            let oldest = idle.buffers.iter().position(|lent| self::kind(lent.usage) == kind);
            out.extend(oldest.and_then(|at| idle.remove(at)));
        }
        // Buffers are dropped when the lock is free again.
        drop(idle);
    }

    /// How often a job had to wait for memory.
    pub(super) fn shortages(&self) -> u64 {
        self.accounts.shortages()
    }

    /// Bytes that there may be on the device.
    pub(super) fn on_device(&self) -> u64 {
        self.accounts.device.total()
    }

    /// Lets go what lies idle.
    pub(super) fn evict(&self) {
        let mut idle = self.lock();
        let gone = std::mem::take(&mut idle.buffers);
        idle.bytes = [0; 2];
        // As in `put`.
        drop(idle);
        drop(gone);
    }

    /// Lets go what lies idle, and what is put back from now on: the device is used no more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.evict();
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    fn idle_bytes(&self) -> u64 {
        self.lock().bytes.iter().sum()
    }
}

/// Powers of two and the numbers halfway between: at most half of a buffer is wasted on average a sixth.
fn class(bytes: u64) -> u64 {
    let power = bytes.max(LEAST).next_power_of_two();
    let between = power / 4 * 3;
    if bytes <= between && between >= LEAST { between } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_was_asked_and_little_more() {
        for bytes in [0, 1, 4096, 4097, 6144, 6145, 8192, 8193, 1 << 20, (1 << 20) + 4, 3 << 20] {
            let class = class(bytes);
            assert!(class >= bytes && class.is_multiple_of(4), "{bytes}");
            assert!(class <= (bytes * 3 / 2 + 4).max(LEAST), "{bytes} in {class}");
        }
    }

    fn unbounded() -> Accounts {
        Accounts::new(None, false, u64::MAX)
    }

    #[test]
    fn idle_buffers_are_used_again_and_bounded() {
        let (device, _queue) = Device::noop(&wgpu::DeviceDescriptor::default());
        let pool = Pool::new(unbounded(), 20_000, 1 << 30, Arc::default());
        let take = |usage, bytes| pool.take(&device, usage, bytes).unwrap();
        let first = take(Use::Device, 5000);
        let buffer = first.buffer.clone();
        pool.put(first);
        assert_ne!(take(Use::Readback, 5000).buffer, buffer);
        assert_eq!(take(Use::Device, 5500).buffer, buffer);
        for _ in 0..10 {
            let many: Vec<Lent> = (0..4).map(|_| take(Use::Readback, 8000)).collect();
            many.into_iter().for_each(|lent| pool.put(lent));
        }
        assert!(pool.idle_bytes() <= 20_000 && pool.idle_bytes() > 8000);
        let late = take(Use::Readback, 5000);
        pool.close();
        pool.put(late);
        assert_eq!(pool.idle_bytes(), 0);
    }

    #[test]
    fn buffers_are_charged_while_they_are_there_idle_or_not() {
        let (device, _queue) = Device::noop(&wgpu::DeviceDescriptor::default());
        let budget = MemoryBudget::new(100_000);
        let accounts = Accounts::new(Some(budget.clone()), false, 50_000);
        let pool = Pool::new(accounts.clone(), 1 << 30, 1 << 30, Arc::default());
        let staging = pool.take(&device, Use::Staging, 8192).unwrap();
        assert_eq!((budget.used(), accounts.host.used(), accounts.device.used()), (8192, 8192, 0));
        pool.put(staging);
        // Idle, and still there.
        assert_eq!((budget.used(), pool.idle_bytes()), (8192, 8192));
        // A request that needs the memory more.
        let rest = budget.try_charge(90_000).unwrap();
        assert!(pool.take(&device, Use::Readback, 60_000).is_none());
        assert_eq!((budget.used(), pool.idle_bytes()), (90_000, 0));
        drop(rest);
        // The device's own memory is not the host's, and bounded by itself.
        let on_device = pool.take(&device, Use::Device, 40_000).unwrap();
        assert_eq!((budget.used(), accounts.device.used()), (0, 49_152));
        assert!(pool.take(&device, Use::Device, 4096).is_none());
        drop(on_device);
        assert!(pool.take(&device, Use::Device, 4096).is_some());
        // But where they are one.
        let pool = Pool::new(Accounts::new(Some(budget.clone()), true, u64::MAX), 1 << 30, 1 << 30, Arc::default());
        let shared = pool.take(&device, Use::Device, 40_000).unwrap();
        assert_eq!(budget.used(), 49_152);
        drop(shared);
        assert_eq!(budget.used(), 0);
    }
}
