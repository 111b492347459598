//! Failures on purpose, as a driver would make them.

use std::time::{Duration, Instant};

use wgpu::{BindGroupDescriptor, BindGroupEntry, CommandEncoderDescriptor, ComputePassDescriptor, PollType};

use super::device::Device;
use super::pool::Use;

/// Checked by the tests of `shaders.rs`.
pub(super) const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/drill.wgsl"));
/// Turns by which the speed is found.
const TRIAL: u32 = 1 << 22;
/// More turns would go beyond a loop's bound.
const MOST: f64 = 4e9;

/// Gives the device a shader that runs for about so long, before whatever is submitted next.
pub(super) fn hang(device: &Device, about: Duration) {
    let begun = Instant::now();
    spin(device, TRIAL);
    // A driver that is asked to wait for what it does: nothing else of the drill is measured.
    let _ = device.device.poll(PollType::wait_indefinitely());
    let turns = about.as_secs_f64() / begun.elapsed().as_secs_f64().max(1e-6) * f64::from(TRIAL);
    spin(device, turns.min(MOST) as u32);
}

fn spin(device: &Device, turns: u32) {
    let gpu = &device.device;
    let module = gpu.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("drill"),
        source: wgpu::ShaderSource::Wgsl(SOURCE.into()),
    });
    let pipeline = gpu.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("drill"),
        layout: None,
        module: &module,
        entry_point: Some("turn"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    let Some(state) = device.pool.take(gpu, Use::Device, 8) else { return };
    device.queue.write_buffer(&state, 0, bytemuck::cast_slice(&[1, turns]));
    let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer: &state,
        offset: 0,
        size: wgpu::BufferSize::new(8),
    });
    let group = gpu.create_bind_group(&BindGroupDescriptor {
        label: None,
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[BindGroupEntry { binding: 0, resource }],
    });
    let mut encoder = gpu.create_command_encoder(&CommandEncoderDescriptor::default());
    let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
    pass.set_pipeline(&pipeline);
    pass.set_bind_group(0, &group, &[]);
    pass.dispatch_workgroups(1, 1, 1);
    drop(pass);
    device.queue.submit([encoder.finish()]);
}

/// Submits a copy to beyond the end of a buffer.
pub(super) fn invalid(device: &Device) {
    let take = || device.pool.take(&device.device, Use::Device, 4096);
    let (Some(from), Some(to)) = (take(), take()) else { return };
    let mut encoder = device.device.create_command_encoder(&CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(&from, 0, &to, to.size(), 4096);
    device.queue.submit([encoder.finish()]);
}
