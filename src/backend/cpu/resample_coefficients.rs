//! Resampling straight from JPEG coefficients, and colour conversion of the result.

use crate::backend::{BackendError, Checkpoint};
use crate::image::{CoefficientPlane, Coefficients, ImageBuf, PixelFormat, Plane, Size};
use crate::ops::{BlockWeights, Filter, ZIGZAG, component_weights};

/// Resamples a whole picture to `to`: RGB, or grey where there is one component.
pub(super) fn resample(
    picture: &Coefficients,
    to: Size,
    filter: Filter,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    let mut planes = Vec::with_capacity(picture.components.len());
    for component in &picture.components {
        let (columns, rows) = component_weights(picture, component, to, (1, 1), filter);
        planes.push(plane(component, &columns, &rows, checkpoint)?);
    }
    let mut out = match planes.as_slice() {
        [y] => y.iter().map(|&y| round(y + 128.0)).collect::<Vec<u8>>(),
        [y, cb, cr] => {
            let mut out = vec![0u8; y.len() * 3];
            for (pixel, ((&y, &cb), &cr)) in out.chunks_exact_mut(3).zip(y.iter().zip(cb).zip(cr)) {
                let y = y + 128.0;
                // JFIF 1.02: full-range BT.601.
                pixel[0] = round(y + 1.402 * cr);
                pixel[1] = round(y - 0.344_136_3 * cb - 0.714_136_3 * cr);
                pixel[2] = round(y + 1.772 * cb);
            }
            out
        }
        _ => return Err(BackendError::Impossible("a picture of two or more than three planes".into())),
    };
    let format = if planes.len() == 1 { PixelFormat::Gray8 } else { PixelFormat::Rgb8 };
    out.shrink_to_fit();
    ImageBuf::new(to, format, out).map_err(|e| BackendError::Impossible(e.to_string()))
}

/// Resamples a whole picture of three components, each by itself: luma to `to`, chroma to a sample for each `step` pixels.
pub(super) fn resample_apart(
    picture: &Coefficients,
    to: Size,
    step: (u32, u32),
    filter: Filter,
    checkpoint: &dyn Checkpoint,
) -> Result<[Plane; 3], BackendError> {
    let [y, cb, cr] = picture.components.as_slice() else {
        return Err(BackendError::Impossible("a picture of other than three planes".into()));
    };
    let apart = |component: &CoefficientPlane, step| -> Result<Plane, BackendError> {
        let (columns, rows) = component_weights(picture, component, to, step, filter);
        let size = Size::at_least_one(columns.bounds.len() as u32, rows.bounds.len() as u32);
        let values = plane(component, &columns, &rows, checkpoint)?;
        Ok(Plane { size, samples: values.iter().map(|&value| round(value + 128.0)).collect() })
    };
    Ok([apart(y, (1, 1))?, apart(cb, step)?, apart(cr, step)?])
}

fn round(value: f32) -> u8 {
    // `as` saturates, also for not-a-number.
    (value + 0.5) as u8
}

/// Rows that are made at once: whole registers of them lie side by side when columns are summed.
const BAND: usize = 8;

/// Resamples one plane: rows first (whole rows of blocks at once, which vectorises), then columns.
/// Answers `rows × columns` values around 0.
fn plane(
    component: &CoefficientPlane,
    columns: &BlockWeights,
    rows: &BlockWeights,
    checkpoint: &dyn Checkpoint,
) -> Result<Vec<f32>, BackendError> {
    let across = component.blocks.width() as usize;
    let (out_width, out_height) = (columns.bounds.len(), rows.bounds.len());
    let mut out = vec![0f32; out_width * out_height];
    let mut scratch = Scratch::new(columns.frequencies * across);
    let band = fastest();
    for (i, out) in out.chunks_mut(out_width * BAND).enumerate() {
        if i % 8 == 0 && checkpoint.is_cancelled() {
            return Err(BackendError::Cancelled);
        }
        band(component, (columns, rows), i * BAND, &mut scratch, out);
    }
    Ok(out)
}

/// What a band is made in.
struct Scratch {
    /// For each column frequency: one value a block column, of one row.
    row: Vec<f32>,
    /// The same of all rows of a band, those of the same place side by side.
    band: Vec<[f32; BAND]>,
}

impl Scratch {
    fn new(len: usize) -> Self {
        Self { row: vec![0.0; len], band: vec![[0.0; BAND]; len] }
    }
}

/// Makes the rows from `j` on that fit into the last argument.
type Band = fn(&CoefficientPlane, (&BlockWeights, &BlockWeights), usize, &mut Scratch, &mut [f32]);

/// The fastest of the twins that this processor runs: the same code, compiled for it.
fn fastest() -> Band {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return band_avx2;
    }
    band
}

#[cfg(target_arch = "x86_64")]
fn band_avx2(
    component: &CoefficientPlane,
    weights: (&BlockWeights, &BlockWeights),
    j: usize,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    #[target_feature(enable = "avx2")]
    fn enabled(
        component: &CoefficientPlane,
        weights: (&BlockWeights, &BlockWeights),
        j: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        band(component, weights, j, scratch, out);
    }
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has AVX2.
    unsafe {
        enabled(component, weights, j, scratch, out);
    }
}

#[inline(always)]
fn band(
    component: &CoefficientPlane,
    (columns, rows): (&BlockWeights, &BlockWeights),
    j: usize,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let across = component.blocks.width() as usize;
    let size = across * component.blocks.height() as usize;
    let out_width = columns.bounds.len();
    let height = out.len() / out_width;
    for r in 0..height.min(BAND) {
        scratch.row.fill(0.0);
        for (values, &(u, v)) in component.values.chunks_exact(size).take(usize::from(component.count)).zip(&ZIGZAG) {
            let (first, weights) = rows.of(j + r, v);
            let target = &mut scratch.row[u * across..][..across];
            for (source, &weight) in values[first * across..].chunks_exact(across).zip(weights) {
                for (t, &s) in target.iter_mut().zip(source) {
                    *t += weight * f32::from(s);
                }
            }
        }
        for (band, &value) in scratch.band.iter_mut().zip(&scratch.row) {
            band[r] = value;
        }
    }
    for i in 0..out_width {
        let mut sums = [0.0; BAND];
        for u in 0..columns.frequencies {
            let (first, weights) = columns.of(i, u);
            for (values, &weight) in scratch.band[u * across + first..].iter().zip(weights) {
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
        }
        for (row, sum) in out.chunks_exact_mut(out_width).zip(sums) {
            row[i] = sum;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::planes;
    use super::*;
    use crate::backend::NeverCancelled;

    #[test]
    fn both_twins_make_the_same_rows() {
        let (size, blocks) = (Size::at_least_one(300, 40), Size::at_least_one(38, 5));
        let values: Vec<i16> = (0..10 * 38 * 5_i32).map(|i| (i * i * 31 % 401 - 200) as i16).collect();
        let component = CoefficientPlane { size, blocks, count: 10, values };
        let picture = Coefficients { size, components: vec![component.clone()] };
        let to = Size::at_least_one(61, 9);
        let (columns, rows) = component_weights(&picture, &component, to, (1, 1), Filter::Lanczos3);
        for (j, height) in [(0, 8), (1, 8), (8, 1)] {
            let make = |band: Band| {
                let (mut scratch, mut out) = (Scratch::new(4 * 38), vec![9.0; 61 * height]);
                band(&component, (&columns, &rows), j, &mut scratch, &mut out);
                out
            };
            assert_eq!(make(fastest()), make(band));
        }
    }

    #[test]
    fn all_coefficients_agree_with_the_samples_that_they_stand_for() {
        let (size, blocks) = (Size::at_least_one(45, 30), Size::at_least_one(6, 4));
        let mut random = 5_u32;
        let mut next = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (random >> 24) as i16 - 128
        };
        let values: Vec<i16> = (0..64).flat_map(|k| (0..24).map(move |_| k)).map(|k| next() / (1 + k / 2)).collect();
        let component = CoefficientPlane { size, blocks, count: 64, values };
        let picture = Coefficients { size, components: vec![component] };
        let planes = super::super::planes::inverse_dct(&picture, &NeverCancelled).unwrap();
        for to in [Size::at_least_one(7, 5), Size::at_least_one(20, 29), Size::at_least_one(45, 30)] {
            let direct = resample(&picture, to, Filter::Lanczos3, &NeverCancelled).unwrap();
            let whole = crate::image::Rect::whole(size);
            let by_samples =
                planes::resample((&planes, planes::Range::Full), whole, to, Filter::Lanczos3, &NeverCancelled).unwrap();
            for (a, b) in direct.pixels().iter().zip(by_samples.pixels()) {
                // The samples in between are rounded to 8 bits, the coefficients are not.
                assert!(a.abs_diff(*b) <= 1, "{to}: {a} {b}");
            }
        }
    }
}
