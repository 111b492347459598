//! The other forms of a picture: planes and coefficients → packed samples.
//!
//! When a resampling comes first, each plane is resampled at its own ratio and only the result becomes RGB. Otherwise
//! chroma is brought to the picture's size by linear interpolation, which is the same code with a triangle filter.

use std::sync::Arc;

use crate::backend::{BackendError, Checkpoint};
use crate::image::{CoefficientPlane, Coefficients, ImageBuf, PixelFormat, Plane, Planes, Rect, Size};
use crate::ops::{Filter, WeightTable, YcbcrToRgb, plane_weights};

use super::convolution::PADDING;
use super::resample::{Resampler, Samples, store, to_u8};
use super::{cancelled, inside, made};

/// What samples stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// As in JPEG.
    Full,
    /// See [`Picture::Narrow`](crate::image::Picture::Narrow).
    Narrow,
}

impl Range {
    /// Makes a row of luma full.
    fn luma(self, row: &mut [f32]) {
        self.widened(row, 16.0, 0.0, 219.0);
    }

    /// Makes a row of chroma full.
    fn chroma(self, row: &mut [f32]) {
        self.widened(row, 128.0, 128.0, 224.0);
    }

    /// Moves `zero` to `to` and stretches `span` to 255.
    fn widened(self, row: &mut [f32], zero: f32, to: f32, span: f32) {
        if self == Self::Narrow {
            let factor = 255.0 / span;
            for sample in row {
                *sample = (*sample - zero) * factor + to;
            }
        }
    }
}

/// Planes → packed samples of the same size.
///
/// # Errors
/// [`BackendError::Impossible`] when a plane lacks samples; [`BackendError::Cancelled`].
pub(super) fn packed(planes: Planes, range: Range, checkpoint: &dyn Checkpoint) -> Result<ImageBuf, BackendError> {
    let size = planes.size;
    if planes.chroma.is_none() && planes.luma.size == size && range == Range::Full {
        return made(size, PixelFormat::Gray8, planes.luma.samples);
    }
    // At the luma's own size every filter here is the identity.
    resample((&planes, range), Rect::whole(size), size, Filter::Triangle, checkpoint)
}

/// Resamples a window of a picture given as planes, each at its own ratio, and makes RGB (or grey) of the result.
///
/// # Errors
/// [`BackendError::Impossible`] when the window is not inside or a plane lacks samples; [`BackendError::Cancelled`].
pub(super) fn resample(
    (planes, range): (&Planes, Range),
    window: Rect,
    to: Size,
    filter: Filter,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    inside(window, planes.size)?;
    let len = to.width() as usize;
    let luma = Axes::new(planes.size, &planes.luma, window, (to, (1, 1)), filter)?;
    let mut luma_rows = luma.resampler(&planes.luma);
    let mut y_row = vec![0.0; len + PADDING];
    let Some([cb, cr]) = &planes.chroma else {
        let mut pixels = vec![0; len * to.height() as usize];
        for (y, out) in (0..to.height()).zip(pixels.chunks_exact_mut(len)) {
            pause(y, checkpoint)?;
            luma_rows.row(y, &mut y_row);
            range.luma(&mut y_row);
            store(&y_row[..len], out);
        }
        return made(to, PixelFormat::Gray8, pixels);
    };
    let cb_axes = Axes::new(planes.size, cb, window, (to, (1, 1)), filter)?;
    let cr_axes = Axes::new(planes.size, cr, window, (to, (1, 1)), filter)?;
    let (mut cb_rows, mut cr_rows) = (cb_axes.resampler(cb), cr_axes.resampler(cr));
    let (mut cb_row, mut cr_row) = (y_row.clone(), y_row.clone());
    let mut pixels = vec![0; len * 3 * to.height() as usize];
    for (y, out) in (0..to.height()).zip(pixels.chunks_exact_mut(len * 3)) {
        pause(y, checkpoint)?;
        luma_rows.row(y, &mut y_row);
        cb_rows.row(y, &mut cb_row);
        cr_rows.row(y, &mut cr_row);
        range.luma(&mut y_row);
        range.chroma(&mut cb_row);
        range.chroma(&mut cr_row);
        let (out, _) = out.as_chunks_mut::<3>();
        for (out, ((y, cb), cr)) in out.iter_mut().zip(y_row.iter().zip(&cb_row).zip(&cr_row)) {
            *out = YcbcrToRgb::convert(*y, *cb, *cr).map(to_u8);
        }
    }
    made(to, PixelFormat::Rgb8, pixels)
}

/// Resamples a window of a picture in three planes, each at its own ratio and by itself: luma to `to`, chroma to a sample
/// for each `step` pixels of it.
///
/// # Errors
/// As [`resample`].
pub(super) fn resample_apart(
    (planes, range): (&Planes, Range),
    (window, to): (Rect, Size),
    step: (u32, u32),
    filter: Filter,
    checkpoint: &dyn Checkpoint,
) -> Result<[Plane; 3], BackendError> {
    inside(window, planes.size)?;
    let Some([cb, cr]) = &planes.chroma else { return Err(BackendError::Impossible("a grey picture".into())) };
    let apart = |plane: &Plane, step, full: &dyn Fn(&mut [f32])| -> Result<Plane, BackendError> {
        let axes = Axes::new(planes.size, plane, window, (to, step), filter)?;
        let size = Size::at_least_one(axes.across.dst_len(), axes.down.dst_len());
        let len = size.width() as usize;
        let mut rows = axes.resampler(plane);
        let mut row = vec![0.0; len + PADDING];
        let mut samples = vec![0; len * size.height() as usize];
        for (y, out) in (0..size.height()).zip(samples.chunks_exact_mut(len)) {
            pause(y, checkpoint)?;
            rows.row(y, &mut row);
            full(&mut row);
            store(&row[..len], out);
        }
        Ok(Plane { size, samples })
    };
    let (luma, chroma) = (|row: &mut [f32]| range.luma(row), |row: &mut [f32]| range.chroma(row));
    Ok([apart(&planes.luma, (1, 1), &luma)?, apart(cb, step, &chroma)?, apart(cr, step, &chroma)?])
}

fn pause(y: u32, checkpoint: &dyn Checkpoint) -> Result<(), BackendError> {
    if y.is_multiple_of(16) { cancelled(checkpoint) } else { Ok(()) }
}

/// The weight tables of one plane.
struct Axes {
    across: Arc<WeightTable>,
    down: Arc<WeightTable>,
}

impl Axes {
    /// `to`: the size, and the pixels of it that a sample stands for.
    fn new(
        picture: Size,
        plane: &Plane,
        window: Rect,
        (to, step): (Size, (u32, u32)),
        filter: Filter,
    ) -> Result<Self, BackendError> {
        if plane.samples.len() as u64 != plane.size.area() {
            return Err(BackendError::Impossible(format!(
                "a {} plane has {} samples",
                plane.size,
                plane.samples.len()
            )));
        }
        let (across, down) = plane_weights(picture, plane, window, to, step, filter);
        Ok(Self { across, down })
    }

    fn resampler<'a>(&'a self, plane: &'a Plane) -> Resampler<'a> {
        Resampler::new(Samples::plane(&plane.samples, plane.size), &self.across, &self.down)
    }
}

/// Coefficients → planes at full size, by the inverse DCT of what was kept of each block. ITU-T T.81, A.3.3.
///
/// # Errors
/// [`BackendError::Impossible`] when components or values are missing; [`BackendError::Cancelled`].
pub(super) fn inverse_dct(coefficients: &Coefficients, checkpoint: &dyn Checkpoint) -> Result<Planes, BackendError> {
    let plane = |component| inverse_plane(component, checkpoint);
    let (luma, chroma) = match coefficients.components.as_slice() {
        [y] => (plane(y)?, None),
        [y, cb, cr] => (plane(y)?, Some([plane(cb)?, plane(cr)?])),
        other => return Err(BackendError::Impossible(format!("a picture of {} components", other.len()))),
    };
    Ok(Planes { size: coefficients.size, luma, chroma })
}

fn inverse_plane(component: &CoefficientPlane, checkpoint: &dyn Checkpoint) -> Result<Plane, BackendError> {
    let (size, blocks) = (component.size, component.blocks);
    let count = usize::from(component.count.clamp(1, 64));
    let per_plane = blocks.area() as usize;
    let covered = u64::from(size.width()) <= u64::from(blocks.width()) * 8
        && u64::from(size.height()) <= u64::from(blocks.height()) * 8;
    if !covered || component.values.len() != per_plane * count {
        return Err(BackendError::Impossible(format!("{blocks} blocks do not make {size} samples")));
    }
    let basis = basis();
    let width = size.width() as usize;
    let mut samples = vec![0; size.area() as usize];
    for (by, band) in samples.chunks_mut(width * 8).enumerate() {
        cancelled(checkpoint)?;
        for bx in 0..size.width().div_ceil(8) as usize {
            let at = by * blocks.width() as usize + bx;
            let block = inverse_block(|k| f32::from(component.values[k * per_plane + at]), count, &basis);
            for (row, values) in band.chunks_exact_mut(width).zip(&block) {
                for (out, value) in row[bx * 8..].iter_mut().zip(values) {
                    *out = to_u8(value + 128.0);
                }
            }
        }
    }
    Ok(Plane { size, samples })
}

/// `basis[u][x]`: what coefficient `u` adds at place `x` of eight.
fn basis() -> [[f32; 8]; 8] {
    std::array::from_fn(|u| {
        let scale = if u == 0 { 0.125_f64.sqrt() } else { 0.5 };
        std::array::from_fn(|x| (scale * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos()) as f32)
    })
}

/// Rows of samples, 0 for mid-grey, of the first `count` zigzag coefficients.
fn inverse_block(value: impl Fn(usize) -> f32, count: usize, basis: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    // Down the columns first: coefficient (u across, v down) → (u, y).
    let mut columns = [[0.0_f32; 8]; 8];
    for (k, (u, v)) in zigzag().take(count).enumerate() {
        let value = value(k);
        if value != 0.0 {
            for (y, row) in columns.iter_mut().enumerate() {
                row[u] += value * basis[v][y];
            }
        }
    }
    columns.map(|row| std::array::from_fn(|x| (0..8).map(|u| row[u] * basis[u][x]).sum()))
}

/// (across, down) of each coefficient in zigzag order: diagonals, in turn upwards and downwards.
fn zigzag() -> impl Iterator<Item = (usize, usize)> {
    (0..15_usize).flat_map(|d| {
        let along = d.saturating_sub(7)..=d.min(7);
        along.map(move |i| {
            let j = d - i;
            // Even diagonals run up and to the right.
            if d % 2 == 0 { (i, j) } else { (j, i) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NeverCancelled;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn plane(width: u32, height: u32, f: impl Fn(u32, u32) -> u8) -> Plane {
        let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| f(x, y)).collect();
        Plane { size: size(width, height), samples }
    }

    #[test]
    fn chroma_is_interpolated_linearly_between_centres() {
        let planes = Planes {
            size: size(5, 1),
            luma: plane(5, 1, |_, _| 100),
            chroma: Some([plane(3, 1, |_, _| 128), plane(3, 1, |x, _| [128, 168, 148][x as usize])]),
        };
        let out = packed(planes, Range::Full, &NeverCancelled).unwrap();
        let red: Vec<u8> = out.pixels().chunks_exact(3).map(|p| p[0]).collect();
        // Cr 128, 138, 158, 163, 153.
        let want = [0.0, 10.0, 30.0, 35.0, 25.0].map(|cr: f64| (100.0 + 1.402 * cr).round() as u8);
        assert_eq!(red, want);
    }

    #[test]
    fn every_subsampling_of_a_flat_picture_is_flat_at_every_size() {
        for (w, h) in [(1, 1), (7, 5), (16, 16), (33, 2)] {
            for (sx, sy) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (3, 1)] {
                let (cw, ch) = (u32::div_ceil(w, sx), u32::div_ceil(h, sy));
                let planes = Planes {
                    size: size(w, h),
                    luma: plane(w, h, |_, _| 90),
                    chroma: Some([plane(cw, ch, |_, _| 128), plane(cw, ch, |_, _| 178)]),
                };
                for to in [size(w, h), size(1, 1), size(3, 40), size(40, 3)] {
                    let window = Rect::whole(planes.size);
                    let out = resample((&planes, Range::Full), window, to, Filter::Lanczos3, &NeverCancelled).unwrap();
                    assert_eq!(out.size(), to);
                    assert!(out.pixels().chunks_exact(3).all(|p| p == [160, 54, 90]), "{:?}", out.pixel(0, 0));
                }
            }
        }
    }

    #[test]
    fn the_narrow_range_ends_in_the_full_one() {
        for (luma, chroma, want, rgb) in [
            (16, 128, (0, 128), [0; 3]),
            (235, 128, (255, 128), [255; 3]),
            (4, 128, (0, 128), [0; 3]),
            (16, 240, (0, 255), [179, 0, 226]),
            (126, 156, (128, 160), [173, 94, 185]),
        ] {
            let coarse = plane(4, 3, |_, _| chroma);
            let planes =
                Planes { size: size(8, 6), luma: plane(8, 6, |_, _| luma), chroma: Some([coarse.clone(), coarse]) };
            let (window, to) = (Rect::whole(size(8, 6)), size(4, 4));
            let narrow = (&planes, Range::Narrow);
            let [y, cb, cr] = resample_apart(narrow, (window, to), (2, 2), Filter::Lanczos3, &NeverCancelled).unwrap();
            assert!(y.samples.iter().all(|sample| *sample == want.0));
            assert!(
                [cb, cr].iter().flat_map(|plane| &plane.samples).all(|sample| *sample == want.1),
                "{luma} {chroma}"
            );
            let shrunk = resample(narrow, window, to, Filter::Lanczos3, &NeverCancelled).unwrap();
            let whole = packed(planes, Range::Narrow, &NeverCancelled).unwrap();
            assert!(shrunk.pixels().chunks(3).chain(whole.pixels().chunks(3)).all(|pixel| pixel == rgb), "{shrunk:?}");
        }
    }

    #[test]
    fn planes_shrunk_are_packed_samples_shrunk() {
        let wave = |x: u32, y: u32, k: f64| (128.0 + 60.0 * (f64::from(x) * k).sin() * (f64::from(y) * k).cos()) as u8;
        let planes = Planes {
            size: size(81, 61),
            luma: plane(81, 61, |x, y| wave(x, y, 0.3)),
            chroma: Some([plane(41, 31, |x, y| wave(x, y, 0.2)), plane(41, 31, |x, y| wave(y, x, 0.2))]),
        };
        let window = Rect { left: 11, top: 7, size: size(60, 45) };
        let direct = resample((&planes, Range::Full), window, size(20, 15), Filter::Lanczos3, &NeverCancelled).unwrap();
        let packed = packed(planes, Range::Full, &NeverCancelled).unwrap();
        let way = super::super::resample::resample(packed, window, size(20, 15), Filter::Lanczos3, &NeverCancelled);
        let way = way.unwrap();
        // Not at the edges: the direct way may look at chroma beyond the window.
        for y in 2..13 {
            for x in 2..18 {
                for (a, b) in direct.pixel(x, y).iter().zip(way.pixel(x, y)) {
                    assert!(a.abs_diff(*b) <= 2, "({x}, {y}): {a} {b}");
                }
            }
        }
    }

    #[test]
    fn zigzag_begins_and_ends_as_in_the_standard() {
        let order: Vec<_> = zigzag().collect();
        assert_eq!(order[..6], [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (2, 0)]);
        assert_eq!(order[6..10], [(3, 0), (2, 1), (1, 2), (0, 3)]);
        assert_eq!(order[62..], [(6, 7), (7, 7)].map(|(a, b)| if a == 6 { (6, 7) } else { (a, b) }));
        assert_eq!(order.len(), 64);
    }

    #[test]
    fn inverse_dct_undoes_the_forward_one() {
        let basis = basis();
        let source = plane(13, 9, |x, y| (x * 17 + y * 23) as u8);
        let blocks = size(2, 2);
        let mut values = vec![0_i16; 4 * 64];
        for by in 0..2 {
            for bx in 0..2 {
                for (k, (u, v)) in zigzag().enumerate() {
                    let mut sum = 0.0;
                    for y in 0..8 {
                        for x in 0..8 {
                            let (px, py) = ((bx * 8 + x).min(12), (by * 8 + y).min(8));
                            let sample = f32::from(source.samples[py * 13 + px]) - 128.0;
                            sum += sample * basis[u][x] * basis[v][y];
                        }
                    }
                    values[k * 4 + by * 2 + bx] = sum.round() as i16;
                }
            }
        }
        let component = CoefficientPlane { size: source.size, blocks, count: 64, values };
        let all = Coefficients { size: source.size, components: vec![component.clone()] };
        let planes = inverse_dct(&all, &NeverCancelled).unwrap();
        assert!(planes.luma.samples.iter().zip(&source.samples).all(|(a, b)| a.abs_diff(*b) <= 2));
        // The first coefficient alone is each block's mean.
        let component = CoefficientPlane { values: component.values[..4].to_vec(), count: 1, ..component };
        let mean = Coefficients { size: source.size, components: vec![component.clone()] };
        let planes = inverse_dct(&mean, &NeverCancelled).unwrap();
        let want = (128.0 + f32::from(component.values[0]) / 8.0).round() as u8;
        assert!(planes.luma.samples[..8].iter().all(|s| *s == want));
        // Missing values are refused.
        let short = Coefficients { components: vec![CoefficientPlane { count: 3, ..component }], ..mean };
        assert!(matches!(inverse_dct(&short, &NeverCancelled), Err(BackendError::Impossible(_))));
    }
}
