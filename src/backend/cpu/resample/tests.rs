use super::*;
use crate::backend::NeverCancelled;
use crate::image::PixelFormat;

const FILTERS: [Filter; 6] =
    [Filter::Nearest, Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Mitchell, Filter::Lanczos3];

const FORMATS: [PixelFormat; 4] = [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8];

fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

fn resampled(buf: &ImageBuf, to: Size, filter: Filter) -> ImageBuf {
    resample(buf.clone(), Rect::whole(buf.size()), to, filter, &NeverCancelled).unwrap()
}

/// The definition, one output sample at a time in f64 and without a table: Σ f(dx) f(dy) sample / Σ f(dx) f(dy) over
/// the pixels of the source, colours times alpha. Answers premultiplied samples.
fn definition(buf: &ImageBuf, to: Size, filter: Filter) -> Vec<f64> {
    let (channels, alpha) = (buf.format().channels(), buf.format().has_alpha());
    let axis = |src: u32, dst: u32| -> Vec<Vec<f64>> {
        let scale = f64::from(src) / f64::from(dst);
        (0..dst)
            .map(|i| {
                let centre = (f64::from(i) + 0.5) * scale;
                let weights: Vec<f64> =
                    (0..src).map(|p| filter.weight((f64::from(p) + 0.5 - centre) / scale.max(1.0))).collect();
                let sum: f64 = weights.iter().sum();
                weights.iter().map(|w| w / sum).collect()
            })
            .collect()
    };
    let (across, down) = (axis(buf.size().width(), to.width()), axis(buf.size().height(), to.height()));
    let src: Vec<f64> = buf
        .pixels()
        .chunks_exact(channels)
        .flat_map(|p| {
            let a = if alpha { f64::from(p[channels - 1]) / 255.0 } else { 1.0 };
            p.iter().enumerate().map(move |(c, &s)| f64::from(s) * if alpha && c == channels - 1 { 1.0 } else { a })
        })
        .collect();
    let width = buf.size().width() as usize;
    let mut out = Vec::new();
    for wy in &down {
        let mut row = vec![0.0; width * channels];
        for (y, w) in wy.iter().enumerate().filter(|(_, w)| **w != 0.0) {
            row.iter_mut().zip(&src[y * width * channels..]).for_each(|(r, s)| *r += w * s);
        }
        for wx in &across {
            for c in 0..channels {
                out.push(wx.iter().enumerate().map(|(x, w)| w * row[x * channels + c]).sum());
            }
        }
    }
    out
}

/// Largest and mean distance from the definition, rounded and clamped; that of colours counts as much as they cover.
fn distance(got: &ImageBuf, want: &[f64]) -> (f64, f64) {
    let (channels, alpha) = (got.format().channels(), got.format().has_alpha());
    let (mut most, mut sum) = (0.0_f64, 0.0);
    for (got, want) in got.pixels().chunks_exact(channels).zip(want.chunks_exact(channels)) {
        for c in 0..channels {
            let coloured = alpha && c < channels - 1;
            let cover = if coloured { f64::from(got[channels - 1]) / 255.0 } else { 1.0 };
            let want = if coloured { want[c] * 255.0 / want[channels - 1] } else { want[c] };
            let off = (f64::from(got[c]) - want.round().clamp(0.0, 255.0)).abs() * cover;
            if cover > 0.0 {
                most = most.max(off);
                sum += off;
            }
        }
    }
    // A mean over fewer samples than this says nothing.
    (most, if want.len() < 50 { 0.0 } else { sum / want.len() as f64 })
}

/// Black and white blocks, noise, and flat parts: overshoot wherever there can be any.
fn harsh(size: Size, format: PixelFormat) -> ImageBuf {
    let mut state = 0x9E37_79B9_u32;
    let mut pixels = Vec::new();
    for y in 0..size.height() {
        for x in 0..size.width() {
            for _ in 0..format.channels() {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                pixels.push(match (x / 7 + y / 5) % 4 {
                    0 => 0,
                    1 => 255,
                    2 => {
                        if state & 1 == 0 {
                            0
                        } else {
                            255
                        }
                    }
                    _ => (state >> 8) as u8,
                });
            }
        }
    }
    ImageBuf::new(size, format, pixels).unwrap()
}

#[test]
fn results_are_the_definition_to_one_level() {
    for format in FORMATS {
        let buf = harsh(size(83, 61), format);
        for filter in FILTERS.into_iter().skip(1) {
            for to in [size(20, 15), size(82, 60), size(200, 150), size(83, 10), size(10, 61), size(1, 1), size(7, 300)]
            {
                let (most, mean) = distance(&resampled(&buf, to, filter), &definition(&buf, to, filter));
                assert!(most <= 1.0 && mean <= 0.25, "{format:?} {filter:?} {to}: {most} {mean}");
            }
        }
    }
}

#[test]
fn a_distance_of_one_sample_is_noticed() {
    let buf = harsh(size(40, 30), PixelFormat::Rgb8);
    let to = size(10, 8);
    let mut got = resampled(&buf, to, Filter::Lanczos3);
    let sample = &mut got.pixels_mut()[17];
    *sample = sample.wrapping_add(3);
    assert!(distance(&got, &definition(&buf, to, Filter::Lanczos3)).0 > 1.0);
}

#[test]
fn thin_pictures_and_extreme_ratios_are_the_definition() {
    for (from, to) in [
        (size(1, 900), size(1, 22)),
        (size(900, 1), size(22, 1)),
        (size(1, 1), size(40, 40)),
        (size(5, 4), size(200, 160)),
        (size(800, 600), size(20, 15)),
        (size(2000, 3), size(2, 90)),
        (size(3, 2000), size(90, 2)),
    ] {
        let buf = harsh(from, PixelFormat::Rgb8);
        let (most, mean) = distance(&resampled(&buf, to, Filter::Lanczos3), &definition(&buf, to, Filter::Lanczos3));
        assert!(most <= 1.0 && mean <= 0.25, "{from} -> {to}: {most} {mean}");
    }
}

#[test]
fn nearest_takes_the_pixel_under_the_centre() {
    let buf = harsh(size(10, 6), PixelFormat::Rgba8);
    let out = resampled(&buf, size(4, 9), Filter::Nearest);
    for y in 0..9 {
        for x in 0..4 {
            let (sx, sy) = ((f64::from(x) + 0.5) * 2.5, (f64::from(y) + 0.5) * 6.0 / 9.0);
            let from = buf.pixel(sx as u32, sy as u32);
            let got = out.pixel(x, y);
            assert_eq!(got[3], from[3]);
            assert!(from[3] == 0 || got == from, "{got:?} {from:?}");
        }
    }
}

#[test]
fn a_window_is_resampled_as_if_it_were_cropped_before() {
    for format in FORMATS {
        let buf = harsh(size(60, 50), format);
        let window = Rect { left: 13, top: 9, size: size(31, 22) };
        let cropped = super::super::crop::crop(buf.clone(), window).unwrap();
        for to in [size(8, 5), size(31, 5), size(70, 60), size(31, 22)] {
            let direct = resample(buf.clone(), window, to, Filter::Lanczos3, &NeverCancelled).unwrap();
            assert_eq!(direct, resampled(&cropped, to, Filter::Lanczos3));
        }
    }
}

#[test]
fn work_stops_when_nobody_waits() {
    struct Gone;
    impl Checkpoint for Gone {
        fn is_cancelled(&self) -> bool {
            true
        }
    }
    let buf = harsh(size(60, 50), PixelFormat::Rgb8);
    let whole = Rect::whole(buf.size());
    assert_eq!(resample(buf, whole, size(5, 5), Filter::Box, &Gone), Err(BackendError::Cancelled));
}

/// What is compiled for AVX2 makes the rows that the other code makes, to the bit.
#[cfg(target_arch = "x86_64")]
#[test]
fn both_twins_make_the_same_rows() {
    for format in [PixelFormat::Gray8, PixelFormat::GrayAlpha8, PixelFormat::Rgb8, PixelFormat::Rgba8] {
        let size = Size::at_least_one(173, 61);
        let pixels = (0..ImageBuf::byte_len(size, format)).map(|i| (i * i * 7 % 251) as u8).collect();
        let buf = ImageBuf::new(size, format, pixels).unwrap();
        for to in [Size::at_least_one(20, 9), Size::at_least_one(150, 60), Size::at_least_one(300, 100)] {
            let across = WeightTable::new(size.width(), to.width(), Filter::Lanczos3);
            let down = WeightTable::new(size.height(), to.height(), Filter::Lanczos3);
            let rows = |plain: bool| {
                let mut resampler = Resampler::new(Samples::of(&buf), &across, &down);
                resampler.avx2 &= !plain;
                let mut all = Vec::new();
                let mut row = vec![0.0; to.width() as usize * format.channels() + PADDING];
                for y in 0..to.height() {
                    resampler.row(y, &mut row);
                    all.extend_from_slice(&row[..row.len() - PADDING]);
                }
                all
            };
            assert_eq!(rows(false), rows(true), "{format:?} {to}");
        }
    }
}
