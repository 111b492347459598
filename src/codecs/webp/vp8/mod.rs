//! Key frames of VP8 (RFC 6386), as lossy WebP has them, to RGB.
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

use crate::image::Size;

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
    let header = Header::read(body)?;
    let area = header.width * header.height;
    let same = (header.width, header.height) == (size.width() as usize, size.height() as usize);
    let row = match pixels.len() {
        len if same && len == 3 * area => twins.rgb,
        len if same && len == 4 * area => twins.rgba,
        _ => return Err(Failure::Refused),
    };
    let mut rows = Rows::new(header);
    for y in 0..rows.down() {
        if cancelled() {
            return Err(Failure::Cancelled);
        }
        row(&mut rows, y, pixels)?;
    }
    Ok(())
}
