//! How fast a device copies within its own memory: what passes are compared with.

use std::time::Instant;

use wgpu::PollType;

use super::device::Device;
use super::pool::Use;

/// Copies in a submission, and submissions.
const COPIES: u32 = 8;
const ROUNDS: u32 = 4;

/// Bytes read and written in a second, `None` when the device gives no answer. Takes some milliseconds on a real GPU;
/// nothing else must be in flight.
pub(super) fn copy_bandwidth(device: &Device, software: bool) -> Option<f64> {
    let bytes: u64 = if software { 16 << 20 } else { 256 << 20 };
    let bytes = bytes.min(device.limits.binding) & !3;
    let take = || device.pool.take(&device.device, Use::Device, bytes);
    let (from, to) = (take()?, take()?);
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for _ in 0..COPIES {
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, bytes);
        }
        let commands = encoder.finish();
        let begun = Instant::now();
        device.submit(commands)?;
        if !device.poll(PollType::wait_indefinitely()) {
            return None;
        }
        best = best.min(begun.elapsed().as_secs_f64());
    }
    device.pool.put(from);
    device.pool.put(to);
    (!device.is_lost()).then(|| 2.0 * bytes as f64 * f64::from(COPIES) / best)
}
