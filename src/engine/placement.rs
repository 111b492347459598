//! CPU or GPU: whichever is predicted to be done first; and the CPU whenever a GPU gives no picture.

#[cfg(feature = "gpu")]
mod model;

use std::time::Duration;

use crate::backend::{Backend, BackendError, Checkpoint, CpuBackend};
use crate::image::{Form, ImageBuf, Picture};
use crate::ops::Step;
#[cfg(feature = "gpu")]
use crate::telemetry::events;
use crate::telemetry::events::GpuFigures;

#[cfg(feature = "gpu")]
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "gpu")]
use std::time::Instant;

#[cfg(feature = "gpu")]
use crate::backend::{GpuBackend, gpu::GpuPicture};
#[cfg(feature = "gpu")]
use model::Model;

/// When a GPU is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GpuMode {
    /// Never.
    #[default]
    Off,
    /// When there is a real one and it is predicted to be faster.
    Auto,
    /// Whenever it can do the steps, be it faster or not, be it real or not.
    On,
}

/// Settings of the GPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GpuConfig {
    /// When.
    pub mode: GpuMode,
    /// Which: a part of a name or a place in the list; `None`: all.
    pub adapter: Option<String>,
}

/// Where the steps of a job were done, and what was expected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Placed {
    /// The place of the adapter in the list; `None`: the CPU.
    pub gpu: Option<usize>,
    /// Whether a GPU was tried first and gave no picture.
    pub fell_back: bool,
    /// Predicted time on the CPU; zero when nothing was predicted.
    pub cpu_estimate: Duration,
    /// Predicted time on the best GPU, waiting included; `None`: there is none, or it cannot do these steps.
    pub gpu_estimate: Option<Duration>,
    /// Bytes that went to the GPU and came back.
    pub bytes_up: u64,
    /// The latter.
    pub bytes_down: u64,
    /// How long the GPU let the job wait until it began.
    pub device_wait: Duration,
}

/// The backends.
#[derive(Debug)]
pub(super) struct Placement {
    #[cfg(feature = "gpu")]
    mode: GpuMode,
    #[cfg(feature = "gpu")]
    gpus: Vec<Gpu>,
    #[cfg(feature = "gpu")]
    cpu: Model,
    #[cfg(feature = "gpu")]
    decisions: AtomicU64,
}

/// The CPU alone.
#[cfg(not(feature = "gpu"))]
impl Placement {
    pub(super) fn new(config: &GpuConfig) -> std::io::Result<Self> {
        if config.mode == GpuMode::On {
            return Err(std::io::Error::other("--gpu on: this program was built without the gpu feature"));
        }
        Ok(Self {})
    }

    pub(super) fn run(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        (steps, form): (&[Step], Form),
        checkpoint: &dyn Checkpoint,
    ) -> Result<(Picture, Placed), BackendError> {
        Ok((CpuBackend.run_to(picture, overlays, steps, form, checkpoint)?, Placed::default()))
    }

    pub(super) fn lose_devices(&self) {}

    pub(super) fn each(&self) -> Vec<GpuFigures> {
        Vec::new()
    }
}

#[cfg(feature = "gpu")]
#[derive(Debug)]
struct Gpu {
    backend: GpuBackend,
    model: Model,
    /// Work that waits or is being done.
    pending: AtomicU64,
}

/// So many decisions go by until one goes against the prediction, to see whether it still holds.
#[cfg(feature = "gpu")]
const DOUBT: u64 = 512;

#[cfg(feature = "gpu")]
impl Placement {
    /// Opens the adapters and measures them and the CPU.
    ///
    /// # Errors
    /// When a GPU must be used and there is none.
    pub(super) fn new(config: &GpuConfig) -> std::io::Result<Self> {
        use crate::backend::gpu::{Wanted, hardware_may_be_there};
        let wanted =
            Wanted { adapter: config.adapter.clone(), software: config.mode == GpuMode::On, ..Wanted::default() };
        let ask = match config.mode {
            GpuMode::Off => false,
            GpuMode::Auto => hardware_may_be_there(),
            GpuMode::On => true,
        };
        let opened = if ask { GpuBackend::open_all(&wanted) } else { Vec::new() };
        if opened.is_empty() && config.mode == GpuMode::On {
            let which = config.adapter.as_deref().map_or(String::new(), |name| format!(" called {name}"));
            return Err(std::io::Error::other(format!("--gpu on: there is no GPU{which}; see phasor gpus")));
        }
        let mut gpus = Vec::new();
        for backend in opened {
            let Some(model) = Model::measured(|p, steps, never| backend.run(p, &[], steps, never)) else {
                events::gpu_unfit(&backend.adapter().name);
                continue;
            };
            let report = backend.adapter();
            events::gpu_opened(report.index, &report.name, &report.driver, report.software);
            gpus.push(Gpu { backend, model, pending: AtomicU64::new(0) });
        }
        let measured = |p, steps: &[Step], never: &dyn Checkpoint| CpuBackend.run(p, &[], steps, never);
        let cpu = if gpus.is_empty() { None } else { Model::measured(measured) };
        Ok(Self { mode: config.mode, gpus, cpu: cpu.unwrap_or_default(), decisions: AtomicU64::new(0) })
    }

    /// Does the steps wherever it is predicted to be fastest.
    pub(super) fn run(
        &self,
        picture: Picture,
        overlays: &[ImageBuf],
        (steps, form): (&[Step], Form),
        checkpoint: &dyn Checkpoint,
    ) -> Result<(Picture, Placed), BackendError> {
        if self.gpus.is_empty() || steps.is_empty() {
            return Ok((CpuBackend.run_to(picture, overlays, steps, form, checkpoint)?, Placed::default()));
        }
        let work = model::work(&picture, steps);
        let best = self
            .gpus
            .iter()
            .filter(|gpu| gpu.backend.takes(&picture, overlays, steps))
            .map(|gpu| (gpu.model.predict(work, gpu.pending.load(Ordering::Relaxed)), gpu))
            .min_by_key(|(estimate, _)| *estimate);
        let mut placed = Placed {
            cpu_estimate: self.cpu.predict(work, 0),
            gpu_estimate: best.map(|(estimate, _)| estimate),
            ..Placed::default()
        };
        if let Some((estimate, gpu)) = best
            && self.prefers_gpu(estimate, placed.cpu_estimate)
        {
            let waiting = gpu.pending.fetch_add(work, Ordering::Relaxed);
            let begun = Instant::now();
            let made = gpu.backend.attempt(&picture, overlays, (steps, form), checkpoint);
            gpu.pending.fetch_sub(work, Ordering::Relaxed);
            match made {
                Ok(GpuPicture { picture, bytes_up, bytes_down, waited }) => {
                    gpu.model.observe(work, waiting, begun.elapsed());
                    placed.device_wait = waited;
                    (placed.bytes_up, placed.bytes_down) = (bytes_up, bytes_down);
                    placed.gpu = Some(gpu.backend.adapter().index);
                    events::placed("gpu");
                    return Ok((picture, placed));
                }
                Err(BackendError::Cancelled) => return Err(BackendError::Cancelled),
                Err(error) => {
                    let reason = match error {
                        BackendError::Impossible(_) => "unsupported",
                        BackendError::Cancelled | BackendError::DeviceLost => "device_lost",
                    };
                    events::gpu_fell_back(reason, &error.to_string());
                    placed.fell_back = true;
                }
            }
        }
        let begun = Instant::now();
        let made = CpuBackend.run_to(picture, overlays, steps, form, checkpoint)?;
        self.cpu.observe(work, 0, begun.elapsed());
        events::placed("cpu");
        Ok((made, placed))
    }

    fn prefers_gpu(&self, gpu: Duration, cpu: Duration) -> bool {
        if self.mode == GpuMode::On {
            return true;
        }
        let faster = gpu < cpu;
        let close = gpu.max(cpu) < gpu.min(cpu) * 3;
        // Now and then the other one is asked, or a wrong prediction would never be corrected.
        if close && self.decisions.fetch_add(1, Ordering::Relaxed) % DOUBT == DOUBT - 1 { !faster } else { faster }
    }

    /// Destroys every device as a driver's reset would.
    pub(super) fn lose_devices(&self) {
        for gpu in &self.gpus {
            gpu.backend.lose_device();
        }
    }

    /// What each GPU did.
    pub(super) fn each(&self) -> Vec<GpuFigures> {
        let of = |gpu: &Gpu| {
            let stats = gpu.backend.stats();
            GpuFigures {
                adapter: gpu.backend.adapter().index,
                devices: u64::from(stats.alive),
                losses: stats.losses,
                submissions: stats.submissions,
                pictures: stats.pictures,
                bytes_up: stats.bytes_up,
                bytes_down: stats.bytes_down,
                busy: stats.busy,
            }
        };
        self.gpus.iter().map(of).collect()
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::backend::NeverCancelled;
    use crate::image::{PixelFormat, Size};
    use crate::ops::{Filter, Sigma};

    fn placement(mode: GpuMode) -> Option<Placement> {
        let made = Placement::new(&GpuConfig { mode, adapter: None });
        if made.is_err() {
            assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "{made:?}");
            eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
        }
        made.ok()
    }

    /// The first GPU's.
    fn figures(placement: &Placement) -> GpuFigures {
        placement.each().first().copied().unwrap_or_default()
    }

    #[allow(clippy::unwrap_used, reason = "the pixels are of that size")]
    fn noise(width: u32, height: u32) -> Picture {
        let size = Size::at_least_one(width, height);
        let pixels = (0..ImageBuf::byte_len(size, PixelFormat::Rgb8)).map(|i| (i * i / 97 + i) as u8).collect();
        ImageBuf::new(size, PixelFormat::Rgb8, pixels).unwrap().into()
    }

    fn shrink() -> Vec<Step> {
        vec![Step::Resample { to: Size::at_least_one(99, 70), filter: Filter::Lanczos3 }, Step::Gray]
    }

    #[test]
    fn off_predicts_nothing_and_uses_the_cpu() {
        let placement = placement(GpuMode::Off).unwrap();
        let (_, placed) = placement.run(noise(300, 200), &[], (&shrink(), Form::Packed), &NeverCancelled).unwrap();
        assert_eq!(placed, Placed::default());
        assert_eq!(placement.each(), []);
    }

    #[test]
    fn a_name_that_no_adapter_has_is_an_error_only_where_a_gpu_must_be_used() {
        let named = |mode| Placement::new(&GpuConfig { mode, adapter: Some("no such adapter".into()) });
        assert!(named(GpuMode::On).unwrap_err().to_string().contains("no such adapter"));
        assert!(named(GpuMode::Auto).unwrap().gpus.is_empty());
    }

    #[test]
    fn on_uses_the_gpu_for_what_it_can_do_and_the_cpu_for_the_rest() {
        let Some(placement) = placement(GpuMode::On) else { return };
        let (_, placed) = placement.run(noise(300, 200), &[], (&shrink(), Form::Packed), &NeverCancelled).unwrap();
        assert!(placed.gpu.is_some() && placed.gpu_estimate.is_some() && placed.cpu_estimate > Duration::ZERO);
        let smart = [Step::SmartCrop { to: Size::at_least_one(50, 50) }];
        let (_, placed) = placement.run(noise(300, 200), &[], (&smart, Form::Packed), &NeverCancelled).unwrap();
        assert!(placed.gpu.is_none() && placed.gpu_estimate.is_none() && !placed.fell_back);
        assert!(figures(&placement).pictures > 0 && figures(&placement).bytes_up > 180_000);
    }

    /// The device is destroyed again and again under load: no job fails, none gives another picture.
    #[test]
    fn no_job_notices_that_its_device_is_lost() {
        let Some(placement) = placement(GpuMode::On) else { return };
        let mut steps = shrink();
        steps.push(Step::Blur(Sigma::new(2.0).unwrap()));
        let expected = CpuBackend.run(noise(600, 400), &[], &steps, &NeverCancelled).unwrap();
        let (stop, on_gpu, fell_back) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let work = (steps.as_slice(), Form::Packed);
                        let (made, placed) = placement.run(noise(600, 400), &[], work, &NeverCancelled).unwrap();
                        let Picture::Packed(made) = made else { panic!("planes") };
                        let apart = made.pixels().iter().zip(expected.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
                        assert!(apart <= Some(2), "{apart:?}");
                        on_gpu.fetch_add(u64::from(placed.gpu.is_some()), Ordering::Relaxed);
                        fell_back.fetch_add(u64::from(placed.fell_back), Ordering::Relaxed);
                    }
                });
            }
            let begun = Instant::now();
            let mut before = u64::MAX;
            let mut losses = 0;
            while losses < 4 && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(50));
                // Only a device that has worked is worth destroying.
                let done = on_gpu.load(Ordering::Relaxed);
                if figures(&placement).devices == 1 && done != before && losses == figures(&placement).losses {
                    before = done;
                    placement.gpus[0].backend.lose_device();
                    while figures(&placement).losses == losses && begun.elapsed() < Duration::from_secs(60) {
                        std::thread::sleep(Duration::from_millis(2));
                    }
                    losses += 1;
                }
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(figures(&placement).losses, 4);
        assert!(on_gpu.load(Ordering::Relaxed) > 0 && fell_back.load(Ordering::Relaxed) > 0);
    }
}
