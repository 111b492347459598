use std::path::Path;

use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Detail, Limits, decode, probe};
use phasor::image::{ImageBuf, Picture};
use phasor::plan::{Endpoint, parse, resolve};
use phasor::query::Query;

/// Peak signal-to-noise ratio in dB of 8-bit samples.
fn psnr(a: &ImageBuf, b: &ImageBuf) -> f64 {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()));
    let sum: f64 = a.pixels().iter().zip(b.pixels()).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) / (sum / a.pixels().len() as f64).max(1e-9)).log10()
}

#[test]
fn less_detail_makes_the_picture_that_all_samples_make() {
    let limits = Limits::default();
    let (mut coefficients, mut planes) = (0, 0);
    for name in ["photo.jpg", "progressive.jpg", "422.jpg", "444.jpg", "grey.jpg", "exif-6.jpg", "metadata.jpg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let bytes = std::fs::read(path).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        for scale in [1.5, 3.0, 3.1, 3.7, 4.7, 6.3, 7.5, 9.0, 13.3, 20.0, 30.0, 60.0] {
            let width = (f64::from(header.orientation().output_size(header.size).width()) / scale).floor();
            if width < 8.0 {
                continue;
            }
            let params = parse(&Query::parse(format!("width={width}&type=png").as_bytes())).unwrap();
            let plan = resolve(Endpoint::Resize, &params, &header, &limits, None).unwrap();
            let make = |detail| {
                let spec = DecodeSpec { detail, ..plan.decode };
                let decoded = decode(&bytes, &header, &spec, &limits, &|| false).unwrap();
                let samples = matches!(decoded.picture, Picture::Packed(_));
                assert_eq!(samples, detail == Detail::Samples, "{name} is of the kind that is read so");
                CpuBackend.run(decoded.picture, &[], &plan.steps, &NeverCancelled).unwrap()
            };
            match plan.decode.detail {
                Detail::Samples => continue,
                Detail::Planes => planes += 1,
                Detail::Coefficients(_) => coefficients += 1,
            }
            let fidelity = psnr(&make(plan.decode.detail), &make(Detail::Samples));
            // Chroma differs most: the general decoder enlarges it first, and not by the same filter.
            let floor = if scale < 4.0 { 35.0 } else { 40.0 };
            assert!(fidelity > floor, "{name} by {scale}, {:?}: {fidelity:.1} dB", plan.decode.detail);
        }
    }
    assert!(coefficients > 40 && planes > 15, "{coefficients} {planes}");
}

/// What `scripts/fidelity --record` wrote: by file and width, dB of vipsthumbnail (libvips 8.14) against the ideal picture.
static BY_VIPS: &str = include_str!("../data/fidelity.json");

/// All samples, Lanczos3 in f64: rows of RGB, 0 to 255, not rounded.
fn ideal(image: &ImageBuf, width: usize, height: usize) -> Vec<f64> {
    fn weights(have: usize, want: usize) -> Vec<Vec<(usize, f64)>> {
        let scale = have as f64 / want as f64;
        let stretch = scale.max(1.0);
        let lanczos = |x: f64| if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 };
        (0..want)
            .map(|i| {
                let centre = (i as f64 + 0.5) * scale;
                let taps: Vec<_> = (0..have).map(|p| (p, lanczos((p as f64 + 0.5 - centre) / stretch))).collect();
                let sum: f64 = taps.iter().map(|tap| tap.1).sum();
                taps.into_iter().filter(|tap| tap.1 != 0.0).map(|(p, weight)| (p, weight / sum)).collect()
            })
            .collect()
    }
    fn sinc(x: f64) -> f64 {
        if x == 0.0 { 1.0 } else { (x * std::f64::consts::PI).sin() / (x * std::f64::consts::PI) }
    }
    let (have_x, have_y) = (image.size().width() as usize, image.size().height() as usize);
    let channels = image.pixels().len() / (have_x * have_y);
    let across = weights(have_x, width);
    let mut narrow = vec![0.0; width * have_y * channels];
    for (row, out) in image.pixels().chunks_exact(have_x * channels).zip(narrow.chunks_exact_mut(width * channels)) {
        for (taps, out) in across.iter().zip(out.chunks_exact_mut(channels)) {
            for (c, out) in out.iter_mut().enumerate() {
                *out = taps.iter().map(|&(p, weight)| weight * f64::from(row[p * channels + c])).sum();
            }
        }
    }
    let mut made = vec![0.0; width * height * channels];
    for (taps, out) in weights(have_y, height).iter().zip(made.chunks_exact_mut(width * channels)) {
        for &(p, weight) in taps {
            for (out, value) in out.iter_mut().zip(&narrow[p * width * channels..]) {
                *out += weight * value;
            }
        }
    }
    made.into_iter().map(|value| value.max(0.0).min(255.0)).collect()
}

#[test]
fn thumbnails_are_at_least_as_near_to_the_ideal_as_libvips_makes_them() {
    let recorded: serde_json::Value = serde_json::from_str(BY_VIPS).unwrap();
    let limits = Limits::default();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let photos = std::env::var_os("PHASOR_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), Into::into)
        .join("photos");
    let (mut ours, mut theirs, mut missing) = (Vec::new(), Vec::new(), 0);
    for (name, widths) in recorded.as_object().unwrap() {
        let found = [&fixtures, &photos].into_iter().find_map(|folder| std::fs::read(folder.join(name)).ok());
        let Some(bytes) = found else {
            missing += 1;
            continue;
        };
        let header = probe(&bytes, &limits).unwrap();
        // In a debug build the largest take too long; `scripts/fidelity` measures them all.
        if header.size.area() > 1_500_000 {
            continue;
        }
        let whole = decode(&bytes, &header, &DecodeSpec::default(), &limits, &|| false).unwrap();
        let Picture::Packed(whole) = whole.picture else { panic!("{name} is not packed") };
        for (width, by_vips) in widths.as_object().unwrap() {
            let text = format!("width={width}&type=png&norotation=true");
            let params = parse(&Query::parse(text.as_bytes())).unwrap();
            let plan = resolve(Endpoint::Resize, &params, &header, &limits, None).unwrap();
            let decoded = decode(&bytes, &header, &plan.decode, &limits, &|| false).unwrap();
            let made = CpuBackend.run(decoded.picture, &[], &plan.steps, &NeverCancelled).unwrap();
            let wanted = ideal(&whole, made.size().width() as usize, made.size().height() as usize);
            let channels = wanted.len() / made.size().area() as usize;
            let errors = made.pixels().iter().enumerate().filter_map(|(i, &sample)| {
                // Grey pictures may come as three equal channels.
                let made_channels = made.pixels().len() / made.size().area() as usize;
                let at = if made_channels == channels { i } else { i / made_channels };
                wanted.get(at).map(|wanted| (f64::from(sample) - wanted).powi(2))
            });
            let error = errors.sum::<f64>() / made.pixels().len() as f64;
            let (made, by_vips) = (10.0 * (255.0_f64.powi(2) / error).log10(), by_vips.as_f64().unwrap());
            println!("{name} to {width}: {made:.1} dB, libvips {by_vips:.1}");
            // A weaker shrink resamples planes, and what would not fit into RGB at full size is not cut off before: where
            // pictures touch black or white, the ideal as it is defined here is missed by more.
            let scale = f64::from(header.size.width()) / width.parse::<f64>().unwrap();
            let below = if scale >= 4.0 { 0.5 } else { 2.5 };
            assert!(made >= by_vips - below, "{name} to {width}: {made:.2} dB, libvips {by_vips:.2}");
            ours.push(made);
            theirs.push(by_vips);
        }
    }
    if missing > 0 {
        eprintln!("SKIPPED {missing} photographs: no corpus at {}", photos.display());
    }
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    assert!(ours.len() >= 20, "{}", ours.len());
    assert!(mean(&ours) >= mean(&theirs), "{} {}", mean(&ours), mean(&theirs));
}
