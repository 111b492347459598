//! Attention score → window: edges, skin colours and redness of a 32×32 reduction, smoothed, and its highest place.
//!
//! The same measures and constants as libvips' "attention" strategy, which the contract's reference uses and which
//! takes the skin vector from smartcrop.js, so that windows agree with what clients are used to.

use crate::image::{Rect, Size};

use super::colour::{lab_a, linear_to_xyz, srgb_to_linear};

/// Side of the reduced picture that is scored.
pub const ATTENTION_SIDE: usize = 32;

const SIDE: usize = ATTENTION_SIDE;

/// Direction of skin colours in XYZ.
const SKIN: [f64; 3] = [0.78, 0.57, 0.44];

/// Y (white 100) below which colour says nothing.
const DARK: f64 = 5.0;

/// The window of size `want` (clipped to `have`) of a picture of size `have` that draws most attention, read from
/// `small`: the whole picture resampled to [`ATTENTION_SIDE`] pixels square regardless of its proportions, row-major sRGB, 0 to 255.
pub fn attention_window(small: &[[u8; 3]; SIDE * SIDE], have: Size, want: Size) -> Rect {
    let size = Size::at_least_one(want.width().min(have.width()), want.height().min(have.height()));
    let across = SIDE as f64 / f64::from(have.width());
    let down = SIDE as f64 / f64::from(have.height());
    // The score is smoothed over about a fifth of the window.
    let sigma = ((f64::from(size.width()) * across).hypot(f64::from(size.height()) * down) / 10.0).max(1.0);
    let score = smoothed(&scores(small), sigma);
    let mut best = 0;
    for (i, value) in score.iter().enumerate() {
        if *value > score[best] {
            best = i;
        }
    }
    let place = |at: usize, scale: f64, have: u32, want: u32| {
        let first = at as f64 / scale - f64::from(want / 2);
        (first.max(0.0) as u32).min(have - want)
    };
    Rect {
        left: place(best % SIDE, across, have.width(), size.width()),
        top: place(best / SIDE, down, have.height(), size.height()),
        size,
    }
}

/// Edge strength plus, where it is not dark, likeness to skin plus redness.
fn scores(small: &[[u8; 3]; SIDE * SIDE]) -> Vec<f64> {
    let xyz: Vec<[f64; 3]> = small.iter().map(|rgb| linear_to_xyz(rgb.map(|c| srgb_to_linear(f64::from(c))))).collect();
    let luma = |x: usize, y: usize| xyz[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)][1];
    (0..SIDE * SIDE)
        .map(|i| {
            let (x, y) = (i % SIDE, i / SIDE);
            let around = luma(x.saturating_sub(1), y) + luma(x + 1, y) + luma(x, y.saturating_sub(1)) + luma(x, y + 1);
            let edge = 5.0 * (4.0 * luma(x, y) - around).abs();
            if luma(x, y) < DARK { edge } else { edge + skin(xyz[i]) + lab_a(xyz[i]) }
        })
        .collect()
}

/// 100 for a colour in the direction of skin, less with distance.
fn skin(xyz: [f64; 3]) -> f64 {
    let length = xyz.iter().map(|v| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    let distance = xyz.iter().zip(SKIN).map(|(v, s)| (v / length - s).powi(2)).sum::<f64>().sqrt();
    100.0 - 100.0 * distance
}

/// A Gaussian cut off at a fifth of its height, edges clamped.
fn smoothed(score: &[f64], sigma: f64) -> Vec<f64> {
    let reach = (sigma * (2.0 * 5.0_f64.ln()).sqrt()) as i64;
    let taps: Vec<f64> = (-reach..=reach).map(|d| (20.0 * (-0.5 * (d as f64 / sigma).powi(2)).exp()).round()).collect();
    let pass = |src: &[f64], step_x: i64, step_y: i64| -> Vec<f64> {
        (0..SIDE * SIDE)
            .map(|i| {
                let (x, y) = ((i % SIDE) as i64, (i / SIDE) as i64);
                let inside = |v: i64| v.clamp(0, SIDE as i64 - 1) as usize;
                let at = |d: i64| src[inside(y + d * step_y) * SIDE + inside(x + d * step_x)];
                taps.iter().zip(-reach..).map(|(w, d)| w * at(d)).sum()
            })
            .collect()
    };
    let across = pass(score, 1, 0);
    pass(&across, 0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(spots: &[(usize, usize, [u8; 3])]) -> [[u8; 3]; SIDE * SIDE] {
        let mut small = [[60; 3]; SIDE * SIDE];
        for &(x, y, colour) in spots {
            for dy in 0..3 {
                for dx in 0..3 {
                    small[(y + dy) * SIDE + x + dx] = colour;
                }
            }
        }
        small
    }

    #[test]
    fn window_lies_over_the_one_interesting_thing() {
        let have = Size::new(640, 320).unwrap();
        let want = Size::new(160, 80).unwrap();
        // Centre of the spot: column 25.5, row 5.5 of 32.
        let window = attention_window(&scene(&[(24, 4, [230, 60, 50])]), have, want);
        let (cx, cy) = (window.left + 80, window.top + 40);
        assert!(cx.abs_diff(510) <= 30 && cy.abs_diff(55) <= 20, "{window:?}");
        assert!(window.is_inside(have));
    }

    #[test]
    fn skin_draws_more_than_blue() {
        let have = Size::new(320, 320).unwrap();
        let want = Size::new(80, 320).unwrap();
        let window = attention_window(&scene(&[(4, 15, [50, 60, 140]), (25, 15, [220, 170, 140])]), have, want);
        assert!(window.left > 160, "{window:?}");
    }

    #[test]
    fn flat_picture_and_large_window_stay_inside() {
        for (w, h) in [(1, 1), (1, 500), (500, 1), (7, 3)] {
            let have = Size::new(w, h).unwrap();
            for (a, b) in [(1, 1), (4, 4), (900, 900)] {
                let window = attention_window(&scene(&[]), have, Size::new(a, b).unwrap());
                assert!(window.is_inside(have));
                assert_eq!(window.size, Size::new(a.min(w), b.min(h)).unwrap());
            }
        }
    }
}
