//! Programs → commands: everything of a batch in one submission.

use wgpu::{BindGroupDescriptor, BindGroupEntry, BindingResource, Buffer, BufferBinding, CommandBuffer};

use super::device::Device;
use super::pool::Use;
use super::recipe::INPUT;
use super::staging::Program;

/// The buffers that a program uses while the device works on it.
#[derive(Debug)]
pub(super) struct Held {
    /// Seen by shaders; free when the result is there.
    pub(super) device: Vec<Buffer>,
    /// To be read by whoever waits.
    pub(super) readback: Buffer,
}

/// Records all programs, stage by stage, so that passes that do not depend on each other lie side by side.
pub(super) fn record(device: &Device, programs: &[&Program]) -> (CommandBuffer, Vec<Held>) {
    let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    let take = |usage, bytes| device.pool.take(&device.device, usage, bytes);
    let mut held = Vec::with_capacity(programs.len());
    for program in programs {
        let mut buffers: Vec<_> = program.buffers.iter().map(|&bytes| take(Use::Device, bytes)).collect();
        let extra = take(Use::Device, program.extra);
        let picture = program.buffers[INPUT];
        encoder.copy_buffer_to_buffer(&program.staging, 0, &buffers[INPUT], 0, picture);
        encoder.copy_buffer_to_buffer(&program.staging, picture, &extra, 0, program.extra.next_multiple_of(4));
        buffers.push(extra);
        held.push(Held { device: buffers, readback: take(Use::Readback, program.bytes_down()) });
    }
    {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        let stages = programs.iter().map(|program| program.passes.len()).max().unwrap_or(0);
        for stage in 0..stages {
            for (program, held) in programs.iter().zip(&held) {
                let Some(step) = program.passes.get(stage) else { continue };
                let group = bind(device, program, held, stage);
                pass.set_pipeline(device.pipeline(step.shader));
                pass.set_bind_group(0, &group, &[]);
                pass.dispatch_workgroups(step.workgroups[0], step.workgroups[1], 1);
            }
        }
    }
    for (program, held) in programs.iter().zip(&held) {
        let result = &held.device[program.output.slot];
        encoder.copy_buffer_to_buffer(result, 0, &held.readback, 0, program.bytes_down());
    }
    (encoder.finish(), held)
}

fn bind(device: &Device, program: &Program, held: &Held, stage: usize) -> wgpu::BindGroup {
    let step = &program.passes[stage];
    let extra = &held.device[program.buffers.len()];
    let part = |buffer, offset, size: u64| {
        BindingResource::Buffer(BufferBinding { buffer, offset, size: wgpu::BufferSize::new(size) })
    };
    let slot = |slot: usize| part(&held.device[slot], 0, program.buffers[slot]);
    let resources = [
        part(extra, program.params[stage], step.params.bytes().len() as u64),
        slot(step.src),
        slot(step.dst),
        part(extra, 0, program.tables),
    ];
    let entries: [BindGroupEntry<'_>; 4] = {
        let mut binding = 0;
        resources.map(|resource| {
            binding += 1;
            BindGroupEntry { binding: binding - 1, resource }
        })
    };
    device.device.create_bind_group(&BindGroupDescriptor { label: None, layout: &device.layout, entries: &entries })
}
