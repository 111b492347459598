//! A picture as planes, a row of MCUs at a time.

use std::borrow::Cow;

use crate::codecs::samples::rearranged;
use crate::image::{ImageBuf, PixelFormat, Plane, Planes, Size};

use super::blocks::Part;
use super::kernels::Kernels;
use super::{Sampling, Source, Unfit};

/// A component's place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Component {
    /// Blocks of an MCU, across and down.
    pub(super) side: usize,
    /// Tables: 0 for luma, 1 for chroma.
    pub(super) tables: usize,
}

const LUMA: Component = Component { side: 1, tables: 0 };
const CHROMA: Component = Component { side: 1, tables: 1 };
const GRAY: &[Component] = &[LUMA];
const FULL: &[Component] = &[LUMA, CHROMA, CHROMA];
const QUARTER: &[Component] = &[Component { side: 2, ..LUMA }, CHROMA, CHROMA];

/// Reads a picture strip by strip.
pub(super) struct Strips<'a> {
    size: Size,
    layout: &'static [Component],
    rows: Rows<'a>,
}

enum Rows<'a> {
    /// Rows of the picture as they are: one plane, or three.
    Planes([Option<&'a Plane>; 3]),
    /// Packed samples, which become planes as they are read.
    Packed { image: &'a ImageBuf, want: PixelFormat, planes: [Vec<u8>; 3] },
}

impl<'a> Strips<'a> {
    /// See [`Source::check`] for the errors.
    pub(super) fn new(source: Source<'a>, sampling: Sampling) -> Result<Self, Unfit> {
        source.check(sampling)?;
        let colour = if sampling == Sampling::Full { FULL } else { QUARTER };
        let (size, layout, rows) = match source {
            Source::Packed { image, gray } => {
                let layout = if gray { GRAY } else { colour };
                let rows = layout[0].side * 8;
                let width = image.size().width() as usize;
                let coarse = sampling.chroma(image.size()).width() as usize;
                let planes = match gray {
                    true => Default::default(),
                    false => [vec![0; width * rows], vec![0; coarse * 8], vec![0; coarse * 8]],
                };
                let want = PixelFormat::of(gray, false);
                (image.size(), layout, Rows::Packed { image, want, planes })
            }
            Source::Planes(Planes { size, luma, chroma }) => {
                let [cb, cr] = chroma.as_ref().map_or([None; 2], |[cb, cr]| [Some(cb), Some(cr)]);
                let layout = if chroma.is_none() { GRAY } else { colour };
                (*size, layout, Rows::Planes([Some(luma), cb, cr]))
            }
        };
        Ok(Self { size, layout, rows })
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// One component, or three.
    pub(super) const fn layout(&self) -> &'static [Component] {
        self.layout
    }

    pub(super) fn mcus_across(&self) -> usize {
        (self.size.width() as usize).div_ceil(8 * self.layout[0].side)
    }

    /// Rows of MCUs.
    pub(super) fn count(&self) -> usize {
        (self.size.height() as usize).div_ceil(8 * self.layout[0].side)
    }

    /// The samples of a row of MCUs: a part for each component.
    pub(super) fn read(&mut self, strip: usize, kernels: &Kernels) -> [Part<'_>; 3] {
        let (width, height) = (self.size.width() as usize, self.size.height() as usize);
        let side = self.layout[0].side;
        let (first, rows) = (strip * 8 * side, (height - strip * 8 * side).min(8 * side));
        match &mut self.rows {
            Rows::Planes(planes) => {
                let mut parts = [Part::default(); 3];
                for ((part, plane), component) in parts.iter_mut().zip(&*planes).zip(self.layout) {
                    let Some(plane) = plane else { continue };
                    let (width, height) = (plane.size.width() as usize, plane.size.height() as usize);
                    let rows = 8 * component.side;
                    let (first, end) = ((strip * rows).min(height), (strip * rows + rows).min(height));
                    let samples = &plane.samples[first * width..end * width];
                    near(samples);
                    *part = Part::new(samples, width);
                }
                parts
            }
            Rows::Packed { image, want, planes } => {
                let stride = image.stride();
                let samples = &image.pixels()[first * stride..(first + rows) * stride];
                let samples = rearranged(samples, image.format(), *want);
                if want.is_gray() {
                    // Borrowed when nothing changes; kept here when it does.
                    return match samples {
                        Cow::Borrowed(samples) => [Part::new(samples, width), Part::default(), Part::default()],
                        Cow::Owned(samples) => {
                            planes[0] = samples;
                            [Part::new(&planes[0], width), Part::default(), Part::default()]
                        }
                    };
                }
                let [luma, cb, cr] = planes;
                let coarse = width.div_ceil(side);
                if side == 1 {
                    let rgb = samples.chunks_exact(3 * width);
                    let chroma = cb.chunks_exact_mut(width).zip(cr.chunks_exact_mut(width));
                    for (rgb, (luma, (cb, cr))) in rgb.zip(luma.chunks_exact_mut(width).zip(chroma)) {
                        (kernels.full)(rgb, luma, cb, cr);
                    }
                } else {
                    let pairs = samples.chunks(6 * width).zip(luma.chunks_exact_mut(2 * width));
                    let chroma = cb.chunks_exact_mut(coarse).zip(cr.chunks_exact_mut(coarse));
                    for ((rgb, luma), (cb, cr)) in pairs.zip(chroma) {
                        // The last row of an odd number stands for the one below it, too.
                        let (above, below) = rgb.split_at(3 * width);
                        let below = if below.is_empty() { above } else { below };
                        (kernels.quarter)([above, below], luma.split_at_mut(width), cb, cr);
                    }
                }
                let chroma = coarse * rows.div_ceil(side);
                [
                    Part::new(&luma[..width * rows], width),
                    Part::new(&cb[..chroma], coarse),
                    Part::new(&cr[..chroma], coarse),
                ]
            }
        }
    }
}

/// Brings samples into the nearest caches, in the order in which they lie in memory. Blocks are read from so many rows and
/// planes at once that the processor does not see what comes next.
fn near(samples: &[u8]) {
    const LINE: usize = 64;
    std::hint::black_box(samples.iter().step_by(LINE).fold(0, |all, sample| all ^ sample));
}
