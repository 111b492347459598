//! How far two pictures are apart.

use phasor::image::{ImageBuf, PixelFormat};

use super::reference::Exact;

/// Differences of samples, out of 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    pub max: u8,
    pub mean: f64,
}

/// The same with fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    pub max: f64,
    pub mean: f64,
}

/// Compares sample by sample, each as it is.
pub fn difference(a: &ImageBuf, b: &ImageBuf) -> Difference {
    let Distance { max, mean } = difference_but(a, b, 0.0);
    Difference { max: max as u8, mean }
}

/// As [`difference`], less what colours may be apart when they, times alpha, are `faint` levels apart: 255 `faint` / alpha.
/// Where alpha is 0 in one of them alone there are no two colours to compare.
pub fn difference_but(a: &ImageBuf, b: &ImageBuf, faint: f64) -> Distance {
    assert_eq!((a.size(), a.format()), (b.size(), b.format()));
    summary(a.pixels().iter().zip(b.pixels()).enumerate().map(|(at, (&sample, &other))| {
        let apart = f64::from(sample.abs_diff(other));
        match alpha_of(a.format(), at).map(|place| (a.pixels()[place], b.pixels()[place])) {
            Some((0, 1..) | (1.., 0)) if faint > 0.0 => 0.0,
            Some((alpha, other)) => (apart - allowed(faint, alpha.min(other))).max(0.0),
            None => apart,
        }
    }))
}

/// The largest distance from a definition, and the mean of what comes on top of the best rounding's: samples that are rounded
/// as well as can be are a quarter of a level from their definition in the mean of many, a little more or less in that of few.
/// `faint` as in [`difference_but`].
pub fn distance(made: &ImageBuf, exact: &Exact, faint: f64) -> Distance {
    assert_eq!((made.size(), made.format()), (exact.size, exact.format));
    assert_eq!(made.pixels().len(), exact.samples.len());
    let apart = |free: fn(f64) -> f64| {
        summary(made.pixels().iter().zip(&exact.samples).enumerate().map(|(at, (&sample, &exact))| {
            let alpha = alpha_of(made.format(), at).map(|place| made.pixels()[place]);
            let allowed = alpha.map_or(0.0, |alpha| allowed(faint, alpha));
            // What is not defined is not compared.
            if exact.is_nan() { 0.0 } else { ((f64::from(sample) - exact).abs() - free(exact) - allowed).max(0.0) }
        }))
    };
    Distance { max: apart(|_| 0.0).max, mean: apart(|exact| (exact.round() - exact).abs()).mean }
}

/// How far colours times alpha may be apart, in levels, after sums.
pub const FAINT: f64 = 0.1;

/// What a backend may be off in the mean, besides by rounding.
const MEAN: f64 = 0.02;

/// Of fewer samples a mean says nothing.
const FEW: usize = 64;

/// Whether two backends made the same: no sample more than `tolerance` apart, and a quarter in the mean.
pub fn same(a: &ImageBuf, b: &ImageBuf, tolerance: u8, faint: f64) -> Result<(), Distance> {
    let apart = difference_but(a, b, faint);
    let same = apart.max <= f64::from(tolerance) && (apart.mean <= 0.25 || a.pixels().len() < FEW);
    if same { Ok(()) } else { Err(apart) }
}

/// Whether a backend made what is defined: no sample more than a level away, and hardly more than by rounding in the mean.
pub fn as_defined(made: &ImageBuf, exact: &Exact, faint: f64) -> Result<(), Distance> {
    let apart = distance(made, exact, faint);
    let defined = apart.max <= 1.0 && (apart.mean <= MEAN || exact.samples.len() < FEW);
    if defined { Ok(()) } else { Err(apart) }
}

/// Where the alpha of a colour sample lies; `None` for alpha itself.
fn alpha_of(format: PixelFormat, at: usize) -> Option<usize> {
    let channels = format.channels();
    let last = at / channels * channels + channels - 1;
    (format.has_alpha() && at != last).then_some(last)
}

fn allowed(faint: f64, alpha: u8) -> f64 {
    if alpha == 0 { 0.0 } else { faint * 255.0 / f64::from(alpha) }
}

fn summary(apart: impl Iterator<Item = f64>) -> Distance {
    let (mut max, mut sum, mut count) = (0.0_f64, 0.0, 0_u32);
    for apart in apart {
        max = max.max(apart);
        sum += apart;
        count += 1;
    }
    Distance { max, mean: sum / f64::from(count) }
}

#[cfg(test)]
mod tests {
    use super::super::FORMATS;
    use super::super::pictures::{random, smooth, veiled};
    use super::*;
    use phasor::image::Size;

    /// Noise and waves of every format, and noise that is hardly seen.
    fn pictures() -> Vec<ImageBuf> {
        let size = Size::new(32, 24).unwrap();
        let with_alpha = FORMATS.into_iter().filter(|format| format.has_alpha());
        let veiled = with_alpha.map(|format| veiled(size, format, 3));
        FORMATS.into_iter().flat_map(|f| [random(size, f, 5), smooth(size, f, 4)]).chain(veiled).collect()
    }

    fn changed(image: &ImageBuf, change: impl Fn(&[u8], usize) -> u8) -> ImageBuf {
        let pixels = (0..image.pixels().len()).map(|at| change(image.pixels(), at)).collect();
        ImageBuf::new(image.size(), image.format(), pixels).unwrap()
    }

    fn exact(image: &ImageBuf) -> Exact {
        let samples = image.pixels().iter().map(|&s| f64::from(s)).collect();
        Exact { size: image.size(), format: image.format(), samples }
    }

    /// Whether both bounds take one for the other, as it is and with allowance for faint colours.
    fn taken(image: &ImageBuf, other: &ImageBuf) -> [bool; 4] {
        let exact = exact(image);
        [
            same(image, other, 2, 0.0).is_ok(),
            same(image, other, 2, FAINT).is_ok(),
            as_defined(other, &exact, 0.0).is_ok(),
            as_defined(other, &exact, FAINT).is_ok(),
        ]
    }

    /// The largest differences that each of the three sees, without and with allowance for faint colours.
    fn seen(image: &ImageBuf, other: &ImageBuf) -> [f64; 5] {
        let exact = exact(image);
        [
            f64::from(difference(image, other).max),
            difference_but(image, other, 0.0).max,
            difference_but(image, other, FAINT).max,
            distance(other, &exact, 0.0).max,
            distance(other, &exact, FAINT).max,
        ]
    }

    #[test]
    fn the_same_is_no_distance_apart() {
        for image in pictures() {
            assert_eq!(difference(&image, &image), Difference { max: 0, mean: 0.0 });
            assert_eq!(seen(&image, &image), [0.0; 5]);
            assert_eq!(distance(&image, &exact(&image), 0.0).mean, 0.0);
            assert_eq!(taken(&image, &image), [true; 4]);
        }
    }

    #[test]
    fn one_changed_sample_is_seen_in_every_channel() {
        for image in pictures() {
            let channels = image.format().channels();
            for channel in 0..channels {
                // In the last column: what is faint there is not faint enough to hide it.
                let place = (32 * 7 + 31) * channels + channel;
                let other = changed(&image, |pixels, at| if at == place { pixels[at] ^ 4 } else { pixels[at] });
                let [plain, none, faint, defined, defined_faint] = seen(&image, &other);
                assert_eq!([plain, none, defined], [4.0; 3], "{:?}", image.format());
                assert!(faint.min(defined_faint) > 1.0, "{:?} {channel}: {faint}", image.format());
                assert_eq!(taken(&image, &other), [false; 4]);
                assert!(difference(&image, &other).mean > 0.0 && distance(&other, &exact(&image), 0.0).mean > 0.0);
            }
        }
    }

    #[test]
    fn a_mirrored_picture_is_seen() {
        for image in pictures() {
            let (channels, row) = (image.format().channels(), image.stride());
            let (rows, pixels) = (image.pixels().len() / row, row / channels);
            let across = |at: usize| {
                let (y, x, c) = (at / row, at % row / channels, at % channels);
                y * row + (pixels - 1 - x) * channels + c
            };
            let down = |at: usize| (rows - 1 - at / row) * row + at % row;
            for mirrored in [changed(&image, |p, at| p[across(at)]), changed(&image, |p, at| p[down(at)])] {
                assert!(seen(&image, &mirrored).iter().all(|apart| *apart > 20.0), "{:?}", image.format());
                assert_eq!(taken(&image, &mirrored), [false; 4]);
                assert!(distance(&mirrored, &exact(&image), FAINT).mean > 0.25);
            }
        }
    }

    /// Half a level everywhere is what the mean is for.
    #[test]
    fn samples_that_are_cut_off_instead_of_rounded_are_seen() {
        let size = Size::new(32, 24).unwrap();
        let samples: Vec<f64> = (0..32 * 24).map(|i| f64::from(i * 7919 % 25500) / 100.0).collect();
        let of = |cut: fn(f64) -> f64| {
            let pixels = samples.iter().map(|s| cut(*s) as u8).collect();
            ImageBuf::new(size, PixelFormat::Gray8, pixels).unwrap()
        };
        let exact = Exact { size, format: PixelFormat::Gray8, samples: samples.clone() };
        assert!(as_defined(&of(f64::round), &exact, 0.0).is_ok());
        assert!(as_defined(&of(f64::floor), &exact, 0.0).is_err_and(|apart| apart.max < 1.0));
    }

    #[test]
    fn half_a_pixel_is_seen() {
        for image in pictures() {
            for step in [image.format().channels(), image.stride()] {
                let shifted = changed(&image, |p, at| p[at].midpoint(p[at.saturating_sub(step)]));
                assert!(seen(&image, &shifted).iter().all(|apart| *apart > 3.0), "{:?}", image.format());
                assert_eq!(taken(&image, &shifted), [false; 4]);
                assert!(distance(&shifted, &exact(&image), FAINT).mean > 0.25);
            }
        }
    }

    #[test]
    fn colours_are_not_weighted_with_alpha_but_where_that_is_asked_for() {
        let pixel = |p: [u8; 4]| ImageBuf::new(Size::new(1, 1).unwrap(), PixelFormat::Rgba8, p.to_vec()).unwrap();
        let (a, b) = (pixel([200, 0, 0, 10]), pixel([190, 0, 0, 10]));
        assert_eq!((difference(&a, &b).max, difference_but(&a, &b, 0.2).max), (10, 10.0 - 5.1));
        assert_eq!(difference_but(&a, &pixel([200, 0, 0, 18]), 0.2).max, 8.0);
        // No colour at all is compared with none.
        assert_eq!(difference(&a, &pixel([0, 0, 0, 0])).max, 200);
        assert_eq!(difference_but(&a, &pixel([0, 0, 0, 0]), 0.2).max, 10.0);
    }

    /// What the definition says of a picture that lies half a pixel further is not the picture.
    #[test]
    fn a_definition_tells_half_a_pixel() {
        use super::super::reference::{Taps, filtered, filters::Axis};
        let image = random(Size::new(60, 48).unwrap(), PixelFormat::Rgb8, 6);
        let taps = |len, to| Axis::whole(len, to).taps(phasor::ops::Filter::Lanczos3);
        let right = filtered(&image, &taps(60, 20), &taps(48, 16));
        let rounded = right.samples.iter().map(|s| s.round() as u8).collect();
        let made = ImageBuf::new(right.size, right.format, rounded).unwrap();
        assert!(distance(&made, &right, 0.0).max <= 0.5 && distance(&made, &right, 0.0).mean == 0.0);
        // Half a pixel of the source.
        let half: Vec<Taps> = (0..60).map(|i: usize| vec![(i, 0.5), ((i + 1).min(59), 0.5)]).collect();
        let shares =
            |taps: &Taps| taps.iter().flat_map(|(i, w)| half[*i].iter().map(move |(j, v)| (*j, w * v))).collect();
        let shifted: Vec<Taps> = taps(60, 20).iter().map(shares).collect();
        let apart = distance(&made, &filtered(&image, &shifted, &taps(48, 16)), 0.0);
        assert!(apart.max > 3.0 && apart.mean > 0.25, "{apart:?}");
        let refused = as_defined(&made, &filtered(&image, &shifted, &taps(48, 16)), 0.0);
        assert!(refused.is_err() && as_defined(&made, &right, 0.0).is_ok());
    }
}
