//! The GPU backend against the CPU backend and against the definition, on whatever adapter there is, software too.
//!
//! | step | largest difference | reason |
//! |---|---|---|
//! | turns, crops, zooms, canvases | 0 | samples are moved |
//! | flatten, overlays on opaque pictures | 0 | whole numbers |
//! | overlays on pictures with alpha | 1 | a division, then rounded |
//! | grey | 1 | `pow` differs between drivers; the CPU looks it up in steps of light |
//! | resampling, blur | 1 | f32 sums in another order, then rounded |
//! | the same, of colours under an alpha of 25 or less | 1 + 25 / alpha | what was summed times alpha is divided by it, and the CPU's sums of rows have 16 bits: a tenth of a level there, and nothing of it is seen |
//! | planes, coefficients → RGB or planes | 1 | sums, and colour conversion before anything is rounded |
//! | several of the above, one after the other | 2 | between two steps a picture has eight bits: what came out 1 apart goes into the next step, which may add its own (planes that are blurred at their own size are made RGB first) |
//!
//! Each channel is compared as it is. From the definition (`reference`) each backend is at most 1 away, too, and in the mean
//! 0.02 besides what the best rounding costs (0.25); of faint colours, as above, the CPU alone 1 + 25 / alpha.
//!
//! Without an adapter everything here is skipped, loudly; with `REQUIRE_GPU=1` that is a failure.

pub mod compare;
mod definition;
mod pictures;
mod planes;
mod reference;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use phasor::backend::gpu::{Source, Wanted};
use phasor::backend::{Backend, BackendError, CpuBackend, Drill, GpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, DecodedTo, Detail, Kept, Limits, decode, decode_to, outline, probe};
use phasor::image::{
    Form, ImageBuf, Orientation, Outline, Picture, PixelFormat, Plane, PlaneSink, Planes, Point, Rect, Rgb8, Size,
};
use phasor::ops::{Border, Filter, Opacity, Placement, Sigma, Step};

use compare::FAINT;
use pictures::{random, smooth, subsampled};
use planes::same_planes;

const FORMATS: [PixelFormat; 4] = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];
const FILTERS: [Filter; 6] =
    [Filter::Nearest, Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Mitchell, Filter::Lanczos3];

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn open(largest_binding: Option<u64>) -> Option<GpuBackend> {
    let wanted = Wanted { software: true, largest_binding, ..Wanted::default() };
    let opened = GpuBackend::open_all(&wanted).into_iter().next();
    if opened.is_none() {
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
    }
    opened
}

/// The adapter of all tests but those that destroy it.
fn gpu() -> Option<&'static GpuBackend> {
    static GPU: OnceLock<Option<GpuBackend>> = OnceLock::new();
    GPU.get_or_init(|| open(None)).as_ref()
}

/// The most that backends may be apart after several steps.
const CHAIN: u8 = 2;

/// [`FAINT`] where something is summed.
fn faint(steps: &[Step]) -> f64 {
    let sums = steps.iter().any(|step| matches!(step, Step::Resample { .. } | Step::Blur(_)));
    if sums { FAINT } else { 0.0 }
}

#[track_caller]
fn compared(expected: &ImageBuf, actual: &ImageBuf, steps: &[Step], tolerance: u8) {
    if let Err(apart) = compare::same(expected, actual, tolerance, faint(steps)) {
        panic!("{:?} {:?} {steps:?}: {apart:?}", expected.size(), expected.format());
    }
}

#[track_caller]
fn same(gpu: &GpuBackend, picture: &Picture, steps: &[Step], tolerance: u8) {
    same_with(gpu, picture, &[], steps, tolerance);
}

/// What the CPU and the GPU made.
#[track_caller]
fn same_with(
    gpu: &GpuBackend,
    picture: &Picture,
    overlays: &[ImageBuf],
    steps: &[Step],
    tolerance: u8,
) -> [ImageBuf; 2] {
    let expected = CpuBackend.run(picture.clone(), overlays, steps, &NeverCancelled).unwrap();
    let actual = gpu.run(picture.clone(), overlays, steps, &NeverCancelled).unwrap();
    compared(&expected, &actual, steps, tolerance);
    [expected, actual]
}

#[test]
fn windows_and_turns_are_the_same() {
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
            // A window alone is not worth the way.
            assert!(!gpu.supports(&photo, &[Step::Crop(window)]));
            let mirror = Step::Orient(Orientation::MIRROR);
            same(gpu, &photo, &[Step::Crop(window), mirror.clone()], 0);
            let wide = Step::Embed { into: size(90, 70), at: Point { x: 3, y: 4 }, border: Border::Mirror };
            same(gpu, &photo, &[wide, Step::Crop(window), mirror], 0);
        }
    }
}

#[test]
fn canvases_are_the_same_with_every_border() {
    let Some(gpu) = gpu() else { return };
    let borders = [
        Border::Black,
        Border::White,
        Border::Copy,
        Border::Mirror,
        Border::Background(Rgb8 { r: 200, g: 1, b: 2 }),
        Border::Background(Rgb8 { r: 9, g: 9, b: 9 }),
    ];
    for format in FORMATS {
        let photo = Picture::from(random(size(23, 17), format, 12));
        for border in borders {
            for (x, y) in [(0, 0), (9, 4), (-5, 30), (-400, -400), (70, 3), (1 << 40, -(1 << 41))] {
                for into in [size(61, 40), size(12, 90)] {
                    same(gpu, &photo, &[Step::Embed { into, at: Point { x, y }, border }], 0);
                }
            }
            let steps = [
                Step::Resample { to: size(13, 9), filter: Filter::Lanczos3 },
                Step::Embed { into: size(31, 31), at: Point { x: 9, y: 11 }, border },
            ];
            same(gpu, &photo, &steps, 1);
        }
    }
}

#[test]
fn zooms_are_the_same() {
    let Some(gpu) = gpu() else { return };
    for format in FORMATS {
        let photo = Picture::from(random(size(23, 17), format, 13));
        for factor in 2..5 {
            let (w, h) = (23 * factor, 17 * factor);
            for (left, top, right, bottom) in [(0, 0, w, h), (3, 2, w - 1, h), (w - 1, h - 1, w, h)] {
                let window = Rect { left, top, size: size(right - left, bottom - top) };
                same(gpu, &photo, &[Step::Zoom { factor: factor.try_into().unwrap(), window }], 0);
            }
        }
    }
}

/// Between two steps a picture has eight bits.
#[test]
fn overlays_after_a_resampling_are_the_same() {
    let Some(gpu) = gpu() else { return };
    for base in FORMATS {
        let photo = Picture::from(random(size(53, 37), base, 14));
        for over in FORMATS {
            let overlays = [random(size(21, 13), over, 15), random(size(3, 3), over, 16)];
            for placement in [Placement::At(Point { x: -7, y: -5 }), Placement::Tiled] {
                let lay = |overlay| Step::Composite { overlay, placement, opacity: Opacity::new(0.2) };
                let shrink = Step::Resample { to: size(40, 30), filter: Filter::Lanczos3 };
                same_with(gpu, &photo, &overlays, &[shrink, lay(1), lay(0), lay(1)], CHAIN);
            }
        }
    }
}

#[test]
fn pictures_larger_than_a_binding_are_the_same() {
    // All of these but grey goes up in bands.
    let Some(gpu) = open(Some(600_000)) else { return };
    for format in FORMATS {
        let photo = Picture::from(smooth(size(631, 457), format, 17));
        for steps in [
            vec![Step::Resample { to: size(50, 40), filter: Filter::Lanczos3 }],
            vec![Step::Resample { to: size(13, 9), filter: Filter::Box }, Step::Orient(Orientation::from_exif(6))],
            vec![
                Step::Crop(Rect { left: 31, top: 3, size: size(600, 451) }),
                Step::Resample { to: size(100, 20), filter: Filter::Lanczos3 },
            ],
        ] {
            same(&gpu, &photo, &steps, 1);
        }
    }
    for (across, down) in [(1, 1), (2, 2), (4, 1)] {
        let picture = Picture::Planes(subsampled(size(603, 445), across, down, 18));
        same(&gpu, &picture, &[Step::Resample { to: size(60, 44), filter: Filter::Lanczos3 }], 1);
    }
    // A blur needs all of it at once.
    let large = Picture::from(smooth(size(631, 457), PixelFormat::Rgba8, 17));
    assert!(!gpu.supports(&large, &[Step::Blur(Sigma::new(2.0).unwrap())]));
}

/// Many threads, many kinds of work: what a batch mixes does not matter.
#[test]
fn pictures_of_one_batch_do_not_disturb_each_other() {
    let Some(gpu) = gpu() else { return };
    let kinds: Vec<(Picture, Vec<Step>, ImageBuf)> = (0..12)
        .map(|i| {
            let format = FORMATS[i as usize % 4];
            let from = size(40 + 31 * i, 300 - 20 * i);
            let picture = if i % 3 == 0 {
                Picture::Planes(subsampled(from, 2, 2, u64::from(i)))
            } else {
                Picture::from(random(from, format, u64::from(i)))
            };
            let mut steps = vec![Step::Resample { to: size(20 + 7 * i, 60 - 3 * i), filter: FILTERS[i as usize % 6] }];
            if i % 2 == 0 {
                steps.push(Step::Blur(Sigma::new(0.7 + f64::from(i)).unwrap()));
            }
            if i % 4 == 1 {
                steps.push(Step::Orient(Orientation::from_exif(i as u16 % 8 + 1)));
            }
            let expected = CpuBackend.run(picture.clone(), &[], &steps, &NeverCancelled).unwrap();
            (picture, steps, expected)
        })
        .collect();
    let before = gpu.stats();
    std::thread::scope(|scope| {
        for t in 0..12 {
            let kinds = &kinds;
            scope.spawn(move || {
                for i in 0..40 {
                    let (picture, steps, expected) = &kinds[(5 * t + i) % kinds.len()];
                    let made = gpu.run(picture.clone(), &[], steps, &NeverCancelled).unwrap();
                    compared(expected, &made, steps, CHAIN);
                }
            });
        }
    });
    let after = gpu.stats();
    let (pictures, submissions) = (after.pictures - before.pictures, after.submissions - before.submissions);
    assert!(pictures >= 480 && submissions < pictures, "{pictures} pictures in {submissions} submissions");
}

/// What a decoder hands over row by row is the picture that it answers with, whole, in part and in bands.
#[test]
fn what_is_decoded_into_the_devices_memory_is_the_same() {
    let Some(whole) = gpu() else { return };
    let Some(small) = open(Some(90_000)) else { return };
    let limits = Limits::default();
    let mut bands = 0;
    for name in ["photo.jpg", "422.jpg", "444.jpg", "grey.jpg", "exif-6.jpg"] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        let spec = DecodeSpec { detail: Detail::Planes, ..DecodeSpec::default() };
        let hollow = outline(&bytes, &header, &spec, &limits).unwrap();
        let picture = decode(&bytes, &header, &spec, &limits, &|| false).unwrap().picture;
        let (w, h) = (header.size.width(), header.size.height());
        let shrink = |w: u32, h: u32| Step::Resample { to: size(w, h), filter: Filter::Lanczos3 };
        let window = |left, top, w, h| Step::Crop(Rect { left, top, size: size(w, h) });
        let plans = [
            vec![shrink(w * 3 / 4, h * 3 / 4)],
            vec![window(13, 7, w / 2 + 1, h / 3), shrink(31, 17)],
            vec![window(w - 20, h - 9, 20, 9), shrink(20, 4), Step::Orient(Orientation::from_exif(6))],
            vec![Step::Orient(Orientation::from_exif(5)), shrink(h / 2, w / 2), Step::Gray],
            vec![Step::Blur(Sigma::new(1.2).unwrap())],
        ];
        for steps in &plans {
            for form in [Form::Packed, Form::Planes { across: 2, down: 2 }] {
                let on_cpu = CpuBackend.run_to(picture.clone(), &[], steps, form, &NeverCancelled).unwrap();
                for gpu in [whole, &small] {
                    let Ok(prepared) = gpu.prepare(Source::Coming(&hollow), &[], (steps, form)) else {
                        assert!(std::ptr::eq(gpu, &raw const small), "{name} {steps:?}");
                        continue;
                    };
                    bands += u32::from(std::ptr::eq(gpu, &raw const small));
                    // One that was given up leaves nothing behind.
                    let mut given_up =
                        gpu.prepare(Source::Coming(&hollow), &[], (steps, form)).unwrap().open().unwrap();
                    given_up.rows(0, 0, &vec![77; w as usize]);
                    drop(given_up);
                    let mut filling = prepared.open().unwrap();
                    let decoded = decode_to(&bytes, &header, &spec, &limits, &mut filling, &|| false).unwrap();
                    assert!(matches!(decoded, DecodedTo::Sink(_)), "{name}");
                    let (answer, answered) = std::sync::mpsc::channel();
                    gpu.submit(filling.close(), move |result| answer.send(result).unwrap());
                    let made = answered.recv().unwrap().unwrap().picture().unwrap();
                    let given = gpu.attempt(&picture, &[], (steps, form), &NeverCancelled).unwrap();
                    assert_eq!(
                        (made.picture == given.picture, made.bytes_up),
                        (true, given.bytes_up),
                        "{name} {steps:?}"
                    );
                    assert_eq!((made.bytes_copied, given.bytes_copied), (0, given.bytes_up));
                    match (&on_cpu, &made.picture) {
                        (Picture::Packed(cpu), Picture::Packed(gpu)) => compared(cpu, gpu, steps, CHAIN),
                        (Picture::Planes(cpu), Picture::Planes(gpu)) => same_planes(cpu, gpu, 1, steps),
                        // Turned, the GPU makes colours.
                        (Picture::Planes(_), Picture::Packed(gpu)) => {
                            let colours = CpuBackend.run(picture.clone(), &[], steps, &NeverCancelled).unwrap();
                            compared(&colours, gpu, steps, CHAIN);
                        }
                        other => panic!("{name} {steps:?}: {other:?}"),
                    }
                }
            }
        }
    }
    assert!(bands > 5, "{bands}");
}

/// What goes up of a file that is decoded to where it goes up from: the picture, and what of it was copied.
#[track_caller]
fn handed_over(gpu: &GpuBackend, name: &str, detail: Detail, overlays: &[ImageBuf], steps: &[Step]) -> (Picture, u64) {
    let limits = Limits::default();
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
    let header = probe(&bytes, &limits).unwrap();
    let spec = DecodeSpec { detail, ..DecodeSpec::default() };
    let hollow = outline(&bytes, &header, &spec, &limits).unwrap_or_else(|| panic!("{name}: no outline"));
    let work = (steps, Form::Packed);
    // What lay there before must not show.
    let mut before = gpu.prepare(Source::Coming(&hollow), overlays, work).unwrap().open().unwrap();
    if let Outline::Packed { size, format } = hollow {
        before.rows(0, 0, &vec![77; ImageBuf::byte_len(size, format) as usize]);
    }
    drop(before);
    let mut filling = gpu.prepare(Source::Coming(&hollow), overlays, work).unwrap().open().unwrap();
    let decoded = decode_to(&bytes, &header, &spec, &limits, &mut filling, &|| false).unwrap();
    assert!(matches!(decoded, DecodedTo::Sink(_)), "{name}");
    let (answer, answered) = std::sync::mpsc::channel();
    gpu.submit(filling.close(), move |result| answer.send(result).unwrap());
    let made = answered.recv().unwrap().unwrap().picture().unwrap();
    let picture = decode(&bytes, &header, &spec, &limits, &|| false).unwrap().picture;
    let given = gpu.attempt(&picture, overlays, work, &NeverCancelled).unwrap();
    assert!(made.picture == given.picture, "{name} {steps:?}");
    assert_eq!((made.bytes_up, given.bytes_copied), (given.bytes_up, given.bytes_up), "{name}");
    (made.picture, made.bytes_copied)
}

/// Memory that goes up was used before, by other people's pictures.
#[test]
fn what_never_comes_is_zeros() {
    let Some(gpu) = gpu() else { return };
    let (all, steps) = (size(50, 40), [Step::Orient(Orientation::from_exif(6))]);
    let hollow = Outline::Packed { size: all, format: PixelFormat::Rgb8 };
    let filling = || gpu.prepare(Source::Coming(&hollow), &[], (&steps, Form::Packed)).unwrap().open().unwrap();
    filling().rows(0, 0, &[77; 50 * 40 * 3]);
    let (mut some, mut expected) = (filling(), ImageBuf::zeroed(all, PixelFormat::Rgb8));
    for y in [3, 4, 20] {
        some.rows(0, y, &[y as u8; 150]);
        expected.row_mut(y).fill(y as u8);
    }
    let (answer, answered) = std::sync::mpsc::channel();
    gpu.submit(some.close(), move |result| answer.send(result).unwrap());
    let Picture::Packed(made) = answered.recv().unwrap().unwrap().picture().unwrap().picture else { panic!("planes") };
    assert!(made == CpuBackend.run(expected.into(), &[], &steps, &NeverCancelled).unwrap());
}

#[test]
fn every_form_that_is_handed_over_is_the_same_and_not_copied() {
    let Some(gpu) = gpu() else { return };
    let shrink = Step::Resample { to: size(21, 13), filter: Filter::Lanczos3 };
    let window = Step::Crop(Rect { left: 3, top: 2, size: size(19, 17) });
    let turn = Step::Orient(Orientation::from_exif(6));
    let plans = [vec![shrink.clone()], vec![window, Step::Blur(Sigma::new(1.5).unwrap())], vec![turn]];
    for kept in [Kept::all(1), Kept { full: 3, sparse: 6 }, Kept::all(10), Kept::all(64)] {
        for name in ["photo.jpg", "422.jpg", "444.jpg", "grey.jpg", "separate.jpg"] {
            let (_, copied) = handed_over(gpu, name, Detail::Coefficients(kept), &[], &plans[0]);
            assert_eq!(copied, 0, "{name}");
        }
    }
    for name in ["rgb.png", "rgba.png", "grey16.png", "bits1.png", "palette-trns.png", "grey-alpha.png"] {
        plans.iter().for_each(|steps| assert_eq!(handed_over(gpu, name, Detail::Samples, &[], steps).1, 0, "{name}"));
    }
    for name in ["animated.gif", "rgb.tiff", "rgb16.tiff", "lzw.tiff", "photo.jpg", "progressive.jpg"] {
        plans.iter().for_each(|steps| assert_eq!(handed_over(gpu, name, Detail::Samples, &[], steps).1, 0, "{name}"));
    }
    for detail in [Detail::Samples, Detail::Planes] {
        plans
            .iter()
            .for_each(|steps| assert_eq!(handed_over(gpu, "lossy.webp", detail, &[], steps).1, 0, "{detail:?}"));
    }
    // Of a picture with an overlay, the overlay.
    let over = [smooth(size(12, 10), PixelFormat::Rgba8, 7)];
    let point = Point { x: 3, y: 2 };
    let lay = Step::Composite { overlay: 0, placement: Placement::At(point), opacity: Opacity::FULL };
    let (made, copied) = handed_over(gpu, "422.jpg", Detail::Coefficients(Kept::all(6)), &over, &[shrink, lay]);
    assert_eq!((made.size(), copied), (size(21, 13), 12 * 10 * 4));
}

#[test]
fn what_the_device_does_not_do_is_said_before_it_is_tried() {
    let Some(gpu) = gpu() else { return };
    let picture = Picture::from(random(size(9, 9), PixelFormat::Rgb8, 1));
    let steps = [Step::SmartCrop { to: size(3, 3) }];
    assert!(!gpu.supports(&picture, &steps));
    assert!(matches!(gpu.run(picture.clone(), &[], &steps, &NeverCancelled), Err(BackendError::Impossible(_))));
    let outside = [Step::Crop(Rect { left: 5, top: 0, size: size(5, 9) })];
    assert!(!gpu.supports(&picture, &outside));
}

/// wgpu unmaps all memory of a lost device, whoever writes to it.
#[test]
fn memory_that_is_written_stays_mapped_when_the_device_is_lost() {
    let Some(gpu) = open(None) else { return };
    let plane = |side| Plane { size: size(side, side), samples: Vec::new() };
    let side = 2048;
    let planes = Outline::Planes(Planes { size: size(side, side), luma: plane(side), chroma: None });
    let steps = [Step::Resample { to: size(8, 8), filter: Filter::Lanczos3 }];
    for losses in 1..4 {
        let begun = Instant::now();
        let prepared = loop {
            match gpu.prepare(Source::Coming(&planes), &[], (&steps, Form::Packed)) {
                Ok(prepared) => break prepared,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut filling = prepared.open().unwrap();
        filling.rows(0, 0, &vec![1; (side * side / 2) as usize]);
        gpu.drill(Drill::Loss);
        while gpu.stats().losses < losses {
            assert!(begun.elapsed() < Duration::from_secs(60), "the loss was not seen");
            std::thread::sleep(Duration::from_millis(5));
        }
        // Time to free it.
        std::thread::sleep(Duration::from_millis(200));
        filling.rows(0, side / 2, &vec![1; (side * side / 2) as usize]);
        let (answer, answered) = std::sync::mpsc::channel();
        gpu.submit(filling.close(), move |result| answer.send(result.map(drop)).unwrap());
        assert_eq!(answered.recv().unwrap(), Err(BackendError::DeviceLost));
    }
}

/// Many threads ask while the device is destroyed again and again: every answer is right or an error that says so.
#[test]
fn a_device_destroyed_in_flight_gives_no_wrong_picture() {
    let Some(gpu) = open(None) else { return };
    let picture = Picture::from(smooth(size(640, 480), PixelFormat::Rgb8, 2));
    let steps = [Step::Resample { to: size(200, 150), filter: Filter::Lanczos3 }, Step::Blur(Sigma::new(3.0).unwrap())];
    let expected = CpuBackend.run(picture.clone(), &[], &steps, &NeverCancelled).unwrap();
    let (right, lost, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    match gpu.run(picture.clone(), &[], &steps, &NeverCancelled) {
                        Ok(made) => {
                            compared(&expected, &made, &steps, CHAIN);
                            right.fetch_add(1, Ordering::Relaxed);
                        }
                        // The latter where a busy machine lets nobody make a buffer for long.
                        Err(BackendError::DeviceLost | BackendError::OutOfMemory) => {
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
                gpu.drill(Drill::Loss);
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
