//! Pictures that come in planes or coefficients, against each other and against the definition.
//!
//! Coefficients only with a resampling that makes the picture smaller, as that is what they are decoded for.

use super::definition::{as_defined, near};

use super::reference::Exact;
use super::reference::planes::{Asked, apart, clamped, packed};
use super::*;

const KEPT: [Kept; 4] = [Kept::all(1), Kept { full: 3, sparse: 6 }, Kept::all(6), Kept { full: 21, sparse: 10 }];

fn lanczos(picture: &Picture, window: Option<Rect>, to: Size) -> Asked {
    Asked { window: window.unwrap_or(Rect::whole(picture.size())), to, filter: Filter::Lanczos3 }
}

fn coefficients(name: &str, kept: Kept) -> Picture {
    let limits = Limits::default();
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
    let header = probe(&bytes, &limits).unwrap();
    let spec = DecodeSpec { detail: Detail::Coefficients(kept), ..DecodeSpec::default() };
    let picture = decode(&bytes, &header, &spec, &limits, &|| false).unwrap().picture;
    assert!(matches!(picture, Picture::Coefficients(_)), "{name}");
    picture
}

#[test]
fn planes_of_every_subsampling_are_as_defined() {
    let Some(gpu) = gpu() else { return };
    for (across, down) in [(1, 1), (2, 2), (2, 1), (1, 2), (4, 1), (4, 2)] {
        for of in [Picture::Planes, Picture::Narrow] {
            let picture = of(subsampled(size(135, 97), across, down, 11));
            for to in [size(135, 97), size(47, 33), size(170, 120), size(5, 3)] {
                let exact = packed(&picture, &lanczos(&picture, None, to));
                as_defined(gpu, (&picture, &[]), &[Step::Resample { to, filter: Filter::Lanczos3 }], 1, &exact);
            }
            let window = Rect { left: 31, top: 17, size: size(100, 70) };
            let to = size(40, 40);
            let steps = [Step::Crop(window), Step::Resample { to, filter: Filter::Lanczos3 }];
            // The window is shrunk as a part of the picture: what lies beside it counts at its edges.
            let exact = packed(&picture, &lanczos(&picture, Some(window), to));
            as_defined(gpu, (&picture, &[]), &steps, 1, &exact);
            // Without a resampling chroma is interpolated linearly.
            let own_size = Asked { filter: Filter::Triangle, ..lanczos(&picture, None, picture.size()) };
            let exact = cropped(&packed(&picture, &own_size), window);
            as_defined(gpu, (&picture, &[]), &[Step::Crop(window)], 1, &exact);
        }
    }
}

fn cropped(exact: &Exact, window: Rect) -> Exact {
    let channels = exact.format.channels();
    let row = |y: u32| ((window.top + y) * exact.size.width() + window.left) as usize * channels;
    let length = window.size.width() as usize * channels;
    let samples = (0..window.size.height()).flat_map(|y| exact.samples[row(y)..][..length].to_vec()).collect();
    Exact { size: window.size, samples, ..*exact }
}

/// Every filter, from planes, narrow ones and coefficients.
#[test]
fn planes_are_as_defined_with_every_filter() {
    let Some(gpu) = gpu() else { return };
    let [fine, narrow] =
        [Picture::Planes(subsampled(size(90, 70), 2, 2, 31)), Picture::Narrow(subsampled(size(91, 71), 2, 1, 32))];
    for picture in [fine, narrow, coefficients("422.jpg", Kept::all(6))] {
        for filter in FILTERS {
            for to in [size(31, 22), size(90, 9)] {
                let exact = packed(&picture, &Asked { filter, ..lanczos(&picture, None, to) });
                as_defined(gpu, (&picture, &[]), &[Step::Resample { to, filter }], 1, &exact);
            }
        }
    }
}

#[test]
fn coefficients_are_as_defined() {
    let Some(gpu) = gpu() else { return };
    for name in ["photo.jpg", "progressive.jpg", "422.jpg", "444.jpg", "grey.jpg"] {
        for kept in KEPT {
            let picture = coefficients(name, kept);
            let shrink = Step::Resample { to: size(37, 29), filter: Filter::Lanczos3 };
            if name == "photo.jpg" && kept != KEPT[1] {
                // Four times as large as the others.
                same(gpu, &picture, std::slice::from_ref(&shrink), 1);
            } else {
                let exact = packed(&picture, &lanczos(&picture, None, size(37, 29)));
                as_defined(gpu, (&picture, &[]), std::slice::from_ref(&shrink), 1, &exact);
            }
            let turn = Step::Orient(Orientation::from_exif(6));
            same(gpu, &picture, &[turn, shrink, Step::Blur(Sigma::new(2.0).unwrap()), Step::Gray], CHAIN);
        }
    }
}

/// Planes as pictures of grey.
pub(super) fn gray_pictures(Planes { luma, chroma, .. }: &Planes) -> Vec<ImageBuf> {
    let planes = std::iter::once(luma).chain(chroma.iter().flatten());
    planes.map(|p| ImageBuf::new(p.size, PixelFormat::Gray8, p.samples.clone()).unwrap()).collect()
}

#[track_caller]
pub(super) fn same_planes(expected: &Planes, actual: &Planes, tolerance: u8, what: &dyn std::fmt::Debug) {
    assert_eq!(expected.size, actual.size);
    let (expected, actual) = (gray_pictures(expected), gray_pictures(actual));
    assert_eq!((expected.len(), actual.len()), (3, 3));
    for (expected, actual) in expected.iter().zip(&actual) {
        if let Err(apart) = compare::same(expected, actual, tolerance, 0.0) {
            panic!("{what:?}: {apart:?}");
        }
    }
}

fn turned<T: Copy>(samples: &[T], of: Size, turn: Orientation) -> Vec<T> {
    let to = turn.output_size(of);
    let places = (0..to.height()).flat_map(|y| (0..to.width()).map(move |x| turn.source_of(x, y, of)));
    places.map(|(x, y)| samples[(y * of.width() + x) as usize]).collect()
}

fn turned_planes(planes: &Planes, turn: Orientation) -> Planes {
    let plane = |p: &Plane| Plane { size: turn.output_size(p.size), samples: turned(&p.samples, p.size, turn) };
    Planes {
        size: turn.output_size(planes.size),
        luma: plane(&planes.luma),
        chroma: planes.chroma.as_ref().map(|[cb, cr]| [plane(cb), plane(cr)]),
    }
}

fn turned_exact(exact: &Exact, turn: Orientation) -> Exact {
    let (pixels, _) = exact.samples.as_chunks::<3>();
    let samples = turned(pixels, exact.size, turn).concat();
    Exact { size: turn.output_size(exact.size), samples, ..*exact }
}

#[test]
fn what_stays_in_planes_is_as_defined_turned_too() {
    let Some(gpu) = gpu() else { return };
    let mut stayed_and_turned = 0;
    for picture in [
        Picture::Planes(subsampled(size(135, 97), 2, 2, 21)),
        Picture::Planes(subsampled(size(135, 97), 1, 1, 22)),
        Picture::Planes(subsampled(size(136, 96), 4, 1, 23)),
        Picture::Narrow(subsampled(size(135, 97), 2, 2, 24)),
        coefficients("progressive.jpg", Kept { full: 3, sparse: 6 }),
        coefficients("422.jpg", Kept::all(6)),
    ] {
        for step in [1, 2] {
            let form = Form::Planes { across: step, down: step };
            for to in [size(51, 33), size(20, 14), size(1, 1)] {
                let shrink = |to| Step::Resample { to, filter: Filter::Lanczos3 };
                let windows = [None, Some(Rect { left: 31, top: 17, size: size(100, 70) })];
                let of_coefficients = matches!(picture, Picture::Coefficients(_));
                for window in windows.into_iter().take(if of_coefficients { 1 } else { 2 }) {
                    let steps: Vec<Step> = window.map(Step::Crop).into_iter().chain([shrink(to)]).collect();
                    let [on_cpu, on_gpu] = [&CpuBackend as &dyn Backend, gpu].map(|backend| {
                        match backend.run_to(picture.clone(), &[], &steps, form, &NeverCancelled).unwrap() {
                            Picture::Planes(planes) => planes,
                            other => panic!("{steps:?} {form:?}: {other:?}"),
                        }
                    });
                    assert_eq!(on_cpu.size, to);
                    same_planes(&on_cpu, &on_gpu, 1, &(&steps, form));
                    let exact = apart(&picture, &lanczos(&picture, window, to), (step, step));
                    for (name, planes) in [("cpu", &on_cpu), ("gpu", &on_gpu)] {
                        for (plane, exact) in gray_pictures(planes).iter().zip(&exact) {
                            near((name, plane), &clamped(exact.clone()), 0.0, &(&steps, form));
                        }
                    }
                    if window.is_some() {
                        continue;
                    }
                    let colours_defined = packed(&picture, &lanczos(&picture, None, to));
                    // Turned: the CPU turns the planes; the GPU stores colours turned, which are compared with the CPU's.
                    for turn in [2, 5, 6].map(Orientation::from_exif) {
                        let steps = [Step::Orient(turn), shrink(turn.output_size(to))];
                        let on_cpu_turned = CpuBackend.run_to(picture.clone(), &[], &steps, form, &NeverCancelled);
                        if let Picture::Planes(planes) = on_cpu_turned.unwrap() {
                            stayed_and_turned += 1;
                            assert_eq!(planes, turned_planes(&on_cpu, turn), "{steps:?} {form:?}");
                        } else {
                            assert!(to.width() % step + to.height() % step > 0, "{steps:?} {form:?}");
                        }
                        let on_gpu = gpu.run_to(picture.clone(), &[], &steps, form, &NeverCancelled).unwrap();
                        let Picture::Packed(on_gpu) = on_gpu else { panic!("{steps:?} {form:?}: {on_gpu:?}") };
                        let colours = CpuBackend.run(picture.clone(), &[], &steps, &NeverCancelled).unwrap();
                        compared(&colours, &on_gpu, &steps, 1);
                        near(("gpu", &on_gpu), &turned_exact(&colours_defined, turn), 0.0, &(&steps, form));
                    }
                }
            }
        }
    }
    assert!(stayed_and_turned > 60, "{stayed_and_turned}");
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
