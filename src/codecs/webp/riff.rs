use crate::codecs::{DecodeError, Format, Limits};

const ALPHA_FLAG: u8 = 0x10;
const ANIMATION_FLAG: u8 = 0x02;

/// What the chunks say, metadata borrowed from the file.
#[derive(Debug)]
pub(super) struct Container<'a> {
    /// Of the canvas.
    pub(super) width: u32,
    /// Of the canvas.
    pub(super) height: u32,
    pub(super) alpha: bool,
    pub(super) animated: bool,
    /// The picture, or an animation's first frame.
    pub(super) picture: Bitstream<'a>,
    /// The `ALPH` chunk that belongs to it.
    pub(super) alpha_plane: Option<&'a [u8]>,
    pub(super) icc: Option<&'a [u8]>,
    /// A TIFF stream: the prefix that some writers copy from JPEG is taken off.
    pub(super) exif: Option<&'a [u8]>,
    pub(super) xmp: Option<&'a [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// `VP8 `
    Lossy,
    /// `VP8L`
    Lossless,
}

/// A coded picture's own header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bitstream<'a> {
    pub(super) coding: Coding,
    pub(super) width: u32,
    pub(super) height: u32,
    alpha: bool,
    /// The chunk.
    pub(super) body: &'a [u8],
}

impl<'a> Container<'a> {
    /// Walks the chunk headers.
    ///
    /// # Errors
    /// [`DecodeError::Unreadable`] without a first chunk, [`DecodeError::Malformed`] for missing or contradicting
    /// chunks, [`DecodeError::TooManyPixels`] before anything else is said about an enormous canvas,
    /// [`DecodeError::OverLimit`] for a flood of chunks.
    pub(super) fn read(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let size = bytes.get(4..).and_then(|tail| tail.first_chunk()).ok_or(DecodeError::Unreadable)?;
        let size = u32::from_le_bytes(*size) as usize;
        let end = size.saturating_add(8);
        if end > bytes.len() {
            return Err(malformed("the file is cut off"));
        }
        let mut rest = bytes.get(12..end).ok_or(DecodeError::Unreadable)?;
        let (kind, body) = next(&mut rest)?.ok_or(DecodeError::Unreadable)?;
        if kind != *b"VP8X" {
            let picture = Bitstream::read(kind, body)?.ok_or(DecodeError::Unreadable)?;
            return Ok(Self {
                width: picture.width,
                height: picture.height,
                alpha: picture.alpha,
                animated: false,
                picture,
                alpha_plane: None,
                icc: None,
                exif: None,
                xmp: None,
            });
        }

        let &[flags, _, _, _, w0, w1, w2, h0, h1, h2, ..] = body else {
            return Err(malformed("the extended header is too short"));
        };
        let (width, height) = (u24([w0, w1, w2]) + 1, u24([h0, h1, h2]) + 1);
        limits.input_size(Format::Webp, width, height)?;
        let animated = flags & ANIMATION_FLAG != 0;
        if u64::from(width) * u64::from(height) > u64::from(u32::MAX / 4) {
            // Where 32 bits count the canvas' bytes.
            return Err(DecodeError::TooManyPixels);
        }
        let (mut picture, mut alpha_plane, mut icc, mut exif, mut xmp) = (None, None, None, None, None);
        let mut count = 1;
        while let Some((kind, body)) = next(&mut rest)? {
            count += 1;
            if count > limits.png_chunks {
                let limit = limits.png_chunks.into();
                return Err(DecodeError::OverLimit { format: Format::Webp, what: "the number of chunks", limit });
            }
            match &kind {
                b"ICCP" => icc = icc.or(Some(body)),
                b"EXIF" => exif = exif.or(Some(body.strip_prefix(b"Exif\0\0").unwrap_or(body))),
                b"XMP " => xmp = xmp.or(Some(body)),
                b"ANMF" if animated => {
                    let frame = placed(body, width, height)?;
                    if picture.is_none() {
                        let (first, plane) = first_picture(frame)?;
                        picture = Some(first);
                        alpha_plane = plane;
                    }
                }
                b"ALPH" if !animated => alpha_plane = alpha_plane.or(Some(body)),
                _ if !animated && picture.is_none() => picture = Bitstream::read(kind, body)?,
                _ => {}
            }
        }
        let picture = picture.ok_or_else(|| malformed("there is no picture"))?;
        let fits = if animated {
            picture.width <= width && picture.height <= height
        } else {
            (picture.width, picture.height) == (width, height)
        };
        if !fits {
            return Err(malformed("the picture's size contradicts the canvas"));
        }
        Ok(Self {
            width,
            height,
            alpha: animated || flags & ALPHA_FLAG != 0,
            animated,
            picture,
            alpha_plane,
            icc,
            exif,
            xmp,
        })
    }
}

/// The chunks of an animation frame, behind the 16 bytes that place it; it must lie on the canvas.
fn placed(body: &[u8], width: u32, height: u32) -> Result<&[u8], DecodeError> {
    let Some((&[x0, x1, x2, y0, y1, y2, w0, w1, w2, h0, h1, h2, ..], rest)) = body.split_first_chunk::<16>() else {
        return Err(malformed("an animation frame is too short"));
    };
    // Three bytes each, so doubling and adding cannot overflow.
    let right = 2 * u24([x0, x1, x2]) + u24([w0, w1, w2]) + 1;
    let bottom = 2 * u24([y0, y1, y2]) + u24([h0, h1, h2]) + 1;
    if right > width || bottom > height {
        return Err(malformed("an animation frame reaches outside the canvas"));
    }
    Ok(rest)
}

/// The picture among a frame's chunks, and the alpha plane that comes before it.
fn first_picture(mut rest: &[u8]) -> Result<(Bitstream<'_>, Option<&[u8]>), DecodeError> {
    let mut alpha_plane = None;
    while let Some((kind, body)) = next(&mut rest)? {
        if let Some(picture) = Bitstream::read(kind, body)? {
            return Ok((picture, alpha_plane));
        }
        if kind == *b"ALPH" {
            alpha_plane = alpha_plane.or(Some(body));
        }
    }
    Err(malformed("the first frame is empty"))
}

impl<'a> Bitstream<'a> {
    /// `None` for other chunks.
    fn read(kind: [u8; 4], body: &'a [u8]) -> Result<Option<Self>, DecodeError> {
        match &kind {
            // RFC 6386 section 9.1: frame tag, start code, two sides with scaling in the upper two bits.
            b"VP8 " => {
                let &[tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] = body else {
                    return Err(malformed("the lossy picture has no start code"));
                };
                if tag & 1 != 0 {
                    return Err(malformed("the picture is not a key frame"));
                }
                let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
                let (width, height) = (side(w0, w1), side(h0, h1));
                Ok(Some(Self { coding: Coding::Lossy, width, height, alpha: false, body }))
            }
            // RFC 9649 section 3.4: signature, two sides of 14 bits less one, alpha hint, version of 3 bits.
            b"VP8L" => {
                let &[0x2F, b0, b1, b2, b3, ..] = body else {
                    return Err(malformed("the lossless picture has no signature"));
                };
                let bits = u32::from_le_bytes([b0, b1, b2, b3]);
                if bits >> 29 != 0 {
                    return Err(malformed("unknown version of lossless coding"));
                }
                let (width, height) = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1);
                let alpha = bits >> 28 & 1 != 0;
                Ok(Some(Self { coding: Coding::Lossless, width, height, alpha, body }))
            }
            _ => Ok(None),
        }
    }
}

/// A chunk's name and body.
type Chunk<'a> = ([u8; 4], &'a [u8]);

/// Takes a chunk off the front, with its padding. `None` at the end.
fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<Chunk<'a>>, DecodeError> {
    let Some((head, tail)) = rest.split_first_chunk::<8>() else { return Ok(None) };
    let [a, b, c, d, s0, s1, s2, s3] = *head;
    let length = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
    let (body, tail) = tail.split_at_checked(length).ok_or_else(|| malformed("a chunk is cut off"))?;
    *rest = tail.get(length % 2..).unwrap_or_default();
    Ok(Some(([a, b, c, d], body)))
}

fn u24(bytes: [u8; 3]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

fn malformed(reason: impl std::fmt::Display) -> DecodeError {
    DecodeError::malformed(Format::Webp, reason)
}

/// Wraps a coded picture (a RIFF file of one `VP8 ` or `VP8L` chunk, or an extended one with `ALPH`) and metadata in
/// an extended container. `alpha` says whether any pixel may be transparent.
pub(super) fn extended(
    picture: &[u8],
    size: crate::image::Size,
    alpha: bool,
    metadata: &crate::codecs::Metadata,
) -> Vec<u8> {
    let icc = metadata.icc.as_deref();
    let exif = metadata.exif.as_deref();
    let xmp = metadata.xmp.as_deref();
    let extra = [icc, exif, xmp].iter().flatten().map(|body| body.len() + 9).sum::<usize>();
    let mut out = Vec::with_capacity(picture.len() + extra + 18);
    out.extend_from_slice(b"RIFF\0\0\0\0WEBP");

    let mut flags = if alpha { ALPHA_FLAG } else { 0 };
    for (flag, present) in [(0x20, icc.is_some()), (0x08, exif.is_some()), (0x04, xmp.is_some())] {
        flags |= if present { flag } else { 0 };
    }
    let mut header = vec![flags, 0, 0, 0];
    header.extend_from_slice(&(size.width() - 1).to_le_bytes()[..3]);
    header.extend_from_slice(&(size.height() - 1).to_le_bytes()[..3]);
    push(&mut out, b"VP8X", &header);
    if let Some(icc) = icc {
        push(&mut out, b"ICCP", icc);
    }
    let mut rest = picture.get(12..).unwrap_or_default();
    while let Ok(Some((kind, body))) = next(&mut rest) {
        if matches!(&kind, b"ALPH" | b"VP8 " | b"VP8L") {
            push(&mut out, &kind, body);
        }
    }
    if let Some(exif) = exif {
        push(&mut out, b"EXIF", exif);
    }
    if let Some(xmp) = xmp {
        push(&mut out, b"XMP ", xmp);
    }
    let size = (out.len() - 8) as u32;
    out[4..8].copy_from_slice(&size.to_le_bytes());
    out
}

fn push(out: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    out.extend_from_slice(kind);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}
