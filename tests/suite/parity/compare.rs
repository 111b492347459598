//! How far two pictures are apart.

use phasor::image::ImageBuf;

/// Differences of samples, out of 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub max: u8,
    pub mean: f64,
}

/// Compares sample by sample. Colour counts as much as it is seen: a difference is weighted with alpha.
pub fn difference(a: &ImageBuf, b: &ImageBuf) -> Difference {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()));
    let channels = a.format().channels();
    let alpha = a.format().has_alpha().then_some(channels - 1);
    let (mut max, mut sum) = (0, 0_u64);
    for (a, b) in a.pixels().chunks_exact(channels).zip(b.pixels().chunks_exact(channels)) {
        for c in 0..channels {
            let weight = alpha.filter(|&at| at != c).map_or(255, |at| a[at].max(b[at]));
            let d = ((u32::from(a[c].abs_diff(b[c])) * u32::from(weight) + 127) / 255) as u8;
            max = max.max(d);
            sum += u64::from(d);
        }
    }
    Difference { max, mean: sum as f64 / a.pixels().len() as f64 }
}

/// Largest and mean difference from samples in f64.
pub fn distance(a: &ImageBuf, reference: &[f64]) -> (f64, f64) {
    assert_eq!(a.pixels().len(), reference.len());
    let apart = || a.pixels().iter().zip(reference).map(|(&a, &r)| (f64::from(a) - r).abs());
    (apart().fold(0.0, f64::max), apart().sum::<f64>() / reference.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::super::pictures::random;
    use super::*;
    use phasor::image::{PixelFormat, Size};

    fn made(pixels: Vec<u8>) -> ImageBuf {
        ImageBuf::new(Size::new(32, 8).unwrap(), PixelFormat::Rgb8, pixels).unwrap()
    }

    #[test]
    fn a_changed_sample_a_mirror_and_half_a_pixel_are_seen() {
        let image = random(Size::new(32, 8).unwrap(), PixelFormat::Rgb8, 5);
        assert_eq!(difference(&image, &image), Difference { max: 0, mean: 0.0 });
        let mut changed = image.pixels().to_vec();
        changed[100] ^= 4;
        assert_eq!(difference(&image, &made(changed.clone())).max, 4);
        let reference: Vec<f64> = image.pixels().iter().map(|&p| f64::from(p)).collect();
        assert_eq!(distance(&made(changed), &reference).0, 4.0);
        let mirrored: Vec<u8> = image
            .pixels()
            .chunks_exact(32 * 3)
            .flat_map(|row| row.chunks_exact(3).rev().flatten().copied().collect::<Vec<_>>())
            .collect();
        assert!(difference(&image, &made(mirrored)).max > 50);
        let shifted: Vec<u8> = (0..image.pixels().len())
            .map(|i| (u16::from(image.pixels()[i]).midpoint(u16::from(image.pixels()[i.saturating_sub(3)]))) as u8)
            .collect();
        assert!(difference(&image, &made(shifted)).max > 20);
    }

    #[test]
    fn alpha_counts_in_full() {
        let pixel = |p| ImageBuf::new(Size::new(1, 1).unwrap(), PixelFormat::Rgba8, p).unwrap();
        let a = pixel(vec![200, 0, 0, 1]);
        assert_eq!(difference(&a, &pixel(vec![0, 0, 0, 1])).max, 1);
        assert_eq!(difference(&a, &pixel(vec![200, 0, 0, 9])).max, 8);
    }
}
