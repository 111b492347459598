//! Filters and the shares that they give to the samples of an axis.

use phasor::ops::Filter;

use super::Taps;

/// What is seen of an axis and what becomes of it, in whole numbers, so that ties are ties.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    /// Samples that there are.
    pub len: u32,
    /// Picture pixels that a sample covers.
    pub ratio: u32,
    /// First pixel of the window, and pixels in it.
    pub first: u32,
    pub count: u32,
    /// Pixels of the result, and those of them that a sample of the result stands for.
    pub to: u32,
    pub step: u32,
}

impl Axis {
    /// All of an axis of pixels.
    pub fn whole(len: u32, to: u32) -> Self {
        Self { len, ratio: 1, first: 0, count: len, to, step: 1 }
    }

    /// Whether there are more samples afterwards than the window has.
    pub fn is_enlarged(&self) -> bool {
        self.count * self.step < self.to * self.ratio
    }

    /// The shares of each sample of the result: the filter around its centre, widened where the axis is shrunk (so that it
    /// passes no frequency that the result cannot hold), over the samples that there are, shares made to add up to 1.
    /// Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989), 3.5; Schumacher, "General Filtered Image
    /// Rescaling" (Graphics Gems III, 1992).
    pub fn taps(&self, filter: Filter) -> Vec<Taps> {
        let of = |n: u32| i64::from(n);
        let (to, ratio, step) = (of(self.to), of(self.ratio), of(self.step));
        // Pixel centres lie at halves. In units of a half sample of the source over `to × ratio`:
        let unit = to * ratio;
        let wide = (of(self.count) * step).max(unit);
        let outputs = self.to.div_ceil(self.step);
        let taps = |i: u32| {
            let centre = 2 * to * of(self.first) + (2 * of(i) + 1) * of(self.count) * step;
            if filter == Filter::Nearest {
                // The sample that the centre lies in.
                let under = centre.div_euclid(2 * unit).min(of(self.len) - 1);
                return vec![(under as usize, 1.0)];
            }
            let all = (0..self.len).map(|j| {
                let apart = (2 * of(j) + 1) * unit - centre;
                (j as usize, weight(filter, apart, 2 * wide))
            });
            let taps: Taps = all.filter(|(_, w)| *w != 0.0).collect();
            let sum: f64 = taps.iter().map(|(_, w)| w).sum();
            assert!(sum > 1e-6, "{self:?} {filter:?}: nothing at {i}");
            taps.into_iter().map(|(j, w)| (j, w / sum)).collect()
        };
        (0..outputs).map(taps).collect()
    }
}

/// The filter `apart / unit` samples from its centre.
fn weight(filter: Filter, apart: i64, unit: i64) -> f64 {
    let x = apart as f64 / unit as f64;
    let r = x.abs();
    match filter {
        Filter::Nearest => unreachable!("a place, not a weight"),
        // The samples inside; one that lies on the border belongs to the output before it.
        Filter::Box => f64::from(u8::from(-unit < 2 * apart && 2 * apart <= unit)),
        // Linear interpolation.
        Filter::Triangle => (1.0 - r).max(0.0),
        // Keys, "Cubic Convolution Interpolation for Digital Image Processing" (1981), (8) with a = -1/2.
        Filter::CatmullRom if r < 1.0 => (1.5 * r - 2.5) * r * r + 1.0,
        Filter::CatmullRom if r < 2.0 => ((-0.5 * r + 2.5) * r - 4.0) * r + 2.0,
        // Mitchell & Netravali, "Reconstruction Filters in Computer Graphics" (1988), (8) with B = C = 1/3.
        Filter::Mitchell if r < 1.0 => ((21.0 * r - 36.0) * r * r + 16.0) / 18.0,
        Filter::Mitchell if r < 2.0 => (((-7.0 * r + 36.0) * r - 60.0) * r + 32.0) / 18.0,
        // Duchon, "Lanczos Filtering in One and Two Dimensions" (1979): sinc windowed by the middle lobe of a wider one.
        Filter::Lanczos3 if r < 3.0 => sinc(r) * sinc(r / 3.0),
        Filter::CatmullRom | Filter::Mitchell | Filter::Lanczos3 => 0.0,
    }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}
