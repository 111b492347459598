//! What a batch gives back: one mapped buffer that several threads read from.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::image::{ImageBuf, Picture, Plane, Planes};

use super::device::Device;
use super::pool::Lent;
use super::recipe::{Output, Packed, Place};

/// A mapped buffer; unmapped and free again when the last of its readers is done.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) device: Arc<Device>,
    buffer: Option<Lent>,
}

impl Results {
    /// `buffer` is mapped.
    pub(super) const fn new(device: Arc<Device>, buffer: Lent) -> Self {
        Self { device, buffer: Some(buffer) }
    }

    /// What is read from bytes of the buffer; `None` when they are not mapped.
    pub(super) fn read<T>(&self, range: Range<u64>, read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let _hold = self.device.hold()?;
        let view = self.buffer.as_ref()?.get_mapped_range(range).ok()?;
        Some(read(&view))
    }
}

impl Drop for Results {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            buffer.unmap();
            self.device.pool.put(buffer);
        }
    }
}

/// One picture of a batch.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) results: Arc<Results>,
    /// Its first byte.
    pub(super) at: u64,
    /// From its being ordered until its batch was submitted.
    pub(super) waited: Duration,
}

impl Ready {
    /// The picture; `None` when its bytes cannot be read.
    pub(super) fn picture(&self, output: &Output) -> Option<Picture> {
        match output {
            Output::Packed(packed) => {
                let pixels = self.pixels(packed)?;
                ImageBuf::new(packed.size, packed.format, pixels).ok().map(Picture::Packed)
            }
            Output::Planes { size, planes } => {
                let plane = |packed: &Packed| Some(Plane { size: packed.size, samples: self.pixels(packed)? });
                let [luma, cb, cr] = planes;
                let chroma = Some([plane(cb)?, plane(cr)?]);
                Some(Picture::Planes(Planes { size: *size, luma: plane(luma)?, chroma }))
            }
        }
    }

    /// Samples without what pads their rows.
    fn pixels(&self, packed: &Packed) -> Option<Vec<u8>> {
        let row = packed.size.width() as usize * packed.format.channels();
        let padded = row.next_multiple_of(4);
        let Place::Work(_, word) = packed.place else { return None };
        // A view begins at a multiple of 8 bytes.
        let first = self.at + 4 * u64::from(word);
        let begin = first & !7;
        let end = first + (padded * packed.size.height() as usize) as u64;
        let copy = |bytes: &[u8]| {
            let bytes = bytes.get((first - begin) as usize..)?;
            if row == padded {
                return Some(bytes.to_vec());
            }
            let mut pixels = Vec::with_capacity(row * packed.size.height() as usize);
            for padded in bytes.chunks_exact(padded) {
                pixels.extend_from_slice(&padded[..row]);
            }
            Some(pixels)
        };
        self.results.read(begin..end, copy)?
    }
}
