//! A recipe's bytes in mapped memory, written by the thread that wants the picture.

use std::sync::Arc;

use crate::backend::BackendError;

use super::device::Device;
use super::pool::{Lent, Use};
use super::recipe::{Output, Pass, Place, Recipe, Upload};
use super::tables::Table;

/// Parts of a batch's memory begin at multiples of this.
pub(super) const ALIGNMENT: u64 = 256;

/// Bytes that go from staging memory to the input on the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) staging: u64,
    pub(super) input: u64,
    pub(super) len: u64,
    /// The stage before which they must be there.
    pub(super) stage: u32,
}

/// A recipe without the picture: what the device's thread records.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) staging: Lent,
    pub(super) copies: Vec<Copied>,
    /// Bytes that go up.
    pub(super) bytes_up: u64,
    /// Bytes of the input on the device.
    pub(super) input: u64,
    /// Bytes of each slot.
    pub(super) slots: Vec<u64>,
    pub(super) tables: Vec<Arc<Table>>,
    pub(super) passes: Vec<Pass>,
    pub(super) output: Output,
}

impl Program {
    /// Copies what the recipe needs into a staging buffer.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`] when there is no room for it, [`BackendError::DeviceLost`].
    pub(super) fn new(recipe: Recipe<'_>, device: &Device) -> Result<Self, BackendError> {
        let Recipe { uploads, staging: bytes_up, input, slots, tables, passes, output } = recipe;
        let staging = device.pool.take(&device.device, Use::Staging, bytes_up).ok_or(BackendError::OutOfMemory)?;
        let mut view = staging.get_mapped_range_mut(..bytes_up.max(4)).map_err(|_| BackendError::DeviceLost)?;
        let mut copies: Vec<Copied> = Vec::with_capacity(uploads.len());
        for upload in &uploads {
            write(&mut view, upload);
            let Upload { staging, input, stage, .. } = *upload;
            let copied = Copied { staging, input: 4 * u64::from(input), len: upload.len(), stage };
            match copies.last_mut() {
                Some(last)
                    if last.stage == stage
                        && last.staging + last.len == copied.staging
                        && last.input + last.len == copied.input =>
                {
                    last.len += copied.len;
                }
                _ => copies.push(copied),
            }
        }
        drop(view);
        staging.unmap();
        Ok(Self { staging, copies, bytes_up, input, slots, tables, passes, output })
    }

    /// The slot that the result fills.
    pub(super) const fn output_slot(&self) -> Option<usize> {
        match self.output.place() {
            Place::Work(slot, _) => Some(slot),
            Place::Input(_) => None,
        }
    }

    /// Bytes that come back, a multiple of 4.
    pub(super) fn bytes_down(&self) -> u64 {
        self.output_slot().and_then(|slot| self.slots.get(slot)).copied().unwrap_or(0)
    }

    /// Bytes that the passes read and write at least: the input once, and every slot twice, written and read.
    pub(super) fn touched(&self) -> u64 {
        self.bytes_up + 2 * self.slots.iter().sum::<u64>() - self.bytes_down()
    }

    /// Bytes on the device: the input, and everything else.
    pub(super) fn memory(&self) -> [u64; 2] {
        let work = self.slots.iter().map(|bytes| bytes.next_multiple_of(ALIGNMENT)).sum();
        [self.input.next_multiple_of(ALIGNMENT), work]
    }
}

/// Writes rows, each to the beginning of a word.
fn write(view: &mut wgpu::BufferViewMut, upload: &Upload<'_>) {
    let begin = upload.staging as usize;
    let padded = upload.row.next_multiple_of(4);
    if upload.rows == 1 || (upload.row == padded && upload.pitch == upload.row) {
        view.slice(begin..begin + upload.bytes.len()).copy_from_slice(upload.bytes);
        return;
    }
    for (row, at) in upload.bytes.chunks(upload.pitch).zip((begin..).step_by(padded)) {
        view.slice(at..at + upload.row).copy_from_slice(&row[..upload.row]);
    }
}
