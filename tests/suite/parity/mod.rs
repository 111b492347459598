//! The GPU backend against the CPU backend and against the definition, on whatever adapter there is, software too.
//!
//! | step | largest difference | reason |
//! |---|---|---|
//! | turns, crops, zooms, canvases | 0 | samples are moved |
//! | flatten, overlays on opaque pictures | 0 | whole numbers |
//! | overlays on pictures with alpha | 1 | a division, then rounded |
//! | grey | 1 | `pow` differs between drivers |
//! | resampling, blur | 1 | f32 sums in another order, then rounded |
//! | planes, coefficients → RGB | 1 | the same, and colour conversion |
//!
//! Without an adapter everything here is skipped, loudly; with `REQUIRE_GPU=1` that is a failure.

pub mod compare;
mod pictures;
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

use compare::{difference, distance};
use pictures::{planes, random, smooth};

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

#[track_caller]
fn same(gpu: &GpuBackend, picture: &Picture, steps: &[Step], tolerance: u8) {
    same_with(gpu, picture, &[], steps, tolerance);
}

#[track_caller]
fn same_with(gpu: &GpuBackend, picture: &Picture, overlays: &[ImageBuf], steps: &[Step], tolerance: u8) {
    let expected = CpuBackend.run(picture.clone(), overlays, steps, &NeverCancelled).unwrap();
    let actual = gpu.run(picture.clone(), overlays, steps, &NeverCancelled).unwrap();
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
            let on_gpu = gpu.run(image.clone().into(), &[], &steps, &NeverCancelled).unwrap();
            let on_cpu = CpuBackend.run(image.into(), &[], &steps, &NeverCancelled).unwrap();
            for (name, made) in [("gpu", on_gpu), ("cpu", on_cpu)] {
                let (max, mean) = distance(&made, &expected);
                // Rounding alone gives 0.5 and 0.25.
                assert!(max <= 1.0 && mean <= 0.27, "{name} {from:?} → {to}: {max} {mean}");
                // The definition rounded, too.
                let rounded: Vec<f64> = expected.iter().map(|v| v.round().clamp(0.0, 255.0)).collect();
                let (max, mean) = distance(&made, &rounded);
                assert!(max <= 1.0 && mean <= 0.05, "{name} {from:?} → {to}: {max} {mean}");
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
            // A window alone is not worth the way.
            assert!(!gpu.supports(&photo, &[Step::Crop(window)]));
            let mirror = Step::Orient(Orientation::MIRROR);
            same(gpu, &photo, &[Step::Crop(window), mirror.clone()], 0);
            let wide = Step::Embed { into: size(90, 70), at: Point { x: 3, y: 4 }, border: Border::Mirror };
            same(gpu, &photo, &[wide, Step::Crop(window), mirror], 0);
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

#[test]
fn overlays_are_the_same() {
    let Some(gpu) = gpu() else { return };
    for base in FORMATS {
        let photo = Picture::from(random(size(53, 37), base, 14));
        for over in FORMATS {
            let overlays = [random(size(21, 13), over, 15), random(size(3, 3), over, 16)];
            for opacity in [0.0, 0.2, 1.0, 2.5].map(Opacity::new) {
                let places = [(0, 0), (30, 20), (-7, -5), (45, 33), (60, 0), (i64::MIN, i64::MAX)];
                let places = places.map(|(x, y)| Placement::At(Point { x, y })).into_iter().chain([Placement::Tiled]);
                for placement in places {
                    let lay = |overlay| Step::Composite { overlay, placement, opacity };
                    let tolerance = u8::from(base.has_alpha());
                    same_with(gpu, &photo, &overlays, &[lay(0)], tolerance);
                    if opacity == Opacity::new(0.2) {
                        let shrink = Step::Resample { to: size(40, 30), filter: Filter::Lanczos3 };
                        same_with(gpu, &photo, &overlays, &[shrink, lay(1), lay(0), lay(1)], 2);
                    }
                }
            }
        }
    }
}

#[test]
fn what_stays_in_planes_is_the_same() {
    let Some(gpu) = gpu() else { return };
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join("photo.jpg")).unwrap();
    let limits = Limits::default();
    let header = probe(&bytes, &limits).unwrap();
    let spec = DecodeSpec { detail: Detail::Coefficients(Kept { full: 3, sparse: 6 }), ..DecodeSpec::default() };
    let coefficients = decode(&bytes, &header, &spec, &limits, &|| false).unwrap().picture;
    for picture in [
        Picture::Planes(planes(size(203, 145), 2, 2, 21)),
        Picture::Planes(planes(size(203, 145), 1, 1, 22)),
        Picture::Planes(planes(size(200, 144), 4, 1, 23)),
        Picture::Narrow(planes(size(203, 145), 2, 2, 24)),
        coefficients,
    ] {
        for step in [1, 2] {
            let form = Form::Planes { across: step, down: step };
            for to in [size(51, 33), size(20, 14), size(1, 1)] {
                let shrink = Step::Resample { to, filter: Filter::Lanczos3 };
                let mut kinds =
                    vec![vec![shrink.clone()], vec![Step::Orient(Orientation::from_exif(6)), shrink.clone()]];
                if matches!(picture, Picture::Planes(_) | Picture::Narrow(_)) {
                    let window = Rect { left: 31, top: 17, size: size(100, 90) };
                    kinds.push(vec![Step::Crop(window), shrink.clone()]);
                }
                for steps in kinds {
                    let on_cpu = CpuBackend.run_to(picture.clone(), &[], &steps, form, &NeverCancelled).unwrap();
                    let on_gpu = gpu.run_to(picture.clone(), &[], &steps, form, &NeverCancelled).unwrap();
                    let turned = steps.len() > 1 && matches!(steps[0], Step::Orient(_));
                    match (&on_cpu, &on_gpu) {
                        (Picture::Planes(cpu), Picture::Planes(gpu)) => {
                            let all = |p: &Planes| {
                                let [cb, cr] = p.chroma.clone().unwrap();
                                [p.luma.clone(), cb, cr]
                            };
                            for (cpu, gpu) in all(cpu).iter().zip(&all(gpu)) {
                                assert_eq!(cpu.size, gpu.size);
                                let apart = cpu.samples.iter().zip(&gpu.samples).map(|(a, b)| a.abs_diff(*b)).max();
                                assert!(apart <= Some(1), "{steps:?} {form:?}: {apart:?}");
                            }
                            // The same as by way of colours, as far as those can hold it.
                            assert_eq!(cpu.size, to);
                        }
                        // Turns make colours on the GPU.
                        (_, Picture::Packed(_)) if turned => {}
                        other => panic!("{steps:?} {form:?}: {other:?}"),
                    }
                }
            }
        }
    }
}

/// Chroma that is made coarse at once is that which is made fine first and averaged then.
#[test]
fn chroma_lies_where_it_belongs() {
    let ramp = |width: u32, height: u32, slope: f64, from: f64| {
        let samples = (0..width * height).map(|i| (from + slope * f64::from(i % width)).round() as u8).collect();
        Plane { size: size(width, height), samples }
    };
    // Luma and chroma rise alike from left to right; a chroma sample covers two of luma and lies in their middle.
    let [cb, cr] = [(); 2].map(|()| ramp(200, 50, 1.0, 20.5));
    let picture = Planes { size: size(400, 100), luma: ramp(400, 100, 0.5, 20.25), chroma: Some([cb, cr]) };
    for width in [100, 99, 37] {
        let steps = [Step::Resample { to: size(width, 25), filter: Filter::Lanczos3 }];
        let form = Form::Planes { across: 2, down: 2 };
        let made = CpuBackend.run_to(Picture::Planes(picture.clone()), &[], &steps, form, &NeverCancelled).unwrap();
        let Picture::Planes(Planes { luma, chroma: Some([cb, _]), .. }) = made else { panic!("no planes") };
        assert_eq!((cb.size.width(), cb.size.height()), (width.div_ceil(2), 13));
        // Away from the edges, where filters see less.
        for x in 2..cb.size.width() - 2 {
            let mean = (f64::from(luma.samples[2 * x as usize]) + f64::from(luma.samples[2 * x as usize + 1])) / 2.0;
            let got = f64::from(cb.samples[x as usize]);
            assert!((got - mean).abs() <= 1.0, "{width}, {x}: {got} {mean}");
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
        let picture = Picture::Planes(planes(size(603, 445), across, down, 18));
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
                Picture::Planes(planes(from, 2, 2, u64::from(i)))
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
                    let apart = difference(expected, &made);
                    assert!(apart.max <= 2, "{steps:?}: {apart:?}");
                }
            });
        }
    });
    let after = gpu.stats();
    let (pictures, submissions) = (after.pictures - before.pictures, after.submissions - before.submissions);
    assert!(pictures >= 480 && submissions < pictures, "{pictures} pictures in {submissions} submissions");
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
        for of in [Picture::Planes, Picture::Narrow] {
            let picture = of(planes(size(203, 145), across, down, 11));
            for to in [size(203, 145), size(70, 50), size(250, 180), size(5, 3)] {
                same(gpu, &picture, &[Step::Resample { to, filter: Filter::Lanczos3 }], 1);
            }
            let window = Rect { left: 31, top: 17, size: size(100, 90) };
            let to = Step::Resample { to: size(40, 40), filter: Filter::Lanczos3 };
            same(gpu, &picture, &[Step::Crop(window), to], 1);
            same(gpu, &picture, &[Step::Crop(window)], 1);
        }
    }
}

#[test]
fn coefficients_are_the_same() {
    let Some(gpu) = gpu() else { return };
    let limits = Limits::default();
    for name in ["photo.jpg", "progressive.jpg", "422.jpg", "444.jpg", "grey.jpg"] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        for kept in [Kept::all(1), Kept { full: 3, sparse: 6 }, Kept::all(6), Kept { full: 21, sparse: 10 }] {
            let spec = DecodeSpec { detail: Detail::Coefficients(kept), ..DecodeSpec::default() };
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
                    if let (Picture::Packed(cpu), Picture::Packed(gpu)) = (&on_cpu, &made.picture) {
                        assert!(difference(cpu, gpu).max <= 2, "{name} {steps:?}");
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
                            assert!(difference(&expected, &made).max <= 1);
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
