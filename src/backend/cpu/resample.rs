//! Separable resampling, row by row.
//!
//! The result is that of the definition in `f64` to within one level: one rounding, at the very end, and no clamping
//! between the two directions (which would clip the overshoot of one direction before the other's undershoot comes in).

use std::collections::VecDeque;

use crate::backend::{BackendError, Checkpoint};
use crate::image::{ImageBuf, Rect, Size};
use crate::ops::{Filter, WeightTable};

use super::convolution::{PADDING, PixelSum, RowSum, lifted, sum_rows};
use super::{cancelled, made};

/// Interleaved samples, or a window of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples<'a> {
    data: &'a [u8],
    stride: usize,
    offset: usize,
    size: Size,
    channels: usize,
    /// Whether the last sample of each pixel is alpha, by which the others are to be multiplied.
    alpha: bool,
}

impl<'a> Samples<'a> {
    /// A whole picture.
    pub(super) fn of(buf: &'a ImageBuf) -> Self {
        Self {
            data: buf.pixels(),
            stride: buf.stride(),
            offset: 0,
            size: buf.size(),
            channels: buf.format().channels(),
            alpha: buf.format().has_alpha(),
        }
    }

    /// A plane of one sample a pixel; `data` holds width × height.
    pub(super) fn plane(data: &'a [u8], size: Size) -> Self {
        Self { data, stride: size.width() as usize, offset: 0, size, channels: 1, alpha: false }
    }

    /// A window, which must be inside.
    pub(super) fn window(mut self, rect: Rect) -> Self {
        self.offset += rect.top as usize * self.stride + rect.left as usize * self.channels;
        self.size = rect.size;
        self
    }

    pub(super) const fn channels(&self) -> usize {
        self.channels
    }

    fn row(&self, y: u32) -> &'a [u8] {
        &self.data[self.offset + y as usize * self.stride..][..self.size.width() as usize * self.channels]
    }

    /// Row `y` as samples with fractions, premultiplied where there is alpha, through `keep`.
    #[inline(always)]
    fn convert<T>(&self, y: u32, row: &mut Vec<T>, keep: impl Fn(f32) -> T) {
        row.clear();
        if self.alpha {
            for pixel in self.row(y).chunks_exact(self.channels) {
                let (&alpha, colour) = pixel.split_last().unwrap_or((&0, &[]));
                let factor = f32::from(alpha) / 255.0;
                row.extend(colour.iter().map(|&c| keep(f32::from(c) * factor)));
                row.push(keep(f32::from(alpha)));
            }
        } else {
            row.extend(self.row(y).iter().map(|&s| keep(f32::from(s))));
        }
    }
}

/// Rows made once each, in order, and kept while they are needed.
#[derive(Debug)]
struct Ring<T> {
    first: u32,
    rows: VecDeque<Vec<T>>,
    spare: Vec<Vec<T>>,
}

impl<T> Ring<T> {
    const fn new() -> Self {
        Self { first: 0, rows: VecDeque::new(), spare: Vec::new() }
    }

    /// Holds rows `first` to before `end`, filling in those that are new; `first` never goes back.
    fn hold(&mut self, first: u32, end: u32, mut fill: impl FnMut(u32, &mut Vec<T>)) {
        while self.first < first {
            if let Some(row) = self.rows.pop_front() {
                self.spare.push(row);
                self.first += 1;
            } else {
                self.first = first;
            }
        }
        while self.first + (self.rows.len() as u32) < end {
            let mut row = self.spare.pop().unwrap_or_default();
            fill(self.first + self.rows.len() as u32, &mut row);
            self.rows.push_back(row);
        }
    }
}

/// Which direction comes first.
#[derive(Debug)]
enum Order {
    /// Sums of rows, then of the pixels in the one row that they leave.
    RowsFirst { lifted: Ring<i16> },
    /// Sums of pixels in each source row, then of the rows that they leave.
    PixelsFirst { narrow: Ring<f32> },
}

/// Makes the rows of a resampled picture, one after the other.
#[derive(Debug)]
pub(super) struct Resampler<'a> {
    src: Samples<'a>,
    rows: &'a WeightTable,
    /// The first source row that each row of the result, or any after it, needs: a run may begin further down than the
    /// next one does where the filter is zero.
    needed: Vec<u32>,
    /// `None` when rows keep their width.
    pixels: Option<PixelSum>,
    order: Order,
    sum: RowSum,
    wide: Vec<f32>,
    #[cfg(target_arch = "x86_64")]
    avx2: bool,
}

impl<'a> Resampler<'a> {
    /// `across` and `down` are the tables of the two axes; their sources are as long as the sides of `src`.
    pub(super) fn new(src: Samples<'a>, across: &WeightTable, down: &'a WeightTable) -> Self {
        let (src_w, src_h) = (u64::from(src.size.width()), u64::from(src.size.height()));
        let (dst_w, dst_h) = (u64::from(across.dst_len()), u64::from(down.dst_len()));
        let (taps_across, taps_down) = (across.taps() as u64, down.taps() as u64);
        // In units of one product of a sum of rows in 16 bits; the other loops take about 3 and 1.5 times as long.
        let rows_first = src_w * dst_h * taps_down + 3 * dst_w * dst_h * taps_across;
        let pixels_first = src_w * src_h * 2 + 3 * dst_w * src_h * taps_across + 2 * dst_w * dst_h * taps_down;
        let order = if rows_first <= pixels_first {
            Order::RowsFirst { lifted: Ring::new() }
        } else {
            Order::PixelsFirst { narrow: Ring::new() }
        };
        let mut needed: Vec<u32> = down.bounds().iter().map(|b| b.first).collect();
        for i in (1..needed.len()).rev() {
            needed[i - 1] = needed[i - 1].min(needed[i]);
        }
        let pixels = (!across.is_identity()).then(|| PixelSum::new(across, src.channels));
        Self {
            src,
            rows: down,
            needed,
            pixels,
            order,
            sum: RowSum::default(),
            wide: Vec::new(),
            #[cfg(target_arch = "x86_64")]
            avx2: std::arch::is_x86_feature_detected!("avx2"),
        }
    }

    /// Row `y` of the result: width × channels samples and [`PADDING`] more, 0 to 255 and a little beyond,
    /// premultiplied where there is alpha. Fastest from the top down; rows above the last one asked for cannot be had.
    pub(super) fn row(&mut self, y: u32, out: &mut [f32]) {
        #[cfg(target_arch = "x86_64")]
        if self.avx2 {
            #[target_feature(enable = "avx2")]
            fn enabled(resampler: &mut Resampler<'_>, y: u32, out: &mut [f32]) {
                resampler.row_for_any(y, out);
            }
            #[allow(unsafe_code, reason = "calling code compiled for a feature")]
            // SAFETY: the processor was asked.
            return unsafe { enabled(self, y, out) };
        }
        self.row_for_any(y, out);
    }

    /// The code that is compiled twice; the sums come out the same.
    #[inline(always)]
    fn row_for_any(&mut self, y: u32, out: &mut [f32]) {
        let (first, weights) = self.rows.row(y);
        let (needed, end) = (self.needed[y as usize], first + weights.len() as u32);
        let skipped = (first - needed) as usize;
        let src = self.src;
        let width = src.size.width() as usize * src.channels;
        match &mut self.order {
            Order::RowsFirst { lifted: ring } => {
                self.wide.resize(width + PADDING, 0.0);
                let wide = &mut self.wide[..width];
                if weights.len() == 1 {
                    let mut row = std::mem::take(&mut self.wide);
                    src.convert(first, &mut row, |s| s);
                    row.resize(width + PADDING, 0.0);
                    self.wide = row;
                } else if src.alpha {
                    ring.hold(needed, end, |y, row| src.convert(y, row, lifted));
                    self.sum.sum(weights, |k| ring.rows[skipped + k].as_slice(), wide);
                } else {
                    self.sum.sum(weights, |k| src.row(first + k as u32), wide);
                }
                match &self.pixels {
                    Some(pixels) => pixels.sum(&self.wide, out),
                    None => out[..width].copy_from_slice(&self.wide[..width]),
                }
            }
            Order::PixelsFirst { narrow } => {
                let len = out.len() - PADDING;
                let (pixels, wide) = (&self.pixels, &mut self.wide);
                narrow.hold(needed, end, |y, row| {
                    let Some(pixels) = pixels else { return src.convert(y, row, |s| s) };
                    src.convert(y, wide, |s| s);
                    wide.resize(width + PADDING, 0.0);
                    row.resize(len, 0.0);
                    pixels.sum(wide, row);
                });
                sum_rows(weights, |k| narrow.rows[skipped + k].as_slice(), &mut out[..len]);
            }
        }
    }
}

/// Rounds and clamps samples to 8 bits.
#[inline(always)]
pub(super) fn store(row: &[f32], out: &mut [u8]) {
    for (out, sample) in out.iter_mut().zip(row) {
        *out = to_u8(*sample);
    }
}

/// Rounds and clamps premultiplied pixels to 8 bits of straight alpha; what is fully transparent becomes 0.
#[inline(always)]
pub(super) fn store_straight(row: &[f32], channels: usize, out: &mut [u8]) {
    for (out, pixel) in out.chunks_exact_mut(channels).zip(row.chunks_exact(channels)) {
        let alpha = pixel[channels - 1];
        let alpha8 = to_u8(alpha);
        let factor = if alpha8 == 0 { 0.0 } else { 255.0 / alpha };
        for (out, sample) in out.iter_mut().zip(&pixel[..channels - 1]) {
            *out = to_u8(sample * factor);
        }
        out[channels - 1] = alpha8;
    }
}

/// The nearest of 0 to 255.
#[inline(always)]
pub(super) fn to_u8(sample: f32) -> u8 {
    // One conversion to i32 vectorises, one to u8 does not.
    (sample.clamp(0.0, 255.0) + 0.5) as i32 as u8
}

/// Convolves a picture (or window) with a table an axis.
///
/// # Errors
/// [`BackendError::Cancelled`].
pub(super) fn convolve(
    src: Samples<'_>,
    across: &WeightTable,
    down: &WeightTable,
    checkpoint: &dyn Checkpoint,
) -> Result<Vec<u8>, BackendError> {
    let channels = src.channels;
    let len = across.dst_len() as usize * channels;
    let mut pixels = vec![0; len * down.dst_len() as usize];
    let mut row = vec![0.0; len + PADDING];
    let mut resampler = Resampler::new(src, across, down);
    for (y, out) in (0..down.dst_len()).zip(pixels.chunks_exact_mut(len)) {
        if y % 16 == 0 {
            cancelled(checkpoint)?;
        }
        resampler.row(y, &mut row);
        if src.alpha {
            store_straight(&row[..len], channels, out);
        } else {
            store(&row[..len], out);
        }
    }
    Ok(pixels)
}

/// Resamples `window` of a picture to size `to`, as if the rest of the picture were not there.
///
/// # Errors
/// [`BackendError::Cancelled`].
pub(super) fn resample(
    buf: ImageBuf,
    window: Rect,
    to: Size,
    filter: Filter,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    let table = |from: u32, to| WeightTable::shared(from, 0.0..f64::from(from), to, filter);
    let across = table(window.size.width(), to.width());
    let down = table(window.size.height(), to.height());
    if across.is_identity() && down.is_identity() {
        return super::crop::crop(buf, window);
    }
    let pixels = convolve(Samples::of(&buf).window(window), &across, &down, checkpoint)?;
    made(to, buf.format(), pixels)
}

#[cfg(test)]
mod tests;
