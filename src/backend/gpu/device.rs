//! A device with its pipelines, and whether it still lives.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;

use crate::backend::BackendError;
use crate::telemetry::events;

use super::fate::{Cause, Fate};
use super::holds::{Hold, Holds, Turns};
use super::pool::{Accounts, Pool};
use super::recipe::Limits;
use super::shaders::Shader;
use super::shortage::was_asked;
use super::timer::Timer;

/// Bytes of everything that a job needs, and bytes that may lie idle; a larger picture goes to the CPU.
const JOB_BYTES: u64 = 1 << 30;
const IDLE_BYTES: u64 = 1 << 30;
/// Parts of a bounded device memory, one of which the input of a batch may take, and one its work memory: three batches
/// are in flight, and buffers are up to half as large again as what is in them.
pub(super) const SHARES: u64 = 10;
/// What a batch may waste of a binding by aligning its parts.
const SLACK: u64 = 64 << 10;

/// One life of a device: made, used, lost.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) limits: Limits,
    /// Bytes of the largest binding.
    pub(super) largest_binding: u64,
    /// Most workgroups of a dimension.
    pub(super) workgroups: u32,
    pub(super) pool: Pool,
    pub(super) timer: Option<Timer>,
    /// Of each shader, from work memory and from the input.
    pipelines: Vec<[wgpu::ComputePipeline; 2]>,
    fate: Arc<Fate>,
    holds: Arc<Holds>,
    turns: Arc<Turns>,
    /// Whether its thread was asked for a sign and gave none yet.
    pub(super) asked: AtomicBool,
    /// When it was made, and milliseconds from then on until its thread last showed that it goes on.
    begun: Instant,
    sign: AtomicU64,
}

/// Why there is no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub(super) String);

impl Device {
    /// Opens a device and compiles every shader. Bindings are kept below `largest_binding` bytes.
    pub(super) fn open(adapter: &wgpu::Adapter, largest_binding: u64, accounts: &Accounts) -> Result<Self, OpenError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("phasor"),
            required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: adapter.limits(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .now_or_never()
            .ok_or_else(|| OpenError("the driver gave no answer".into()))?
            .map_err(|e| OpenError(e.to_string()))?;
        Self::new(device, queue, largest_binding, accounts)
    }

    fn new(
        device: wgpu::Device,
        queue: wgpu::Queue,
        largest_binding: u64,
        accounts: &Accounts,
    ) -> Result<Self, OpenError> {
        let fate: Arc<Fate> = Arc::default();
        let theirs = Arc::clone(&fate);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            // After a loss every call complains; the first complaint is the one that tells something.
            let cause = match error {
                wgpu::Error::OutOfMemory { .. } if was_asked() => return,
                wgpu::Error::OutOfMemory { .. } => Cause::Memory,
                wgpu::Error::Validation { .. } => Cause::Refused,
                wgpu::Error::Internal { .. } => Cause::Lost,
            };
            if theirs.end(cause) {
                events::gpu_complained(&error.to_string());
            }
        }));
        let theirs = Arc::clone(&fate);
        device.set_device_lost_callback(move |reason, message| {
            if theirs.end(Cause::Lost) {
                events::gpu_complained(&format!("device lost ({reason:?}) {message}"));
            }
        });
        let layout = bind_group_layout(&device);
        let pipelines = pipelines(&device, &layout);
        let offered = device.limits();
        let largest = offered.max_storage_buffer_binding_size.min(offered.max_buffer_size);
        let binding = largest.min(largest_binding).saturating_sub(SLACK).max(SLACK);
        let turns: Arc<Turns> = Arc::default();
        let made = Self {
            limits: Limits {
                binding,
                // As many as are in flight at once fit into what there may be on the device.
                job: JOB_BYTES.min(offered.max_buffer_size).min(accounts.device.total() / SHARES),
            },
            largest_binding: largest,
            workgroups: offered.max_compute_workgroups_per_dimension,
            pool: Pool::new(accounts.clone(), IDLE_BYTES, offered.max_buffer_size, Arc::clone(&turns)),
            timer: Timer::new(&device, &queue),
            device,
            queue,
            layout,
            pipelines,
            fate,
            holds: Arc::default(),
            turns,
            asked: AtomicBool::new(false),
            begun: Instant::now(),
            sign: AtomicU64::new(0),
        };
        if made.is_lost() { Err(OpenError("a shader was refused".into())) } else { Ok(made) }
    }

    pub(super) fn pipeline(&self, shader: Shader, from_input: bool) -> &wgpu::ComputePipeline {
        &self.pipelines[shader as usize][usize::from(from_input)]
    }

    /// Whether anything went wrong: then nothing that it computed is believed.
    pub(super) fn is_lost(&self) -> bool {
        self.fate.is_sealed()
    }

    /// To be held while mapped memory is read or written; `None` when nothing is mapped any more.
    pub(super) fn hold(&self) -> Option<Hold> {
        self.holds.hold()
    }

    /// Submits, unless the device is lost: then its memory may be freed only when nobody holds it.
    pub(super) fn submit(&self, commands: wgpu::CommandBuffer) -> Option<wgpu::SubmissionIndex> {
        self.call(|| self.queue.submit([commands]))
    }

    /// Polls, unless the device is lost; whether what was waited for was reached.
    pub(super) fn poll(&self, how: wgpu::PollType) -> bool {
        self.call(|| self.device.poll(how).is_ok()).unwrap_or(false)
    }

    /// Calls the driver, unless the device is lost. wgpu panics where a driver says in a call that the device is lost, or
    /// says something that wgpu has no word for: then it is lost.
    pub(super) fn call<T>(&self, call: impl FnOnce() -> T) -> Option<T> {
        self.turns.poll(|| {
            if self.is_lost() {
                return None;
            }
            let called = catch_unwind(AssertUnwindSafe(call));
            if called.is_err() {
                events::gpu_complained("a call to the driver panicked");
                self.give_up(Cause::Lost);
            }
            called.ok()
        })
    }

    /// Its thread goes on.
    pub(super) fn show_sign(&self) {
        self.sign.store(self.begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// How long its thread has shown no sign of going on.
    pub(super) fn silence(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.sign.load(Ordering::Relaxed)))
    }

    /// Destroys what is left, once nobody holds any of it. A driver may wait here for work that hangs, or not come back.
    /// Whether it was done; if not, everything must stay as it is.
    pub(super) fn destroy(&self, within: Duration) -> bool {
        self.give_up(Cause::Lost);
        if !self.holds.close(within) {
            return false;
        }
        let destroy = || {
            self.device.destroy();
            // This calls back whoever waits for something of this device, and frees its memory.
            self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(within) }).is_ok()
        };
        // Where the driver says again that it is lost, nothing is in use any more.
        catch_unwind(AssertUnwindSafe(destroy)).unwrap_or(true)
    }

    /// Gives the device up.
    pub(super) fn give_up(&self, cause: Cause) {
        self.fate.end(cause);
    }

    /// What those who wait are told: why the device is no more.
    pub(super) fn told(&self) -> BackendError {
        self.fate.told()
    }

    /// Does not come back for so long, as in a driver.
    pub(super) fn stick(&self, about: Duration) {
        self.turns.poll(|| std::thread::sleep(about));
    }

    /// Panics in a call, as wgpu does.
    pub(super) fn panic(&self) {
        self.call(|| panic!("on purpose"));
    }
}

/// As `shaders/lib/batch.wgsl` says: what is dispatched, all parameters, input, work memory, tables.
fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = |binding, ty, has_dynamic_offset| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None },
        count: None,
    };
    let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &[
            entry(0, wgpu::BufferBindingType::Uniform, true),
            entry(1, storage(true), false),
            entry(2, storage(true), false),
            entry(3, storage(false), false),
            entry(4, storage(true), false),
        ],
    })
}

fn pipelines(device: &wgpu::Device, layout: &wgpu::BindGroupLayout) -> Vec<[wgpu::ComputePipeline; 2]> {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    let mut modules: Vec<(&str, wgpu::ShaderModule)> = Vec::new();
    Shader::ALL
        .into_iter()
        .map(|shader| {
            let source = shader.source();
            let known = modules.iter().find(|(text, _)| *text == source).map(|(_, module)| module.clone());
            let module = known.unwrap_or_else(|| {
                let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                    label: Some(shader.entry()),
                    source: wgpu::ShaderSource::Wgsl(source.into()),
                });
                modules.push((source, module.clone()));
                module
            });
            [false, true].map(|from_input| {
                device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(shader.entry()),
                    layout: Some(&layout),
                    module: &module,
                    entry_point: Some(shader.entry()),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: Shader::constants(from_input),
                        // There is no workgroup memory.
                        zero_initialize_workgroup_memory: false,
                    },
                    cache: None,
                })
            })
        })
        .collect()
}
