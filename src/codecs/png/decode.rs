use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Reader, Transformations};

use crate::codecs::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata, Space, samples};
use crate::image::{ImageBuf, Outline, PixelFormat, PlaneSink, Size};

use super::chunks::Chunks;

/// What the decoder may allocate beside its rows: it grows its input and window buffers by little, and the two chunk
/// kinds that can grow without bounds are left to [`Chunks`].
const DECODER_BYTES: usize = 8 << 20;
/// Rows between two questions whether anybody still waits.
const ROWS_BETWEEN_CHECKS: u32 = 16;

/// Decodes the default image, row by row, to 8 bits a sample.
pub(in crate::codecs) fn decode(
    bytes: &[u8],
    header: &Header,
    _spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    let mut file = File::open(bytes, header, limits)?;
    let picture = file.picture(cancelled)?.into();
    Ok(Decoded { picture, metadata: file.metadata })
}

/// What there is to hand over; `None` of interlaced files, whose passes come back to each row.
pub(in crate::codecs) fn outline(bytes: &[u8], header: &Header) -> Option<Outline> {
    // The last byte of IHDR.
    let interlaced = *bytes.get(28)? != 0;
    let gray = matches!(header.space, Space::Gray | Space::Gray16);
    (!interlaced).then_some(Outline::Packed { size: header.size, format: PixelFormat::of(gray, header.alpha) })
}

/// As [`decode`], handing over rows as they are done.
pub(in crate::codecs) fn decode_to(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    sink: &mut dyn PlaneSink,
    cancelled: &dyn Fn() -> bool,
) -> Result<Metadata, DecodeError> {
    let mut file = File::open(bytes, header, limits)?;
    if file.is_interlaced() {
        sink.rows(0, 0, file.picture(cancelled)?.pixels());
    } else {
        file.rows(sink, cancelled)?;
    }
    Ok(file.metadata)
}

/// A file that was read up to its samples.
struct File<'a> {
    reader: Reader<Cursor<&'a [u8]>>,
    size: Size,
    /// Of the samples that the decoder gives.
    format: PixelFormat,
    /// As the header has it: the decoder leaves a damaged tRNS chunk out, where the header has promised alpha.
    promised: PixelFormat,
    /// Whether they have 16 bits.
    wide: bool,
    metadata: Metadata,
}

impl<'a> File<'a> {
    fn open(bytes: &'a [u8], header: &Header, limits: &Limits) -> Result<Self, DecodeError> {
        let chunks = Chunks::read(bytes, limits)?;
        let metadata =
            Metadata { exif: chunks.exif.map(<[u8]>::to_vec), icc: chunks.icc(limits), xmp: chunks.xmp(limits) };
        let size = header.size;
        if (chunks.ihdr.width, chunks.ihdr.height) != (size.width(), size.height()) {
            return Err(DecodeError::malformed(Format::Png, "the size contradicts the header"));
        }

        let row_bytes = size.width() as usize * 8;
        let budget = png::Limits { bytes: DECODER_BYTES.saturating_add(row_bytes.saturating_mul(4)) };
        let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), budget);
        decoder.set_ignore_text_chunk(true);
        decoder.set_ignore_iccp_chunk(true);
        // Palettes to RGB, 1, 2 and 4 bits to 8, tRNS to alpha (at 16 bits compared at 16 bits).
        decoder.set_transformations(Transformations::EXPAND);
        let reader = decoder.read_info().map_err(malformed)?;

        let (colour, depth) = reader.output_color_type();
        let format = match colour {
            ColorType::Grayscale => PixelFormat::Gray8,
            ColorType::GrayscaleAlpha => PixelFormat::GrayAlpha8,
            ColorType::Rgb => PixelFormat::Rgb8,
            ColorType::Rgba => PixelFormat::Rgba8,
            ColorType::Indexed => return Err(DecodeError::malformed(Format::Png, "the palette is missing")),
        };
        let promised = PixelFormat::of(format.is_gray(), header.alpha);
        let wide = matches!(depth, BitDepth::Sixteen);
        Ok(Self { reader, size, format, promised, wide, metadata: metadata.within(limits) })
    }

    fn is_interlaced(&self) -> bool {
        self.reader.info().interlaced
    }

    fn picture(&mut self, cancelled: &dyn Fn() -> bool) -> Result<ImageBuf, DecodeError> {
        if self.is_interlaced() {
            return self.woven(cancelled);
        }
        let mut image = ImageBuf::zeroed(self.size, self.promised);
        self.rows(&mut image, cancelled)?;
        Ok(image)
    }

    /// Hands over the rows of a file that is not interlaced.
    fn rows(&mut self, sink: &mut dyn PlaneSink, cancelled: &dyn Fn() -> bool) -> Result<(), DecodeError> {
        let mut narrow = Vec::new();
        let (height, stride) = (self.size.height(), self.size.width() as usize * self.format.channels());
        for y in 0..height {
            if y.is_multiple_of(ROWS_BETWEEN_CHECKS) && cancelled() {
                return Err(DecodeError::Cancelled);
            }
            let Some(row) = self.reader.next_interlaced_row().map_err(malformed)? else { break };
            let Some(samples) = eight_bits(row.data(), self.wide, &mut narrow).get(..stride) else { break };
            sink.rows(0, y, &samples::rearranged(samples, self.format, self.promised));
        }
        // What is behind the last row may be damaged, too.
        self.reader.next_interlaced_row().map(drop).map_err(malformed)
    }

    /// The passes of an interlaced file, each pixel at its place.
    fn woven(&mut self, cancelled: &dyn Fn() -> bool) -> Result<ImageBuf, DecodeError> {
        let mut image = ImageBuf::zeroed(self.size, self.format);
        let (mut narrow, mut rows) = (Vec::new(), 0_u32);
        loop {
            if rows.is_multiple_of(ROWS_BETWEEN_CHECKS) && cancelled() {
                return Err(DecodeError::Cancelled);
            }
            rows += 1;
            let Some(row) = self.reader.next_interlaced_row().map_err(malformed)? else { break };
            let samples = eight_bits(row.data(), self.wide, &mut narrow);
            let InterlaceInfo::Adam7(info) = row.interlace() else { break };
            let (stride, bits) = (image.stride(), 8 * self.format.channels() as u8);
            png::expand_interlaced_row(image.pixels_mut(), stride, samples, info, bits);
        }
        if self.promised == self.format {
            return Ok(image);
        }
        let pixels = samples::arranged(&image, self.promised).into_owned();
        ImageBuf::new(self.size, self.promised, pixels).map_err(|error| DecodeError::malformed(Format::Png, error))
    }
}

/// Samples of 8 bits.
fn eight_bits<'a>(row: &'a [u8], wide: bool, narrow: &'a mut Vec<u8>) -> &'a [u8] {
    if !wide {
        return row;
    }
    narrow.clear();
    narrow.extend(row.as_chunks::<2>().0.iter().map(|&sample| to_eight_bits(sample)));
    narrow
}

/// `value / 257`, rounded: 0 to 0, 65535 to 255.
fn to_eight_bits(sample: [u8; 2]) -> u8 {
    ((u32::from(u16::from_be_bytes(sample)) + 128) / 257) as u8
}

fn malformed(error: DecodingError) -> DecodeError {
    match error {
        DecodingError::LimitsExceeded => {
            DecodeError::OverLimit { format: Format::Png, what: "memory", limit: DECODER_BYTES as u64 }
        }
        error => DecodeError::malformed(Format::Png, error),
    }
}
