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
