//! Buffers that are used again. A fresh large buffer costs milliseconds of zeroing; one that was used before costs none.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use wgpu::{Buffer, BufferDescriptor, BufferUsages, Device};

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

/// Idle buffers of one device, oldest first, no more than a number of bytes.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<Idle>,
    /// Bytes that may lie idle.
    bound: u64,
    /// Bytes of the largest buffer.
    largest: u64,
}

#[derive(Debug, Default)]
struct Idle {
    buffers: VecDeque<(Use, Buffer)>,
    bytes: u64,
}

impl Pool {
    pub(super) fn new(bound: u64, largest: u64) -> Self {
        Self { idle: Mutex::default(), bound, largest }
    }

    /// A buffer of at least `bytes`; a staging buffer is mapped.
    pub(super) fn take(&self, device: &Device, usage: Use, bytes: u64) -> Buffer {
        let class = class(bytes).min(self.largest).max(bytes);
        {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            // The youngest is the likeliest to be in a cache.
            if let Some(at) = idle.buffers.iter().rposition(|(u, b)| *u == usage && b.size() == class)
                && let Some((_, buffer)) = idle.buffers.remove(at)
            {
                idle.bytes -= class;
                return buffer;
            }
        }
        device.create_buffer(&BufferDescriptor {
            label: None,
            size: class,
            usage: usage.usages(),
            mapped_at_creation: usage == Use::Staging,
        })
    }

    /// Takes a buffer back that nothing uses any more; a staging buffer must be mapped.
    pub(super) fn put(&self, usage: Use, buffer: Buffer) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.bytes += buffer.size();
        idle.buffers.push_back((usage, buffer));
        while idle.bytes > self.bound
            && let Some((_, oldest)) = idle.buffers.pop_front()
        {
            idle.bytes -= oldest.size();
        }
    }

    #[cfg(test)]
    fn idle_bytes(&self) -> u64 {
        self.idle.lock().unwrap().bytes
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

    #[test]
    fn idle_buffers_are_used_again_and_bounded() {
        let (device, _queue) = Device::noop(&wgpu::DeviceDescriptor::default());
        let pool = Pool::new(20_000, 1 << 30);
        let first = pool.take(&device, Use::Device, 5000);
        pool.put(Use::Device, first.clone());
        assert_ne!(pool.take(&device, Use::Readback, 5000), first);
        assert_eq!(pool.take(&device, Use::Device, 5500), first);
        for _ in 0..10 {
            pool.put(Use::Device, pool.take(&device, Use::Readback, 8000));
        }
        assert!(pool.idle_bytes() <= 20_000);
    }
}
