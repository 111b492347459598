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

/// Files where this build and the manifest differ, by path, each with its reason.
const LISTED: &str = include_str!("../../../tests/data/corpus-differences.txt");

fn listed() -> impl Iterator<Item = &'static str> {
    LISTED.lines().filter_map(|line| line.split_once('\t')).map(|(path, _)| path)
}

fn is_known(path: &str) -> bool {
    listed().any(|listed| listed == path)
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
    // What is mended comes off the list.
    let mended: Vec<_> =
        listed().filter(|path| path.contains(&only) && !known.iter().any(|(k, _)| k == path)).collect();
    assert!(mended.is_empty(), "listed, but as the manifest says: {mended:?}");
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
                // A height of 0 says that it comes later.
                && height > 0
                // A GIF's frame may stand for its screen; what is shown counts.
                && file["ref_if_decoded"]["size"].is_null()
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
