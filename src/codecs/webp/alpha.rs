//! The alpha plane of a lossy picture (RFC 9649, section 2.7.1.2): image-webp reads its samples, where they are coded, as
//! the green of a lossless picture; here their filter is undone.

use std::io::Cursor;

use image_webp::WebPDecoder;

use crate::image::Size;

/// Fills the alpha of RGBA `pixels`. `None` if anything is wrong.
pub(super) fn read(chunk: &[u8], size: Size, pixels: &mut [u8]) -> Option<()> {
    let (&flags, body) = chunk.split_first()?;
    // Two bits each: how it is coded, the filter, what was done to it before; the rest is reserved.
    if flags >> 4 & 3 > 1 {
        return None;
    }
    let (width, pixels) = (size.width() as usize, pixels.as_chunks_mut::<4>().0);
    match flags & 3 {
        0 => {
            let body = body.get(..pixels.len())?;
            for (pixel, &alpha) in pixels.iter_mut().zip(body) {
                pixel[3] = alpha;
            }
        }
        1 => {
            // What the budget knows of.
            if body.len() > pixels.len() {
                return None;
            }
            let mut coded = vec![0; 4 * pixels.len()];
            let mut decoder = WebPDecoder::new(Cursor::new(lossless(body, size)?)).ok()?;
            decoder.read_image(&mut coded).ok()?;
            for (pixel, coded) in pixels.iter_mut().zip(coded.as_chunks::<4>().0) {
                pixel[3] = coded[1];
            }
        }
        _ => return None,
    }
    unfilter(flags >> 2 & 3, width, pixels);
    Some(())
}

/// A file of a lossless picture with alpha around the plane's data, which has no header of its own.
fn lossless(body: &[u8], size: Size) -> Option<Vec<u8>> {
    let [width, height] = [size.width(), size.height()].map(|side| side - 1);
    if width.max(height) > 0x3FFF {
        return None;
    }
    let header = width | height << 14 | 1 << 28;
    let length = u32::try_from(5 + body.len()).ok()?;
    let mut file = Vec::with_capacity(26 + body.len());
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(length.next_multiple_of(2) + 12).to_le_bytes());
    file.extend_from_slice(b"WEBPVP8L");
    file.extend_from_slice(&length.to_le_bytes());
    file.push(0x2F);
    file.extend_from_slice(&header.to_le_bytes());
    file.extend_from_slice(body);
    file.resize(file.len().next_multiple_of(2), 0);
    Some(file)
}

/// Adds to each sample what it was predicted from: nothing, the left, the upper neighbour, or both less the one between
/// them. Outside the picture the other neighbour takes the place of a missing one.
fn unfilter(filter: u8, width: usize, pixels: &mut [[u8; 4]]) {
    if filter == 0 {
        return;
    }
    for i in 0..pixels.len() {
        let (x, y) = (i % width, i / width);
        let left = (x > 0).then(|| pixels[i - 1][3]);
        let above = (y > 0).then(|| pixels[i - width][3]);
        let predicted = match (left, above) {
            (None, None) => 0,
            (Some(only), None) | (None, Some(only)) => only,
            (Some(left), Some(above)) => match filter {
                1 => left,
                2 => above,
                _ => {
                    let corner = i16::from(pixels[i - width - 1][3]);
                    (i16::from(left) + i16::from(above) - corner).max(0).min(255) as u8
                }
            },
        };
        pixels[i][3] = pixels[i][3].wrapping_add(predicted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::Limits;
    use crate::codecs::webp::lossy::encode_as;
    use crate::codecs::webp::riff::Container;
    use crate::codecs::webp::vp8;

    /// Alpha that each of the filters suits somewhere.
    fn picture(size: Size) -> Vec<u8> {
        let pixel = |x: u32, y: u32| {
            let alpha = [x * 5, y * 7, x + y, x * y / 3][(y / 9 % 4) as usize];
            [x as u8, y as u8, (x * y) as u8, alpha as u8]
        };
        (0..size.height()).flat_map(|y| (0..size.width()).flat_map(move |x| pixel(x, y))).collect()
    }

    fn both(file: &[u8], size: Size) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let container = Container::read(file, &Limits::default()).unwrap();
        let mut ours = vec![0; 4 * size.area() as usize];
        vp8::decode(container.picture.body, size, &mut ours, &|| false).unwrap();
        let taken = read(container.alpha_plane.unwrap(), size, &mut ours).map(|()| ours);
        let mut theirs = vec![0; 4 * size.area() as usize];
        let read = WebPDecoder::new(Cursor::new(file)).unwrap().read_image(&mut theirs);
        (taken, read.ok().map(|()| theirs))
    }

    #[test]
    fn alpha_is_that_of_image_webp() {
        for (width, height) in [(1, 1), (1, 40), (40, 1), (41, 57)] {
            let size = Size::new(width, height).unwrap();
            for (compression, filtering) in [(0, 0), (1, 0), (1, 1), (1, 2)] {
                let mut file = encode_as(&picture(size), size, true, |config| {
                    config.alpha_compression = compression;
                    config.alpha_filtering = filtering;
                })
                .unwrap();
                let at = file.windows(4).position(|name| name == b"ALPH");
                let Some(at) = at else { continue };
                // The encoder's filter, then each of the others: whatever it makes of the plane, it is the same.
                for filter in [file[at + 8] >> 2 & 3, 0, 1, 2, 3] {
                    file[at + 8] = file[at + 8] & !0x0C | filter << 2;
                    let (ours, theirs) = both(&file, size);
                    assert!(ours.is_some() && ours == theirs, "{size:?} {compression} {filtering} {filter}");
                }
                for flags in [2, 3, 0x20, 0x30] {
                    file[at + 8] = flags;
                    assert_eq!(both(&file, size), (None, None));
                }
            }
        }
    }
}
