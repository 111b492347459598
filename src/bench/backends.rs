//! Who does the work.

use crate::backend::{Backend as _, BackendError, CpuBackend, NeverCancelled};
use crate::image::{Form, Picture};
use crate::ops::Step;

#[cfg(feature = "gpu")]
use crate::backend::GpuBackend;
#[cfg(feature = "gpu")]
use crate::backend::gpu::{GpuStats, Wanted, hardware_may_be_there};

use super::measure::Measured;
use super::report::GpuShare;
use super::{BenchError, Options};

/// The CPU or a GPU.
pub(super) enum Worker<'a> {
    Cpu,
    #[cfg(feature = "gpu")]
    Gpu(&'a Gpu),
    /// There is none without the feature.
    #[cfg(not(feature = "gpu"))]
    #[allow(dead_code, reason = "keeps the lifetime that the other build needs")]
    Gpu(std::convert::Infallible, std::marker::PhantomData<&'a ()>),
}

/// A picture, and whether the CPU had to make it in the GPU's place.
pub(super) struct Made {
    pub(super) picture: Picture,
    pub(super) fell_back: bool,
}

#[cfg(feature = "gpu")]
pub(super) struct Gpu {
    backend: GpuBackend,
    /// Bytes a second.
    copy_bandwidth: Option<f64>,
}

#[cfg(feature = "gpu")]
pub(super) struct Gpus(Vec<Gpu>);

#[cfg(not(feature = "gpu"))]
pub(super) struct Gpus;

#[cfg(not(feature = "gpu"))]
impl Gpus {
    pub(super) fn open(options: &Options) -> Result<Self, BenchError> {
        let wanted = options.gpu == Some(true) || options.adapter.is_some();
        if wanted { Err(BenchError::NoGpu(" in a program without the gpu feature".to_owned())) } else { Ok(Self) }
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Worker<'_>> {
        std::iter::empty()
    }
}

#[cfg(feature = "gpu")]
impl Gpus {
    /// Opens those that are wanted.
    pub(super) fn open(options: &Options) -> Result<Self, BenchError> {
        let Some(software) = options.gpu else { return Ok(Self(Vec::new())) };
        // Whoever names an adapter means it.
        let software = software || options.adapter.is_some();
        if !software && !hardware_may_be_there() {
            return Ok(Self(Vec::new()));
        }
        let wanted = Wanted { adapter: options.adapter.clone(), software, ..Wanted::default() };
        let opened: Vec<_> = GpuBackend::open_all(&wanted)
            .into_iter()
            .map(|backend| Gpu { copy_bandwidth: backend.measure_copy_bandwidth(), backend })
            .collect();
        if opened.is_empty() && software {
            let which = options.adapter.as_deref().map_or(String::new(), |name| format!(" called {name}"));
            return Err(BenchError::NoGpu(which));
        }
        Ok(Self(opened))
    }

    pub(super) fn each(&self) -> impl Iterator<Item = Worker<'_>> {
        self.0.iter().map(Worker::Gpu)
    }
}

/// Figures of a GPU at one moment.
#[cfg(feature = "gpu")]
pub(super) type Stats = GpuStats;
#[cfg(not(feature = "gpu"))]
pub(super) type Stats = ();

impl Worker<'_> {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Cpu => "cpu".to_owned(),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => format!("{} {}", gpu.backend.name(), gpu.backend.adapter().name),
            #[cfg(not(feature = "gpu"))]
            Self::Gpu(never, _) => match *never {},
        }
    }

    /// Does the steps; what a GPU does not do, the CPU does, as in the server.
    pub(super) fn run(&self, picture: Picture, steps: &[Step], form: Form) -> Result<Made, BackendError> {
        #[cfg(feature = "gpu")]
        if let Self::Gpu(gpu) = self
            && !steps.is_empty()
            && let Ok(made) = gpu.backend.attempt(&picture, &[], (steps, form), &NeverCancelled)
        {
            return Ok(Made { picture: made.picture, fell_back: false });
        }
        let picture = CpuBackend.run_to(picture, &[], steps, form, &NeverCancelled)?;
        Ok(Made { picture, fell_back: !matches!(self, Self::Cpu) && !steps.is_empty() })
    }

    pub(super) fn stats(&self) -> Option<Stats> {
        match self {
            Self::Cpu => None,
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => Some(gpu.backend.stats()),
            #[cfg(not(feature = "gpu"))]
            Self::Gpu(never, _) => match *never {},
        }
    }

    /// What the GPU did since `before`.
    #[cfg(feature = "gpu")]
    pub(super) fn share(&self, before: Option<&Stats>, measured: &Measured) -> Option<GpuShare> {
        let (Self::Gpu(gpu), Some(before)) = (self, before) else { return None };
        let after = gpu.backend.stats();
        let pictures = after.pictures.saturating_sub(before.pictures) as f64;
        let a_picture = |after: u64, before: u64| if pictures > 0.0 { (after - before) as f64 / pictures } else { 0.0 };
        let busy = after.busy.zip(before.busy).map(|(after, before)| (after - before).as_secs_f64());
        let moved = (after.bytes_touched - before.bytes_touched) as f64;
        let passes = busy.filter(|&busy| busy > 0.0).map(|busy| moved / busy);
        Some(GpuShare {
            fell_back: measured.fell_back,
            pictures_per_submission: pictures / (after.submissions - before.submissions).max(1) as f64,
            bytes_up: a_picture(after.bytes_up, before.bytes_up),
            bytes_down: a_picture(after.bytes_down, before.bytes_down),
            submit_us: a_picture(after.submitting.as_nanos() as u64, before.submitting.as_nanos() as u64) / 1e3,
            busy_share: busy.map(|busy| busy / measured.wall),
            pass_bandwidth: passes,
            copy_bandwidth: gpu.copy_bandwidth,
            bandwidth_share: passes.zip(gpu.copy_bandwidth).map(|(passes, copy)| passes / copy),
        })
    }

    #[cfg(not(feature = "gpu"))]
    pub(super) fn share(&self, _: Option<&Stats>, _: &Measured) -> Option<GpuShare> {
        None
    }
}
