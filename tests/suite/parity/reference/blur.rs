//! Gaussian blur: e^(-k² / 2σ²) at every whole distance k, made to add up to 1; beyond the edges the last samples go on.

use super::Taps;

/// The shares of each of `len` samples.
pub fn taps(len: u32, sigma: f64) -> Vec<Taps> {
    // Beyond eight sigmas lies 1e-15 of the whole.
    let reach = (8.0 * sigma).ceil() as i64 + 1;
    let bell: Vec<f64> = (-reach..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = bell.iter().sum();
    let last = i64::from(len) - 1;
    let taps = |i: i64| {
        let mut shares = vec![0.0; len as usize];
        for (k, value) in (-reach..).zip(&bell) {
            shares[(i + k).clamp(0, last) as usize] += value / sum;
        }
        shares.into_iter().enumerate().filter(|(_, share)| *share > 1e-15).collect()
    };
    (0..=last).map(taps).collect()
}
