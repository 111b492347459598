//! Lanczos3 straight from the definition, in f64: a windowed sinc over the source, widened when shrinking, weights of
//! what lies inside normalised to one.

use phasor::image::{ImageBuf, Size};

fn lanczos3(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

fn weights(from: u32, to: u32, i: u32) -> Vec<f64> {
    let scale = f64::from(from) / f64::from(to);
    let wide = scale.max(1.0);
    let centre = (f64::from(i) + 0.5) * scale;
    let all: Vec<f64> = (0..from).map(|j| lanczos3((f64::from(j) + 0.5 - centre) / wide)).collect();
    let sum: f64 = all.iter().sum();
    all.iter().map(|w| w / sum).collect()
}

/// Samples of the result, clamped but not rounded; for pictures without alpha.
pub fn resampled(image: &ImageBuf, to: Size) -> Vec<f64> {
    let (size, channels) = (image.size(), image.format().channels());
    assert!(!image.format().has_alpha());
    let (width, height) = (size.width() as usize, to.height() as usize);
    let mut tall = vec![0.0; width * height * channels];
    for y in 0..height {
        let weights = weights(size.height(), to.height(), y as u32);
        for i in 0..width * channels {
            let column = (0..size.height() as usize).map(|j| f64::from(image.pixels()[j * width * channels + i]));
            tall[y * width * channels + i] = column.zip(&weights).map(|(s, w)| s * w).sum();
        }
    }
    let mut out = Vec::with_capacity(to.width() as usize * height * channels);
    for y in 0..height {
        for x in 0..to.width() {
            let weights = weights(size.width(), to.width(), x);
            for c in 0..channels {
                let row = (0..width).map(|i| tall[(y * width + i) * channels + c]);
                out.push(row.zip(&weights).map(|(s, w)| s * w).sum::<f64>().clamp(0.0, 255.0));
            }
        }
    }
    out
}
