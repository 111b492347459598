//! Sigma → weights of a Gaussian blur with clamped edges, at a cost that does not grow with sigma.
//!
//! What a Gaussian leaves is so smooth that it needs computing only at every `sigma / 2.5`-th place: a first table
//! samples the blurred signal on such a coarse grid (the Gaussian itself, so every tap counts), a second one
//! interpolates between. Small sigmas need one table. The tests bound the distance from the definition.

use super::{Sigma, WeightTable};

/// Weights of one axis of a blur.
#[derive(Debug, Clone, PartialEq)]
pub struct BlurWeights {
    /// Source pixels → blurred samples, on a coarse grid when there is an `up`, otherwise at every pixel.
    pub down: WeightTable,
    /// Coarse samples → pixels.
    pub up: Option<WeightTable>,
}

/// Taps reach this many sigmas; beyond lies 6e-5 of the whole.
const REACH: f64 = 4.0;

/// Coarse samples a sigma. The Gaussian's spectrum at the grid's Nyquist frequency is then e^(-(2.5 pi)²/2), 4e-14.
const SAMPLES_PER_SIGMA: f64 = 2.5;

/// Below this sigma a direct convolution is as cheap.
const DIRECT: f64 = 5.0;

impl BlurWeights {
    /// The weights for a side of `len` pixels.
    pub fn new(len: u32, sigma: Sigma) -> Self {
        let len = len.max(1);
        let sigma = sigma.get();
        if sigma < DIRECT {
            let down = WeightTable::from_rows(len, (0..len).map(|i| gaussian(f64::from(i), sigma, len)));
            return Self { down, up: None };
        }
        // The grid goes past both ends as far as the interpolation reaches: the picture goes on there, clamped.
        let step = sigma / SAMPLES_PER_SIGMA;
        let coarse = (f64::from(len - 1) / step).floor() as u32 + 1 + 2 * MARGIN;
        let place = |m: u32| (f64::from(m) - f64::from(MARGIN)) * step;
        let down = WeightTable::from_rows(len, (0..coarse).map(|m| gaussian(place(m), sigma, len)));
        let up = WeightTable::from_rows(
            coarse,
            (0..len).map(|i| {
                let at = f64::from(i) / step + f64::from(MARGIN);
                let base = at.floor();
                (base as u32 + 1 - MARGIN, lagrange(at - base).to_vec())
            }),
        );
        Self { down, up: Some(up) }
    }
}

/// Coarse samples on either side that an interpolated one needs.
const MARGIN: u32 = 3;

/// The Gaussian around `centre` over a side of `len` pixels, what falls outside added to the edge pixels.
fn gaussian(centre: f64, sigma: f64, len: u32) -> (u32, Vec<f64>) {
    let reach = (REACH * sigma).ceil();
    let last = i64::from(len) - 1;
    let from = (centre - reach).floor() as i64;
    let to = (centre + reach).ceil() as i64;
    let first = from.clamp(0, last);
    let mut row = vec![0.0; (to.clamp(0, last) - first + 1) as usize];
    for i in from..=to {
        let d = (i as f64 - centre) / sigma;
        row[(i.clamp(0, last) - first) as usize] += (-0.5 * d * d).exp();
    }
    (first as u32, row)
}

/// Weights of the six samples at -2 … 3 for the quintic through them, at `t` in [0, 1).
fn lagrange(t: f64) -> [f64; 6] {
    std::array::from_fn(|i| {
        let here = i as f64 - 2.0;
        (0..6).filter(|&j| j != i).map(|j| j as f64 - 2.0).map(|there| (t - there) / (here - there)).product()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sigma(value: f64) -> Sigma {
        Sigma::new(value).unwrap()
    }

    /// The weights of every source pixel for output pixel `i`, through both tables.
    fn response(weights: &BlurWeights, i: u32, len: u32) -> Vec<f64> {
        let mut all = vec![0.0; len as usize];
        let mut add = |i: u32, factor: f64| {
            let (first, row) = weights.down.row(i);
            for (slot, w) in all[first as usize..].iter_mut().zip(row) {
                *slot += factor * w;
            }
        };
        match &weights.up {
            None => add(i, 1.0),
            Some(up) => {
                let (first, row) = up.row(i);
                row.iter().enumerate().for_each(|(m, &w)| add(first + m as u32, w));
            }
        }
        all
    }

    /// The definition: a Gaussian normalised over all integers, the picture's edges repeated forever.
    fn definition(i: u32, sigma: f64, len: u32) -> Vec<f64> {
        let mut all = vec![0.0; len as usize];
        let reach = (sigma * 8.0).ceil() as i64 + 2;
        for k in -reach..=reach {
            let x = (i64::from(i) + k).clamp(0, i64::from(len) - 1);
            all[x as usize] += (-0.5 * (k as f64 / sigma).powi(2)).exp();
        }
        let sum: f64 = all.iter().sum();
        all.iter().map(|w| w / sum).collect()
    }

    #[test]
    fn no_picture_differs_from_the_definition_by_a_quarter_level_an_axis() {
        for s in [0.3, 0.5, 1.0, 2.0, 4.9, 5.0, 7.3, 10.0, 40.0, 111.1, 1000.0] {
            for len in [1, 2, 3, 10, 100, 257] {
                let weights = BlurWeights::new(len, sigma(s));
                for i in (0..len).step_by(if len > 10 { 7 } else { 1 }) {
                    let pairs = response(&weights, i, len);
                    let l1: f64 = pairs.iter().zip(definition(i, s, len)).map(|(a, b)| (a - b).abs()).sum();
                    // The worst picture with samples of 0 to 255 is off by half of 255 × L1 (the weights sum to one).
                    assert!(l1 * 127.5 < 0.25, "sigma {s}, {len} pixels, at {i}: {}", l1 * 127.5);
                }
            }
        }
    }

    #[test]
    fn cost_does_not_grow_with_sigma() {
        let work = |s: f64| {
            let w = BlurWeights::new(4000, sigma(s));
            let of = |t: &WeightTable| t.bounds().iter().map(|b| u64::from(b.count)).sum::<u64>();
            of(&w.down) + w.up.as_ref().map_or(0, of)
        };
        let most = 45 * 4000;
        for s in [0.3, 2.5, 4.9, 5.0, 10.0, 40.0, 200.0, 1000.0] {
            assert!(work(s) < most, "sigma {s}: {}", work(s));
        }
    }
}
