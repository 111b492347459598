use std::io::Read;

use flate2::Crc;
use flate2::read::ZlibDecoder;

use crate::codecs::{DecodeError, Format, Limits};

const SIGNATURE_BYTES: usize = 8;
/// Longest chunk the format allows: 2^31 - 1.
const MAX_LENGTH: u32 = i32::MAX as u32;
const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";

/// The chunks that matter beside pixels, borrowed from the file.
#[derive(Debug)]
pub(super) struct Chunks<'a> {
    pub(super) ihdr: Ihdr,
    /// Whether a tRNS chunk before the pixels adds alpha.
    pub(super) transparency: bool,
    /// Body of iCCP.
    pub(super) iccp: Option<&'a [u8]>,
    /// Body of eXIf: a TIFF stream.
    pub(super) exif: Option<&'a [u8]>,
    /// Body of the iTXt chunk that holds XMP, behind its keyword.
    xmp: Option<&'a [u8]>,
}

/// The image header.
#[derive(Debug)]
pub(super) struct Ihdr {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits a sample or palette index: 1, 2, 4, 8 or 16.
    pub(super) depth: u8,
    pub(super) colour: ColourType,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColourType {
    Gray,
    Rgb,
    Indexed,
    GrayAlpha,
    Rgba,
}

impl<'a> Chunks<'a> {
    /// Walks the chunk headers; bodies are looked at only where they matter.
    ///
    /// # Errors
    /// [`DecodeError::Unreadable`] when there is no whole IHDR, [`DecodeError::Malformed`] when it is wrong or there
    /// are no pixels, [`DecodeError::OverLimit`] beyond `limits.png_chunks`.
    pub(super) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut rest = bytes.get(SIGNATURE_BYTES..).ok_or(DecodeError::Unreadable)?;
        let (kind, body, crc) = next(&mut rest).ok_or(DecodeError::Unreadable)?;
        if kind != *b"IHDR" {
            return Err(DecodeError::Unreadable);
        }
        let mut check = Crc::new();
        check.update(&kind);
        check.update(body);
        if check.sum() != crc {
            return Err(malformed("the header's checksum is wrong"));
        }
        let ihdr = Ihdr::read(body)?;
        // Before the other chunks, so that an enormous picture is always told as such.
        limits.input_size(Format::Png, ihdr.width, ihdr.height)?;

        let mut chunks = Self { ihdr, transparency: false, iccp: None, exif: None, xmp: None };
        let (mut count, mut palette, mut pixels) = (1, false, false);
        while let Some((kind, body, _)) = next(&mut rest) {
            count += 1;
            if count > limits.png_chunks {
                let limit = limits.png_chunks.into();
                return Err(DecodeError::OverLimit { format: Format::Png, what: "the number of chunks", limit });
            }
            match &kind {
                b"IHDR" => return Err(malformed("two image headers")),
                b"IEND" => break,
                b"IDAT" => pixels = true,
                b"PLTE" => {
                    if body.is_empty() || body.len() % 3 != 0 || body.len() > 3 * 256 {
                        return Err(malformed("the palette's length is wrong"));
                    }
                    palette = true;
                }
                b"tRNS" if !pixels => match chunks.ihdr.colour {
                    ColourType::Gray | ColourType::Rgb => chunks.transparency = true,
                    // Says something about colours that are known by now.
                    ColourType::Indexed => chunks.transparency |= palette,
                    ColourType::GrayAlpha | ColourType::Rgba => {}
                },
                b"iCCP" if !pixels => {
                    chunks.iccp.get_or_insert(body);
                }
                b"eXIf" => {
                    chunks.exif.get_or_insert(body);
                }
                b"iTXt" => {
                    if let Some(xmp) = body.strip_prefix(XMP_KEYWORD) {
                        chunks.xmp.get_or_insert(xmp);
                    }
                }
                _ => {}
            }
        }
        // The last chunk may be cut off; the decoder decides what that is worth.
        if !pixels && rest.get(4..8).is_none_or(|kind| kind != b"IDAT") {
            return Err(malformed("there are no pixels"));
        }
        Ok(chunks)
    }

    /// The ICC profile inflated; `None` when there is none, it is damaged, or it is longer than the limit.
    pub(super) fn icc(&self, limits: &Limits) -> Option<Vec<u8>> {
        let body = self.iccp?;
        // Name of at most 79 bytes, 0, compression method 0, stream.
        let name = body.iter().take(80).position(|&byte| byte == 0)?;
        let stream = body.get(name + 1..)?.strip_prefix(&[0])?;
        inflate(stream, limits.icc_bytes)
    }

    /// The XMP packet, inflated where it is compressed; `None` when it is longer than the limit.
    pub(super) fn xmp(&self, limits: &Limits) -> Option<Vec<u8>> {
        // Compression flag, method, language tag, 0, translated keyword, 0, text.
        let (&[compressed, _method], tail) = self.xmp?.split_first_chunk()?;
        let mut fields = tail.splitn(3, |&byte| byte == 0);
        let text = fields.nth(2)?;
        match compressed {
            0 => Some(text.to_vec()),
            _ => inflate(text, limits.metadata_bytes),
        }
    }
}

impl Ihdr {
    fn read(body: &[u8]) -> Result<Self, DecodeError> {
        let &[w3, w2, w1, w0, h3, h2, h1, h0, depth, colour, compression, filter, interlace] = body else {
            return Err(malformed("the image header is not 13 bytes long"));
        };
        let colour = match (colour, depth) {
            (0, 1 | 2 | 4 | 8 | 16) => ColourType::Gray,
            (2, 8 | 16) => ColourType::Rgb,
            (3, 1 | 2 | 4 | 8) => ColourType::Indexed,
            (4, 8 | 16) => ColourType::GrayAlpha,
            (6, 8 | 16) => ColourType::Rgba,
            _ => return Err(malformed(format_args!("colour type {colour} with {depth} bits does not exist"))),
        };
        if compression != 0 || filter != 0 || interlace > 1 {
            return Err(malformed("unknown compression, filter or interlace method"));
        }
        let width = u32::from_be_bytes([w3, w2, w1, w0]);
        let height = u32::from_be_bytes([h3, h2, h1, h0]);
        Ok(Self { width, height, depth, colour })
    }
}

/// Takes a chunk off the front: type, body, checksum. `None` at the end or when the chunk is cut off.
fn next<'a>(rest: &mut &'a [u8]) -> Option<([u8; 4], &'a [u8], u32)> {
    let (length, tail) = rest.split_first_chunk()?;
    let (kind, tail) = tail.split_first_chunk()?;
    let length = u32::from_be_bytes(*length);
    if length > MAX_LENGTH {
        return None;
    }
    let (body, tail) = tail.split_at_checked(length as usize)?;
    let (crc, tail) = tail.split_first_chunk()?;
    *rest = tail;
    Some((*kind, body, u32::from_be_bytes(*crc)))
}

/// Inflates a zlib stream to at most `limit` bytes; `None` beyond, or when it is damaged.
fn inflate(stream: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    ZlibDecoder::new(stream).take(limit as u64 + 1).read_to_end(&mut out).ok()?;
    (out.len() <= limit).then_some(out)
}

fn malformed(reason: impl std::fmt::Display) -> DecodeError {
    DecodeError::malformed(Format::Png, reason)
}
