//! What pictures are by definition, in f64. Of the library only types are used, none of its tables or formulas; the source
//! of each formula is named where it stands.

pub mod blur;
pub mod colour;
pub mod composite;
pub mod filters;
pub mod planes;

use phasor::image::{ImageBuf, PixelFormat, Plane, Size};

/// A picture by definition: samples of 0 to 255 that are not rounded, straight alpha.
#[derive(Debug, Clone)]
pub struct Exact {
    pub size: Size,
    pub format: PixelFormat,
    /// Not a number where the definition leaves the colour open.
    pub samples: Vec<f64>,
}

/// What a sample of the result is made of: places on an axis and their shares.
pub type Taps = Vec<(usize, f64)>;

/// Interleaved samples, rows top-down.
#[derive(Debug, Clone)]
pub struct Grid {
    pub width: usize,
    pub channels: usize,
    pub samples: Vec<f64>,
}

impl Grid {
    pub fn of_plane(plane: &Plane) -> Self {
        let samples = plane.samples.iter().map(|&s| f64::from(s)).collect();
        Self { width: plane.size.width() as usize, channels: 1, samples }
    }

    /// Colours times alpha (Porter & Duff, "Compositing Digital Images", 1984), so that what is not there has no weight.
    fn premultiplied(image: &ImageBuf) -> Self {
        let (format, channels) = (image.format(), image.format().channels());
        let mut samples: Vec<f64> = image.pixels().iter().map(|&s| f64::from(s)).collect();
        if format.has_alpha() {
            for pixel in samples.chunks_exact_mut(channels) {
                let alpha = pixel[channels - 1] / 255.0;
                pixel[..channels - 1].iter_mut().for_each(|colour| *colour *= alpha);
            }
        }
        Self { width: image.size().width() as usize, channels, samples }
    }

    /// Sums down the columns: a row of the result for each of `rows`.
    pub fn down(&self, rows: &[Taps]) -> Self {
        let pitch = self.width * self.channels;
        let mut samples = vec![0.0; pitch * rows.len()];
        for (out, taps) in samples.chunks_exact_mut(pitch).zip(rows) {
            for &(y, share) in taps {
                out.iter_mut().zip(&self.samples[y * pitch..][..pitch]).for_each(|(out, s)| *out += share * s);
            }
        }
        Self { samples, ..*self }
    }

    /// Sums along the rows: a column of the result for each of `columns`.
    pub fn across(&self, columns: &[Taps]) -> Self {
        let n = self.channels;
        let mut samples = Vec::with_capacity(self.samples.len() / self.width * columns.len());
        for row in self.samples.chunks_exact(self.width * n) {
            for taps in columns {
                let mut sum = [0.0; 4];
                for &(x, share) in taps {
                    sum.iter_mut().zip(&row[x * n..][..n]).for_each(|(sum, s)| *sum += share * s);
                }
                samples.extend_from_slice(&sum[..n]);
            }
        }
        Self { width: columns.len(), channels: n, samples }
    }
}

/// A picture whose axes are summed by themselves (resampling, blur), premultiplied meanwhile.
pub fn filtered(image: &ImageBuf, across: &[Taps], down: &[Taps]) -> Exact {
    let Grid { mut samples, .. } = Grid::premultiplied(image).down(down).across(across);
    let format = image.format();
    if format.has_alpha() {
        let last = format.channels() - 1;
        for pixel in samples.chunks_exact_mut(last + 1) {
            let alpha = pixel[last];
            for colour in &mut pixel[..last] {
                *colour = match alpha {
                    // Alpha of 0 after rounding has no colour: 0. Near a half it may be rounded to either side.
                    ..0.25 => 0.0,
                    0.25..0.75 => f64::NAN,
                    _ => *colour * 255.0 / alpha,
                };
            }
        }
    }
    // Not a number stays what it is.
    samples.iter_mut().for_each(|s| *s = s.clamp(0.0, 255.0));
    let size = Size::new(across.len() as u32, down.len() as u32).unwrap();
    Exact { size, format, samples }
}
