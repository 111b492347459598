//! How long the device works on a batch, by its own clock.

use std::sync::{Mutex, PoisonError};

use wgpu::{Buffer, BufferDescriptor, BufferUsages, Device, QuerySet, QuerySetDescriptor, QueryType, Queue};

use super::record::TIMES;

/// Stopwatches of one device, where it has a clock.
#[derive(Debug)]
pub(super) struct Timer {
    /// Nanoseconds a tick.
    period: f64,
    idle: Mutex<Vec<Stopwatch>>,
}

/// The two times of a batch: when its first pass began, and when its last one ended.
#[derive(Debug)]
pub(super) struct Stopwatch {
    pub(super) queries: QuerySet,
    pub(super) times: Buffer,
}

impl Timer {
    /// `None` when the device was opened without the feature.
    pub(super) fn new(device: &Device, queue: &Queue) -> Option<Self> {
        device
            .features()
            .contains(wgpu::Features::TIMESTAMP_QUERY)
            .then(|| Self { period: f64::from(queue.get_timestamp_period()), idle: Mutex::default() })
    }

    pub(super) fn take(&self, device: &Device) -> Stopwatch {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.unwrap_or_else(|| Stopwatch {
            queries: device.create_query_set(&QuerySetDescriptor { label: None, ty: QueryType::Timestamp, count: 2 }),
            times: device.create_buffer(&BufferDescriptor {
                label: None,
                size: TIMES,
                usage: BufferUsages::QUERY_RESOLVE | BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            }),
        })
    }

    pub(super) fn put(&self, watch: Stopwatch) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(watch);
    }

    /// Nanoseconds between the two times, as they came back.
    pub(super) fn elapsed(&self, times: &[u8]) -> u64 {
        let mut both = [0_u64; 2];
        let bytes = bytemuck::bytes_of_mut(&mut both);
        if times.len() != bytes.len() {
            return 0;
        }
        bytes.copy_from_slice(times);
        // A clock that ran backwards tells nothing.
        (both[1].saturating_sub(both[0]) as f64 * self.period) as u64
    }
}
