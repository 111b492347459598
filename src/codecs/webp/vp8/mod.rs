//! Key frames of VP8 (RFC 6386), as lossy WebP has them, to RGB or planes.
//!
//! Gives what image-webp gives, to the byte, and of sound files what libwebp gives, too. What is cut off or unusual it
//! refuses and leaves to image-webp, whose answer counts. A row of macroblocks is decoded, filtered and stored before the
//! next one, so little more than the result is held.

#[cfg(any(test, fuzzing))]
mod agreement;
mod band;
mod bools;
mod canvas;
mod colour;
mod edges;
mod filter;
mod header;
mod modes;
mod predict;
mod quantiser;
mod rows;
mod strength;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod transform;
mod turn;
mod twins;

use crate::image::{Plane, PlaneSink, Planes, Size};

#[cfg(any(test, fuzzing))]
pub use agreement::agrees;
pub(super) use bools::Bools;
use header::Header;
use rows::Rows;
use twins::Twins;

/// Why there is no picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another decoder may know more.
    Refused,
    Cancelled,
}

/// See [`Failure::Refused`].
#[derive(Debug, Clone, Copy)]
struct Refused;

impl From<Refused> for Failure {
    fn from(Refused: Refused) -> Self {
        Self::Refused
    }
}

/// Decodes the `VP8 ` chunk `body` into `pixels`: RGB, or RGBA whose alpha is 0. What `pixels` hold after a failure is not
/// said.
///
/// # Errors
/// [`Failure::Refused`] without a judgement about the file; [`Failure::Cancelled`] between rows.
pub(super) fn decode(body: &[u8], size: Size, pixels: &mut [u8], cancelled: &dyn Fn() -> bool) -> Result<(), Failure> {
    decode_by(body, size, pixels, cancelled, Twins::fastest())
}

fn decode_by(
    body: &[u8],
    size: Size,
    pixels: &mut [u8],
    cancelled: &dyn Fn() -> bool,
    twins: Twins,
) -> Result<(), Failure> {
    let rows = Rows::new(header(body, size)?);
    let (channels, store) = match pixels.len() as u64 {
        len if len == 3 * size.area() => (3, twins.rgb),
        len if len == 4 * size.area() => (4, twins.rgba),
        _ => return Err(Failure::Refused),
    };
    let stride = channels * size.width() as usize;
    each_row(rows, cancelled, twins, |rows, y| store(rows, y, &mut pixels[stride * rows.next()..]))
}

/// As [`decode`], handing over rows of RGB.
///
/// # Errors
/// As there; what was handed over until then is worth nothing.
pub(super) fn decode_to(
    body: &[u8],
    size: Size,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let (rows, twins) = (Rows::new(header(body, size)?), Twins::fastest());
    let stride = 3 * size.width() as usize;
    // The last row of macroblocks, and what was left of the one above.
    let mut band = vec![0; stride * 32];
    each_row(rows, cancelled, twins, |rows, y| {
        let first = rows.next();
        (twins.rgb)(rows, y, &mut band);
        sink.rows(0, first as u32, &band[..stride * (rows.next() - first)]);
    })
}

/// The planes that a picture of that size is decoded to, without samples.
pub(super) fn hollow(size: Size) -> Planes {
    let plane = |size: Size| Plane { size, samples: Vec::new() };
    let half = Size::at_least_one(size.width().div_ceil(2), size.height().div_ceil(2));
    Planes { size, luma: plane(size), chroma: Some([plane(half), plane(half)]) }
}

/// Decodes the `VP8 ` chunk `body` to planes in the narrow range.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_planes(body: &[u8], size: Size, cancelled: &dyn Fn() -> bool) -> Result<Planes, Failure> {
    planes_by(body, size, cancelled, Twins::fastest())
}

fn planes_by(body: &[u8], size: Size, cancelled: &dyn Fn() -> bool, twins: Twins) -> Result<Planes, Failure> {
    let rows = Rows::new(header(body, size)?);
    let mut planes = hollow(size).filled();
    each_row(rows, cancelled, twins, |rows, y| rows.samples(y, &mut planes))?;
    Ok(planes)
}

/// As [`decode_planes`], handing over rows.
///
/// # Errors
/// As there; what was handed over until then is worth nothing.
pub(super) fn planes_to(
    body: &[u8],
    size: Size,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let rows = Rows::new(header(body, size)?);
    each_row(rows, cancelled, Twins::fastest(), |rows, y| rows.samples(y, sink))
}

/// The header of a picture of that size.
fn header(body: &[u8], size: Size) -> Result<Header<'_>, Refused> {
    let header = Header::read(body)?;
    let same = (header.width, header.height) == (size.width() as usize, size.height() as usize);
    if same { Ok(header) } else { Err(Refused) }
}

fn each_row(
    mut rows: Rows<'_>,
    cancelled: &dyn Fn() -> bool,
    twins: Twins,
    mut store: impl FnMut(&mut Rows<'_>, usize),
) -> Result<(), Failure> {
    for y in 0..rows.down() {
        if cancelled() {
            return Err(Failure::Cancelled);
        }
        (twins.decode)(&mut rows, y)?;
        store(&mut rows, y);
    }
    Ok(())
}
