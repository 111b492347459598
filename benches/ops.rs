//! Steps on the CPU, one thread. Group names mirror the operations; throughput is in source pixels.

#![allow(clippy::expect_used, reason = "a bench that cannot run has failed")]

use divan::Bencher;
use divan::counter::ItemsCount;
use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::image::{ImageBuf, Orientation, Picture, PixelFormat, Plane, Planes, Size};
use phasor::ops::{Filter, Opacity, Placement, Sigma, Step};

fn main() {
    divan::main();
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(len).collect()
}

fn size((width, height): (u32, u32)) -> Size {
    Size::at_least_one(width, height)
}

fn packed(of: (u32, u32), format: PixelFormat) -> Picture {
    let size = size(of);
    let pixels = noise(ImageBuf::byte_len(size, format) as usize);
    ImageBuf::new(size, format, pixels).map_or_else(|e| panic!("{e}"), Picture::Packed)
}

fn planes_420(of: (u32, u32)) -> Picture {
    let plane = |size: Size| Plane { size, samples: noise(size.area() as usize) };
    let chroma = size((of.0.div_ceil(2), of.1.div_ceil(2)));
    Picture::Planes(Planes { size: size(of), luma: plane(size(of)), chroma: Some([plane(chroma), plane(chroma)]) })
}

fn run(bencher: Bencher<'_, '_>, picture: &Picture, overlays: &[ImageBuf], step: &Step) {
    bencher
        .counter(ItemsCount::new(picture.size().area()))
        .with_inputs(|| picture.clone())
        .bench_values(|picture| CpuBackend.run(picture, overlays, std::slice::from_ref(step), &NeverCancelled));
}

#[divan::bench_group(sample_count = 20)]
mod resample {
    use super::*;

    const TO: [(u32, u32); 3] = [(300, 225), (800, 600), (1600, 1200)];
    const TWELVE: (u32, u32) = (4000, 3000);

    fn lanczos(bencher: Bencher<'_, '_>, picture: &Picture, to: (u32, u32)) {
        run(bencher, picture, &[], &Step::Resample { to: size(to), filter: Filter::Lanczos3 });
    }

    #[divan::bench(args = TO)]
    fn rgb_12mp(bencher: Bencher<'_, '_>, to: (u32, u32)) {
        lanczos(bencher, &packed(TWELVE, PixelFormat::Rgb8), to);
    }

    #[divan::bench(args = TO)]
    fn rgba_12mp(bencher: Bencher<'_, '_>, to: (u32, u32)) {
        lanczos(bencher, &packed(TWELVE, PixelFormat::Rgba8), to);
    }

    #[divan::bench(args = TO)]
    fn gray_12mp(bencher: Bencher<'_, '_>, to: (u32, u32)) {
        lanczos(bencher, &packed(TWELVE, PixelFormat::Gray8), to);
    }

    #[divan::bench(args = TO)]
    fn planes_420_12mp(bencher: Bencher<'_, '_>, to: (u32, u32)) {
        lanczos(bencher, &planes_420(TWELVE), to);
    }

    #[divan::bench(args = TO)]
    fn enlarge_rgb_400x300(bencher: Bencher<'_, '_>, to: (u32, u32)) {
        lanczos(bencher, &packed((400, 300), PixelFormat::Rgb8), to);
    }
}

#[divan::bench_group(sample_count = 20)]
mod blur {
    use super::*;

    #[divan::bench(args = [0.5, 2.0, 4.0, 10.0, 40.0, 1000.0])]
    fn rgb_2mp(bencher: Bencher<'_, '_>, sigma: f64) {
        if let Some(sigma) = Sigma::new(sigma) {
            run(bencher, &packed((1600, 1200), PixelFormat::Rgb8), &[], &Step::Blur(sigma));
        }
    }
}

#[divan::bench_group(sample_count = 20)]
mod composite {
    use super::*;

    #[divan::bench(args = [PixelFormat::Rgb8, PixelFormat::Rgba8])]
    fn tiled_2mp(bencher: Bencher<'_, '_>, format: PixelFormat) {
        let Picture::Packed(tile) = packed((200, 100), PixelFormat::Rgba8) else { return };
        let step = Step::Composite { overlay: 0, placement: Placement::Tiled, opacity: Opacity::new(0.25) };
        run(bencher, &packed((1600, 1200), format), &[tile], &step);
    }
}

#[divan::bench_group(sample_count = 20)]
mod orient {
    use super::*;

    #[divan::bench(args = 2..=8)]
    fn rgb_12mp(bencher: Bencher<'_, '_>, tag: u16) {
        run(bencher, &packed((4000, 3000), PixelFormat::Rgb8), &[], &Step::Orient(Orientation::from_exif(tag)));
    }
}

#[divan::bench_group(sample_count = 20)]
mod colour {
    use super::*;

    #[divan::bench]
    fn gray_2mp(bencher: Bencher<'_, '_>) {
        run(bencher, &packed((1600, 1200), PixelFormat::Rgb8), &[], &Step::Gray);
    }
}

/// The same steps on the CPU and on the first GPU, a software one too, one picture at a time: what an answer takes. For
/// many at once see `phasor bench`.
#[cfg(feature = "gpu")]
mod backends {
    use std::sync::LazyLock;

    use phasor::backend::GpuBackend;
    use phasor::backend::gpu::Wanted;
    use phasor::image::{CoefficientPlane, Coefficients, Point};
    use phasor::ops::Border;

    use super::*;

    static GPU: LazyLock<Option<GpuBackend>> = LazyLock::new(|| {
        let opened = GpuBackend::open_all(&Wanted { software: true, ..Wanted::default() }).into_iter().next();
        if opened.is_none() {
            eprintln!("SKIPPED: no GPU adapter, not even a software one");
        }
        opened
    });

    const WHO: [&str; 2] = ["cpu", "gpu"];
    const SIZES: [(u32, u32); 2] = [(4000, 3000), (1600, 1200)];

    fn cases() -> impl Iterator<Item = (&'static str, (u32, u32))> {
        WHO.into_iter().flat_map(|who| SIZES.map(|size| (who, size)))
    }

    fn on(bencher: Bencher<'_, '_>, who: &str, picture: &Picture, overlays: &[ImageBuf], step: Step) {
        let steps = [step];
        let bencher = bencher.counter(ItemsCount::new(picture.size().area())).with_inputs(|| picture.clone());
        match (who, GPU.as_ref()) {
            ("cpu", _) => bencher.bench_values(|p| CpuBackend.run(p, overlays, &steps, &NeverCancelled)),
            (_, Some(gpu)) => bencher.bench_values(|p| gpu.run(p, overlays, &steps, &NeverCancelled)),
            _ => {}
        }
    }

    fn to(width: u32, height: u32) -> Step {
        Step::Resample { to: size((width, height)), filter: Filter::Lanczos3 }
    }

    fn six_coefficients(of: (u32, u32)) -> Picture {
        let component = |of: (u32, u32)| {
            let blocks = size((of.0.div_ceil(8), of.1.div_ceil(8)));
            let values = noise(6 * blocks.area() as usize).into_iter().map(|v| i16::from(v) - 128).collect();
            CoefficientPlane { size: size(of), blocks, count: 6, values }
        };
        let chroma = (of.0.div_ceil(2), of.1.div_ceil(2));
        let components = vec![component(of), component(chroma), component(chroma)];
        Picture::Coefficients(Coefficients { size: size(of), components })
    }

    #[divan::bench(args = cases().flat_map(|(who, size)| [5, 2].map(|tenths| (who, size, 300 * tenths / 5))), sample_count = 10)]
    fn resample_rgb(bencher: Bencher<'_, '_>, (who, of, width): (&str, (u32, u32), u32)) {
        on(bencher, who, &packed(of, PixelFormat::Rgb8), &[], to(width, width * 3 / 4));
    }

    #[divan::bench(args = cases(), sample_count = 10)]
    fn resample_planes_to_640(bencher: Bencher<'_, '_>, (who, of): (&str, (u32, u32))) {
        on(bencher, who, &planes_420(of), &[], to(640, 480));
    }

    #[divan::bench(args = cases(), sample_count = 10)]
    fn resample_coefficients_to_300(bencher: Bencher<'_, '_>, (who, of): (&str, (u32, u32))) {
        on(bencher, who, &six_coefficients(of), &[], to(300, 225));
    }

    #[divan::bench(args = WHO.into_iter().flat_map(|who| [2.0, 10.0, 40.0].map(|sigma| (who, sigma))), sample_count = 10)]
    fn blur_rgb_2mp(bencher: Bencher<'_, '_>, (who, sigma): (&str, f64)) {
        if let Some(sigma) = Sigma::new(sigma) {
            on(bencher, who, &packed((1600, 1200), PixelFormat::Rgb8), &[], Step::Blur(sigma));
        }
    }

    #[divan::bench(args = cases(), sample_count = 10)]
    fn turn_rgb(bencher: Bencher<'_, '_>, (who, of): (&str, (u32, u32))) {
        on(bencher, who, &packed(of, PixelFormat::Rgb8), &[], Step::Orient(Orientation::from_exif(6)));
    }

    #[divan::bench(args = cases(), sample_count = 10)]
    fn embed_rgb(bencher: Bencher<'_, '_>, (who, of): (&str, (u32, u32))) {
        let step =
            Step::Embed { into: size((of.0 + 100, of.1 + 100)), at: Point { x: 50, y: 50 }, border: Border::Mirror };
        on(bencher, who, &packed(of, PixelFormat::Rgb8), &[], step);
    }

    #[divan::bench(args = cases(), sample_count = 10)]
    fn tiled_overlay_rgb(bencher: Bencher<'_, '_>, (who, of): (&str, (u32, u32))) {
        let Picture::Packed(tile) = packed((200, 100), PixelFormat::Rgba8) else { return };
        let step = Step::Composite { overlay: 0, placement: Placement::Tiled, opacity: Opacity::new(0.25) };
        on(bencher, who, &packed(of, PixelFormat::Rgb8), &[tile], step);
    }
}

#[divan::bench(sample_count = 20)]
fn zz_fir_12mp_300(b: Bencher<'_, '_>) {
    use fast_image_resize as f;
    let src = f::images::Image::from_vec_u8(4000, 3000, noise(36_000_000), f::PixelType::U8x3)
        .expect("as many bytes as the sides say");
    let mut dst = f::images::Image::new(300, 225, f::PixelType::U8x3);
    let mut r = f::Resizer::new();
    b.bench_local(|| r.resize(&src, &mut dst, None).expect("equal pixel types"));
}
