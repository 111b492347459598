use std::io::Cursor;

use image_webp::WebPDecoder;

use super::decode;
use crate::codecs::webp::partitions;
use crate::image::Size;

/// Whether a `VP8 ` chunk gives what image-webp makes of it, or is refused: for fuzzing. Pictures above 64 Ki pixels and
/// what the server turns away before are left out.
#[must_use]
pub fn agrees(chunk: &[u8]) -> bool {
    let &[_, _, _, _, _, _, w0, w1, h0, h1, ..] = chunk else { return true };
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    let Some(size) = Size::new(side(w0, w1), side(h0, h1)).filter(|size| size.area() <= 1 << 16) else { return true };
    if !partitions::fit(chunk) {
        return true;
    }
    let mut ours = vec![0; 3 * size.area() as usize];
    decode(chunk, size, &mut ours, &|| false).is_err() || theirs(chunk).as_ref() == Some(&ours)
}

/// What image-webp makes of a chunk.
pub(super) fn theirs(chunk: &[u8]) -> Option<Vec<u8>> {
    let mut file = [b"RIFF\0\0\0\0WEBPVP8 ", &u32::try_from(chunk.len()).ok()?.to_le_bytes()[..], chunk].concat();
    file.resize(file.len().next_multiple_of(2), 0);
    let size = u32::try_from(file.len()).ok()? - 8;
    file[4..8].copy_from_slice(&size.to_le_bytes());
    let mut decoder = WebPDecoder::new(Cursor::new(file)).ok()?;
    let mut pixels = vec![0; decoder.output_buffer_size()?];
    decoder.read_image(&mut pixels).ok()?;
    Some(pixels)
}
