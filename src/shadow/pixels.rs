//! How far two pictures of one size are apart.

use crate::image::{AlphaMode, ImageBuf};

/// Rows and columns of a block.
const BLOCK: usize = 16;
/// Two resamplings and two encoders of one picture differ by less than this, in samples of 0 to 255, on average.
const MEAN: f64 = 6.0;
/// A block's mean colour hardly depends on either; a watermark that is missing, or another crop, changes it.
const WORST_BLOCK: f64 = 16.0;

/// In samples of 0 to 255, of colours as they are over black, and of alpha.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Difference {
    /// Mean absolute difference.
    pub mean: f64,
    /// Mean squared difference.
    pub square: f64,
    /// The largest difference between the mean colours of two blocks of 16 × 16 pixels.
    pub worst_block: f64,
}

impl Difference {
    /// Peak signal-to-noise ratio in dB.
    pub(super) fn psnr(&self) -> f64 {
        10.0 * (255.0 * 255.0 / self.square.max(1e-9)).log10()
    }

    /// More than resampling and compression account for.
    pub(super) fn is_visible(&self) -> bool {
        self.mean > MEAN || self.worst_block > WORST_BLOCK
    }
}

/// Compares two pictures of one size.
pub(super) fn difference(one: &ImageBuf, other: &ImageBuf) -> Difference {
    let width = one.size().width() as usize;
    let blocks_across = width.div_ceil(BLOCK);
    let mut blocks = vec![([0_i32; 4], 0_i32); blocks_across];
    let (mut sum, mut squares, mut samples, mut worst) = (0_u64, 0_u64, 0_u64, 0.0_f64);
    for (y, (row, other_row)) in one.rows().zip(other.rows()).enumerate() {
        if y % BLOCK == 0 {
            worst = worst.max(worst_of(&blocks));
            blocks.fill(([0; 4], 0));
        }
        let pixels = row.chunks_exact(one.format().channels()).zip(other_row.chunks_exact(other.format().channels()));
        for (x, (a, b)) in pixels.enumerate() {
            let (a, b) = (rgba(a, one.alpha_mode()), rgba(b, other.alpha_mode()));
            let (block, count) = &mut blocks[x / BLOCK];
            *count += 1;
            for channel in 0..4 {
                let apart = a[channel] - b[channel];
                block[channel] += apart;
                sum += u64::from(apart.unsigned_abs());
                squares += u64::from(apart.unsigned_abs().pow(2));
            }
            // Alpha is looked at where there is any, without watering the mean down elsewhere.
            samples += if a[3] == 255 && b[3] == 255 { 3 } else { 4 };
        }
    }
    worst = worst.max(worst_of(&blocks));
    let samples = samples.max(1) as f64;
    Difference { mean: sum as f64 / samples, square: squares as f64 / samples, worst_block: worst }
}

fn worst_of(blocks: &[([i32; 4], i32)]) -> f64 {
    let means =
        blocks.iter().flat_map(|(sums, count)| sums.map(|sum| f64::from(sum.abs()) / f64::from((*count).max(1))));
    means.fold(0.0, f64::max)
}

/// Red, green, blue over black, and alpha.
fn rgba(pixel: &[u8], mode: AlphaMode) -> [i32; 4] {
    let [red, green, blue, alpha] = match *pixel {
        [grey] => [grey, grey, grey, 255],
        [grey, alpha] => [grey, grey, grey, alpha],
        [red, green, blue] => [red, green, blue, 255],
        [red, green, blue, alpha, ..] => [red, green, blue, alpha],
        [] => [0; 4],
    }
    .map(i32::from);
    let over = |colour: i32| if mode == AlphaMode::Straight { colour * alpha / 255 } else { colour };
    [over(red), over(green), over(blue), alpha]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{PixelFormat, Size};

    fn picture(paint: impl Fn(u32, u32) -> [u8; 3]) -> ImageBuf {
        let size = Size::new(100, 70).unwrap();
        let samples = (0..70).flat_map(|y| (0..100).map(move |x| (x, y))).flat_map(|(x, y)| paint(x, y)).collect();
        ImageBuf::new(size, PixelFormat::Rgb8, samples).unwrap()
    }

    #[test]
    fn noise_is_not_seen_and_a_mark_is() {
        let plain = |x: u32, y: u32| [(x * 2) as u8, (y * 3) as u8, 90];
        let one = picture(plain);
        assert_eq!(difference(&one, &one), Difference { mean: 0.0, square: 0.0, worst_block: 0.0 });
        let noisy =
            picture(|x, y| plain(x, y).map(|sample| sample.saturating_add(if (x + y) % 2 == 0 { 4 } else { 0 })));
        assert!(!difference(&one, &noisy).is_visible());
        // Small beside the whole: the mean alone would not show it.
        let marked = picture(|x, y| if x < 14 && y < 14 { [255; 3] } else { plain(x, y) });
        let apart = difference(&one, &marked);
        assert!(apart.mean < MEAN && apart.is_visible(), "{apart:?}");
        let brighter = picture(|x, y| plain(x, y).map(|sample| sample.saturating_add(9)));
        let apart = difference(&one, &brighter);
        assert!(apart.is_visible() && (apart.psnr() - 29.0).abs() < 0.5, "{apart:?} {}", apart.psnr());
    }

    #[test]
    fn grey_equals_its_colour_and_alpha_counts() {
        let size = Size::new(3, 2).unwrap();
        let of = |format: PixelFormat, pixel: &[u8]| ImageBuf::new(size, format, pixel.repeat(6)).unwrap();
        let grey = of(PixelFormat::Gray8, &[7]);
        assert!(difference(&grey, &of(PixelFormat::Rgb8, &[7, 7, 7])).mean < 1e-9);
        let clear = of(PixelFormat::Rgba8, &[7, 7, 7, 0]);
        assert!(difference(&grey, &clear).is_visible());
        assert!(difference(&of(PixelFormat::Rgba8, &[200, 9, 9, 0]), &clear).mean < 1e-9);
    }
}
