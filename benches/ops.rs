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
#[divan::bench(sample_count = 20)]
fn zz_fir_12mp_300(b: Bencher<'_, '_>) {
    use fast_image_resize as f;
    let src = f::images::Image::from_vec_u8(4000, 3000, noise(36_000_000), f::PixelType::U8x3)
        .expect("as many bytes as the sides say");
    let mut dst = f::images::Image::new(300, 225, f::PixelType::U8x3);
    let mut r = f::Resizer::new();
    b.bench_local(|| r.resize(&src, &mut dst, None).expect("equal pixel types"));
}
