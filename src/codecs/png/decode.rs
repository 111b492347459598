use std::io::Cursor;

use png::{BitDepth, ColorType, Decoder, DecodingError, InterlaceInfo, Transformations};

use crate::codecs::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata, samples};
use crate::image::{ImageBuf, PixelFormat};

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
    let chunks = Chunks::read(bytes, limits)?;
    let metadata = Metadata { exif: chunks.exif.map(<[u8]>::to_vec), icc: chunks.icc(limits), xmp: chunks.xmp(limits) };
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
    let mut reader = decoder.read_info().map_err(malformed)?;

    let (colour, depth) = reader.output_color_type();
    let format = match colour {
        ColorType::Grayscale => PixelFormat::Gray8,
        ColorType::GrayscaleAlpha => PixelFormat::GrayAlpha8,
        ColorType::Rgb => PixelFormat::Rgb8,
        ColorType::Rgba => PixelFormat::Rgba8,
        ColorType::Indexed => return Err(DecodeError::malformed(Format::Png, "the palette is missing")),
    };
    let wide = matches!(depth, BitDepth::Sixteen);
    let mut image = ImageBuf::zeroed(size, format);
    let mut narrow = Vec::new();
    let mut rows = 0_u32;
    loop {
        if rows.is_multiple_of(ROWS_BETWEEN_CHECKS) && cancelled() {
            return Err(DecodeError::Cancelled);
        }
        rows += 1;
        let Some(row) = reader.next_interlaced_row().map_err(malformed)? else { break };
        let samples = if wide {
            narrow.clear();
            narrow.extend(row.data().as_chunks::<2>().0.iter().map(|&sample| to_eight_bits(sample)));
            &narrow
        } else {
            row.data()
        };
        match row.interlace() {
            // Rows come from the top down.
            InterlaceInfo::Null(_) => {
                let Some(to) = (rows <= size.height()).then(|| image.row_mut(rows - 1)) else { break };
                let length = to.len().min(samples.len());
                to[..length].copy_from_slice(&samples[..length]);
            }
            InterlaceInfo::Adam7(info) => {
                let stride = image.stride();
                let bits = 8 * format.channels() as u8;
                png::expand_interlaced_row(image.pixels_mut(), stride, samples, info, bits);
            }
        }
    }
    // The decoder leaves a damaged tRNS chunk out, where the header has promised alpha.
    let promised = PixelFormat::of(format.is_gray(), header.alpha);
    if promised != format {
        let pixels = samples::arranged(&image, promised).into_owned();
        image = ImageBuf::new(size, promised, pixels).map_err(|error| DecodeError::malformed(Format::Png, error))?;
    }
    Ok(Decoded { picture: image.into(), metadata: metadata.within(limits) })
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
