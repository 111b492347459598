//! A recipe's bytes in mapped memory, written by the thread that wants the picture.

use wgpu::{Buffer, MapRangeError};

use super::device::Device;
use super::pool::Use;
use super::recipe::{INPUT, Packed, Pass, Recipe};

/// Alignment of parameters in a buffer; every device takes this.
const UNIFORM_ALIGNMENT: u64 = 256;

/// A recipe without the picture: what the device's thread records.
#[derive(Debug)]
pub(super) struct Program {
    /// Bytes of each buffer.
    pub(super) buffers: Vec<u64>,
    pub(super) passes: Vec<Pass>,
    pub(super) output: Packed,
    /// Input, then tables, then parameters.
    pub(super) staging: Buffer,
    /// Bytes of the tables, from the start of what follows the input.
    pub(super) tables: u64,
    /// Where the parameters of each pass begin, from there too.
    pub(super) params: Vec<u64>,
    /// Bytes of tables and parameters.
    pub(super) extra: u64,
}

impl Program {
    /// Copies what the recipe needs into a staging buffer.
    pub(super) fn new(recipe: Recipe<'_>, device: &Device) -> Result<Self, MapRangeError> {
        let Recipe { input, buffers, tables, passes, output } = recipe;
        let tables: &[u8] = bytemuck::cast_slice(tables.words());
        // An empty binding is not allowed.
        let tables_bytes = (tables.len() as u64).max(4);
        let mut params = Vec::with_capacity(passes.len());
        let mut extra = tables_bytes;
        for pass in &passes {
            extra = extra.next_multiple_of(UNIFORM_ALIGNMENT);
            params.push(extra);
            extra += pass.params.bytes().len() as u64;
        }
        let picture = buffers[INPUT];
        let staging = device.pool.take(&device.device, Use::Staging, picture + extra);
        let mut view = staging.get_mapped_range_mut(..picture + extra)?;
        let mut write = |at: u64, bytes: &[u8]| {
            view.slice(at as usize..at as usize + bytes.len()).copy_from_slice(bytes);
        };
        for (at, part) in input {
            write(at, part);
        }
        write(picture, tables);
        for (pass, at) in passes.iter().zip(&params) {
            write(picture + at, pass.params.bytes());
        }
        drop(view);
        staging.unmap();
        Ok(Self { buffers, passes, output, staging, tables: tables_bytes, params, extra })
    }

    /// Bytes that go up.
    pub(super) fn bytes_up(&self) -> u64 {
        self.buffers[INPUT] + self.extra
    }

    /// Bytes that come back, a multiple of 4.
    pub(super) fn bytes_down(&self) -> u64 {
        self.buffers[self.output.slot]
    }
}
