//! How near a file is to the picture that it was made of.

use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic, compute_frame_ssimulacra2};

/// PSNR of luma and of RGB in dB, and SSIMULACRA2.
#[derive(Clone, Copy, Default)]
pub struct Quality {
    pub luma_psnr: f64,
    pub rgb_psnr: f64,
    pub ssimulacra2: f64,
}

/// Of a file, as libjpeg-turbo shows it, beside the RGB that it was made of.
pub fn of(file: &[u8], original: &[u8], width: usize, height: usize) -> Quality {
    let shown = turbojpeg::decompress(file, turbojpeg::PixelFormat::RGB).expect("a file of either encoder");
    assert_eq!((shown.width, shown.height), (width, height));
    let luma = |rgb: &[u8]| 0.299 * f64::from(rgb[0]) + 0.587 * f64::from(rgb[1]) + 0.114 * f64::from(rgb[2]);
    let (mut in_luma, mut in_rgb) = (0.0, 0.0);
    for (a, b) in shown.pixels.chunks_exact(3).zip(original.chunks_exact(3)) {
        in_luma += (luma(a) - luma(b)).powi(2);
        in_rgb += a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum::<f64>() / 3.0;
    }
    let psnr = |sum: f64| 10.0 * (255.0 * 255.0 * (width * height) as f64 / sum.max(1e-9)).log10();
    let [a, b] = [original, &shown.pixels].map(|rgb| {
        let pixels = rgb.chunks_exact(3).map(|p| [0, 1, 2].map(|i| f32::from(p[i]) / 255.0)).collect();
        Rgb::new(pixels, width, height, TransferCharacteristic::SRGB, ColorPrimaries::BT709).expect("a whole picture")
    });
    let ssimulacra2 = compute_frame_ssimulacra2(a, b).expect("sizes of 8 pixels and more");
    Quality { luma_psnr: psnr(in_luma), rgb_psnr: psnr(in_rgb), ssimulacra2 }
}

pub fn mean(all: &[Quality]) -> Quality {
    let mean = |of: fn(&Quality) -> f64| all.iter().map(of).sum::<f64>() / all.len() as f64;
    Quality { luma_psnr: mean(|q| q.luma_psnr), rgb_psnr: mean(|q| q.rgb_psnr), ssimulacra2: mean(|q| q.ssimulacra2) }
}
