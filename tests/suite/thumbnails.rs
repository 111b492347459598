use std::path::Path;

use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Limits, decode, probe};
use phasor::image::{ImageBuf, Picture, Size};
use phasor::ops::{Filter, Step};

/// Peak signal-to-noise ratio in dB of 8-bit samples.
fn psnr(a: &ImageBuf, b: &ImageBuf) -> f64 {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()));
    let sum: f64 = a.pixels().iter().zip(b.pixels()).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    10.0 * (255.0_f64.powi(2) / (sum / a.pixels().len() as f64).max(1e-9)).log10()
}

/// What the plan would ask for: see `plan::resolve::shrink`.
fn frequencies(scale: f64) -> u8 {
    ((28.0 / scale).ceil() as u8).max(2)
}

#[test]
fn coefficients_make_the_picture_that_all_samples_make() {
    let limits = Limits::default();
    let mut seen = 0;
    for name in ["photo.jpg", "progressive.jpg", "422.jpg", "444.jpg", "grey.jpg", "exif-6.jpg", "metadata.jpg"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
        let bytes = std::fs::read(path).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        for scale in [4.7, 6.3, 9.0, 13.3, 20.0, 30.0] {
            let side = |side: u32| (f64::from(side) / scale).floor() as u32;
            let Some(to) = Size::new(side(header.size.width()), side(header.size.height())) else { continue };
            let k = frequencies(scale);
            let make = |coefficients| {
                let spec = DecodeSpec { coefficients, ..DecodeSpec::default() };
                let decoded = decode(&bytes, &header, &spec, &limits, &|| false).unwrap();
                let direct = matches!(decoded.picture, Picture::Coefficients(_));
                assert_eq!(direct, coefficients > 0, "{name} is of the kind that is read so");
                let steps = [Step::Resample { to, filter: Filter::Lanczos3 }];
                CpuBackend.run(decoded.picture, &[], &steps, &NeverCancelled).unwrap()
            };
            let fidelity = psnr(&make(k * (k + 1) / 2), &make(0)); // Chroma differs more than luma: the general decoder enlarges it first, and not by the same filter.
            assert!(fidelity > 40.0, "{name} by {scale}, {k} frequencies: {fidelity:.1} dB");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}
