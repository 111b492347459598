//! What a batch gives back: one mapped buffer that several threads read from.

use std::sync::Arc;

use wgpu::Buffer;

use crate::image::{ImageBuf, PixelFormat, Size};

use super::device::Device;
use super::pool::Use;

/// A mapped buffer; unmapped and free again when the last of its readers is done.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) device: Arc<Device>,
    pub(super) buffer: Buffer,
}

impl Drop for Results {
    fn drop(&mut self) {
        self.buffer.unmap();
        self.device.pool.put(Use::Readback, self.buffer.clone());
    }
}

/// One picture of a batch.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) results: Arc<Results>,
    /// Its first byte.
    pub(super) at: u64,
}

impl Ready {
    /// The samples of a picture, without what pads its rows; `None` when they cannot be read.
    pub(super) fn pixels(&self, size: Size, format: PixelFormat) -> Option<Vec<u8>> {
        let row = size.width() as usize * format.channels();
        let padded = row.next_multiple_of(4);
        let bytes = (padded * size.height() as usize) as u64;
        let view = self.results.buffer.get_mapped_range(self.at..self.at + bytes).ok()?;
        if row == padded {
            return Some(view.to_vec());
        }
        let mut pixels = Vec::with_capacity(ImageBuf::byte_len(size, format) as usize);
        for padded in view.chunks_exact(padded) {
            pixels.extend_from_slice(&padded[..row]);
        }
        Some(pixels)
    }
}
