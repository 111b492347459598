//! Samples of a component that has fewer of them than the picture has pixels, between its own: linearly, as libjpeg's
//! "fancy upsampling" does by halves, for every quotient there can be.

/// Along one axis: which samples lie beside a pixel, and how near.
pub(super) struct Axis {
    /// Samples for so many pixels.
    ratio: (usize, usize),
    samples: usize,
    /// For each pixel, where it is not simply one sample: the first of two samples, and the weight of the second.
    between: Vec<(u32, u16)>,
}

/// What weights add up to.
const ONE: u32 = 256;

impl Axis {
    /// For so many pixels and samples of a component with this sampling factor, beside the largest one.
    pub(super) fn new(pixels: usize, samples: usize, (factor, most): (usize, usize)) -> Self {
        let mut axis = Self { ratio: (factor, most), samples: samples.max(1), between: Vec::new() };
        if factor != most {
            axis.between = (0..pixels).map(|i| axis.find(i)).collect();
        }
        axis
    }

    fn find(&self, pixel: usize) -> (u32, u16) {
        let (factor, most) = self.ratio;
        // Centres are aligned: pixel p lies at (p + ½) · factor / most − ½ samples; here in parts of 2 · most.
        let place = ((2 * pixel + 1) * factor).saturating_sub(most);
        let (sample, rest) = (place / (2 * most), place % (2 * most));
        let last = self.samples - 1;
        if sample >= last {
            return (last as u32, 0);
        }
        (sample as u32, (rest * ONE as usize / (2 * most)) as u16)
    }

    /// The two samples beside a pixel, and the weight of the second.
    pub(super) fn at(&self, pixel: usize) -> (usize, usize, u32) {
        if self.ratio.0 == self.ratio.1 {
            let sample = pixel.min(self.samples - 1);
            return (sample, sample, 0);
        }
        let (sample, weight) = self.find(pixel);
        let sample = sample as usize;
        (sample, if weight == 0 { sample } else { sample + 1 }, weight.into())
    }

    /// A row of pixels from the rows of samples above and below it, `weight` that of the one below. `blended` is room to
    /// work in.
    #[inline(always)]
    pub(super) fn line(&self, (above, below): (&[u8], &[u8]), weight: u32, blended: &mut Vec<u16>, out: &mut [u8]) {
        let (factor, most) = self.ratio;
        if factor == most && weight == 0 {
            let count = out.len().min(above.len());
            out[..count].copy_from_slice(&above[..count]);
            return;
        }
        let down = |i: usize| u32::from(above[i]) * (ONE - weight) + u32::from(below[i]) * weight;
        const HALF: u32 = ONE * ONE / 2;
        let samples = above.len().min(below.len());
        if factor == most {
            for (i, out) in out.iter_mut().enumerate().take(samples) {
                *out = ((down(i) * ONE + HALF) >> 16) as u8;
            }
        } else if 2 * factor == most && samples > 1 {
            // The common case, without a look-up: a quarter of a neighbour on either side.
            let last = samples - 1;
            blended.clear();
            blended.extend(
                above
                    .iter()
                    .zip(below)
                    .map(|(&above, &below)| (u32::from(above) * (ONE - weight) + u32::from(below) * weight) as u16),
            );
            let Some(behind) = blended.get(1..) else { return };
            let between = |near: u32, far: u32| ((near * 192 + far * 64 + HALF) >> 16) as u8;
            if let Some(out) = out.first_mut() {
                *out = ((down(0) * ONE + HALF) >> 16) as u8;
            }
            let inner = out.get_mut(1..).unwrap_or_default();
            for (pair, (&left, &right)) in inner.as_chunks_mut::<2>().0.iter_mut().zip(blended.iter().zip(behind)) {
                let (left, right) = (u32::from(left), u32::from(right));
                *pair = [between(left, right), between(right, left)];
            }
            if let Some(out) = out.get_mut(2 * last + 1) {
                *out = ((down(last) * ONE + HALF) >> 16) as u8;
            }
        } else {
            for (out, &(sample, weight)) in out.iter_mut().zip(&self.between) {
                let (sample, weight) = (sample as usize, u32::from(weight));
                let next = if weight == 0 { sample } else { sample + 1 };
                *out = ((down(sample) * (ONE - weight) + down(next) * weight + HALF) >> 16) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of pixels by the definition.
    fn ideal(samples: &[u8], pixels: usize, factor: usize, most: usize) -> Vec<f64> {
        let at = |pixel: usize| {
            let place = (pixel as f64 + 0.5) * factor as f64 / most as f64 - 0.5;
            let place = place.max(0.0).min(samples.len() as f64 - 1.0);
            let (left, rest) = (place.floor() as usize, place.fract());
            f64::from(samples[left]) * (1.0 - rest) + f64::from(samples[(left + 1).min(samples.len() - 1)]) * rest
        };
        (0..pixels).map(at).collect()
    }

    #[test]
    fn lines_are_linear_between_centres() {
        for (factor, most) in [(1, 1_usize), (1, 2), (2, 4), (1, 3), (2, 3), (1, 4), (3, 4)] {
            for pixels in [1_usize, 2, 3, 7, 16, 33] {
                let samples: Vec<u8> = (0..(pixels * factor).div_ceil(most)).map(|i| (i * 89 % 251) as u8).collect();
                let axis = Axis::new(pixels, samples.len(), (factor, most));
                let mut line = vec![0; pixels];
                axis.line((&samples, &samples), 0, &mut Vec::new(), &mut line);
                for (i, (got, want)) in line.iter().zip(ideal(&samples, pixels, factor, most)).enumerate() {
                    assert!((f64::from(*got) - want).abs() <= 1.0, "{factor}/{most} of {pixels}, {i}: {got} {want}");
                    let (a, b, weight) = axis.at(i);
                    let by_two =
                        f64::from(samples[a]) * f64::from(256 - weight) + f64::from(samples[b]) * f64::from(weight);
                    assert!((by_two / 256.0 - want).abs() <= 1.0, "{factor}/{most} of {pixels}, {i}");
                }
            }
        }
    }

    #[test]
    fn rows_are_blended_by_weight() {
        for (factor, most) in [(1, 1), (1, 2), (1, 3)] {
            let axis = Axis::new(6, 6 * factor / most, (factor, most));
            let mut line = vec![0; 6];
            let rows = (&[100; 6][..6 * factor / most], &[200; 6][..6 * factor / most]);
            axis.line(rows, 64, &mut Vec::new(), &mut line);
            assert_eq!(line, [125; 6]);
        }
    }
}
