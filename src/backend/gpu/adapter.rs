//! The adapters of a machine, and which of them may serve.

use std::time::Duration;

use futures_util::FutureExt as _;

use crate::budget::MemoryBudget;

/// What a person needs to know of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterReport {
    /// Its place in the list, as `--gpu-adapter` takes it.
    pub index: usize,
    /// As the driver calls it.
    pub name: String,
    /// `vulkan`, `metal`.
    pub api: String,
    /// Driver and its version.
    pub driver: String,
    /// Whether the adapter computes on the CPU.
    pub software: bool,
    /// Largest buffer as a shader sees it, in bytes.
    pub max_binding: u64,
    /// Largest buffer, in bytes.
    pub max_buffer: u64,
    /// Invocations of a workgroup.
    pub max_invocations: u32,
}

/// All adapters, in the order of the drivers. Empty when there is no driver.
pub fn adapters() -> Vec<AdapterReport> {
    found().iter().enumerate().map(|(index, adapter)| report(index, adapter)).collect()
}

/// Whether this machine may have a real GPU: on Linux each has a device file, elsewhere only the drivers know. Asking
/// the drivers loads them, software ones too, which costs some 50 MB that a server without a GPU has no use for.
pub fn hardware_may_be_there() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let named = |dir: &str, prefix: &str| {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).any(|name| name.to_string_lossy().starts_with(prefix))
    };
    // Kernel drivers with a render node; NVIDIA's, whose files also come alone in containers; WSL.
    named("/dev/dri", "renderD") || named("/dev", "nvidia") || named("/dev", "dxg")
}

/// Every adapter of every API that was built in.
pub(super) fn found() -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL;
    // Validation layers cost half the speed; wgpu's own checks stay on in every build.
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    // Outside browsers these futures are ready at once.
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::all()).now_or_never().unwrap_or_default();
    adapters
        .retain(|adapter| adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS));
    adapters
}

pub(super) fn report(index: usize, adapter: &wgpu::Adapter) -> AdapterReport {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    AdapterReport {
        index,
        software: info.device_type == wgpu::DeviceType::Cpu,
        name: info.name,
        api: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        max_binding: limits.max_storage_buffer_binding_size,
        max_buffer: limits.max_buffer_size,
        max_invocations: limits.max_compute_invocations_per_workgroup,
    }
}

/// Whether the device's memory is the host's.
pub(super) fn is_unified(adapter: &wgpu::Adapter) -> bool {
    !matches!(adapter.get_info().device_type, wgpu::DeviceType::DiscreteGpu | wgpu::DeviceType::VirtualGpu)
}

/// Which adapters to use.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Part of a name, in any case, or a place in the list; `None`: any.
    pub adapter: Option<String>,
    /// Also adapters that compute on the CPU.
    pub software: bool,
    /// Bytes of a buffer as shaders see it, if less than the adapter offers. Larger pictures go up in bands.
    pub largest_binding: Option<u64>,
    /// Bytes of device memory to use at most; `None`: as much as the work needs, some gigabytes.
    pub memory: Option<u64>,
    /// How long a submission may take before the device counts as lost; `None`: 5 s.
    pub deadline: Option<Duration>,
    /// How long opening a device may take at first before its driver counts as stuck; `None`: 15 s.
    pub opening: Option<Duration>,
    /// How long the drivers may take to say which adapters there are; `None`: as long as opening one, and 10 s at least.
    pub loading: Option<Duration>,
    /// What the host's side of buffers is charged to; device memory too where it is the host's.
    pub budget: Option<MemoryBudget>,
}

impl Wanted {
    pub(super) fn takes(&self, report: &AdapterReport) -> bool {
        let named = self.adapter.as_deref().is_none_or(|wanted| match wanted.parse::<usize>() {
            Ok(index) => index == report.index,
            Err(_) => report.name.to_lowercase().contains(&wanted.to_lowercase()),
        });
        named && (self.software || !report.software)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_are_taken_by_place_or_name_and_software_only_when_accepted() {
        let report = AdapterReport {
            index: 1,
            name: "NVIDIA H200".into(),
            api: "vulkan".into(),
            driver: String::new(),
            software: false,
            max_binding: 1,
            max_buffer: 1,
            max_invocations: 1,
        };
        let wanted = |adapter: &str| Wanted { adapter: Some(adapter.into()), ..Wanted::default() };
        assert!(Wanted::default().takes(&report));
        assert!(wanted("1").takes(&report) && wanted("h200").takes(&report));
        assert!(!wanted("0").takes(&report) && !wanted("amd").takes(&report));
        let software = AdapterReport { software: true, ..report };
        assert!(!Wanted::default().takes(&software) && !wanted("1").takes(&software));
        assert!(Wanted { software: true, ..Wanted::default() }.takes(&software));
    }
}
