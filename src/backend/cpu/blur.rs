//! Gaussian blur: the weights of `ops::BlurWeights`, once or (on a coarse grid and back) twice through the resampler.

use crate::backend::{BackendError, Checkpoint};
use crate::image::ImageBuf;
use crate::ops::{BlurWeights, Sigma, WeightTable};

use super::convolution::{PADDING, PixelSum, sum_rows};
use super::resample::{Resampler, Samples, convolve, store, store_straight};
use super::{cancelled, made};

/// Blurs a picture; alpha is premultiplied while it lasts.
///
/// # Errors
/// [`BackendError::Cancelled`].
pub(super) fn blur(buf: ImageBuf, sigma: Sigma, checkpoint: &dyn Checkpoint) -> Result<ImageBuf, BackendError> {
    let (size, format) = (buf.size(), buf.format());
    let across = BlurWeights::new(size.width(), sigma);
    let down = BlurWeights::new(size.height(), sigma);
    let (Some(back_across), Some(back_down)) = (across.up, down.up) else {
        let pixels = convolve(Samples::of(&buf), &across.down, &down.down, checkpoint)?;
        return made(size, format, pixels);
    };
    let coarse = sampled(Samples::of(&buf), &across.down, &down.down, checkpoint)?;
    // The source is no longer needed: the result goes into its memory.
    let mut pixels = buf.into_pixels();
    let channels = format.channels();
    let len = size.width() as usize * channels;
    let mut widened = Widened::new(&coarse, PixelSum::new(&back_across, channels), len);
    let blend = fastest();
    for (y, out) in (0..size.height()).zip(pixels.chunks_exact_mut(len)) {
        if y % 16 == 0 {
            cancelled(checkpoint)?;
        }
        blend(&mut widened, back_down.row(y), format.has_alpha().then_some(channels), out);
    }
    made(size, format, pixels)
}

/// Rows of the coarse grid at full width: there are few of them, so that is done before rows are blended.
struct Widened<'a> {
    coarse: &'a Coarse,
    widen: PixelSum,
    narrow: Vec<f32>,
    /// Coarse row `y` is at `y % ROWS`, if it is there.
    rows: [Vec<f32>; ROWS],
    /// The rows that are there. Not all in between need be: a row of the result may be made of one alone.
    held: [Option<usize>; ROWS],
    blended: Vec<f32>,
}

/// More than the rows that one row of the result is blended from.
const ROWS: usize = 8;

impl<'a> Widened<'a> {
    fn new(coarse: &'a Coarse, widen: PixelSum, len: usize) -> Self {
        Self {
            coarse,
            widen,
            narrow: vec![0.0; coarse.len + PADDING],
            rows: std::array::from_fn(|_| vec![0.0; len]),
            held: [None; ROWS],
            blended: vec![0.0; len],
        }
    }
}

/// Blends coarse rows from the first one on into a row of the result; with so many channels if the last is alpha.
#[inline(always)]
fn blend(widened: &mut Widened<'_>, (first, weights): (u32, &[f64]), alpha: Option<usize>, out: &mut [u8]) {
    let first = first as usize;
    let Widened { coarse, widen, narrow, rows, held, blended } = widened;
    for y in first..first + weights.len() {
        if held[y % ROWS].replace(y) != Some(y) {
            narrow[..coarse.len].copy_from_slice(coarse.row(y));
            widen.sum(narrow, &mut rows[y % ROWS]);
        }
    }
    sum_rows(weights, |k| rows[(first + k) % ROWS].as_slice(), blended);
    match alpha {
        Some(channels) => store_straight(blended, channels, out),
        None => store(blended, out),
    }
}

type Blend = fn(&mut Widened<'_>, (u32, &[f64]), Option<usize>, &mut [u8]);

/// The fastest of the twins that this processor runs: the same code, compiled for it.
fn fastest() -> Blend {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return blend_avx2;
    }
    blend
}

#[cfg(target_arch = "x86_64")]
fn blend_avx2(widened: &mut Widened<'_>, row: (u32, &[f64]), alpha: Option<usize>, out: &mut [u8]) {
    #[target_feature(enable = "avx2")]
    fn enabled(widened: &mut Widened<'_>, row: (u32, &[f64]), alpha: Option<usize>, out: &mut [u8]) {
        blend(widened, row, alpha, out);
    }
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has AVX2.
    unsafe {
        enabled(widened, row, alpha, out);
    }
}

/// Blurred samples on the coarse grid: rows of `len` samples.
struct Coarse {
    len: usize,
    samples: Vec<f32>,
}

impl Coarse {
    fn row(&self, y: usize) -> &[f32] {
        &self.samples[y * self.len..][..self.len]
    }
}

fn sampled(
    src: Samples<'_>,
    across: &WeightTable,
    down: &WeightTable,
    checkpoint: &dyn Checkpoint,
) -> Result<Coarse, BackendError> {
    let len = across.dst_len() as usize * src.channels();
    let mut samples = Vec::with_capacity(len * down.dst_len() as usize);
    let mut row = vec![0.0; len + PADDING];
    let mut resampler = Resampler::new(src, across, down);
    for y in 0..down.dst_len() {
        cancelled(checkpoint)?;
        resampler.row(y, &mut row);
        samples.extend_from_slice(&row[..len]);
    }
    Ok(Coarse { len, samples })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NeverCancelled;
    use crate::image::{PixelFormat, Size};

    fn blurred(buf: &ImageBuf, sigma: f64) -> ImageBuf {
        blur(buf.clone(), Sigma::new(sigma).unwrap(), &NeverCancelled).unwrap()
    }

    /// The definition in f64 with clamped edges, one channel.
    fn definition(src: &[f64], w: usize, h: usize, sigma: f64) -> Vec<f64> {
        let reach = (sigma * 6.0).ceil() as i64 + 1;
        let taps: Vec<f64> = (-reach..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp()).collect();
        let sum: f64 = taps.iter().sum();
        let pass = |src: &[f64], dx: i64, dy: i64| -> Vec<f64> {
            (0..w * h)
                .map(|i| {
                    let at = |k: i64| {
                        let x = ((i % w) as i64 + k * dx).clamp(0, w as i64 - 1) as usize;
                        let y = ((i / w) as i64 + k * dy).clamp(0, h as i64 - 1) as usize;
                        src[y * w + x]
                    };
                    taps.iter().zip(-reach..).map(|(t, k)| t / sum * at(k)).sum()
                })
                .collect()
        };
        pass(&pass(src, 1, 0), 0, 1)
    }

    #[test]
    fn hard_edges_come_out_as_defined() {
        let (w, h) = (61, 45);
        let size = Size::new(w, h).unwrap();
        // Black and white at random places in blocks, the worst case for an approximation.
        let pixels: Vec<u8> = (0..w * h)
            .map(|i| {
                if (((i % w / 7).wrapping_mul(2_654_435_761) ^ (i / w / 5).wrapping_mul(40_503)) >> 3) % 3 == 0 {
                    255
                } else {
                    0
                }
            })
            .collect();
        let src: Vec<f64> = pixels.iter().map(|&s| f64::from(s)).collect();
        let buf = ImageBuf::new(size, PixelFormat::Gray8, pixels).unwrap();
        for sigma in [0.3, 0.8, 2.0, 4.5, 5.5, 12.0, 60.0, 1000.0] {
            let got = blurred(&buf, sigma);
            let want = definition(&src, w as usize, h as usize, sigma);
            for (i, (got, want)) in got.pixels().iter().zip(&want).enumerate() {
                assert!((f64::from(*got) - want).abs() <= 1.0, "sigma {sigma} at {i}: {got} {want}");
            }
        }
    }

    #[test]
    fn colour_under_transparency_does_not_bleed() {
        let size = Size::new(20, 1).unwrap();
        let pixels = (0..20).flat_map(|x| if x < 10 { [255, 0, 0, 0] } else { [0, 200, 0, 255] }).collect();
        let buf = ImageBuf::new(size, PixelFormat::Rgba8, pixels).unwrap();
        for sigma in [1.5, 7.0] {
            for pixel in blurred(&buf, sigma).pixels().chunks_exact(4).filter(|p| p[3] > 0) {
                assert_eq!(pixel[0], 0);
                assert!(pixel[1].abs_diff(200) <= 1, "{pixel:?}");
            }
        }
    }

    #[test]
    fn huge_sigma_on_a_small_picture_is_its_clamped_mean() {
        let size = Size::new(10, 10).unwrap();
        let pixels = (0..100).map(|i| if i % 10 < 5 { 0 } else { 200 }).collect();
        let buf = ImageBuf::new(size, PixelFormat::Gray8, pixels).unwrap();
        let out = blurred(&buf, 1000.0);
        assert!(out.pixels().iter().all(|p| (98..=102).contains(p)), "{:?}", out.pixels());
        let one = ImageBuf::new(Size::new(1, 1).unwrap(), PixelFormat::Rgb8, vec![1, 2, 3]).unwrap();
        assert_eq!(blurred(&one, 1000.0), one);
        assert_eq!(blurred(&one, 0.0001), one);
    }
}
