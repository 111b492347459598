//! Pictures that come in planes or in coefficients.
//!
//! Each plane is resampled at its own ratio, and colours are made of what comes out, before anything is rounded. Chroma of
//! half the picture's length, shrunk to all pixels, is enlarged to the picture's length linearly first, as general decoders
//! do it (the project's own definition: `docs/adr/0006-jpeg-decoder.md`); chroma that comes out larger than it is, too.
//! Sampling positions: the middle of the luma samples that a chroma sample covers (JFIF; ITU-T T.871, section 6.3).

use std::f64::consts::PI;

use phasor::image::{CoefficientPlane, Picture, PixelFormat, Planes, Rect, Size};
use phasor::ops::Filter;

use super::filters::Axis;
use super::{Exact, Grid, Taps, colour};

/// What is wanted of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub window: Rect,
    pub to: Size,
    pub filter: Filter,
}

/// The three planes, chroma with a sample for each `step` pixels across and down.
pub fn apart(picture: &Picture, asked: &Asked, step: (u32, u32)) -> Vec<Exact> {
    let planes = component_grids(picture).into_iter().enumerate();
    let planes = planes.map(|(i, (plane, size))| {
        let step = if i == 0 { (1, 1) } else { step };
        let mut grid = resampled(plane, size, picture.size(), asked, step);
        if matches!(picture, Picture::Narrow(_)) {
            let full = if i == 0 { colour::full_luma } else { colour::full_chroma };
            grid.samples.iter_mut().for_each(|s| *s = full(*s));
        }
        grid
    });
    let exact = planes.map(|Grid { width, samples, .. }| {
        let size = Size::new(width as u32, (samples.len() / width) as u32).unwrap();
        Exact { size, format: PixelFormat::Gray8, samples }
    });
    exact.collect()
}

/// RGB, or grey where there is luma alone.
pub fn packed(picture: &Picture, asked: &Asked) -> Exact {
    let planes = apart(picture, asked, (1, 1));
    let [y, cb, cr] = planes.as_slice() else { return clamped(planes[0].clone()) };
    let samples =
        y.samples.iter().zip(&cb.samples).zip(&cr.samples).flat_map(|((y, cb), cr)| colour::rgb([*y, *cb, *cr]));
    clamped(Exact { size: asked.to, format: PixelFormat::Rgb8, samples: samples.collect() })
}

pub fn clamped(mut exact: Exact) -> Exact {
    exact.samples.iter_mut().for_each(|s| *s = s.clamp(0.0, 255.0));
    exact
}

/// The samples of each plane.
fn component_grids(picture: &Picture) -> Vec<(Grid, Size)> {
    match picture {
        Picture::Planes(Planes { luma, chroma, .. }) | Picture::Narrow(Planes { luma, chroma, .. }) => {
            std::iter::once(luma).chain(chroma.iter().flatten()).map(|p| (Grid::of_plane(p), p.size)).collect()
        }
        Picture::Coefficients(all) => all.components.iter().map(|c| (inverse(c), c.size)).collect(),
        Picture::Packed(_) => unreachable!("no planes"),
    }
}

fn resampled(plane: Grid, size: Size, picture: Size, asked: &Asked, step: (u32, u32)) -> Grid {
    let Asked { window, to, filter } = *asked;
    let axis = |all: u32, len: u32, first: u32, count: u32, to: u32, step: u32| -> Vec<Vec<Taps>> {
        let ratio = [1, 2, 4].into_iter().find(|&ratio| all.div_ceil(ratio) == len).unwrap();
        let axis = Axis { len, ratio, first, count, to, step };
        if ratio == 2 && step == 1 && count > to {
            return vec![doubled(len, all), Axis { len: all, ratio: 1, ..axis }.taps(filter)];
        }
        vec![axis.taps(if ratio > 1 && axis.is_enlarged() { Filter::Triangle } else { filter })]
    };
    let (left, top, seen) = (window.left, window.top, window.size);
    let down = axis(picture.height(), size.height(), top, seen.height(), to.height(), step.1);
    let across = axis(picture.width(), size.width(), left, seen.width(), to.width(), step.0);
    let tall = down.iter().fold(plane, |grid, taps| grid.down(taps));
    across.iter().fold(tall, |grid, taps| grid.across(taps))
}

/// Linear interpolation between the centres of samples that cover two pixels each; beyond the outer ones they go on.
fn doubled(len: u32, all: u32) -> Vec<Taps> {
    let pixel = |p: u32| {
        let at = (f64::from(p) + 0.5) / 2.0 - 0.5;
        let (before, part) = (at.floor(), at - at.floor());
        let place = |at: f64| at.clamp(0.0, f64::from(len - 1)) as usize;
        vec![(place(before), 1.0 - part), (place(before + 1.0), part)]
    };
    (0..all).map(pixel).collect()
}

/// The natural place (8 v + u) of each coefficient in the order of the file. ITU-T T.81, figure A.6.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// Samples by the inverse transform of the coefficients that were kept, 128 added, neither rounded nor clamped:
/// s(x, y) = 1/4 ΣΣ C(u) C(v) S(v, u) cos((2x + 1) u π / 16) cos((2y + 1) v π / 16), C(0) = 1/√2. ITU-T T.81, A.3.3 and A.3.1.
fn inverse(component: &CoefficientPlane) -> Grid {
    let (width, height) = (component.size.width() as usize, component.size.height() as usize);
    let (across, plane) = (component.blocks.width() as usize, component.blocks.area() as usize);
    let scale = |u: usize| if u == 0 { 0.5 * 0.5_f64.sqrt() } else { 0.5 };
    let cosine: [[f64; 8]; 8] =
        std::array::from_fn(|u| std::array::from_fn(|x| scale(u) * ((2 * x + 1) as f64 * u as f64 * PI / 16.0).cos()));
    let mut samples = vec![128.0; width * height];
    for block in 0..plane {
        let (left, top) = (block % across * 8, block / across * 8);
        // Down the columns of the block, then across.
        let mut tall = [[0.0; 8]; 8];
        for (k, &place) in ZIGZAG.iter().enumerate().take(usize::from(component.count)) {
            let value = f64::from(component.values[k * plane + block]);
            let (u, v) = (place % 8, place / 8);
            if value != 0.0 {
                tall.iter_mut().enumerate().for_each(|(y, row)| row[u] += value * cosine[v][y]);
            }
        }
        for (y, row) in tall.iter().enumerate().take(height.saturating_sub(top)) {
            for x in 0..8.min(width.saturating_sub(left)) {
                samples[(top + y) * width + left + x] += (0..8).map(|u| row[u] * cosine[u][x]).sum::<f64>();
            }
        }
    }
    Grid { width, channels: 1, samples }
}
