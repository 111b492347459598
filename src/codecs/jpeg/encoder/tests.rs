use super::*;
use crate::codecs::Kept;
use crate::codecs::jpeg::coefficients;
use crate::image::{Coefficients, PixelFormat};

const SAMPLINGS: [Sampling; 2] = [Sampling::Full, Sampling::Quarter];

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn settings(quality: u8, sampling: Sampling) -> Settings<'static> {
    Settings { quality, sampling, progressive: false, segments: &[] }
}

/// Waves and a slope: something in every frequency, no hard edges.
fn waves(size: Size, format: PixelFormat) -> ImageBuf {
    let mut pixels = Vec::new();
    for y in 0..size.height() {
        for x in 0..size.width() {
            let (x, y) = (f64::from(x), f64::from(y));
            let level = 128.0 + 50.0 * (x * 0.4).sin() * (y * 0.3).cos() + x - y;
            pixels.extend((0..format.channels()).map(|channel| (level + 20.0 * channel as f64) as u8));
        }
    }
    ImageBuf::new(size, format, pixels).unwrap()
}

fn noise(size: Size, format: PixelFormat, mut random: u32) -> ImageBuf {
    let mut pixels = vec![0; ImageBuf::byte_len(size, format) as usize];
    for sample in &mut pixels {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *sample = (random >> 24) as u8;
    }
    ImageBuf::new(size, format, pixels).unwrap()
}

/// Planes of that picture at this sampling, by the definition.
fn planes(image: &ImageBuf, sampling: Sampling) -> Planes {
    let luma = |[r, g, b]: [f64; 3]| 0.299 * r + 0.587 * g + 0.114 * b;
    let made = |size: Size, step: u32, of: &dyn Fn([f64; 3]) -> f64| {
        let mut samples = Vec::new();
        for y in 0..size.height() {
            for x in 0..size.width() {
                let mut sum = [0.0; 3];
                for (i, j) in (0..step).flat_map(|i| (0..step).map(move |j| (i, j))) {
                    let (x, y) = (x * step + i, y * step + j);
                    let pixel = image.pixel(x.min(image.size().width() - 1), y.min(image.size().height() - 1));
                    sum.iter_mut().zip(pixel).for_each(|(sum, &sample)| *sum += f64::from(sample));
                }
                samples.push(of(sum.map(|sum| sum / f64::from(step * step))).round().clamp(0.0, 255.0) as u8);
            }
        }
        Plane { size, samples }
    };
    let coarse = sampling.chroma(image.size());
    Planes {
        size: image.size(),
        luma: made(image.size(), 1, &luma),
        chroma: Some([
            made(coarse, sampling.step(), &|p| (p[2] - luma(p)) / 1.772 + 128.0),
            made(coarse, sampling.step(), &|p| (p[0] - luma(p)) / 1.402 + 128.0),
        ]),
    }
}

/// The file; first it is seen that all twins write the same.
fn written(source: Source<'_>, settings: &Settings<'_>) -> Vec<u8> {
    let file = encode(source, settings).unwrap();
    assert!(file == encode_by(&Kernels::PLAIN, HELD, source, settings).unwrap(), "twins differ");
    file
}

/// Samples as zune-jpeg reads them: grey or interleaved YCbCr.
fn by_zune(file: &[u8], gray: bool) -> (Size, Vec<u8>) {
    use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
    let colour = if gray { ColorSpace::Luma } else { ColorSpace::YCbCr };
    let options = DecoderOptions::default().jpeg_set_out_colorspace(colour);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(file), options);
    let samples = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    (size(width as u32, height as u32), samples)
}

/// Largest and mean difference.
fn apart<'a>(a: impl IntoIterator<Item = &'a u8>, b: impl IntoIterator<Item = &'a u8>) -> (u8, f64) {
    let all: Vec<u8> = a.into_iter().zip(b).map(|(a, b)| a.abs_diff(*b)).collect();
    let sum: u64 = all.iter().map(|&d| u64::from(d)).sum();
    (all.iter().copied().max().unwrap_or(0), sum as f64 / all.len() as f64)
}

#[test]
fn every_small_size_comes_back_from_two_decoders() {
    for width in 1..=40 {
        for height in 1..=40 {
            let image = waves(size(width, height), PixelFormat::Rgb8);
            for sampling in SAMPLINGS {
                let want = planes(&image, sampling);
                let packed = written(Source::Packed { image: &image, gray: false }, &settings(97, sampling));
                let file = written(Source::Planes(&want), &settings(97, sampling));
                for file in [&packed, &file] {
                    let got = coefficients::decode_planes(file, 100, &|| false).unwrap();
                    let at = format!("{width}x{height} {sampling:?}");
                    assert_eq!(got.size, image.size(), "{at}");
                    let pairs = got.chroma.iter().flatten().zip(want.chroma.iter().flatten());
                    for (got, want) in pairs.chain([(&got.luma, &want.luma)]) {
                        assert_eq!(got.size, want.size, "{at}");
                        let (most, mean) = apart(&got.samples, &want.samples);
                        assert!(most <= 6 && mean < 1.5, "{at}: {most} {mean}");
                    }
                }
                let (seen, samples) = by_zune(&packed, false);
                assert_eq!(seen, image.size());
                let (most, _) = apart(&want.luma.samples, samples.iter().step_by(3));
                assert!(most <= 7, "{width}x{height} {sampling:?}: {most}");
            }
            let gray = waves(size(width, height), PixelFormat::Gray8);
            let file = written(Source::Packed { image: &gray, gray: true }, &settings(97, Sampling::Quarter));
            let (seen, samples) = by_zune(&file, true);
            assert_eq!(seen, gray.size());
            let (most, mean) = apart(&samples, gray.pixels());
            assert!(most <= 6 && mean < 1.5, "{width}x{height}: {most} {mean}");
        }
    }
}

/// Files of another encoder, with the coefficients of both, of all components.
fn beside_another(image: &ImageBuf, quality: u8, sampling: Sampling) -> [Coefficients; 2] {
    use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};
    let gray = image.format() == PixelFormat::Gray8;
    let ours = written(Source::Packed { image, gray }, &settings(quality, sampling));
    let mut theirs = Vec::new();
    let mut encoder = Encoder::new(&mut theirs, quality);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    encoder.set_sampling_factor(match sampling {
        Sampling::Full => SamplingFactor::R_4_4_4,
        Sampling::Quarter => SamplingFactor::R_4_2_0,
    });
    let (width, height) = (image.size().width() as u16, image.size().height() as u16);
    let colour = if gray { ColorType::Luma } else { ColorType::Rgb };
    encoder.encode(image.pixels(), width, height, colour).unwrap();
    assert!(ours.len() < theirs.len(), "tables made for the symbols are shorter");
    [ours, theirs].map(|file| coefficients::decode(&file, Kept::all(64), 1, &|| false).unwrap())
}

#[test]
fn every_quality_has_the_coefficients_of_another_encoder() {
    for quality in 1..=100 {
        for (format, sampling) in [
            (PixelFormat::Rgb8, Sampling::Full),
            (PixelFormat::Rgb8, Sampling::Quarter),
            (PixelFormat::Gray8, Sampling::Full),
        ] {
            // Whole MCUs: at edges each encoder does as it likes.
            let [ours, theirs] = beside_another(&waves(size(64, 48), format), quality, sampling);
            assert_eq!(ours.components.len(), theirs.components.len());
            let tables = [true, false].map(|luma| quantisation::table(quality, luma));
            for (i, (ours, theirs)) in ours.components.iter().zip(&theirs.components).enumerate() {
                assert_eq!((ours.size, ours.blocks), (theirs.size, theirs.blocks));
                let table = tables[i.min(1)];
                let blocks = ours.blocks.area() as usize;
                let mut different = 0;
                for (at, (a, b)) in ours.values.iter().zip(&theirs.values).enumerate() {
                    let steps = a.abs_diff(*b) / u16::from(table[at / blocks]);
                    // Samples of YCbCr are rounded otherwise, which small steps show.
                    assert!(steps <= if quality >= 98 { 4 } else { 1 }, "{quality} {i} {at}: {a} {b}");
                    different += usize::from(steps > 0);
                }
                let allowed = if quality > 95 { 100 } else { 6 };
                assert!(different * 100 <= allowed * ours.values.len(), "{quality} {sampling:?} {i}: {different}");
            }
        }
    }
}

#[test]
fn noise_comes_back_at_the_best_quality() {
    for (sampling, format) in [(Sampling::Full, PixelFormat::Rgb8), (Sampling::Full, PixelFormat::Gray8)] {
        let image = noise(size(83, 51), format, 7);
        let gray = format == PixelFormat::Gray8;
        let file = written(Source::Packed { image: &image, gray }, &settings(100, sampling));
        let got = coefficients::decode_planes(&file, 100, &|| false).unwrap();
        let want = if gray { image.pixels().to_vec() } else { planes(&image, sampling).luma.samples };
        let (most, _) = apart(&got.luma.samples, &want);
        assert!(most <= 2, "{most}");
    }
}

#[test]
fn extremes_fit_into_the_symbols() {
    // The largest coefficients there are: black and white by the signs of each wave.
    for (u, v) in crate::codecs::jpeg::zigzag::ZIGZAG {
        let mut image = ImageBuf::zeroed(size(16, 8), PixelFormat::Gray8);
        let wave =
            |place: u32, k: u8| (f64::from((2 * (place % 8) + 1) * u32::from(k)) * std::f64::consts::PI / 16.0).cos();
        for y in 0..8 {
            for (x, sample) in (0..16).zip(image.row_mut(y)) {
                let positive = wave(x, u) * wave(y, v) > 0.0;
                *sample = if positive == (x < 8) { 255 } else { 0 };
            }
        }
        let file = written(Source::Packed { image: &image, gray: true }, &settings(100, Sampling::Full));
        let (_, samples) = by_zune(&file, true);
        let (most, _) = apart(&samples, image.pixels());
        assert!(most <= 2, "{u} {v}: {most}");
    }
}

#[test]
fn tables_made_of_the_first_symbols_serve_the_rest() {
    // Flat above, noise below: what the first rows do not have comes later.
    let mut image = noise(size(200, 160), PixelFormat::Rgb8, 3);
    let half = image.pixels().len() / 2;
    image.pixels_mut()[..half].fill(90);
    for sampling in SAMPLINGS {
        let source = Source::Packed { image: &image, gray: false };
        let whole = encode(source, &settings(100, sampling)).unwrap();
        let early = encode_by(&Kernels::fastest(), 1, source, &settings(100, sampling)).unwrap();
        assert!(early.len() > whole.len(), "other tables");
        let [a, b] = [whole, early].map(|file| coefficients::decode(&file, Kept::all(64), 1, &|| false).unwrap());
        assert_eq!(a, b);
    }
}

#[test]
fn one_scan_holds_all_components() {
    let image = waves(size(33, 17), PixelFormat::Rgba8);
    for (gray, components, tables) in [(false, 3, 4), (true, 1, 2)] {
        let file = written(Source::Packed { image: &image, gray }, &settings(80, Sampling::Quarter));
        let markers = |marker: u8| file.windows(2).filter(|pair| *pair == [0xFF, marker]).count();
        assert_eq!((markers(0xC0), markers(0xDA), markers(0xC4)), (1, 1, tables));
        let scan = file.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
        assert_eq!(file[scan + 4], components);
    }
}

#[test]
fn a_flat_picture_is_next_to_nothing() {
    let mut image = ImageBuf::zeroed(size(512, 512), PixelFormat::Rgb8);
    image.pixels_mut().fill(100);
    let file = written(Source::Packed { image: &image, gray: false }, &settings(80, Sampling::Quarter));
    // Six blocks an MCU of two bits each, and the headers.
    assert!(file.len() < 32 * 32 * 12 / 8 + 400, "{}", file.len());
    let (_, samples) = by_zune(&file, false);
    assert!(samples.as_chunks::<3>().0.iter().all(|&pixel| pixel == [100, 128, 128]));
}

#[test]
fn the_longest_sides_are_written() {
    for (width, height) in [(MAX_SIDE, 1), (1, MAX_SIDE), (MAX_SIDE, 9), (17, MAX_SIDE)] {
        let image = waves(size(width, height), PixelFormat::Gray8);
        let file = encode(Source::Packed { image: &image, gray: true }, &settings(90, Sampling::Full)).unwrap();
        let got = coefficients::decode_planes(&file, 100, &|| false).unwrap();
        assert_eq!(got.size, image.size());
    }
    let image = ImageBuf::zeroed(size(MAX_SIDE + 1, 1), PixelFormat::Gray8);
    let answer = encode(Source::Packed { image: &image, gray: true }, &settings(90, Sampling::Full));
    assert_eq!(answer, Err(Unfit::TooLarge));
}

#[test]
fn planes_of_other_sizes_are_refused() {
    let image = waves(size(31, 20), PixelFormat::Rgb8);
    let fine = planes(&image, Sampling::Full);
    assert_eq!(encode(Source::Planes(&fine), &settings(80, Sampling::Quarter)), Err(Unfit::Planes));
    let mut short = fine.clone();
    short.luma.samples.pop();
    assert_eq!(encode(Source::Planes(&short), &settings(80, Sampling::Full)), Err(Unfit::Planes));
    let gray = Planes { chroma: None, ..fine };
    assert!(encode(Source::Planes(&gray), &settings(80, Sampling::Full)).is_ok());
    let long = Settings { segments: &[(1, vec![0; 65_534])], ..settings(80, Sampling::Full) };
    assert_eq!(encode(Source::Planes(&gray), &long), Err(Unfit::Segment));
}

#[test]
fn what_is_held_is_within_what_is_said() {
    for sampling in SAMPLINGS {
        let image = noise(size(300, 200), PixelFormat::Rgb8, 1);
        let mut strips = Strips::new(Source::Packed { image: &image, gray: false }, sampling).unwrap();
        let layout = strips.layout();
        let divisors = [true, false].map(|luma| Divisors::new(&quantisation::table(100, luma)));
        let (mut predictors, mut symbols) = ([0; 3], Symbols::new());
        let kernels = Kernels::fastest();
        for strip in 0..strips.count() {
            let mcus = strips.mcus_across();
            let parts = strips.read(strip, &kernels);
            (kernels.strip)(&parts, layout, mcus, &divisors, &mut predictors, &mut symbols);
        }
        let said = held_bytes(image.size(), sampling, false, false);
        assert!(symbols.bytes() as u64 <= said && said < 2 * symbols.bytes() as u64, "{} {said}", symbols.bytes());
    }
}

#[test]
fn what_progressive_files_hold_is_within_what_is_said() {
    for sampling in SAMPLINGS {
        let image = noise(size(300, 200), PixelFormat::Rgb8, 1);
        let mut strips = Strips::new(Source::Packed { image: &image, gray: false }, sampling).unwrap();
        let divisors = [true, false].map(|luma| Divisors::new(&quantisation::table(100, luma)));
        let held = progressive::measured(&mut strips, &divisors, &Kernels::fastest(), HELD);
        let said = held_bytes(image.size(), sampling, false, true);
        assert!(held <= said && said < 2 * held, "{held} {said}");
    }
}

#[test]
fn progressive_files_show_the_same_picture() {
    let same = |source: Source<'_>, gray: bool, settings: &Settings<'_>| {
        let progressive = Settings { progressive: true, ..*settings };
        let files = [written(source, settings), written(source, &progressive)];
        let [a, b] = [0, 1].map(|i| by_zune(&files[i], gray));
        assert!(a == b, "{} {settings:?}", source.size());
        let [a, b] = [0, 1].map(|i| coefficients::decode_planes(&files[i], 100, &|| false).unwrap());
        assert!(a == b, "{} {settings:?}, by our own decoder", source.size());
    };
    for width in (1..=33).step_by(4).chain([2, 16, 40]) {
        for height in (1..=33).step_by(4).chain([2, 16, 40]) {
            let image = waves(size(width, height), PixelFormat::Rgb8);
            for sampling in SAMPLINGS {
                let planes = planes(&image, sampling);
                same(Source::Planes(&planes), false, &settings(80, sampling));
            }
            same(Source::Packed { image: &image, gray: true }, true, &settings(80, Sampling::Full));
        }
    }
    for quality in 1..=100 {
        // Noise fills every band, waves leave runs of blocks that end early.
        for image in [noise(size(70, 50), PixelFormat::Rgb8, 5), waves(size(70, 50), PixelFormat::Rgb8)] {
            for sampling in SAMPLINGS {
                same(Source::Packed { image: &image, gray: false }, false, &settings(quality, sampling));
            }
            same(Source::Packed { image: &image, gray: true }, true, &settings(quality, Sampling::Full));
        }
    }
    // Symbols are kept, or found once more.
    for progressive in [noise(size(70, 50), PixelFormat::Rgb8, 5), waves(size(70, 50), PixelFormat::Rgb8)] {
        let source = Source::Packed { image: &progressive, gray: false };
        let settings = Settings { progressive: true, ..settings(90, Sampling::Quarter) };
        let again = encode_by(&Kernels::fastest(), 4000, source, &settings).unwrap();
        assert!(again == encode(source, &settings).unwrap());
    }
    // More blocks without anything than one symbol can count.
    let mut image = ImageBuf::zeroed(size(2400, 1200), PixelFormat::Gray8);
    image.pixels_mut()[2_000_000..2_000_100].fill(255);
    same(Source::Packed { image: &image, gray: true }, true, &settings(80, Sampling::Full));
}

/// A picture of any size, of runs of flat samples and of noise, which fill and empty bands.
fn patches() -> impl proptest::strategy::Strategy<Value = ImageBuf> {
    use proptest::prelude::*;
    let patch = (any::<u8>(), any::<u8>(), 1_usize..900);
    (1_u32..90, 1_u32..90, any::<bool>(), prop::collection::vec(patch, 1..40)).prop_map(
        |(width, height, gray, patches)| {
            let format = if gray { PixelFormat::Gray8 } else { PixelFormat::Rgb8 };
            let mut image = noise(size(width, height), format, width * 91 + height);
            let levels =
                patches.iter().flat_map(|&(level, strength, length)| std::iter::repeat_n((level, strength), length));
            for (sample, (level, strength)) in image.pixels_mut().iter_mut().zip(levels.cycle()) {
                *sample = level.saturating_add(((u16::from(*sample) * u16::from(strength)) >> 8) as u8);
            }
            image
        },
    )
}

proptest::proptest! {
    #[test]
    fn scans_hold_the_coefficients_of_one(image in patches(), quality in 1_u8..=100, full: bool) {
        let gray = image.format() == PixelFormat::Gray8;
        let source = Source::Packed { image: &image, gray };
        let sequential = settings(quality, if full { Sampling::Full } else { Sampling::Quarter });
        let files = [sequential, Settings { progressive: true, ..sequential }].map(|settings| written(source, &settings));
        let [a, b] = files.each_ref().map(|file| by_zune(file, gray));
        proptest::prop_assert!(a == b);
        let [a, b] = files.map(|file| coefficients::decode_planes(&file, 100, &|| false).unwrap());
        proptest::prop_assert!(a == b);
    }
}
