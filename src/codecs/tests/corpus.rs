//! Decodes a collection of test pictures, where there is one, and compares with what its manifest says.
//!
//! The collection is no part of the repository: `PHASOR_CORPUS` names its folder, else `../shared/corpus` beside the
//! package is tried; without it the test says so and passes. `PHASOR_CORPUS_ONLY` picks paths that contain a text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use serde_json::Value;

use crate::codecs::{DecodeError, DecodeSpec, Format, Limits, decode, probe};
use crate::image::{ImageBuf, Picture, Size};

/// Formats of the manifest that this build reads. All others must be refused cleanly.
const READ: [&str; 6] = ["jpeg", "png", "webp", "gif", "tiff", "svg"];

/// Files where this build and the manifest differ on purpose, with the reason.
///
/// - damaged data: entropy-coded data or restart markers are damaged. The reference decoders show the rest in another
///   way, or refuse what is served here as far as it goes.
/// - padding: zune-jpeg lets the padding behind the right edge into the interpolation of the last chroma column.
/// - smoothing: only the first scans of a progressive file are there, and the reference decoders smooth the blocks.
/// - profile: pixels are not converted by the CMYK profile.
const DIFFERENCES: &[(&str, &[&str])] = &[
    (
        "damaged data",
        &[
            "all-dht-swapped.jpg",
            "dri-mismatch.jpg",
            "entropy-all-ones.jpg",
            "jd-194531363df5b73f59c4c0517422f917.jpg",
            "jd-46f5d9c1b0fe352353688f736e5617b6.jpg",
            "jd-5315c35bbcc28d8eee419028ac9f38e0.jpg",
            "jd-5482a54657765056f1a94116a8dbffe7.jpg",
            "jd-59d3b529c78ac722127c41ba75b3355b.jpg",
            "jd-5dc71b1d868ef137394d3cc23abea65a.jpg",
            "jd-72d091e08c93c9e590360130fa35221b.jpg",
            "jd-7997b6b229f25315d33f5c7085e37500.jpg",
            "jd-96b3e939852157613fa2e48d58fe35fe.jpg",
            "jd-9efd60f04cd971daa83d3131e6d6f389.jpg",
            "jd-a17806f32b45d63eea5230e7893e1f15.jpg",
            "jd-c3018ebe53d0046eecb58858ca869a99.jpg",
            "jd-dc-predictor-overflow.jpg",
            "jd-eecb78b937a7c5f04aae2f5b0f5b5acc.jpg",
            "jd-fd44dc63fa7bdd12ee34fc602231ef02.jpg",
            "jd-fuzz-id_000989-sync_jpeg9-src_001094.jpg",
            "jd-fuzz-id_001427-src_000319-op_havoc-rep_1.jpg",
            "jd-subtract-with-overflow.jpg",
            "rst-interval-lost.jpg",
            "rst-missing.jpg",
            "soi-inside.jpg",
            "taller-than-data.jpg",
            "182.0-original.jpg",
        ],
    ),
    ("padding", &["jpg-size-2x2.jpg", "jpg-size-3x3.jpg", "jpg-size-4x4.jpg", "jpg-size-8x8.jpg"]),
    (
        "smoothing",
        &["peacock.progressive.scan000.jpeg", "peacock.progressive.scan001.jpeg", "peacock.progressive.scan002.jpeg"],
    ),
    ("profile", &["icc/cmyk.jpg"]),
];

/// More of them, by path, each with its reason.
const LISTED: &str = include_str!("../../../tests/data/corpus-differences.txt");

fn is_known(path: &str) -> bool {
    DIFFERENCES.iter().flat_map(|(_, files)| *files).any(|file| path.ends_with(file))
        || LISTED.lines().any(|line| line.split_once('\t').is_some_and(|(listed, _)| listed == path))
}

#[test]
fn corpus_pictures_decode_as_the_manifest_says() {
    let folder = std::env::var_os("PHASOR_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let Ok(manifest) = std::fs::read(folder.join("manifest.json")) else {
        eprintln!("SKIPPED: there is no corpus at {} (set PHASOR_CORPUS)", folder.display());
        return;
    };
    let only = std::env::var("PHASOR_CORPUS_ONLY").unwrap_or_default();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut failures = Vec::new();
    let (mut checked, mut decoded) = (0, 0);
    for file in manifest["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        if !path.contains(&only) {
            continue;
        }
        let bytes = std::fs::read(folder.join(path)).unwrap();
        checked += 1;
        let started = std::time::Instant::now();
        match catch_unwind(AssertUnwindSafe(|| check(file, &bytes))) {
            Ok(Ok(was_decoded)) => decoded += usize::from(was_decoded),
            Ok(Err(reason)) => failures.push((path, reason)),
            Err(_) => failures.push((path, "panic".to_owned())),
        }
        if started.elapsed().as_secs() >= 10 {
            failures.push((path, format!("took {:?}", started.elapsed())));
        }
    }
    let (known, failures): (Vec<_>, Vec<_>) =
        failures.into_iter().partition(|(path, reason)| reason != "panic" && is_known(path));
    println!("{checked} files, {decoded} decoded, {} known differences", known.len());
    for (path, reason) in &failures {
        println!("{path}: {reason}");
    }
    assert!(failures.is_empty(), "{} of {checked} files differ from the manifest", failures.len());
}

/// Whether the file was decoded, or what is wrong.
fn check(file: &Value, bytes: &[u8]) -> Result<bool, String> {
    let format = file["format"].as_str().unwrap_or_default();
    let expect = if READ.contains(&format) { file["expect"].as_str().unwrap_or_default() } else { "reject" };
    let limits = Limits::default();
    let header = match probe(bytes, &limits) {
        Err(error) => return refused(expect, &error),
        Ok(header) => header,
    };
    match decode(bytes, &header, &DecodeSpec::default(), &limits, &|| false) {
        Err(error) => refused(expect, &error),
        Ok(_) if expect == "reject" => Err("decoded, but must be refused".to_owned()),
        Ok(decoded) => {
            let Picture::Packed(image) = &decoded.picture else { return Err("not packed".to_owned()) };
            if image.size() != header.size {
                return Err(format!("decoded {} but probed {}", image.size(), header.size));
            }
            if image.format().has_alpha() != header.alpha || image.format().is_gray() != header.is_gray() {
                return Err(format!("decoded {:?} but probed {header:?}", image.format()));
            }
            let stored = (header.size.width().into(), header.size.height().into());
            if let (Some(width), Some(height)) = (file["width"].as_u64(), file["height"].as_u64())
                && stored != (width, height)
                && header.format != Format::Svg
            {
                return Err(format!("size {stored:?}, not {width}x{height}"));
            }
            let ambiguous = file["tags"].to_string().contains("ambiguous-orientation");
            let want = file["orientation"].as_u64().unwrap_or(1);
            if u64::from(header.exif_orientation.max(1)) != want && !ambiguous && file.get("reason").is_none() {
                return Err(format!("orientation {}, not {want}", header.exif_orientation));
            }
            for reference in [&file["ref"], &file["ref_if_decoded"]] {
                compare(image, header.orientation(), reference)?;
            }
            Ok(true)
        }
    }
}

fn refused(expect: &str, error: &DecodeError) -> Result<bool, String> {
    if expect == "decode" { Err(format!("refused: {error}")) } else { Ok(false) }
}

/// Compares size and the mean colours of the four quadrants, upright and premultiplied.
fn compare(image: &ImageBuf, turn: crate::image::Orientation, reference: &Value) -> Result<(), String> {
    let upright = turn.output_size(image.size());
    if let Some(size) = reference["size"].as_array() {
        let size: Vec<_> = size.iter().filter_map(Value::as_u64).collect();
        if size != [u64::from(upright.width()), u64::from(upright.height())] {
            return Err(format!("upright {upright}, not {size:?}"));
        }
    }
    // Where the manifest knows the picture only after conversion to sRGB, as for CMYK.
    let (quads, tolerance) = match reference["quads"].as_array() {
        Some(quads) => (quads, &reference["tol"]),
        None => match reference["quads_srgb"].as_array() {
            Some(quads) => (quads, &reference["tol_srgb"]),
            None => return Ok(()),
        },
    };
    let tolerance = tolerance.as_f64().unwrap_or(1.0);
    let got = quadrants(image, turn, upright);
    for (want, got) in quads.iter().zip(got) {
        for (channel, got) in got.into_iter().enumerate() {
            let want = want[channel].as_f64().unwrap_or(0.0);
            if (want - got).abs() > tolerance || got.is_nan() {
                return Err(format!("quadrant {got:.1} in channel {channel}, not {want} ± {tolerance}"));
            }
        }
    }
    Ok(())
}

/// Mean red, green, blue (premultiplied) and alpha of the quadrants; odd sizes share the middle row or column.
fn quadrants(image: &ImageBuf, turn: crate::image::Orientation, upright: Size) -> [[f64; 4]; 4] {
    let (width, height) = (upright.width(), upright.height());
    let mut sums = [[0.0; 4]; 4];
    let mut counts = [0.0; 4];
    for y in 0..height {
        for x in 0..width {
            let (sx, sy) = turn.source_of(x, y, image.size());
            let (r, g, b, a) = match *image.pixel(sx, sy) {
                [y] => (y, y, y, 255),
                [y, a] => (y, y, y, a),
                [r, g, b] => (r, g, b, 255),
                [r, g, b, a] => (r, g, b, a),
                _ => unreachable!("one to four channels"),
            };
            let alpha = f64::from(a) / 255.0;
            let colour = [f64::from(r) * alpha, f64::from(g) * alpha, f64::from(b) * alpha, f64::from(a)];
            let columns = [x < width.div_ceil(2), x >= width / 2];
            let rows = [y < height.div_ceil(2), y >= height / 2];
            for quadrant in 0..4 {
                if columns[quadrant % 2] && rows[quadrant / 2] {
                    counts[quadrant] += 1.0;
                    for channel in 0..4 {
                        sums[quadrant][channel] += colour[channel];
                    }
                }
            }
        }
    }
    for (sum, count) in sums.iter_mut().zip(counts) {
        for channel in sum {
            *channel /= count;
        }
    }
    sums
}
