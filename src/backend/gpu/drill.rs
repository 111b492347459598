//! Failures on purpose, as a driver would make them.

use std::time::{Duration, Instant};

use wgpu::{BindGroupDescriptor, BindGroupEntry, CommandEncoderDescriptor, ComputePassDescriptor, PollType};

use super::device::Device;
use super::pool::{Lent, Use};

/// Checked by the tests of `shaders.rs`.
pub(super) const SOURCE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/drill.wgsl"));
/// Turns of an invocation; drivers that compute on the CPU end a loop after 65 535.
const TURNS: u32 = 30_000;
/// What a trial must take for its time to tell something.
const TRIAL: Duration = Duration::from_millis(20);

/// Gives the device a shader that runs for about so long, before whatever is submitted next.
pub(super) fn hang(device: &Device, about: Duration) {
    let Some(spinner) = Spinner::new(device) else { return };
    // What a driver compiles it compiles now.
    spinner.spin(1);
    device.poll(PollType::wait_indefinitely());
    let (mut groups, mut took) = (1, Duration::ZERO);
    while took < TRIAL && groups < 1 << 30 && !device.is_lost() {
        groups *= 2;
        let begun = Instant::now();
        spinner.spin(groups);
        device.poll(PollType::wait_indefinitely());
        took = begun.elapsed();
    }
    spinner.spin((about.as_secs_f64() / took.as_secs_f64().max(1e-6) * f64::from(groups)).min(4e9) as u32);
}

struct Spinner<'a> {
    device: &'a Device,
    pipeline: wgpu::ComputePipeline,
    state: Lent,
}

impl<'a> Spinner<'a> {
    fn new(device: &'a Device) -> Option<Self> {
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
        let state = device.pool.take(gpu, Use::Device, 8)?;
        device.queue.write_buffer(&state, 0, bytemuck::cast_slice(&[1, TURNS]));
        Some(Self { device, pipeline, state })
    }

    fn spin(&self, groups: u32) {
        let Device { device, workgroups, .. } = self.device;
        let whole = wgpu::BufferBinding { buffer: &self.state, offset: 0, size: wgpu::BufferSize::new(8) };
        let group = device.create_bind_group(&BindGroupDescriptor {
            label: None,
            layout: &self.pipeline.get_bind_group_layout(0),
            entries: &[BindGroupEntry { binding: 0, resource: wgpu::BindingResource::Buffer(whole) }],
        });
        let mut encoder = device.create_command_encoder(&CommandEncoderDescriptor::default());
        let mut pass = encoder.begin_compute_pass(&ComputePassDescriptor::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &group, &[]);
        let across = groups.min(*workgroups);
        pass.dispatch_workgroups(across, groups.div_ceil(across).min(*workgroups), 1);
        drop(pass);
        self.device.submit(encoder.finish());
    }
}

/// Submits a copy to beyond the end of a buffer.
pub(super) fn invalid(device: &Device) {
    let take = || device.pool.take(&device.device, Use::Device, 4096);
    let (Some(from), Some(to)) = (take(), take()) else { return };
    let mut encoder = device.device.create_command_encoder(&CommandEncoderDescriptor::default());
    encoder.copy_buffer_to_buffer(&from, 0, &to, to.size(), 4096);
    device.submit(encoder.finish());
}

/// Takes buffers of the largest size until there is no memory for one.
pub(super) fn exhaust(device: &Device) {
    let descriptor = wgpu::BufferDescriptor {
        label: Some("drill"),
        size: device.device.limits().max_buffer_size,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    };
    let mut taken = Vec::new();
    while !device.is_lost() && taken.len() < 1000 {
        taken.push(device.device.create_buffer(&descriptor));
    }
}
