//! Packed grey or RGB samples of components of any sampling and colour model, made row by row as components come.

use std::ops::Range;

use crate::image::{ImageBuf, PixelFormat, PlaneSink, Size};

use super::Refused;
use super::colours::Colours;
use super::frame::Frame;
use super::upsample::Axis;
use super::window::Window;

/// Packs the rows that are wanted. Rows of a component are let go as soon as no pixel needs them any more.
pub(super) struct Packer<'a> {
    size: Size,
    colours: Colours,
    components: Vec<Rows>,
    /// Next row to be made, and the last one wanted.
    rows: Range<usize>,
    /// All rows, or the last one where each is handed over. Allocated with the first row: until then, coefficients may be
    /// held.
    pixels: Vec<u8>,
    sink: Option<&'a mut dyn PlaneSink>,
}

/// The rows of a component that are still needed.
struct Rows {
    width: usize,
    across: Axis,
    down: Axis,
    /// Number of the first row held.
    first: usize,
    samples: Vec<u8>,
    /// One row of the picture, and room to make it in.
    line: Vec<u8>,
    blended: Vec<u16>,
}

impl Rows {
    /// The row behind the last one held.
    fn end(&self) -> usize {
        self.first + self.samples.len() / self.width
    }

    /// Makes row `y` of the picture; `false` when samples are missing.
    #[inline(always)]
    fn make(&mut self, y: usize) -> bool {
        let (a, b, weight) = self.down.at(y);
        // Rows above those that came are not wanted either.
        let row = |i: usize| {
            let at = i.saturating_sub(self.first) * self.width;
            self.samples.get(at..at + self.width)
        };
        let (Some(above), Some(below)) = (row(a), row(b)) else { return false };
        self.across.line((above, below), weight, &mut self.blended, &mut self.line);
        true
    }

    /// Lets go of what rows from `y` on do not need.
    fn release(&mut self, y: usize) {
        let rows = self.down.at(y).0.saturating_sub(self.first).min(self.samples.len() / self.width);
        // Not for every row: what stays is moved.
        if rows >= 8 {
            self.samples.drain(..rows * self.width);
            self.first += rows;
        }
    }
}

impl<'a> Packer<'a> {
    /// `sink`: takes the rows; without one they are kept.
    pub(super) fn new(frame: &Frame, window: &Window, sink: Option<&'a mut dyn PlaneSink>) -> Self {
        let (across, down) = frame.most();
        let (width, height) = (frame.size.width() as usize, frame.size.height() as usize);
        let components = frame.components.iter().map(|c| Rows {
            width: c.size.width() as usize,
            across: Axis::new(width, c.size.width() as usize, (c.h, across)),
            down: Axis::new(height, c.size.height() as usize, (c.v, down)),
            first: 0,
            samples: Vec::new(),
            line: vec![0; width],
            blended: Vec::new(),
        });
        let (components, rows) = (components.collect(), window.rows());
        Self { size: frame.size, colours: frame.colours, components, rows, pixels: Vec::new(), sink }
    }

    /// # Errors
    /// [`Refused::Damaged`] when rows are missing.
    pub(super) fn is_whole(&self) -> Result<(), Refused> {
        if self.rows.is_empty() { Ok(()) } else { Err(Refused::Damaged) }
    }

    /// The rows that were kept.
    ///
    /// # Errors
    /// As [`Self::is_whole`].
    pub(super) fn finish(self) -> Result<ImageBuf, Refused> {
        self.is_whole()?;
        ImageBuf::new(self.size, format_of(self.colours), self.pixels).map_err(|_| Refused::Damaged)
    }

    fn make_rows(&mut self) {
        let make = fastest();
        let stride = self.size.width() as usize * format_of(self.colours).channels();
        while !self.rows.is_empty() {
            let y = self.rows.start;
            // Before anything is made: of all components, the last row that is needed must be there.
            if self.components.iter().any(|rows| rows.down.at(y).1 >= rows.end()) {
                return;
            }
            let (rows, at) = if self.sink.is_some() { (1, 0) } else { (self.size.height() as usize, y) };
            if self.pixels.is_empty() {
                self.pixels = vec![0; stride * rows];
            }
            let Some(out) = self.pixels.get_mut(at * stride..(at + 1) * stride) else { return };
            if !make(y, self.colours, &mut self.components, out) {
                return;
            }
            if let Some(sink) = &mut self.sink {
                sink.rows(0, y as u32, out);
            }
            self.rows.start += 1;
        }
    }
}

/// Layout of a pixel of these colours.
pub(super) fn format_of(colours: Colours) -> PixelFormat {
    PixelFormat::of(colours == Colours::Gray, false)
}

impl PlaneSink for Packer<'_> {
    fn rows(&mut self, plane: usize, first: u32, samples: &[u8]) {
        let Some(rows) = self.components.get_mut(plane) else { return };
        let first = first as usize;
        if rows.samples.is_empty() {
            rows.first = first;
        } else if rows.end() != first {
            // A component that comes a second time changes nothing.
            return;
        }
        rows.samples.extend_from_slice(samples);
        self.make_rows();
        let next = self.rows.start;
        self.components.iter_mut().for_each(|rows| rows.release(next));
    }
}

/// Makes a row of pixels; `false` when samples are missing.
type Make = fn(usize, Colours, &mut [Rows], &mut [u8]) -> bool;

/// The fastest of the twins that this processor runs: the same code, compiled for it.
fn fastest() -> Make {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        return make_avx2;
    }
    make
}

#[cfg(target_arch = "x86_64")]
fn make_avx2(y: usize, colours: Colours, components: &mut [Rows], out: &mut [u8]) -> bool {
    #[target_feature(enable = "avx2")]
    fn enabled(y: usize, colours: Colours, components: &mut [Rows], out: &mut [u8]) -> bool {
        make(y, colours, components, out)
    }
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has AVX2.
    unsafe {
        enabled(y, colours, components, out)
    }
}

#[inline(always)]
fn make(y: usize, colours: Colours, components: &mut [Rows], out: &mut [u8]) -> bool {
    for rows in components.iter_mut() {
        if !rows.make(y) {
            return false;
        }
    }
    mix(colours, components, out);
    true
}

/// Pixels that are made at once, their colours apart.
const AT_ONCE: usize = 32;

/// One row of pixels.
#[inline(always)]
fn mix(colours: Colours, components: &[Rows], out: &mut [u8]) {
    match (colours, components) {
        (Colours::Gray, [gray]) => out.copy_from_slice(&gray.line),
        (Colours::Rgb, [r, g, b]) => {
            let lines = r.line.iter().zip(&g.line).zip(&b.line);
            for (out, ((r, g), b)) in out.as_chunks_mut::<3>().0.iter_mut().zip(lines) {
                *out = [*r, *g, *b];
            }
        }
        (Colours::Ycc, [y, cb, cr]) => {
            let (out, _) = out.as_chunks_mut::<3>();
            let lines = y.line.chunks(AT_ONCE).zip(cb.line.chunks(AT_ONCE)).zip(cr.line.chunks(AT_ONCE));
            for (out, ((y, cb), cr)) in out.chunks_mut(AT_ONCE).zip(lines) {
                let (mut r, mut g, mut b) = ([0; AT_ONCE], [0; AT_ONCE], [0; AT_ONCE]);
                let made = r.iter_mut().zip(&mut g).zip(&mut b);
                for (((r, g), b), ((y, cb), cr)) in made.zip(y.iter().zip(cb).zip(cr)) {
                    [*r, *g, *b] = rgb(*y, *cb, *cr);
                }
                for (out, ((&r, &g), &b)) in out.iter_mut().zip(r.iter().zip(&g).zip(&b)) {
                    *out = [r, g, b];
                }
            }
        }
        (Colours::Cmyk | Colours::Ycck, [a, b, c, k]) => {
            let lines = a.line.iter().zip(&b.line).zip(&c.line).zip(&k.line);
            for (out, (((a, b), c), k)) in out.as_chunks_mut::<3>().0.iter_mut().zip(lines) {
                let light = if colours == Colours::Ycck { rgb(*a, *b, *c).map(|ink| 255 - ink) } else { [*a, *b, *c] };
                *out = light.map(|light| blend_black(light, *k));
            }
        }
        _ => {}
    }
}

/// What ink and black let through: each a complement of ink, as Adobe writes them. Files that do not say so are read the
/// same way, as libvips does.
fn blend_black(light: u8, black: u8) -> u8 {
    ((u32::from(light) * u32::from(black) + 127) / 255) as u8
}

/// Full-range BT.601, in whole numbers of 16 bits behind the point.
#[inline(always)]
fn rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let to_sample = |value: i32| ((value + HALF) >> 16).clamp(0, 255) as u8;
    // 1.402, 0.344136, 0.714136, 1.772.
    [to_sample(y + 91_881 * cr), to_sample(y - 22_554 * cb - 46_802 * cr), to_sample(y + 116_130 * cb)]
}
