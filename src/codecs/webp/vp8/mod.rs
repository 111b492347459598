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

use crate::image::{Plane, Planes, Size};

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
    let store = match pixels.len() as u64 {
        len if len == 3 * size.area() => twins.rgb,
        len if len == 4 * size.area() => twins.rgba,
        _ => return Err(Failure::Refused),
    };
    each_row(rows, cancelled, twins, |rows, y| store(rows, y, pixels))
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
    let plane = |size: Size| Plane { size, samples: vec![0; size.area() as usize] };
    let half = Size::at_least_one(size.width().div_ceil(2), size.height().div_ceil(2));
    let (mut luma, mut u, mut v) = (plane(size), plane(half), plane(half));
    let mut out = [&mut luma, &mut u, &mut v].map(|plane| &mut plane.samples[..]);
    each_row(rows, cancelled, twins, |rows, y| rows.samples(y, &mut out))?;
    Ok(Planes { size, luma, chroma: Some([u, v]) })
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
