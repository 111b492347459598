//! Programs → commands: everything of a batch in one submission.

use std::sync::Arc;

use wgpu::{
    BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, BufferSize, CommandBuffer,
    CommandEncoder, ComputePassDescriptor, ComputePassTimestampWrites,
};

use crate::backend::BackendError;

use super::device::Device;
use super::layout::Layout;
use super::pool::{Lent, Use};
use super::resident::{Missing, Resident};
use super::staging::{ALIGNMENT, Program};
use super::timer::Stopwatch;
use super::uniforms::Dispatch;

/// Records batch after batch; keeps the memory that it needs for that, and the tables that are on the device.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    layout: Layout,
    resident: Resident,
    missing: Missing,
}

/// A batch, ready to be submitted.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) commands: CommandBuffer,
    /// Seen by shaders; free when the result is there.
    pub(super) device: [Lent; 3],
    /// Parameters; free then, too.
    pub(super) staging: Lent,
    /// The results of all programs, and where each begins.
    pub(super) readback: Lent,
    pub(super) outputs: Vec<u64>,
    /// Bytes of the readback buffer that are written, the stopwatch's times at the end.
    pub(super) bytes_down: u64,
    pub(super) stopwatch: Option<Stopwatch>,
    /// Bytes that go up besides the pictures.
    pub(super) bytes_up: u64,
}

/// Bytes of the stopwatch's two times.
pub(super) const TIMES: u64 = 16;

impl Recorder {
    /// Records all programs, stage by stage; each stage dispatches a shader once for all of them.
    ///
    /// # Errors
    /// [`BackendError::OutOfMemory`] when the memory that there may be is in use, [`BackendError::DeviceLost`] when the
    /// device gives none.
    pub(super) fn record(&mut self, device: &Device, programs: &[&Program]) -> Result<Recorded, BackendError> {
        let recorded = self.commands(device, programs);
        if recorded.is_err() {
            self.resident.forget(&self.missing);
        }
        recorded
    }

    fn commands(&mut self, device: &Device, programs: &[&Program]) -> Result<Recorded, BackendError> {
        let Self { layout, resident, missing } = self;
        let tables: Vec<_> = programs.iter().flat_map(|program| &program.tables).collect();
        let table_buffer =
            resident.admit(&device.pool, &device.device, &tables, missing).ok_or(BackendError::OutOfMemory)?;
        layout.lay_out(programs, device.workgroups, |table: &Arc<_>| resident.find(table).unwrap_or(0));

        let take = |usage, bytes: u64| {
            // Each may wait for a second, and that is no silence.
            device.show_sign();
            device.pool.take(&device.device, usage, bytes).ok_or(BackendError::OutOfMemory)
        };
        let meta_bytes = 4 * layout.meta.len() as u64;
        let table_bytes = 4 * missing.words.len() as u64;
        let staging = take(Use::Staging, meta_bytes + table_bytes)?;
        {
            let _hold = device.hold().ok_or(BackendError::DeviceLost)?;
            let mut view =
                staging.get_mapped_range_mut(..meta_bytes + table_bytes).map_err(|_| BackendError::DeviceLost)?;
            view.slice(..meta_bytes as usize).copy_from_slice(bytemuck::cast_slice(&layout.meta));
            view.slice(meta_bytes as usize..).copy_from_slice(bytemuck::cast_slice(&missing.words));
        }
        staging.unmap();
        let (input, work, meta) =
            (take(Use::Device, layout.input)?, take(Use::Device, layout.work)?, take(Use::Device, meta_bytes)?);
        let readback = take(Use::Readback, layout.outputs + TIMES)?;
        let stopwatch = device.timer.as_ref().map(|timer| timer.take(&device.device));

        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&staging, 0, &meta, 0, meta_bytes);
        if table_bytes > 0 {
            encoder.copy_buffer_to_buffer(&staging, meta_bytes, &table_buffer, 4 * u64::from(missing.at), table_bytes);
        }
        let group = bind(device, layout, [&meta, &input, &work, &table_buffer]);
        let mut calls = layout.calls.iter().enumerate().peekable();
        let later = programs.iter().flat_map(|program| &program.copies).map(|copied| copied.stage).max().unwrap_or(0);
        let mut first = true;
        for stage in 0..=later {
            copy(&mut encoder, layout, programs, stage, &input);
            let begin = first.then_some(0);
            let end = (stage == later).then_some(1);
            first = false;
            let timestamp_writes = stopwatch.as_ref().filter(|_| begin.is_some() || end.is_some()).map(|watch| {
                ComputePassTimestampWrites {
                    query_set: &watch.queries,
                    beginning_of_pass_write_index: begin,
                    end_of_pass_write_index: end,
                }
            });
            let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor { label: None, timestamp_writes });
            // The last of these passes takes all stages that are left.
            while let Some((number, call)) = calls.next_if(|(_, call)| call.stage <= stage || stage == later) {
                pass.set_pipeline(device.pipeline(call.shader, call.from_input));
                pass.set_bind_group(0, &group, &[number as u32 * ALIGNMENT as u32]);
                pass.dispatch_workgroups(call.workgroups[0], call.workgroups[1], 1);
            }
        }
        encoder.copy_buffer_to_buffer(&work, 0, &readback, 0, layout.outputs);
        if let Some(watch) = &stopwatch {
            encoder.resolve_query_set(&watch.queries, 0..2, &watch.times, 0);
            encoder.copy_buffer_to_buffer(&watch.times, 0, &readback, layout.outputs, TIMES);
        }
        Ok(Recorded {
            commands: encoder.finish(),
            device: [input, work, meta],
            staging,
            readback,
            outputs: layout.bases.iter().map(|base| base.output).collect(),
            bytes_down: layout.outputs + if stopwatch.is_some() { TIMES } else { 0 },
            stopwatch,
            bytes_up: meta_bytes + table_bytes,
        })
    }
}

/// What a stage needs that was not there before.
fn copy(encoder: &mut CommandEncoder, layout: &Layout, programs: &[&Program], stage: u32, input: &Buffer) {
    for (program, base) in programs.iter().zip(&layout.bases) {
        for copied in program.copies.iter().filter(|copied| copied.stage == stage) {
            let to = base.input + copied.input;
            encoder.copy_buffer_to_buffer(&program.staging, copied.staging, input, to, copied.len);
        }
    }
}

fn bind(device: &Device, layout: &Layout, [meta, input, work, tables]: [&Buffer; 4]) -> wgpu::BindGroup {
    let part = |buffer, offset, size: u64| {
        BindingResource::Buffer(BufferBinding { buffer, offset, size: BufferSize::new(size) })
    };
    let params = layout.params_at();
    let resources = [
        part(meta, 0, size_of::<Dispatch>() as u64),
        part(meta, params, 4 * layout.meta.len() as u64 - params),
        part(input, 0, layout.input.max(4)),
        part(work, 0, layout.work),
        part(tables, 0, tables.size().min(device.largest_binding)),
    ];
    let mut binding = 0;
    let entries = resources.map(|resource| {
        binding += 1;
        BindGroupEntry { binding: binding - 1, resource }
    });
    device.device.create_bind_group(&BindGroupDescriptor { label: None, layout: &device.layout, entries: &entries })
}
