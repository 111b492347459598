//! Laying a picture on a larger canvas.

use crate::backend::{BackendError, Checkpoint};
use crate::image::{ImageBuf, Point, Size};
use crate::ops::Border;

use super::{cancelled, colour, made};

/// Lays the picture with its top left corner `at` on a canvas of size `into`, clipped to it.
///
/// # Errors
/// [`BackendError::Cancelled`].
pub(super) fn embed(
    buf: ImageBuf,
    into: Size,
    at: Point,
    border: Border,
    checkpoint: &dyn Checkpoint,
) -> Result<ImageBuf, BackendError> {
    if at == Point::default() && into == buf.size() {
        return Ok(buf);
    }
    let buf = match border {
        Border::Background(rgb) if !rgb.is_gray() => colour::coloured(buf),
        _ => buf,
    };
    let fill = match border {
        Border::Copy => Fill::Pixel(clamped),
        Border::Mirror => Fill::Pixel(mirrored),
        Border::Black => Fill::Constant([0; 4]),
        Border::White => Fill::Constant([255; 4]),
        Border::Background(rgb) if buf.format().is_gray() => Fill::Constant([rgb.r, 0, 0, 0]),
        Border::Background(rgb) => Fill::Constant([rgb.r, rgb.g, rgb.b, 0]),
    };
    let channels = buf.format().channels();
    let columns = Axis::new(into.width(), buf.size().width(), at.x);
    let rows = Axis::new(into.height(), buf.size().height(), at.y);
    let mut pixels = Vec::with_capacity(ImageBuf::byte_len(into, buf.format()) as usize);
    for y in 0..into.height() {
        if y % 64 == 0 {
            cancelled(checkpoint)?;
        }
        let from = match fill {
            Fill::Pixel(place) => Some(place(rows.source(y), buf.size().height())),
            Fill::Constant(_) => rows.inside(y),
        };
        let Some(from) = from else {
            fill_row(&mut pixels, &fill, &buf, 0, (0, into.width()), &columns);
            continue;
        };
        fill_row(&mut pixels, &fill, &buf, from, (0, columns.begin), &columns);
        if columns.begin < columns.end {
            let first = columns.source(columns.begin) as usize * channels;
            let count = (columns.end - columns.begin) as usize * channels;
            pixels.extend_from_slice(&buf.row(from)[first..first + count]);
        }
        fill_row(&mut pixels, &fill, &buf, from, (columns.end, into.width()), &columns);
    }
    made(into, buf.format(), pixels)
}

/// What the border is made of: the picture's own pixels, found by place and length of an axis, or a constant.
#[derive(Clone, Copy)]
enum Fill {
    Pixel(fn(i64, u32) -> u32),
    Constant([u8; 4]),
}

/// Appends border pixels for columns `from` to `to`.
fn fill_row(pixels: &mut Vec<u8>, fill: &Fill, buf: &ImageBuf, y: u32, (from, to): (u32, u32), columns: &Axis) {
    match fill {
        Fill::Constant(pixel) => {
            let pixel = &pixel_of(*pixel, buf)[..buf.format().channels()];
            for _ in from..to {
                pixels.extend_from_slice(pixel);
            }
        }
        Fill::Pixel(place) => {
            for x in from..to {
                pixels.extend_from_slice(buf.pixel(place(columns.source(x), buf.size().width()), y));
            }
        }
    }
}

/// Grey with alpha takes the last sample of the four.
fn pixel_of([a, b, c, d]: [u8; 4], buf: &ImageBuf) -> [u8; 4] {
    if buf.format().channels() == 2 { [a, d, 0, 0] } else { [a, b, c, d] }
}

/// One axis of the canvas.
struct Axis {
    at: i64,
    /// First place of the canvas that shows the picture, and the first after it.
    begin: u32,
    end: u32,
}

impl Axis {
    fn new(canvas: u32, picture: u32, at: i64) -> Self {
        let canvas = i64::from(canvas);
        let begin = at.clamp(0, canvas);
        let end = at.saturating_add(i64::from(picture)).clamp(begin, canvas);
        Self { at, begin: begin as u32, end: end as u32 }
    }

    /// The place in the picture, which may lie outside.
    const fn source(&self, place: u32) -> i64 {
        (place as i64).saturating_sub(self.at)
    }

    fn inside(&self, place: u32) -> Option<u32> {
        (self.begin <= place && place < self.end).then(|| self.source(place) as u32)
    }
}

/// The nearest place of a side of `len` pixels.
fn clamped(place: i64, len: u32) -> u32 {
    place.clamp(0, i64::from(len) - 1) as u32
}

/// The place that … c b a | a b c … shows.
fn mirrored(place: i64, len: u32) -> u32 {
    let len = i64::from(len);
    let place = place.rem_euclid(2 * len);
    (if place < len { place } else { 2 * len - 1 - place }) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::NeverCancelled;
    use crate::image::{PixelFormat, Rgb8};

    fn gray(width: u32, pixels: &[u8]) -> ImageBuf {
        let size = Size::new(width, pixels.len() as u32 / width).unwrap();
        ImageBuf::new(size, PixelFormat::Gray8, pixels.to_vec()).unwrap()
    }

    fn row(buf: &ImageBuf, width: u32, x: i64, border: Border) -> Vec<u8> {
        let into = Size::new(width, 1).unwrap();
        embed(buf.clone(), into, Point { x, y: 0 }, border, &NeverCancelled).unwrap().into_pixels()
    }

    #[test]
    fn borders_of_a_row() {
        let abc = gray(3, &[1, 2, 3]);
        assert_eq!(row(&abc, 9, 3, Border::Black), [0, 0, 0, 1, 2, 3, 0, 0, 0]);
        assert_eq!(row(&abc, 9, 3, Border::White), [255, 255, 255, 1, 2, 3, 255, 255, 255]);
        assert_eq!(row(&abc, 9, 3, Border::Copy), [1, 1, 1, 1, 2, 3, 3, 3, 3]);
        assert_eq!(row(&abc, 13, 5, Border::Mirror), [2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2]);
        assert_eq!(row(&gray(1, &[7]), 5, 2, Border::Mirror), [7; 5]);
    }

    #[test]
    fn a_larger_picture_is_clipped_and_one_elsewhere_leaves_the_border() {
        let abc = gray(5, &[1, 2, 3, 4, 5]);
        assert_eq!(row(&abc, 3, -1, Border::Black), [2, 3, 4]);
        assert_eq!(row(&abc, 3, 2, Border::Black), [0, 0, 1]);
        for x in [-90, 90, i64::MIN, i64::MAX] {
            assert_eq!(row(&abc, 3, x, Border::White), [255; 3]);
        }
        assert_eq!(row(&abc, 3, -90, Border::Copy), [5; 3]);
        assert_eq!(row(&abc, 3, 90, Border::Copy), [1; 3]);
    }

    #[test]
    fn alpha_of_each_border() {
        let size = Size::new(1, 1).unwrap();
        let into = Size::new(2, 1).unwrap();
        let red = Rgb8 { r: 200, g: 1, b: 2 };
        let of = |format: PixelFormat, border| {
            let buf = ImageBuf::new(size, format, vec![9; format.channels()]).unwrap();
            embed(buf, into, Point::default(), border, &NeverCancelled).unwrap()
        };
        assert_eq!(of(PixelFormat::Rgba8, Border::Black).pixel(1, 0), [0, 0, 0, 0]);
        assert_eq!(of(PixelFormat::Rgba8, Border::White).pixel(1, 0), [255; 4]);
        assert_eq!(of(PixelFormat::Rgba8, Border::Background(red)).pixel(1, 0), [200, 1, 2, 0]);
        assert_eq!(of(PixelFormat::Rgb8, Border::Background(red)).pixel(1, 0), [200, 1, 2]);
        assert_eq!(of(PixelFormat::GrayAlpha8, Border::White).pixel(1, 0), [255, 255]);
        // A coloured border makes a grey picture RGB, a grey one does not.
        assert_eq!(of(PixelFormat::GrayAlpha8, Border::Background(red)).pixels(), [9, 9, 9, 9, 200, 1, 2, 0]);
        assert_eq!(of(PixelFormat::GrayAlpha8, Border::Background(Rgb8::WHITE)).pixels(), [9, 9, 255, 0]);
    }
}
