//! Both backends against each other and against the definition, step by step.
//!
//! Not here, because samples are moved and none is reckoned: turns, crops, zooms and canvases, which are compared exactly. Not
//! anywhere in `parity`: RGB → YCbCr, which no backend does but the encoders, and smart crops, which the CPU alone does. Of
//! colour matrices a plan has none but those of YCbCr and grey.

use phasor::ops::{TextSpec, draw_text};

use super::pictures::veiled;
use super::reference::{Exact, blur, colour, composite, filtered, filters::Axis};
use super::*;

/// The steps on both backends: within `tolerance` of each other, within one level of the definition.
#[track_caller]
pub(super) fn as_defined(
    gpu: &GpuBackend,
    (picture, overlays): (&Picture, &[ImageBuf]),
    steps: &[Step],
    tolerance: u8,
    exact: &Exact,
) {
    let [on_cpu, on_gpu] = same_with(gpu, picture, overlays, steps, tolerance);
    // Colours times alpha lose a little in the CPU's sums of rows alone.
    near(("cpu", &on_cpu), exact, faint(steps), &steps);
    near(("gpu", &on_gpu), exact, 0.0, &steps);
}

#[track_caller]
pub(super) fn near((name, made): (&str, &ImageBuf), exact: &Exact, faint: f64, what: &dyn std::fmt::Debug) {
    if let Err(apart) = compare::as_defined(made, exact, faint) {
        panic!("{name} {:?} {:?} {what:?}: {apart:?}", made.size(), made.format());
    }
}

/// Noise, something like a photograph, and what is hardly seen.
fn pictures_of(format: PixelFormat, of: Size) -> Vec<ImageBuf> {
    let mut all = vec![random(of, format, 4), smooth(of, format, 3)];
    if format.has_alpha() {
        all.push(veiled(of, format, 2));
    }
    all
}

#[test]
fn resampling_is_as_defined_with_every_filter_format_and_ratio() {
    let Some(gpu) = gpu() else { return };
    let of = size(97, 75);
    for filter in FILTERS {
        // Larger, one axis alone, smaller, by 13 and by 40, and to one pixel; some of them with ties.
        for to in [size(140, 92), size(97, 40), size(50, 75), size(19, 15), size(7, 6), size(2, 2), size(1, 1)] {
            let axes = [Axis::whole(97, to.width()).taps(filter), Axis::whole(75, to.height()).taps(filter)];
            let steps = [Step::Resample { to, filter }];
            for image in FORMATS.into_iter().flat_map(|format| pictures_of(format, of)) {
                let exact = filtered(&image, &axes[0], &axes[1]);
                as_defined(gpu, (&image.into(), &[]), &steps, 1, &exact);
            }
        }
        for (from, to) in [((1, 333), (1, 25)), ((333, 1), (8, 1)), ((1, 1), (7, 9)), ((2, 3), (90, 1))] {
            let axes = [Axis::whole(from.0, to.0).taps(filter), Axis::whole(from.1, to.1).taps(filter)];
            for format in FORMATS {
                let thin = random(size(from.0, from.1), format, 5);
                let exact = filtered(&thin, &axes[0], &axes[1]);
                let steps = [Step::Resample { to: size(to.0, to.1), filter }];
                as_defined(gpu, (&thin.into(), &[]), &steps, 1, &exact);
            }
        }
    }
}

#[test]
fn blurs_are_as_defined_at_every_sigma() {
    let Some(gpu) = gpu() else { return };
    for sigma in [0.3, 0.8, 1.5, 4.9, 5.0, 9.0, 21.0, 60.0, 300.0, 1000.0] {
        let axes = [blur::taps(47, sigma), blur::taps(35, sigma)];
        let steps = [Step::Blur(Sigma::new(sigma).unwrap())];
        for image in FORMATS.into_iter().flat_map(|format| pictures_of(format, size(47, 35))) {
            let exact = filtered(&image, &axes[0], &axes[1]);
            as_defined(gpu, (&image.into(), &[]), &steps, 1, &exact);
        }
    }
    let wide = smooth(size(700, 20), PixelFormat::Rgb8, 7);
    let exact = filtered(&wide, &blur::taps(700, 40.0), &blur::taps(20, 40.0));
    as_defined(gpu, (&wide.into(), &[]), &[Step::Blur(Sigma::new(40.0).unwrap())], 1, &exact);
}

#[test]
fn grey_and_flattened_are_as_defined() {
    let Some(gpu) = gpu() else { return };
    for format in FORMATS {
        for image in pictures_of(format, size(83, 61)) {
            if !format.is_gray() {
                let exact = colour::gray(&image);
                as_defined(gpu, (&image.clone().into(), &[]), &[Step::Gray], 1, &exact);
            }
            if format.has_alpha() {
                for over in [Rgb8 { r: 250, g: 30, b: 99 }, Rgb8 { r: 77, g: 77, b: 77 }] {
                    let exact = colour::flattened(&image, over);
                    as_defined(gpu, (&image.clone().into(), &[]), &[Step::Flatten(over)], 0, &exact);
                }
            }
        }
    }
    // Dark colours, of which steps of linear light leave least.
    let dark = (0..64 * 64 * 3).map(|i| [i / 3 % 16, i / 48 % 16, i / 768][i % 3] as u8).collect();
    let dark = ImageBuf::new(size(64, 64), PixelFormat::Rgb8, dark).unwrap();
    let exact = colour::gray(&dark);
    as_defined(gpu, (&dark.into(), &[]), &[Step::Gray], 1, &exact);
}

#[test]
fn overlays_are_as_defined() {
    let Some(gpu) = gpu() else { return };
    let text = TextSpec {
        text: "Aa".into(),
        font: "sans 12".into(),
        dpi: 72,
        width: 50,
        margin: 4,
        colour: Rgb8 { r: 255, g: 200, b: 0 },
    };
    let text = draw_text(&text, size(53, 37)).unwrap();
    assert!(text.pixels().chunks_exact(4).any(|pixel| pixel[3] > 99));
    for format in FORMATS {
        for base in [random(size(53, 37), format, 14), pictures_of(format, size(53, 37)).pop().unwrap()] {
            let images = FORMATS.map(|over| random(size(21, 13), over, 15));
            for over in images.iter().chain([&text]) {
                let places = [(0, 0), (30, 20), (-7, -5), (60, 0), (i64::MIN, i64::MAX)];
                let places = places.map(|(x, y)| Placement::At(Point { x, y }));
                for opacity in [0.0, 0.01, 0.2, 1.0, 2.5] {
                    // Every place at one of the opacities.
                    let places = if opacity == 0.2 { &places[..] } else { &places[1..2] };
                    for placement in places.iter().copied().chain([Placement::Tiled]) {
                        let steps = [Step::Composite { overlay: 0, placement, opacity: Opacity::new(opacity) }];
                        let exact = composite::over(&base, over, placement, opacity);
                        let overlays = std::slice::from_ref(over);
                        let tolerance = u8::from(format.has_alpha());
                        as_defined(gpu, (&base.clone().into(), overlays), &steps, tolerance, &exact);
                    }
                }
            }
        }
    }
}
