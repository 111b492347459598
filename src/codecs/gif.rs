//! GIF in: the first frame on its logical screen (GIF89a, <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>).
//!
//! Size and alpha are those of the reference server, whose reader is libnsgif: the first frame may enlarge the screen,
//! and a screen of zero, over 2048 pixels, or of a size that old writers took from the display is replaced by the extent
//! of the first frame. There is alpha when any frame has a transparent index; what the frame leaves open is then clear,
//! else black. The background colour is ignored. A frame that breaks off has alpha and keeps what there is. ICC and XMP
//! extensions are not kept.

use super::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata, Space};
use crate::image::{ImageBuf, Outline, PixelFormat, PlaneSink, Size};

/// What stands before the pixels of the first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FirstFrame {
    /// Logical screen, as enlarged or replaced by the frame.
    canvas: Size,
    left: u16,
    top: u16,
    width: u16,
    height: u16,
    interlaced: bool,
    /// Palette index that is not drawn.
    transparent: Option<u8>,
    /// Whether any frame has a transparent index, or this one's data end before their terminator.
    alpha: bool,
}

/// Reads the facts known before pixels: walks all blocks, none of them unpacked.
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
    let alpha = frame.alpha;
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
    let mut image = ImageBuf::zeroed(header.size, PixelFormat::of(false, header.alpha));
    rows(bytes, header, limits, &mut image, cancelled)?;
    Ok(Decoded { picture: image.into(), metadata: Metadata::default() })
}

/// What there is to hand over; `None` of interlaced frames, whose rows do not come from the top down.
pub(super) fn outline(bytes: &[u8], header: &Header) -> Option<Outline> {
    let frame = first_frame(bytes).ok()?;
    let format = PixelFormat::of(false, header.alpha);
    (!frame.interlaced).then_some(Outline::Packed { size: header.size, format })
}

/// As [`decode`], handing over rows as they are done.
///
/// # Errors
/// As [`decode`].
pub(super) fn decode_to(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<Metadata, DecodeError> {
    rows(bytes, header, limits, sink, cancelled)?;
    Ok(Metadata::default())
}

/// Hands over the rows of the first frame, as wide as the screen, in the order in which they are stored.
fn rows(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), DecodeError> {
    let now = probe(bytes, limits)?;
    if now.size != header.size || now.alpha != header.alpha {
        return Err(malformed("the pixels contradict the header"));
    }
    let frame = first_frame(bytes)?;
    let format = PixelFormat::of(false, header.alpha);
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::Indexed);
    options.allow_unknown_blocks(true);
    // Extensions are kept by the reader as they pass; the file itself bounds them.
    options.set_memory_limit(
        std::num::NonZeroU64::new(bytes.len() as u64).map_or(gif::MemoryLimit::Unlimited, gif::MemoryLimit::Bytes),
    );
    let mut decoder = options.read_info(bytes).map_err(failed)?;
    let seen = decoder.next_frame_info().map_err(failed)?.ok_or_else(|| malformed("no frame"))?;
    if (seen.left, seen.top, seen.width, seen.height) != (frame.left, frame.top, frame.width, frame.height) {
        return Err(malformed("the pixels contradict the header"));
    }
    let palette = decoder.palette().map_err(failed)?.to_vec();

    let mut indices = vec![0; usize::from(frame.width)];
    if indices.is_empty() {
        return Ok(());
    }
    let mut line = vec![0; ImageBuf::byte_len(header.size, format) as usize / header.size.height() as usize];
    for (nth, row) in stored_rows(frame.height, frame.interlaced).enumerate() {
        if nth % 64 == 0 && cancelled() {
            return Err(DecodeError::Cancelled);
        }
        // The reader does not tell how far it came in a row that breaks off. Where the palette has no colour 255, that
        // index marks what it did not reach.
        indices.fill(255);
        let whole = decoder.fill_buffer(&mut indices).unwrap_or(false);
        if !whole {
            if palette.len() == 3 * 256 {
                indices.fill(255);
            }
            if nth == 0 && indices.iter().all(|&index| index == 255) {
                return Err(malformed("no pixels"));
            }
        }
        if whole || palette.len() < 3 * 256 {
            let y = row + u32::from(frame.top);
            line.fill(0);
            paint(&indices, &palette, frame.transparent, frame.left, &mut line, format);
            sink.rows(0, y, &line);
        }
        if !whole {
            // The rest is missing or damaged: what is there is served, as browsers do.
            break;
        }
    }
    Ok(())
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

/// Walks the blocks: the first image, and the transparent indices of all.
fn first_frame(bytes: &[u8]) -> Result<FirstFrame, DecodeError> {
    let mut blocks = Blocks { rest: bytes };
    let magic = blocks.take(6).ok_or(DecodeError::Unreadable)?;
    if magic != b"GIF87a" && magic != b"GIF89a" {
        return Err(DecodeError::Unreadable);
    }
    let screen = blocks.take(7).ok_or(DecodeError::Unreadable)?;
    blocks.skip_table(screen[4]).ok_or_else(no_frame)?;
    let mut first = None;
    let mut control = None;
    // Whatever is wrong behind the first frame does not matter to it.
    while let Some(block) = blocks.next(&mut control) {
        let Some((image, complete)) = block else { continue };
        let frame = first.get_or_insert_with(|| {
            let [left, top, width, height] = [0, 2, 4, 6].map(|at| u16_at(image, at));
            let extent = (u32::from(left) + u32::from(width), u32::from(top) + u32::from(height));
            let screen = (u16_at(screen, 0).into(), u16_at(screen, 2).into());
            let screen = if is_trusted(screen) { screen } else { (1, 1) };
            FirstFrame {
                canvas: Size::at_least_one(screen.0.max(extent.0), screen.1.max(extent.1)),
                left,
                top,
                width,
                height,
                interlaced: image[8] & 0x40 != 0,
                transparent: control,
                alpha: !complete,
            }
        });
        frame.alpha |= control.is_some();
        control = None;
    }
    first.ok_or_else(no_frame)
}

/// Whether a logical screen is believed; libnsgif's list.
const fn is_trusted(screen: (u32, u32)) -> bool {
    let from_display = matches!(screen, (640, 480 | 512) | (800, 600) | (1024, 768) | (1280, 1024) | (1600, 1200));
    !from_display && screen.0 > 0 && screen.1 > 0 && screen.0 <= 2048 && screen.1 <= 2048
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

    /// The next block: an image descriptor and whether its data are complete, or nothing of note. A graphic control
    /// extension leaves its transparent index in `control`. `None` at the end of what can be read.
    fn next(&mut self, control: &mut Option<u8>) -> Option<Option<(&'a [u8], bool)>> {
        match self.take(1)?[0] {
            0x21 => {
                let label = self.take(1)?[0];
                if let (0xF9, &[4, flags, _, _, index, ..]) = (label, self.rest) {
                    *control = (flags & 1 != 0).then_some(index);
                }
                self.skip_data()?;
                Some(None)
            }
            0x2C => {
                let image = self.take(9)?;
                self.skip_table(image[8])?;
                self.take(1)?;
                Some(Some((image, self.skip_data().is_some())))
            }
            // Stray zeros between blocks are common; anything else ends the file.
            0 => Some(None),
            _ => None,
        }
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
    DecodeError::malformed(Format::Gif, reason.into())
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

    /// A GIF of one frame.
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
    fn what_the_frame_leaves_open_is_clear_with_a_transparent_index_and_black_without() {
        let (header, image) = read(&sample((6, 3), (1, 1, 4, 2)).bytes()).unwrap();
        assert_eq!((header.channels, header.alpha), (3, false));
        assert_eq!([image.pixel(0, 0), image.pixel(1, 1)], [[0, 0, 0], [255, 0, 0]]);
        let clear = Sample { transparent: Some(9), ..sample((6, 3), (1, 1, 4, 2)) };
        let (header, image) = read(&clear.bytes()).unwrap();
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
    fn a_later_transparent_index_gives_the_file_alpha() {
        let mut bytes = sample((4, 1), (0, 0, 4, 1)).bytes();
        let later = Sample { transparent: Some(1), ..sample((4, 1), (0, 0, 4, 1)) }.bytes();
        bytes.pop();
        bytes.extend_from_slice(&later[13 + PALETTE.len()..]);
        let (header, image) = read(&bytes).unwrap();
        assert!(header.alpha);
        assert!(image.pixels().chunks(4).all(|p| p[3] == 255));
    }

    #[test]
    fn the_first_frame_enlarges_the_screen() {
        let (header, image) = read(&sample((3, 2), (2, 1, 4, 4)).bytes()).unwrap();
        assert_eq!(header.size, Size::new(6, 5).unwrap());
        assert_eq!([image.pixel(2, 1), image.pixel(0, 0)], [[255, 0, 0], [0, 0, 0]]);
    }

    #[test]
    fn a_screen_that_is_not_believed_takes_the_extent_of_the_frame() {
        for screen in [(0, 9), (3000, 3), (640, 480)] {
            let bytes = sample(screen, (1, 2, 4, 2)).bytes();
            assert_eq!(read(&bytes).unwrap().0.size, Size::new(5, 4).unwrap(), "{screen:?}");
        }
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
        let tight = Limits { pixels: 7, ..Limits::default() };
        assert_eq!(probe(&sample((4, 2), (0, 0, 2, 2)).bytes(), &tight), Err(DecodeError::TooManyPixels));
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
