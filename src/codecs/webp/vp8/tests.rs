use proptest::prelude::*;

use super::agreement::{agrees, theirs};
use super::twins::Twins;
use super::{Failure, decode_by, planes_by};
use crate::codecs::webp::lossy::encode_as;
use crate::image::{Plane, Planes, Size};

/// Edges, waves, noise and flat parts.
fn picture(size: Size, seed: u32) -> Vec<u8> {
    let mut state = seed | 1;
    let mut pixels = Vec::new();
    for y in 0..size.height() {
        for x in 0..size.width() {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let wave = (f64::from(x) / 5.0).sin() * 60.0 + (f64::from(y * x) / 90.0).cos() * 60.0 + 128.0;
            let noise = state as u8;
            pixels.extend(match (x / 24 + y / 20 + seed) % 4 {
                0 => [wave as u8, (255.0 - wave) as u8, (x * 3) as u8],
                1 => [noise, wave as u8, noise.rotate_left(3)],
                2 => [(y * 2) as u8, 40, (seed * 9) as u8],
                _ => [255 * ((x ^ y) >> 2 & 1) as u8, 0, wave as u8],
            });
        }
    }
    pixels
}

/// The picture's chunk, without the last byte if that is padding.
fn chunk(file: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(file[16..20].try_into().unwrap()) as usize;
    &file[20..20 + length]
}

fn ours(chunk: &[u8], size: Size, twins: Twins, channels: usize) -> Option<Vec<u8>> {
    let mut pixels = vec![0x55; size.area() as usize * channels];
    match decode_by(chunk, size, &mut pixels, &|| false, twins) {
        Ok(()) => Some(pixels),
        Err(Failure::Refused) => None,
        Err(Failure::Cancelled) => panic!("nobody has cancelled"),
    }
}

/// Both twins, RGB and RGBA, give what image-webp gives. Answers whether it is a picture.
fn agree(chunk: &[u8], size: Size) -> bool {
    assert!(agrees(chunk));
    let Some(theirs) = theirs(chunk) else {
        assert_eq!(ours(chunk, size, Twins::PLAIN, 3), None, "what is damaged is refused");
        return false;
    };
    for twins in [Twins::PLAIN, Twins::fastest()] {
        let Some(ours) = ours(chunk, size, twins, 3) else { return false };
        let different = ours.iter().zip(&theirs).position(|(a, b)| a != b);
        assert_eq!(different.map(|at| at / 3), None, "the first pixel that differs in {size:?}");
    }
    let rgba = ours(chunk, size, Twins::fastest(), 4).unwrap();
    for (rgba, rgb) in rgba.chunks(4).zip(theirs.chunks(3)) {
        assert_eq!(rgba, [rgb, &[0]].concat());
    }
    true
}

#[test]
fn pictures_are_those_of_image_webp() {
    for (seed, (width, height)) in (0..).zip([
        (1, 1),
        (2, 2),
        (3, 1),
        (1, 3),
        (15, 17),
        (16, 16),
        (17, 15),
        (33, 50),
        (64, 64),
        (100, 31),
        (31, 100),
        (150, 149),
    ]) {
        let size = Size::new(width, height).unwrap();
        let pixels = picture(size, seed);
        for quality in [0.0, 10.0, 45.0, 75.0, 95.0, 100.0] {
            for method in [0, 4, 6] {
                let file = encode_as(&pixels, size, false, |config| {
                    config.quality = quality;
                    config.method = method;
                });
                assert!(agree(chunk(&file.unwrap()), size), "{size:?} {quality} {method}");
            }
        }
    }
}

#[test]
fn every_way_of_filtering_is_that_of_image_webp() {
    let size = Size::new(119, 83).unwrap();
    let pixels = picture(size, 5);
    for filter_type in [0, 1] {
        for (strength, sharpness) in [(0, 0), (10, 0), (30, 3), (60, 7), (100, 0), (100, 5)] {
            for (segments, partitions, method) in [(1, 0, 4), (4, 1, 2), (3, 3, 2)] {
                let file = encode_as(&pixels, size, false, |config| {
                    config.quality = 30.0;
                    config.filter_type = filter_type;
                    config.filter_strength = strength;
                    config.filter_sharpness = sharpness;
                    config.segments = segments;
                    config.partitions = partitions;
                    config.method = method;
                });
                assert!(agree(chunk(&file.unwrap()), size), "{filter_type} {strength} {sharpness} {segments}");
            }
        }
    }
}

/// RGB of planes in the narrow range, chroma interpolated.
fn coloured(planes: &Planes) -> Vec<[f64; 3]> {
    let chroma = planes.chroma.as_ref().unwrap();
    let mut out = Vec::new();
    for y in 0..planes.size.height() {
        for x in 0..planes.size.width() {
            let at = |plane: &Plane, x: u32, y: u32| {
                let (x, y) = (x.min(plane.size.width() - 1), y.min(plane.size.height() - 1));
                f64::from(plane.samples[(y * plane.size.width() + x) as usize])
            };
            let two = |i: u32| (i / 2, if i % 2 == 1 { i / 2 + 1 } else { (i / 2).saturating_sub(1) });
            let [cb, cr] = [0, 1].map(|i: usize| {
                let ((x, beside), (y, under)) = (two(x), two(y));
                let row = |y| 0.75 * at(&chroma[i], x, y) + 0.25 * at(&chroma[i], beside, y);
                0.75 * row(y) + 0.25 * row(under) - 128.0
            });
            let luma = (at(&planes.luma, x, y) - 16.0) * 255.0 / 219.0;
            let [cb, cr] = [cb, cr].map(|chroma| chroma * 255.0 / 224.0);
            out.push([luma + 1.402 * cr, luma - 0.344_136 * cb - 0.714_136 * cr, luma + 1.772 * cb]);
        }
    }
    out
}

#[test]
fn planes_show_what_rgb_shows() {
    for (width, height) in [(1, 1), (16, 16), (17, 33), (50, 15), (61, 80), (80, 61)] {
        let size = Size::new(width, height).unwrap();
        // Weak colours, which RGB holds wherever the encoder puts them.
        let pixels: Vec<u8> = picture(size, 0).iter().map(|&sample| 96 + sample / 4).collect();
        let file = encode_as(&pixels, size, false, |config| config.quality = 80.0).unwrap();
        let chunk = chunk(&file);
        let rgb = ours(chunk, size, Twins::fastest(), 3).unwrap();
        let planes = planes_by(chunk, size, &|| false, Twins::fastest()).unwrap();
        assert_eq!(planes_by(chunk, size, &|| false, Twins::PLAIN), Ok(planes.clone()));
        assert_eq!(planes.size, size);
        for (i, (colours, rgb)) in coloured(&planes).iter().zip(rgb.as_chunks::<3>().0).enumerate() {
            for (a, &b) in colours.iter().zip(rgb) {
                assert!((a - f64::from(b)).abs() < 2.0, "{size:?} {i}: {colours:?} {rgb:?}");
            }
        }
    }
}

#[test]
fn planes_are_refused_as_pixels_are() {
    let size = Size::new(20, 40).unwrap();
    let file = encode_as(&picture(size, 3), size, false, |_| {}).unwrap();
    let chunk = chunk(&file);
    let planes = |chunk, size| planes_by(chunk, size, &|| false, Twins::PLAIN);
    assert!(planes(chunk, size).is_ok());
    assert_eq!(planes(&chunk[..chunk.len() / 2], size), Err(Failure::Refused));
    assert_eq!(planes(chunk, Size::new(40, 20).unwrap()), Err(Failure::Refused));
    assert_eq!(planes_by(chunk, size, &|| true, Twins::PLAIN), Err(Failure::Cancelled));
}

/// The suite replays them in a file, where image-webp has the last word.
#[test]
fn findings_of_fuzzing_stay_mended() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions/vp8");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        assert!(agrees(&std::fs::read(&file).unwrap()), "{}", file.display());
    }
}

#[test]
fn what_is_cut_off_is_refused() {
    let size = Size::new(60, 60).unwrap();
    let file = encode_as(&picture(size, 2), size, false, |_| {}).unwrap();
    let chunk = chunk(&file);
    for length in 0..chunk.len() {
        // The encoder adds a few bits to the end.
        assert!(!agree(&chunk[..length], size) || length + 8 > chunk.len(), "{length} of {}", chunk.len());
    }
}

#[test]
fn a_partition_that_no_coder_writes_is_refused() {
    let size = Size::new(60, 60).unwrap();
    let file = encode_as(&picture(size, 2), size, false, |config| {
        config.partitions = 1;
        config.method = 2; // higher ones write one partition whatever is asked
    });
    let file = file.unwrap();
    let mut chunk = chunk(&file).to_vec();
    let second = 10 + (u32::from_le_bytes([chunk[0], chunk[1], chunk[2], 0]) >> 5) as usize;
    let length = u32::from_le_bytes([chunk[second], chunk[second + 1], chunk[second + 2], 0]) as usize;
    for first in [second + 3, second + 3 + length] {
        for (value, shown) in [(0xFE, true), (0xFF, false)] {
            let before = std::mem::replace(&mut chunk[first], value);
            assert_eq!(ours(&chunk, size, Twins::PLAIN, 3).is_some(), shown, "{value} at {first}");
            assert!(agrees(&chunk));
            chunk[first] = before;
        }
    }
}

#[test]
fn another_size_is_refused() {
    let size = Size::new(20, 20).unwrap();
    let file = encode_as(&picture(size, 3), size, false, |_| {}).unwrap();
    for (width, height) in [(20, 19), (19, 20), (40, 10)] {
        assert_eq!(ours(chunk(&file), Size::new(width, height).unwrap(), Twins::PLAIN, 3), None);
    }
}

#[test]
fn work_ends_where_nobody_waits() {
    let size = Size::new(20, 100).unwrap();
    let file = encode_as(&picture(size, 3), size, false, |_| {}).unwrap();
    let rows = std::cell::Cell::new(0);
    let cancelled = || {
        rows.set(rows.get() + 1);
        rows.get() == 4
    };
    let mut pixels = vec![0; 6000];
    assert_eq!(super::decode(chunk(&file), size, &mut pixels, &cancelled), Err(Failure::Cancelled));
    assert_eq!(rows.get(), 4);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Damage gives the same picture or is refused, and never a panic.
    #[test]
    fn damage_is_read_alike(
        (width, height, seed) in (1_u32..70, 1_u32..70, 0_u32..50),
        quality in 0_u8..=100,
        (filter_type, partitions, method) in (0..2, 0..4, 2..4),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        early in proptest::collection::vec((10_usize..60, any::<u8>()), 0..4),
    ) {
        let size = Size::new(width, height).unwrap();
        let file = encode_as(&picture(size, seed), size, false, |config| {
            config.quality = quality.into();
            config.filter_type = filter_type;
            config.partitions = partitions;
            config.method = method;
        });
        let mut chunk = chunk(&file.unwrap()).to_vec();
        for (at, value) in damage {
            let at = at.index(chunk.len());
            if at >= 10 {
                chunk[at] = value;
            }
        }
        for (at, value) in early {
            if let Some(byte) = chunk.get_mut(at) {
                *byte = value;
            }
        }
        // What the server looks at first.
        if crate::codecs::webp::partitions::fit(&chunk) {
            agree(&chunk, size);
        }
    }
}
