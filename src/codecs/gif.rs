//! GIF in: the first frame on its logical screen (GIF89a, <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>).
//!
//! The background colour is ignored and what no frame covers is transparent, as in browsers. A frame that sticks out
//! of the screen is clipped. A logical screen of zero takes the extent of the first frame. ICC and XMP extensions are
//! not kept. A frame that breaks off keeps its complete rows.

use super::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata, Space};
use crate::image::{ImageBuf, PixelFormat, Size};

/// What stands before the pixels of the first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FirstFrame {
    /// Logical screen, or the frame's extent where a side of that is zero.
    canvas: Size,
    left: u16,
    top: u16,
    width: u16,
    height: u16,
    interlaced: bool,
    /// Palette index that is not drawn.
    transparent: Option<u8>,
    /// Whether the data run to their block terminator.
    complete: bool,
}

impl FirstFrame {
    /// Whether some pixel of the canvas may stay clear.
    fn leaves_gaps(&self) -> bool {
        let covers = self.left == 0
            && self.top == 0
            && u32::from(self.width) >= self.canvas.width()
            && u32::from(self.height) >= self.canvas.height();
        self.transparent.is_some() || !covers || !self.complete
    }
}

/// Reads the facts known before pixels: walks the blocks up to the end of the first frame.
///
/// # Errors
/// [`DecodeError::Malformed`] without any frame, [`DecodeError::TooManyPixels`] for a screen or a frame over the limit.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    let frame = first_frame(bytes)?;
    let area = u64::from(frame.width) * u64::from(frame.height);
    if frame.canvas.area() > limits.pixels
        || area > limits.pixels
        || frame.canvas.width().max(frame.canvas.height()) > limits.side
    {
        return Err(DecodeError::TooManyPixels);
    }
    let alpha = frame.leaves_gaps();
    Ok(Header {
        format: Format::Gif,
        size: frame.canvas,
        exif_orientation: 0,
        alpha,
        space: Space::Srgb,
        channels: if alpha { 4 } else { 3 },
        profile: false,
        scratch_bytes: u64::from(frame.width),
    })
}

/// Decodes the first frame to `Rgb8`, or `Rgba8` where the header says alpha. Never shrinks.
///
/// # Errors
/// [`DecodeError::Malformed`] when not one row can be read; otherwise missing rows stay clear (black without alpha).
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    _spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    let now = probe(bytes, limits)?;
    if now.size != header.size || now.alpha != header.alpha {
        return Err(malformed("the pixels contradict the header"));
    }
    let frame = first_frame(bytes)?;
    let format = PixelFormat::of(false, header.alpha);
    let mut image = ImageBuf::zeroed(header.size, format);

    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    // Extensions are kept by the reader as they pass; the file itself bounds them.
    options.set_memory_limit(std::num::NonZeroU64::new(bytes.len() as u64).map_or(gif::MemoryLimit::Unlimited, |n| {
        gif::MemoryLimit::Bytes(n)
    }));
    let mut decoder = options.read_info(bytes).map_err(failed)?;
    let seen = decoder.next_frame_info().map_err(failed)?.ok_or_else(|| malformed("no frame"))?;
    if (seen.left, seen.top, seen.width, seen.height) != (frame.left, frame.top, frame.width, frame.height) {
        return Err(malformed("the pixels contradict the header"));
    }
    let palette = decoder.palette().map_err(failed)?.to_vec();

    let mut indices = vec![0; usize::from(frame.width)];
    let visible = header.size.height().saturating_sub(u32::from(frame.top)).min(u32::from(frame.height));
    if indices.is_empty() || visible == 0 || u32::from(frame.left) >= header.size.width() {
        return Ok(Decoded { picture: image.into(), metadata: Metadata::default() });
    }
    for (nth, row) in stored_rows(frame.height, frame.interlaced).enumerate() {
        if nth % 64 == 0 && cancelled() {
            return Err(DecodeError::Cancelled);
        }
        match decoder.fill_buffer(&mut indices) {
            Ok(true) => {}
            // The rest is missing or damaged: what is there is served, as browsers do.
            Ok(false) | Err(_) if nth > 0 => break,
            Ok(false) => return Err(malformed("no pixels")),
            Err(error) => return Err(failed(error)),
        }
        if row < visible {
            let y = row + u32::from(frame.top);
            paint(&indices, &palette, frame.transparent, frame.left, image.row_mut(y), format);
        } else if !frame.interlaced {
            break;
        }
    }
    Ok(Decoded { picture: image.into(), metadata: Metadata::default() })
}

/// Writes the colours of a row of palette indices from column `left` on; indices beyond the palette count as clear.
fn paint(indices: &[u8], palette: &[u8], transparent: Option<u8>, left: u16, out: &mut [u8], format: PixelFormat) {
    let channels = format.channels();
    let pixels = out.chunks_exact_mut(channels).skip(usize::from(left));
    for (pixel, &index) in pixels.zip(indices) {
        let at = usize::from(index) * 3;
        let (Some(colour), false) = (palette.get(at..at + 3), transparent == Some(index)) else { continue };
        pixel[..3].copy_from_slice(colour);
        if let Some(alpha) = pixel.get_mut(3) {
            *alpha = 255;
        }
    }
}

/// The rows of a frame in the order in which they are stored.
fn stored_rows(height: u16, interlaced: bool) -> impl Iterator<Item = u32> {
    let passes: &[(u32, u32)] = if interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)] } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(first, step)| (first..u32::from(height)).step_by(step as usize))
}

/// Walks the blocks up to the first image and through its data.
fn first_frame(bytes: &[u8]) -> Result<FirstFrame, DecodeError> {
    let mut blocks = Blocks { rest: bytes };
    let magic = blocks.take(6).ok_or(DecodeError::Unreadable)?;
    if magic != b"GIF87a" && magic != b"GIF89a" {
        return Err(DecodeError::Unreadable);
    }
    let screen = blocks.take(7).ok_or(DecodeError::Unreadable)?;
    let (width, height) = (u16_at(screen, 0), u16_at(screen, 2));
    blocks.skip_table(screen[4]).ok_or_else(no_frame)?;
    let mut transparent = None;
    loop {
        match blocks.take(1).ok_or_else(no_frame)?[0] {
            0x21 => {
                let label = blocks.take(1).ok_or_else(no_frame)?[0];
                if let (0xF9, &[4, flags, _, _, index, ..]) = (label, blocks.rest) {
                    transparent = (flags & 1 != 0).then_some(index);
                }
                blocks.skip_data().ok_or_else(no_frame)?;
            }
            0x2C => {
                let image = blocks.take(9).ok_or_else(no_frame)?;
                let [left, top, frame_width, frame_height] = [0, 2, 4, 6].map(|at| u16_at(image, at));
                blocks.skip_table(image[8]).ok_or_else(no_frame)?;
                blocks.take(1).ok_or_else(no_frame)?;
                let complete = blocks.skip_data().is_some();
                let canvas = Size::new(width.into(), height.into())
                    .or_else(|| {
                        Size::new(
                            u32::from(left) + u32::from(frame_width),
                            u32::from(top) + u32::from(frame_height),
                        )
                    })
                    .ok_or_else(no_frame)?;
                return Ok(FirstFrame {
                    canvas,
                    left,
                    top,
                    width: frame_width,
                    height: frame_height,
                    interlaced: image[8] & 0x40 != 0,
                    transparent,
                    complete,
                });
            }
            // Stray zeros between blocks are common; anything else ends the file.
            0 => {}
            _ => return Err(no_frame()),
        }
    }
}

/// What is left of a GIF stream.
struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(head)
    }

    /// Passes over a colour table, if these packed fields announce one.
    fn skip_table(&mut self, flags: u8) -> Option<()> {
        if flags & 0x80 != 0 {
            self.take(3 << ((flags & 7) + 1))?;
        }
        Some(())
    }

    /// Passes over sub-blocks and their terminator; `None` when the file ends first.
    fn skip_data(&mut self) -> Option<()> {
        loop {
            let length = self.take(1)?[0];
            if length == 0 {
                return Some(());
            }
            self.take(length.into())?;
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn malformed(reason: impl Into<String>) -> DecodeError {
    DecodeError::Malformed { format: Format::Gif, reason: reason.into() }
}

fn no_frame() -> DecodeError {
    malformed("no frames in GIF")
}

fn failed(error: gif::DecodingError) -> DecodeError {
    malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Picture;

    /// A GIF of one frame, written with clear codes only (nine-bit codes of a 256-colour palette would be the same).
    struct Sample {
        screen: (u16, u16),
        frame: (u16, u16, u16, u16),
        interlaced: bool,
        transparent: Option<u8>,
        pixels: Vec<u8>,
    }

    /// Red, green, blue, white.
    const PALETTE: [u8; 12] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];

    impl Sample {
        fn bytes(&self) -> Vec<u8> {
            let mut out = Vec::new();
            {
                let mut encoder = gif::Encoder::new(&mut out, self.screen.0, self.screen.1, &PALETTE).unwrap();
                let (left, top, width, height) = self.frame;
                let frame = gif::Frame {
                    left,
                    top,
                    width,
                    height,
                    interlaced: self.interlaced,
                    transparent: self.transparent,
                    buffer: self.pixels.clone().into(),
                    ..gif::Frame::default()
                };
                encoder.write_frame(&frame).unwrap();
            }
            out
        }
    }

    fn sample(screen: (u16, u16), frame: (u16, u16, u16, u16)) -> Sample {
        let area = usize::from(frame.2) * usize::from(frame.3);
        Sample {
            screen,
            frame,
            interlaced: false,
            transparent: None,
            pixels: (0..area).map(|i| (i % 4) as u8).collect(),
        }
    }

    fn read(bytes: &[u8]) -> Result<(Header, ImageBuf), DecodeError> {
        let limits = Limits::default();
        let header = probe(bytes, &limits)?;
        let decoded = decode(bytes, &header, &DecodeSpec::default(), &limits, &|| false)?;
        let Picture::Packed(image) = decoded.picture else { panic!("GIF decodes to packed samples") };
        assert_eq!(image.size(), header.size);
        assert_eq!(image.format().has_alpha(), header.alpha);
        Ok((header, image))
    }

    #[test]
    fn an_opaque_frame_that_covers_the_screen_is_rgb() {
        let (header, image) = read(&sample((4, 2), (0, 0, 4, 2)).bytes()).unwrap();
        assert_eq!((header.channels, header.alpha), (3, false));
        assert_eq!(image.row(0), PALETTE);
        assert_eq!(image.row(1), PALETTE);
    }

    #[test]
    fn what_the_frame_leaves_open_is_clear() {
        let (header, image) = read(&sample((6, 3), (1, 1, 4, 2)).bytes()).unwrap();
        assert_eq!((header.channels, header.alpha), (4, true));
        assert_eq!(image.pixel(0, 0), [0, 0, 0, 0]);
        assert_eq!(image.pixel(1, 1), [255, 0, 0, 255]);
        assert_eq!(image.pixel(4, 2), [255, 255, 255, 255]);
        assert_eq!(image.pixel(5, 2), [0, 0, 0, 0]);
    }

    #[test]
    fn the_transparent_index_is_not_drawn() {
        let (_, image) = read(&Sample { transparent: Some(1), ..sample((4, 1), (0, 0, 4, 1)) }.bytes()).unwrap();
        assert_eq!(image.pixels(), [255, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn a_frame_beyond_the_screen_is_clipped() {
        let (header, image) = read(&sample((3, 2), (2, 1, 4, 4)).bytes()).unwrap();
        assert_eq!(header.size, Size::new(3, 2).unwrap());
        assert_eq!(image.pixel(2, 1), [255, 0, 0, 255]);
        assert!(image.pixels()[..20].iter().all(|&b| b == 0));
        let (_, image) = read(&sample((3, 2), (9, 9, 4, 4)).bytes()).unwrap();
        assert!(image.pixels().iter().all(|&b| b == 0));
    }

    #[test]
    fn a_screen_of_zero_takes_the_extent_of_the_frame() {
        let mut bytes = sample((9, 9), (1, 2, 4, 2)).bytes();
        bytes[6..10].fill(0);
        assert_eq!(read(&bytes).unwrap().0.size, Size::new(5, 4).unwrap());
    }

    #[test]
    fn interlaced_rows_land_where_they_belong() {
        let height = 11;
        let plain: Vec<u8> = (0..height).flat_map(|y| [(y % 4) as u8; 2]).collect();
        let stored = stored_rows(height, true).flat_map(|y| [(y % 4) as u8; 2]).collect();
        let straight = Sample { pixels: plain, ..sample((2, height), (0, 0, 2, height)) };
        let woven = Sample { pixels: stored, interlaced: true, ..sample((2, height), (0, 0, 2, height)) };
        assert_eq!(read(&straight.bytes()).unwrap().1, read(&woven.bytes()).unwrap().1);
    }

    #[test]
    fn a_frame_that_breaks_off_keeps_its_rows_and_has_alpha() {
        let mut long = sample((64, 64), (0, 0, 64, 64));
        long.pixels.iter_mut().enumerate().for_each(|(i, p)| *p = ((i * i / 7) % 4) as u8);
        let bytes = long.bytes();
        let (_, whole) = read(&bytes).unwrap();
        let (header, image) = read(&bytes[..bytes.len() / 2]).unwrap();
        assert!(header.alpha);
        let kept = image.rows().take_while(|row| row[3] == 255).count();
        assert!((10..60).contains(&kept), "{kept} rows");
        assert_eq!(image.pixel(5, 3)[..3], *whole.pixel(5, 3));
        assert!(image.row(63).iter().all(|&b| b == 0));
    }

    #[test]
    fn limits_hold_before_anything_is_allocated() {
        let mut bytes = sample((4, 2), (0, 0, 4, 2)).bytes();
        bytes[6..10].fill(0xFF);
        assert_eq!(probe(&bytes, &Limits::default()), Err(DecodeError::TooManyPixels));
        let mut bytes = sample((4, 2), (0, 0, 4, 2)).bytes();
        let image = bytes.windows(10).position(|w| w == [0x2C, 0, 0, 0, 0, 4, 0, 2, 0, 0]).unwrap();
        bytes[image + 5..image + 9].fill(0xFF);
        assert_eq!(probe(&bytes, &Limits::default()), Err(DecodeError::TooManyPixels));
    }

    #[test]
    fn no_prefix_panics_or_reads_without_a_frame() {
        let bytes = Sample { interlaced: true, transparent: Some(2), ..sample((9, 9), (2, 2, 5, 9)) }.bytes();
        for end in 0..bytes.len() {
            let _ = read(&bytes[..end]);
        }
        assert_eq!(read(&bytes[..10]).unwrap_err(), DecodeError::Unreadable);
        assert_eq!(read(&bytes[..25]).unwrap_err(), no_frame());
    }

    #[test]
    fn cancelling_stops_the_work() {
        let bytes = sample((4, 2), (0, 0, 4, 2)).bytes();
        let limits = Limits::default();
        let header = probe(&bytes, &limits).unwrap();
        let answer = decode(&bytes, &header, &DecodeSpec::default(), &limits, &|| true);
        assert_eq!(answer.unwrap_err(), DecodeError::Cancelled);
    }
}
