use proptest::prelude::*;

use super::*;
use crate::backend::NeverCancelled;
use crate::image::{AlphaMode, CoefficientPlane, Coefficients, Orientation, Plane, Planes, Point, Rgb8};
use crate::ops::{Border, Filter, Opacity, Placement, Sigma};

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn format() -> impl Strategy<Value = PixelFormat> {
    (any::<bool>(), any::<bool>()).prop_map(|(gray, alpha)| PixelFormat::of(gray, alpha))
}

fn filter() -> impl Strategy<Value = Filter> {
    use Filter::*;
    prop::sample::select(vec![Nearest, Box, Triangle, CatmullRom, Mitchell, Lanczos3])
}

fn any_size() -> impl Strategy<Value = Size> {
    (1..40_u32, 1..40_u32).prop_map(|(w, h)| size(w, h))
}

fn picture() -> impl Strategy<Value = ImageBuf> {
    (any_size(), format()).prop_flat_map(|(size, format)| {
        let len = ImageBuf::byte_len(size, format) as usize;
        prop::collection::vec(any::<u8>(), len).prop_map(move |p| ImageBuf::new(size, format, p).unwrap())
    })
}

fn any_form() -> impl Strategy<Value = Picture> {
    let planes =
        (any_size(), 1..5_u32, 1..3_u32, any::<bool>(), any::<bool>()).prop_map(|(of, sx, sy, gray, narrow)| {
            let plane = |size: Size| Plane { size, samples: (0..size.area()).map(|i| (i * 37) as u8).collect() };
            let chroma = plane(size(of.width().div_ceil(sx), of.height().div_ceil(sy)));
            let chroma = (!gray).then(|| [chroma.clone(), chroma]);
            let planes = Planes { size: of, luma: plane(of), chroma };
            if narrow { Picture::Narrow(planes) } else { Picture::Planes(planes) }
        });
    let coefficients = (any_size(), prop::sample::select(vec![1_u8, 3, 6, 64])).prop_map(|(of, count)| {
        let blocks = size(of.width().div_ceil(8), of.height().div_ceil(8));
        let values = (0..blocks.area() * u64::from(count)).map(|i| (i * 97 % 800) as i16 - 400).collect();
        let plane = CoefficientPlane { size: of, blocks, count, values };
        Picture::Coefficients(Coefficients { size: of, components: vec![plane] })
    });
    prop_oneof![picture().prop_map(Picture::Packed), planes, coefficients]
}

/// What a step is made of; the windows are settled once the size is known.
fn numbers() -> impl Strategy<Value = (u8, u32, u32, u32, u32, i64)> {
    (0..10_u8, 0..60_u32, 0..60_u32, 1..60_u32, 1..60_u32, -50..50_i64)
}

fn step((kind, a, b, c, d, at): (u8, u32, u32, u32, u32, i64), filter: Filter, have: Size) -> Step {
    let colour = Rgb8 { r: a as u8, g: b as u8, b: a as u8 };
    let window = |of: Size| {
        let (left, top) = (a % of.width(), b % of.height());
        Rect { left, top, size: size(c.min(of.width() - left), d.min(of.height() - top)) }
    };
    match kind {
        0 => Step::Orient(Orientation::from_exif((a % 8 + 1) as u16)),
        1 => Step::Crop(window(have)),
        2 => {
            let factor = a % 3 + 1;
            let of = size(have.width() * factor, have.height() * factor);
            Step::Zoom { factor: factor.try_into().unwrap(), window: window(of) }
        }
        3 => Step::Resample { to: size(c, d), filter },
        4 => {
            let borders = [Border::Black, Border::White, Border::Copy, Border::Mirror, Border::Background(colour)];
            let border = borders[(a % 5) as usize];
            Step::Embed { into: size(c, d), at: Point { x: at, y: i64::from(b) - 30 }, border }
        }
        5 => Step::SmartCrop { to: size(c.min(have.width()), d.min(have.height())) },
        6 => Step::Blur(Sigma::new(f64::from(c) / 5.0).unwrap()),
        7 => {
            let placement = if a % 2 == 0 { Placement::Tiled } else { Placement::At(Point { x: at, y: -at }) };
            Step::Composite { overlay: 0, placement, opacity: Opacity::new(f64::from(d) / 30.0) }
        }
        8 => Step::Flatten(colour),
        _ => Step::Gray,
    }
}

fn run(picture: Picture, overlays: &[ImageBuf], steps: &[Step]) -> Result<ImageBuf, BackendError> {
    CpuBackend.run(picture, overlays, steps, &NeverCancelled)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn output_has_the_size_foretold(
        picture in any_form(),
        overlay in picture(),
        list in prop::collection::vec((numbers(), filter()), 0..6),
    ) {
        let mut want = picture.size();
        let mut steps = Vec::new();
        for (numbers, filter) in list {
            let step = step(numbers, filter, want);
            want = step.output_size(want);
            steps.push(step);
        }
        let out = run(picture, &[overlay], &steps).unwrap();
        prop_assert_eq!(out.size(), want);
        prop_assert_ne!(out.alpha_mode(), AlphaMode::Premultiplied);
    }

    #[test]
    fn a_constant_picture_stays_constant(
        from in any_size(), to in any_size(), format in format(), pixel in any::<[u8; 4]>(), filter in filter(),
        sigma in 0.05..60.0_f64,
    ) {
        let mut pixel = pixel[..format.channels()].to_vec();
        if format.has_alpha() && pixel.last() == Some(&0) {
            // What is fully transparent has no colour to keep.
            pixel.fill(0);
        }
        let buf = ImageBuf::new(from, format, pixel.repeat(from.area() as usize)).unwrap();
        let steps = [Step::Resample { to, filter }, Step::Blur(Sigma::new(sigma).unwrap())];
        for step in steps {
            let out = run(buf.clone().into(), &[], &[step]).unwrap();
            // Colour under a faint alpha is kept as far as 15 bits of the product tell.
            let room = if format.has_alpha() { 255 / (2 * i32::from(pixel[format.channels() - 1]).max(1)) } else { 0 };
            for got in out.pixels().chunks_exact(format.channels()) {
                for (got, want) in got.iter().zip(&pixel) {
                    prop_assert!((i32::from(*got) - i32::from(*want)).abs() <= room, "{:?} {:?}", got, pixel);
                }
            }
        }
    }

    #[test]
    fn flipping_twice_changes_nothing(buf in picture()) {
        for flip in [Orientation::MIRROR, Orientation::FLIP_VERTICAL, Orientation::clockwise(2)] {
            let once = run(buf.clone().into(), &[], &[Step::Orient(flip)]).unwrap();
            let twice = run(once.into(), &[], &[Step::Orient(flip)]).unwrap();
            prop_assert_eq!(&twice, &buf);
        }
    }

    #[test]
    fn embedding_keeps_the_picture(buf in picture(), x in 0..30_u32, y in 0..30_u32, more in 0..30_u32) {
        let into = size(buf.size().width() + x + more, buf.size().height() + y + more);
        let window = Rect { left: x, top: y, size: buf.size() };
        for border in [Border::Black, Border::White, Border::Copy, Border::Mirror] {
            let at = Point { x: i64::from(x), y: i64::from(y) };
            let steps = [Step::Embed { into, at, border }, Step::Crop(window)];
            prop_assert_eq!(&run(buf.clone().into(), &[], &steps).unwrap(), &buf);
        }
    }

    #[test]
    fn mirror_borders_repeat_with_twice_the_period(buf in picture()) {
        let (w, h) = (buf.size().width(), buf.size().height());
        let embed = Step::Embed { into: size(w * 4, h * 4), at: Point { x: 0, y: 0 }, border: Border::Mirror };
        let out = run(buf.clone().into(), &[], &[embed]).unwrap();
        for y in 0..h * 2 {
            for x in 0..w * 2 {
                prop_assert_eq!(out.pixel(x, y), out.pixel(x + 2 * w, y + 2 * h));
                prop_assert_eq!(out.pixel(x, y), out.pixel(2 * w - 1 - x, y));
            }
        }
    }

    #[test]
    fn a_turn_may_wait_until_after_crop_and_shrink(buf in picture(), tag in 1..9_u16, n in numbers()) {
        let turn = Step::Orient(Orientation::from_exif(tag));
        let turned = run(buf.clone().into(), &[], std::slice::from_ref(&turn)).unwrap();
        let crop = step((1, n.1, n.2, n.3, n.4, 0), Filter::Box, turned.size());
        let cropped = crop.output_size(turned.size());
        let to = size(n.3.min(cropped.width()), n.4.min(cropped.height()));
        let shrink = Step::Resample { to, filter: Filter::Lanczos3 };
        let together = run(buf.into(), &[], &[turn, crop.clone(), shrink.clone()]).unwrap();
        let one_by_one = run(turned.into(), &[], &[crop]).and_then(|b| run(b.into(), &[], &[shrink])).unwrap();
        prop_assert_eq!(together.size(), one_by_one.size());
        let channels = together.format().channels();
        for (a, b) in together.pixels().chunks(channels).zip(one_by_one.pixels().chunks(channels)) {
            let alpha = if together.format().has_alpha() { i32::from(a[channels - 1]) } else { 255 };
            for (a, b) in a.iter().zip(b) {
                prop_assert!((i32::from(*a) - i32::from(*b)).abs() * alpha <= 2 * 255);
            }
        }
    }
}

#[test]
fn impossible_steps_are_refused() {
    let buf = ImageBuf::zeroed(size(4, 3), PixelFormat::Rgb8);
    let outside = Rect { left: 2, top: 0, size: size(3, 3) };
    let shrink = Step::Resample { to: size(1, 1), filter: Filter::Box };
    let composite = Step::Composite { overlay: 1, placement: Placement::Tiled, opacity: Opacity::FULL };
    let zoom = Step::Zoom { factor: 2.try_into().unwrap(), window: Rect { left: 0, top: 0, size: size(9, 1) } };
    for steps in [
        vec![Step::Crop(outside)],
        vec![Step::Crop(outside), shrink],
        vec![composite],
        vec![zoom],
        vec![Step::SmartCrop { to: size(5, 1) }],
    ] {
        let overlays = [buf.clone()];
        let result = run(buf.clone().into(), &overlays, &steps);
        assert!(matches!(result, Err(BackendError::Impossible(_))), "{steps:?}");
    }
}

#[test]
fn steps_that_change_nothing_keep_the_buffer() {
    let buf = ImageBuf::zeroed(size(40, 30), PixelFormat::Rgb8);
    let at = buf.pixels().as_ptr();
    let steps = [
        Step::Crop(Rect::whole(buf.size())),
        Step::Resample { to: buf.size(), filter: Filter::Lanczos3 },
        Step::Embed { into: buf.size(), at: Point::default(), border: Border::Mirror },
        Step::Flatten(Rgb8::WHITE),
        Step::Orient(Orientation::MIRROR),
    ];
    assert_eq!(run(buf.into(), &[], &steps).unwrap().pixels().as_ptr(), at);
}
