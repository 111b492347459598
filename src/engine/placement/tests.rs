//! Where steps are done, on whatever adapter there is, software too.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::backend::NeverCancelled;
use crate::backend::gpu::Wanted;
use crate::image::{PixelFormat, Size};
use crate::ops::{Filter, Sigma};

use super::gpu::Measured;
use super::model::Model;

fn placement(mode: GpuMode) -> Option<Arc<Placement>> {
    let made = Placement::new(&GpuConfig { mode, ..GpuConfig::default() }, &MemoryBudget::new(1 << 30)).map(Arc::new);
    if made.is_err() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "{made:?}");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
    }
    made.ok()
}

#[allow(clippy::unwrap_used, reason = "a test may end there")]
/// Begins a task and waits for its end.
fn run(placement: &Arc<Placement>, picture: Picture, steps: &[Step]) -> (Picture, Placed) {
    let task =
        Task { subject: Subject::Here(picture), overlays: Vec::new(), steps: steps.to_vec(), form: Form::Packed };
    let rest = match placement.begin(task, None) {
        Begun::Here(rest) => rest,
        Begun::Away(away) => {
            let (resumed, rest) = std::sync::mpsc::channel();
            away.then(move |rest| drop(resumed.send(rest)));
            rest.recv().unwrap()
        }
    };
    rest.finish(&NeverCancelled).unwrap()
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

/// The first GPU's.
fn figures(placement: &Placement) -> GpuFigures {
    placement.each().first().copied().unwrap_or_default()
}

#[test]
fn off_predicts_nothing_and_uses_the_cpu() {
    let placement = placement(GpuMode::Off).unwrap();
    let (_, placed) = run(&placement, noise(300, 200), &shrink());
    assert_eq!(placed, Placed::default());
    assert_eq!(placement.each(), []);
}

#[test]
fn a_name_that_no_adapter_has_is_an_error_only_where_a_gpu_must_be_used() {
    let named = |mode| {
        let config = GpuConfig { mode, adapter: Some("no such adapter".into()), ..GpuConfig::default() };
        Placement::new(&config, &MemoryBudget::new(1 << 30))
    };
    assert!(named(GpuMode::On).unwrap_err().to_string().contains("no such adapter"));
    assert!(named(GpuMode::Auto).unwrap().gpus().is_empty());
}

#[test]
fn on_uses_the_gpu_for_what_it_can_do_and_the_cpu_for_the_rest() {
    let Some(placement) = placement(GpuMode::On) else { return };
    let (_, placed) = run(&placement, noise(300, 200), &shrink());
    assert!(placed.gpu.is_some() && placed.gpu_estimate.is_some() && placed.cpu_estimate > Duration::ZERO);
    let smart = [Step::SmartCrop { to: Size::at_least_one(50, 50) }];
    let (_, placed) = run(&placement, noise(300, 200), &smart);
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
                    let (made, placed) = run(&placement, noise(600, 400), &steps);
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
                placement.drill(Drill::Loss);
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

/// An adapter that was not measured yet.
fn unmeasured(budget: Option<MemoryBudget>) -> Option<Arc<Gpu>> {
    let wanted = Wanted { adapter: Some("0".to_owned()), software: true, budget, ..Wanted::default() };
    let backend = GpuBackend::open_all(&wanted).into_iter().next();
    if backend.is_none() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
    }
    backend.map(|backend| Arc::new(Gpu::new(backend)))
}

fn is_measured_in_time(gpu: &Gpu) {
    let begun = Instant::now();
    while gpu.model.get().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", gpu.backend.stats());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A device may be lost at any time: that says nothing against its adapter.
#[test]
fn a_device_that_is_lost_while_it_is_measured_is_measured_again() {
    let Some(gpu) = unmeasured(None) else { return };
    gpu.backend.drill(Drill::Loss);
    assert_eq!(gpu.measure(), Measured::Lost);
    assert!(gpu.model.get().is_none());
    gpu.measure_later().unwrap();
    is_measured_in_time(&gpu);
}

/// Requests hold all memory while the adapter is measured beside them.
#[test]
fn an_adapter_that_gets_no_memory_is_measured_when_there_is_some() {
    let budget = MemoryBudget::new(256 << 20);
    let Some(gpu) = unmeasured(Some(budget.clone())) else { return };
    let others = budget.try_charge(budget.total() - budget.used()).unwrap();
    gpu.measure_later().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(gpu.model.get().is_none());
    drop(others);
    is_measured_in_time(&gpu);
}

/// What a decoder and the queue of the pool take is no fault of the GPU's.
#[test]
fn a_gpu_is_charged_with_neither_decoding_nor_the_wait_for_a_thread() {
    // Longer than the steps take even on a machine that is busy, shorter than the rest.
    let (steps_take, rest_takes) = (0.5, Duration::from_millis(700));
    let Some(gpu) = unmeasured(None) else { return };
    gpu.model.set(Model::constant(steps_take)).unwrap();
    let places = Places { gpus: vec![gpu], cpu: Model::default() };
    let placement = Placement { mode: GpuMode::On, places: Arc::new(places.into()), decisions: AtomicU64::new(0) };
    let placement = Arc::new(placement);
    let size = Size::at_least_one(300, 200);
    let outline = Outline::Packed { size, format: PixelFormat::Rgb8 };
    let predicted = || placement.gpus()[0].model.get().map(|model| model.predict(0, 0)).unwrap();
    for (decoding, waiting) in [(rest_takes, Duration::ZERO), (Duration::ZERO, rest_takes)] {
        let before = predicted();
        let Ahead::Away(mut space) = placement.ahead(&outline, &[], (&shrink(), Form::Packed)) else {
            panic!("it stays here")
        };
        space.rows(0, 0, &[93; 300 * 200 * 3]);
        std::thread::sleep(decoding);
        let again = || unreachable!("the GPU does it");
        let task = Task {
            subject: Subject::Again(Box::new(again)),
            overlays: Vec::new(),
            steps: shrink(),
            form: Form::Packed,
        };
        let (resumed, rest) = std::sync::mpsc::channel();
        space.filled(&placement, task).then(move |rest| drop(resumed.send(rest)));
        let rest = rest.recv().unwrap();
        std::thread::sleep(waiting);
        let (_, placed) = rest.finish(&NeverCancelled).unwrap();
        assert_eq!(placed.gpu, Some(0));
        // It was seen, and faster than predicted.
        assert!(predicted() < before, "{:?}, before {before:?}", predicted());
    }
}

/// Until drivers say which adapters there are, everything is done on the CPU; then it is a choice, without a restart.
#[test]
fn adapters_that_are_found_late_take_part_from_then_on() {
    if unmeasured(None).is_none() {
        return;
    }
    // No driver says it at once.
    let wanted = Wanted { software: true, loading: Some(Duration::ZERO), ..Wanted::default() };
    let (come, gate) = std::sync::mpsc::channel::<()>();
    let open = |later: places::Later| {
        let late = move |opened: Vec<GpuBackend>| {
            // Its end is the sign.
            let _ = gate.recv();
            later(opened);
        };
        GpuBackend::open_all_or_later(&wanted, late)
    };
    let places = Places::open(open).unwrap();
    let placement = Arc::new(Placement { mode: GpuMode::On, places, decisions: AtomicU64::new(0) });
    assert!(!placement.is_a_choice() && placement.each().is_empty());
    let (_, placed) = run(&placement, noise(300, 200), &shrink());
    assert_eq!(placed, Placed::default());
    drop(come);
    let begun = Instant::now();
    while !placement.is_a_choice() {
        assert!(begun.elapsed() < Duration::from_secs(60), "they do not take part");
        std::thread::sleep(Duration::from_millis(10));
    }
    is_measured_in_time(&placement.gpus()[0]);
    let (_, placed) = run(&placement, noise(300, 200), &shrink());
    assert_eq!(placed.gpu, Some(0));
}

#[test]
fn a_decision_is_doubted_when_it_is_close_or_made_by_corrections_alone() {
    let [fast, close, slow] = [10, 25, 100].map(Duration::from_millis);
    let on_gpu = |mode, predicted, measured| {
        let placement = Placement { mode, places: Arc::default(), decisions: AtomicU64::new(0) };
        (0..2 * DOUBT).filter(|_| placement.prefers_gpu(predicted, measured)).count() as u64
    };
    // As far apart as it was measured.
    assert_eq!(on_gpu(GpuMode::Auto, (slow, fast), (slow, fast)), 0);
    assert_eq!(on_gpu(GpuMode::Auto, (fast, slow), (fast, slow)), 2 * DOUBT);
    assert_eq!(on_gpu(GpuMode::Auto, (close, fast), (slow, fast)), 2);
    assert_eq!(on_gpu(GpuMode::Auto, (fast, close), (fast, slow)), 2 * DOUBT - 2);
    // Measured the other way round.
    assert_eq!(on_gpu(GpuMode::Auto, (slow, fast), (fast, slow)), 2);
    assert_eq!(on_gpu(GpuMode::Auto, (fast, slow), (slow, fast)), 2 * DOUBT - 2);
    assert_eq!(on_gpu(GpuMode::On, (slow, fast), (slow, fast)), 2 * DOUBT);
}
