use std::cell::Cell;
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};

use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::codecs::{DecodeError, DecodeSpec, Decoded, DecodedTo, Detail, Format, Header, Limits, Metadata};
use crate::image::{ImageBuf, Outline, Picture, PictureSink, PixelFormat};

use super::coefficients::{self, Ask, Refused};
use super::markers::{self, Markers};

/// Decodes at full size to grey or RGB, or to the coefficients asked for. Truncated scan data gives the part that is there; the rest is grey.
pub(in crate::codecs) fn decode(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    let file = File::read(bytes, header, limits, cancelled)?;
    let ask = Ask { window: spec.window, max_scans: limits.jpeg_scans, cancelled };
    if let Some(found) = ours(bytes, spec.detail, &ask)? {
        // Never trust two parsers of one fact.
        if found.size() == header.size {
            return Ok(Decoded { picture: found, metadata: file.metadata });
        }
    }
    file.pixels(bytes)
}

/// What a file is made of, in the form that is asked for, if it can be handed over in that.
pub(in crate::codecs) fn outline(bytes: &[u8], header: &Header, spec: &DecodeSpec) -> Option<Outline> {
    let packed = || coefficients::packed_ahead(bytes).map(|(size, format)| Outline::Packed { size, format });
    let found = match spec.detail {
        Detail::Samples => packed(),
        Detail::Planes => coefficients::planes_ahead(bytes).map(Outline::Planes),
        Detail::Coefficients(kept) => coefficients::coefficients_ahead(bytes, kept).map(Outline::Coefficients),
    };
    found.ok().filter(|outline| outline.size() == header.size)
}

/// As [`decode`], row by row.
pub(in crate::codecs) fn decode_to(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    sink: &mut dyn PictureSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<DecodedTo, DecodeError> {
    let ask = Ask { window: spec.window, max_scans: limits.jpeg_scans, cancelled };
    let file = File::read(bytes, header, limits, cancelled)?;
    let handed = match spec.detail {
        Detail::Samples => ask.packed_to(bytes, sink),
        Detail::Planes => ask.planes_to(bytes, sink),
        Detail::Coefficients(kept) => ask.coefficients_to(bytes, kept, sink),
    };
    match handed {
        Ok(()) => Ok(DecodedTo::Sink(file.metadata)),
        Err(Refused::Cancelled) => Err(DecodeError::Cancelled),
        // Other readers may know more.
        Err(Refused::Kind | Refused::Damaged) => decode(bytes, header, spec, limits, cancelled).map(DecodedTo::Picture),
    }
}

/// A file of which everything but its scans was read.
struct File<'a> {
    metadata: Metadata,
    /// Whether its scans were counted. Our own decoder reads no more scans of a sequential file than it has components.
    checked: bool,
    pixels: Pixels<'a>,
}

impl<'a> File<'a> {
    fn read(
        bytes: &[u8],
        header: &'a Header,
        limits: &'a Limits,
        cancelled: &'a dyn Fn() -> bool,
    ) -> Result<Self, DecodeError> {
        let markers = Markers::read(bytes)?;
        markers.frame.check_supported()?;
        let progressive = markers.frame.is_progressive();
        if progressive {
            markers.check_scans(bytes, limits)?;
        } else {
            markers.check_first_scan()?;
        }
        let metadata = Metadata {
            exif: markers.exif.map(<[u8]>::to_vec),
            icc: markers.icc(),
            xmp: markers.xmp.map(<[u8]>::to_vec),
        };
        let pixels = Pixels { header, channels: markers.frame.components.len(), limits, cancelled };
        Ok(Self { metadata: metadata.within(limits), checked: progressive, pixels })
    }

    /// All samples, by the general decoder: a second opinion.
    fn pixels(self, bytes: &[u8]) -> Result<Decoded, DecodeError> {
        let Self { metadata, checked, pixels } = self;
        if !checked {
            Markers::read(bytes)?.check_scans(bytes, pixels.limits)?;
        }
        let decoded = match pixels.decode(bytes) {
            // zune-jpeg refuses files whose metadata is odd: those that it has no use for.
            Err(Failure::Segments(first)) => match markers::without_metadata(bytes, pixels.channels) {
                Some(bare) => pixels.decode(&bare).map_err(|error| error.or(first)),
                None => Err(first),
            },
            other => other.map_err(|error| error.or(DecodeError::Unreadable)),
        };
        Ok(Decoded { picture: decoded?.into(), metadata })
    }
}

/// What is asked for, or all samples as grey or RGB where the file's colours allow nothing less. `None` when the file is
/// not of a kind that is read here: the general decoder reads more kinds, and says what is wrong with the rest.
fn ours(bytes: &[u8], detail: Detail, ask: &Ask<'_>) -> Result<Option<Picture>, DecodeError> {
    let packed = || ask.packed(bytes).map(Picture::from);
    let found = match detail {
        Detail::Samples => packed(),
        Detail::Planes => ask.planes(bytes).map(Picture::Planes),
        Detail::Coefficients(kept) => ask.coefficients(bytes, kept).map(Picture::Coefficients),
    };
    let found = match found {
        Err(Refused::Kind) if detail != Detail::Samples => packed(),
        found => found,
    };
    match found {
        Ok(picture) => Ok(Some(picture)),
        Err(Refused::Cancelled) => Err(DecodeError::Cancelled),
        Err(Refused::Kind | Refused::Damaged) => Ok(None),
    }
}

/// What the pixels' decoder needs to know.
struct Pixels<'a> {
    header: &'a Header,
    /// Components of the file.
    channels: usize,
    limits: &'a Limits,
    cancelled: &'a dyn Fn() -> bool,
}

/// Where decoding failed.
enum Failure {
    /// Before the first scan.
    Segments(DecodeError),
    /// Later.
    Scans(DecodeError),
}

impl Failure {
    /// The later of two failures says more about the file.
    fn or(self, first: DecodeError) -> DecodeError {
        match self {
            Self::Scans(error) => error,
            Self::Segments(error) if matches!(first, DecodeError::Unreadable) => error,
            Self::Segments(_) => first,
        }
    }
}

impl Pixels<'_> {
    fn decode(&self, bytes: &[u8]) -> Result<ImageBuf, Failure> {
        let colour = match self.channels {
            1 => ColorSpace::Luma,
            4 => ColorSpace::CMYK,
            _ => ColorSpace::RGB,
        };
        let stopped = Cell::new(false);
        let reader = Watched { cursor: Cursor::new(bytes), reads: 0, cancelled: self.cancelled, stopped: &stopped };
        let options = DecoderOptions::default()
            .set_strict_mode(false)
            .set_max_width(usize::from(u16::MAX))
            .set_max_height(usize::from(u16::MAX))
            .jpeg_set_max_scans(self.limits.jpeg_scans as usize)
            .jpeg_set_out_colorspace(colour);
        let mut decoder = JpegDecoder::new_with_options(reader, options);
        let failed = |reason: &dyn std::fmt::Display| match stopped.get() {
            true => DecodeError::Cancelled,
            false => DecodeError::malformed(Format::Jpeg, reason),
        };
        decoder.decode_headers().map_err(|error| Failure::Segments(failed(&error)))?;

        // Never trust two parsers of one fact: the sizes must agree before anything is allocated.
        let size = self.header.size;
        let (width, height) = decoder.dimensions().unwrap_or_default();
        if (width as u64, height as u64) != (size.width().into(), size.height().into()) {
            return Err(Failure::Scans(failed(&"the size contradicts the header")));
        }
        let length = size.area().saturating_mul(colour.num_components() as u64);
        if decoder.output_buffer_size().map(|bytes| bytes as u64) != Some(length) {
            return Err(Failure::Scans(failed(&"the components do not make a picture")));
        }
        let mut pixels = vec![GREY; length as usize];
        decoder.decode_into(&mut pixels).map_err(|error| Failure::Scans(failed(&error)))?;
        if stopped.get() {
            return Err(Failure::Scans(DecodeError::Cancelled));
        }
        if colour == ColorSpace::CMYK {
            cmyk_to_rgb(&mut pixels);
        }
        let format = PixelFormat::of(colour == ColorSpace::Luma, false);
        ImageBuf::new(size, format, pixels).map_err(|error| Failure::Scans(failed(&error)))
    }
}

/// Converts in place, four samples to three: each colour is what ink and black let through. The samples are the
/// complement of ink, as Adobe writes them; files that do not say so are read the same way, as libvips does.
fn cmyk_to_rgb(pixels: &mut Vec<u8>) {
    let count = pixels.len() / 4;
    for pixel in 0..count {
        let [c, m, y, k] = [0, 1, 2, 3].map(|i| u32::from(pixels[4 * pixel + i]));
        for (i, light) in [c, m, y].into_iter().enumerate() {
            pixels[3 * pixel + i] = ((light * k + 127) / 255) as u8;
        }
    }
    pixels.truncate(3 * count);
    pixels.shrink_to_fit();
}

/// What stays where truncated data ends: YCbCr without coefficients.
const GREY: u8 = 128;

/// A reader that ends early once nobody waits for the picture.
///
/// zune-jpeg takes only callbacks that live for ever; it refills its bit buffer from here every few bytes, so this
/// is the place where a borrowed one can be asked.
struct Watched<'a> {
    cursor: Cursor<&'a [u8]>,
    reads: u32,
    cancelled: &'a dyn Fn() -> bool,
    stopped: &'a Cell<bool>,
}

impl Watched<'_> {
    /// A few KiB of the file.
    const READS_BETWEEN_CHECKS: u32 = 512;

    fn is_stopped(&mut self) -> bool {
        if self.reads.is_multiple_of(Self::READS_BETWEEN_CHECKS) && (self.cancelled)() {
            self.stopped.set(true);
        }
        self.reads = self.reads.wrapping_add(1);
        self.stopped.get()
    }
}

impl Read for Watched<'_> {
    #[inline]
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.is_stopped() { Ok(0) } else { self.cursor.read(buf) }
    }
}

impl BufRead for Watched<'_> {
    #[inline]
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.is_stopped() { Ok(&[]) } else { self.cursor.fill_buf() }
    }

    #[inline]
    fn consume(&mut self, amount: usize) {
        self.cursor.consume(amount);
    }
}

impl Seek for Watched<'_> {
    #[inline]
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.cursor.seek(to)
    }
}
