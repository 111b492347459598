//! The GPU backend against the CPU backend and against the definition, on whatever adapter there is, software too.
//!
//! | step | largest difference | reason |
//! |---|---|---|
//! | turns, crops | 0 | samples are moved |
//! | flatten | 0 | whole numbers |
//! | grey | 1 | `pow` differs between drivers |
//! | resampling, blur | 1 | f32 sums in another order, then rounded |
//! | planes, coefficients → RGB | 1 | the same, and colour conversion |
//!
//! Without an adapter everything here is skipped, loudly; with `REQUIRE_GPU=1` that is a failure.

mod compare;
mod pictures;
mod reference;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use phasor::backend::gpu::Wanted;
use phasor::backend::{Backend, BackendError, CpuBackend, GpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Detail, Limits, decode, probe};
use phasor::image::{Orientation, Picture, PixelFormat, Rect, Rgb8, Size};
use phasor::ops::{Filter, Sigma, Step};

use compare::{difference, distance};
use pictures::{planes, random, smooth};

const FORMATS: [PixelFormat; 4] = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];
const FILTERS: [Filter; 6] =
    [Filter::Nearest, Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Mitchell, Filter::Lanczos3];

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn open() -> Option<GpuBackend> {
    let opened = GpuBackend::open_all(&Wanted { software: true, adapter: None }).into_iter().next();
    if opened.is_none() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
    }
    opened
}

/// The adapter of all tests but those that destroy it.
fn gpu() -> Option<&'static GpuBackend> {
    static GPU: OnceLock<Option<GpuBackend>> = OnceLock::new();
    GPU.get_or_init(open).as_ref()
}

#[track_caller]
fn same(gpu: &GpuBackend, picture: &Picture, steps: &[Step], tolerance: u8) {
    let expected = CpuBackend.run(picture.clone(), &[], steps, &NeverCancelled).unwrap();
    let actual = gpu.attempt(picture, steps, &NeverCancelled).unwrap();
    let apart = difference(&expected, &actual);
    assert!(apart.max <= tolerance, "{:?} {steps:?}: {apart:?}", picture.size());
    // Of a few samples a mean says nothing.
    assert!(apart.mean <= 0.25 || actual.pixels().len() < 64, "{:?} {steps:?}: {apart:?}", picture.size());
}

#[test]
fn resampling_is_the_same_with_every_filter_format_and_ratio() {
    let Some(gpu) = gpu() else { return };
    for format in FORMATS {
        let photo = Picture::from(smooth(size(211, 157), format, 3));
        let noise = Picture::from(random(size(97, 64), format, 4));
        for filter in FILTERS {
            for to in
                [size(300, 200), size(211, 80), size(105, 157), size(40, 31), size(16, 12), size(5, 4), size(1, 1)]
            {
                same(gpu, &photo, &[Step::Resample { to, filter }], 1);
                same(gpu, &noise, &[Step::Resample { to, filter }], 1);
            }
        }
        for (from, to) in [((1, 333), (1, 25)), ((333, 1), (8, 1)), ((1, 1), (7, 9)), ((2, 3), (90, 1))] {
            let thin = Picture::from(random(size(from.0, from.1), format, 5));
            same(gpu, &thin, &[Step::Resample { to: size(to.0, to.1), filter: Filter::Lanczos3 }], 1);
        }
    }
}

#[test]
fn resampling_is_within_one_of_the_definition() {
    let Some(gpu) = gpu() else { return };
    for (from, to) in [((200, 150), (61, 40)), ((130, 91), (10, 7)), ((400, 83), (10, 2)), ((40, 30), (77, 51))] {
        for image in
            [smooth(size(from.0, from.1), PixelFormat::Rgb8, 8), random(size(from.0, from.1), PixelFormat::Rgb8, 9)]
        {
            let to = size(to.0, to.1);
            let steps = [Step::Resample { to, filter: Filter::Lanczos3 }];
            let expected = reference::resampled(&image, to);
            let on_gpu = gpu.attempt(&image.clone().into(), &steps, &NeverCancelled).unwrap();
            let on_cpu = CpuBackend.run(image.into(), &[], &steps, &NeverCancelled).unwrap();
            for (name, made) in [("gpu", on_gpu), ("cpu", on_cpu)] {
                let (max, mean) = distance(&made, &expected);
                // Rounding alone gives 0.5 and 0.25.
                assert!(max <= 1.0 && mean <= 0.27, "{name} {from:?} → {to}: {max} {mean}");
            }
        }
    }
}

#[test]
fn windows_turns_and_colours_are_the_same() {
    let Some(gpu) = gpu() else { return };
    for format in FORMATS {
        let photo = Picture::from(smooth(size(83, 61), format, 6));
        for exif in 1..=8 {
            let turn = Step::Orient(Orientation::from_exif(exif));
            let resample = Step::Resample { to: size(31, 43), filter: Filter::Lanczos3 };
            if exif != 1 {
                same(gpu, &photo, std::slice::from_ref(&turn), 0);
            }
            same(gpu, &photo, &[turn.clone(), resample.clone()], 1);
            let window = Rect { left: 7, top: 5, size: size(33, 47) };
            same(gpu, &photo, &[turn, Step::Crop(window), resample], 1);
        }
        for (at, of) in [((0, 0), (83, 1)), ((82, 60), (1, 1)), ((13, 9), (50, 40))] {
            let window = Rect { left: at.0, top: at.1, size: size(of.0, of.1) };
            same(gpu, &photo, &[Step::Crop(window)], 0);
        }
        if !format.is_gray() {
            same(gpu, &photo, &[Step::Gray], 1);
        }
        if format.has_alpha() {
            same(gpu, &photo, &[Step::Flatten(Rgb8 { r: 250, g: 30, b: 99 })], 0);
            same(gpu, &photo, &[Step::Flatten(Rgb8 { r: 77, g: 77, b: 77 })], 0);
        }
    }
}

#[test]
fn blurs_are_the_same_at_every_sigma() {
    let Some(gpu) = gpu() else { return };
    for format in FORMATS {
        let noise = Picture::from(random(size(121, 77), format, 7));
        for sigma in [0.3, 0.8, 1.5, 4.0, 9.0, 21.0, 60.0, 300.0, 1000.0] {
            same(gpu, &noise, &[Step::Blur(Sigma::new(sigma).unwrap())], 1);
        }
    }
    let wide = Picture::from(smooth(size(700, 20), PixelFormat::Rgb8, 7));
    same(gpu, &wide, &[Step::Blur(Sigma::new(40.0).unwrap())], 1);
}

#[test]
fn planes_of_every_subsampling_are_the_same() {
    let Some(gpu) = gpu() else { return };
    for (across, down) in [(1, 1), (2, 2), (2, 1), (1, 2), (4, 1), (4, 2)] {
        let picture = Picture::Planes(planes(size(203, 145), across, down, 11));
        for to in [size(203, 145), size(70, 50), size(250, 180), size(5, 3)] {
            same(gpu, &picture, &[Step::Resample { to, filter: Filter::Lanczos3 }], 1);
        }
        let window = Rect { left: 31, top: 17, size: size(100, 90) };
        let to = Step::Resample { to: size(40, 40), filter: Filter::Lanczos3 };
        same(gpu, &picture, &[Step::Crop(window), to], 1);
        same(gpu, &picture, &[Step::Crop(window)], 1);
    }
}

#[test]
fn coefficients_are_the_same() {
    let Some(gpu) = gpu() else { return };
    let limits = Limits::default();
    for name in ["photo.jpg", "progressive.jpg", "422.jpg", "444.jpg", "grey.jpg"] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        for count in [1, 3, 6, 10] {
            let spec = DecodeSpec { detail: Detail::Coefficients(count), ..DecodeSpec::default() };
            let decoded = decode(&bytes, &header, &spec, &limits, &|| false).unwrap();
            assert!(matches!(decoded.picture, Picture::Coefficients(_)), "{name}");
            let steps = [Step::Resample { to: size(37, 29), filter: Filter::Lanczos3 }];
            same(gpu, &decoded.picture, &steps, 1);
            let steps = [
                Step::Orient(Orientation::from_exif(6)),
                steps[0].clone(),
                Step::Blur(Sigma::new(2.0).unwrap()),
                Step::Gray,
            ];
            same(gpu, &decoded.picture, &steps, 2);
        }
    }
}

#[test]
fn what_the_device_does_not_do_is_said_before_it_is_tried() {
    let Some(gpu) = gpu() else { return };
    let picture = Picture::from(random(size(9, 9), PixelFormat::Rgb8, 1));
    let steps = [Step::SmartCrop { to: size(3, 3) }];
    assert!(!gpu.supports(&picture, &steps));
    assert!(matches!(gpu.attempt(&picture, &steps, &NeverCancelled), Err(BackendError::Impossible(_))));
    let outside = [Step::Crop(Rect { left: 5, top: 0, size: size(5, 9) })];
    assert!(!gpu.supports(&picture, &outside));
}

/// Many threads ask while the device is destroyed again and again: every answer is right or an error that says so.
#[test]
fn a_device_destroyed_in_flight_gives_no_wrong_picture() {
    let Some(gpu) = open() else { return };
    let picture = Picture::from(smooth(size(640, 480), PixelFormat::Rgb8, 2));
    let steps = [Step::Resample { to: size(200, 150), filter: Filter::Lanczos3 }, Step::Blur(Sigma::new(3.0).unwrap())];
    let expected = CpuBackend.run(picture.clone(), &[], &steps, &NeverCancelled).unwrap();
    let (right, lost, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match gpu.attempt(&picture, &steps, &NeverCancelled) {
                        Ok(made) => {
                            assert!(difference(&expected, &made).max <= 1);
                            right.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(BackendError::DeviceLost) => {
                            lost.fetch_add(1, Ordering::Relaxed);
                            std::thread::sleep(Duration::from_millis(1));
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
            });
        }
        let begun = Instant::now();
        let mut destroyed = 0;
        while destroyed < 5 && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(100));
            if gpu.stats().alive && gpu.stats().losses == destroyed {
                gpu.lose_device();
                let at = Instant::now();
                while gpu.stats().losses == destroyed && at.elapsed() < Duration::from_secs(10) {
                    std::thread::sleep(Duration::from_millis(5));
                }
                destroyed += 1;
                assert_eq!(gpu.stats().losses, destroyed, "the loss was not seen");
            }
        }
        // It comes back.
        let before = right.load(Ordering::Relaxed);
        let at = Instant::now();
        while right.load(Ordering::Relaxed) < before + 5 && at.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(right.load(Ordering::Relaxed) >= before + 5, "no device after {destroyed} losses");
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(gpu.stats().losses, 5);
    assert!(lost.load(Ordering::Relaxed) > 0);
}
