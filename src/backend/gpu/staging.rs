//! A recipe's bytes in mapped memory, written by the thread that wants the picture.

use std::sync::Arc;

use crate::backend::BackendError;
use crate::image::{CoefficientSink, PlaneSink};

use super::coming::Coming;
use super::device::Device;
use super::holds::Hold;
use super::pool::{Lent, Use};
use super::recipe::{Output, Pass, Place, Recipe, Rows, Upload};
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
    /// Of those, bytes of pictures that lay elsewhere before; the others were decoded to where they are.
    pub(super) bytes_copied: u64,
    /// Bytes of the input on the device.
    pub(super) input: u64,
    /// Bytes of each slot.
    pub(super) slots: Vec<u64>,
    pub(super) tables: Vec<Arc<Table>>,
    pub(super) passes: Vec<Pass>,
    pub(super) output: Output,
}

impl Program {
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

/// A staging buffer that is still written to: what was there is in it, what is coming has its place.
#[derive(Debug)]
pub(super) struct Open {
    /// Dropped before the hold.
    view: wgpu::BufferViewMut,
    hold: Hold,
    coming: Vec<Coming>,
    program: Program,
}

impl Open {
    /// Takes a staging buffer and copies into it what is there.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`] when there is no room for it, [`BackendError::DeviceLost`].
    pub(super) fn new(recipe: Recipe<'_>, device: &Device) -> Result<Self, BackendError> {
        let Recipe { uploads, staging: bytes_up, input, slots, tables, passes, output } = recipe;
        let staging = device.pool.take(&device.device, Use::Staging, bytes_up).ok_or(BackendError::OutOfMemory)?;
        let hold = device.hold().ok_or(BackendError::DeviceLost)?;
        let mut view = staging.get_mapped_range_mut(..bytes_up.max(4)).map_err(|_| BackendError::DeviceLost)?;
        let mut copies: Vec<Copied> = Vec::with_capacity(uploads.len());
        let mut coming = Vec::new();
        let mut bytes_copied = 0;
        for upload in &uploads {
            if let Rows::Here(bytes) = upload.bytes {
                write(&mut view, upload, bytes);
                bytes_copied += upload.len();
            }
            coming.extend(Coming::of(upload));
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
        let program = Program { staging, copies, bytes_up, bytes_copied, input, slots, tables, passes, output };
        Ok(Self { view, hold, coming, program })
    }

    /// Everything was written.
    pub(super) fn closed(self) -> Program {
        let Self { mut view, hold, mut coming, program } = self;
        coming.iter_mut().for_each(|coming| coming.finish(&mut view));
        drop(view);
        program.staging.unmap();
        drop(hold);
        program
    }
}

impl Open {
    /// The buffer, still mapped.
    pub(super) fn abandoned(self) -> Lent {
        drop(self.view);
        self.program.staging
    }
}

impl PlaneSink for Open {
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]) {
        for part in self.coming.iter_mut().filter_map(|coming| coming.plane(plane)) {
            part.write(first as usize, samples, &mut self.view);
        }
    }
}

impl CoefficientSink for Open {
    fn values(&mut self, component: usize, coefficient: usize, first: usize, values: &[i16]) {
        for part in self.coming.iter_mut().filter_map(|coming| coming.blocks(component, coefficient)) {
            part.write(first, bytemuck::cast_slice(values), &mut self.view);
        }
    }
}

/// Writes rows, each to the beginning of a word.
fn write(view: &mut wgpu::BufferViewMut, upload: &Upload<'_>, bytes: &[u8]) {
    let begin = upload.staging as usize;
    let padded = upload.row.next_multiple_of(4);
    if upload.rows == 1 || (upload.row == padded && upload.pitch == upload.row) {
        view.slice(begin..begin + bytes.len()).copy_from_slice(bytes);
        return;
    }
    for (row, at) in bytes.chunks(upload.pitch).zip((begin..).step_by(padded)) {
        view.slice(at..at + upload.row).copy_from_slice(&row[..upload.row]);
    }
}
