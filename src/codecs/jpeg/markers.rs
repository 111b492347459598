use crate::codecs::{DecodeError, Format, Limits};

use super::coefficients::WORTH_LANES;

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DNL: u8 = 0xDC;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP14: u8 = 0xEE;
const COM: u8 = 0xFE;

const EXIF_PREFIX: &[u8] = b"Exif\0\0";
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const ICC_PREFIX: &[u8] = b"ICC_PROFILE\0";

/// What the segments before the first scan say, borrowed from the file.
#[derive(Debug)]
pub(super) struct Markers<'a> {
    pub(super) frame: Frame,
    /// The first EXIF segment, as a TIFF stream.
    pub(super) exif: Option<&'a [u8]>,
    /// The XMP packet; its extension segments are left out.
    pub(super) xmp: Option<&'a [u8]>,
    /// Parts of the ICC profile: number (from 1), count, bytes.
    icc_parts: Vec<(u8, u8, &'a [u8])>,
    /// The first scan header.
    scan: &'a [u8],
    /// Where the entropy-coded data of the first scan starts.
    scan_start: usize,
}

/// A frame header (SOF).
#[derive(Debug)]
pub(super) struct Frame {
    /// Second byte of the marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, others not read.
    process: u8,
    precision: u8,
    pub(super) width: u16,
    pub(super) height: u16,
    pub(super) components: Vec<Component>,
}

/// A component's name and its sampling factors, each 1 to 4.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) id: u8,
    pub(super) horizontal: u8,
    pub(super) vertical: u8,
}

impl<'a> Markers<'a> {
    /// Reads up to the first scan header.
    ///
    /// # Errors
    /// [`DecodeError::Unreadable`] when there is no frame header, [`DecodeError::Malformed`] when it or what follows
    /// is wrong.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut segments = Segments { bytes, at: 2 };
        let mut frame = None;
        let (mut exif, mut xmp) = (None, None);
        let mut icc_parts = Vec::new();
        loop {
            let Some((marker, body)) = segments.next() else {
                return Err(match frame {
                    None => DecodeError::Unreadable,
                    Some(_) => malformed("there is no picture behind the header"),
                });
            };
            match marker {
                SOI => return Err(malformed("a second picture starts inside the header")),
                // All frame headers but DHT (C4), JPG (C8) and DAC (CC).
                0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                    if frame.is_some() {
                        return Err(malformed("two frame headers"));
                    }
                    frame = Some(Frame::read(marker, body)?);
                }
                APP1 => {
                    if let Some(tiff) = body.strip_prefix(EXIF_PREFIX) {
                        exif.get_or_insert(tiff);
                    } else if let Some(packet) = body.strip_prefix(XMP_PREFIX) {
                        xmp.get_or_insert(packet);
                    }
                }
                APP2 => {
                    if let Some([number, count, part @ ..]) = body.strip_prefix(ICC_PREFIX) {
                        icc_parts.push((*number, *count, part));
                    }
                }
                SOS => {
                    let mut frame = frame.ok_or(DecodeError::Unreadable)?;
                    let scan_start = segments.at;
                    // The number of lines comes behind the first scan then (T.81, B.2.5).
                    if frame.height == 0 {
                        segments.skip_entropy_data();
                        if let Some((DNL, &[high, low])) = segments.next() {
                            frame.height = u16::from_be_bytes([high, low]);
                        }
                    }
                    return Ok(Self { frame, exif, xmp, icc_parts, scan: body, scan_start });
                }
                _ => {}
            }
        }
    }

    /// The ICC profile joined from its parts, in order of their numbers. `None` when there is none, a part is missing
    /// or the parts contradict each other (ICC.1 annex B.4).
    pub(super) fn icc(&self) -> Option<Vec<u8>> {
        let &(_, count, _) = self.icc_parts.first()?;
        let mut parts: Vec<Option<&[u8]>> = vec![None; usize::from(count)];
        for &(number, this_count, part) in &self.icc_parts {
            let slot = parts.get_mut(usize::from(number).checked_sub(1)?)?;
            if this_count != count || slot.replace(part).is_some() {
                return None;
            }
        }
        let parts: Option<Vec<&[u8]>> = parts.into_iter().collect();
        Some(parts?.concat()).filter(|icc| !icc.is_empty())
    }

    /// Bytes needed beside the pixels: beginnings of blocks (a part of the data at a time), all coefficients where a block is met in several scans, a row of units in several
    /// forms, the fourth channel of CMYK, and metadata of a file of `length` bytes, copied by the decoder and by us.
    pub(super) fn scratch_bytes(&self, length: usize) -> u64 {
        let frame = &self.frame;
        let in_scan = self.scan.first().map_or(0, |&count| usize::from(count));
        let several_scans = frame.is_progressive() || in_scan < frame.components.len();
        // And of each block a bit a coefficient.
        let coefficients = if several_scans { 2 * frame.samples() + frame.samples() / 8 } else { 0 };
        let ink = if frame.components.len() == 4 { u64::from(frame.width) * u64::from(frame.height) } else { 0 };
        let beginnings = if length < WORTH_LANES { 0 } else { 16 * (length as u64).min(256 << 10) };
        beginnings + coefficients + frame.row_bytes() + ink + (length + self.scan_start) as u64
    }

    /// Makes sure that the first scan header is right.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`].
    pub(super) fn check_first_scan(&self) -> Result<(), DecodeError> {
        self.frame.check_scan(self.scan)
    }

    /// Makes sure that all scan headers are right and that there are no more of them than allowed: each scan costs a
    /// pass over the picture, however short it is. Searches markers only.
    ///
    /// # Errors
    /// [`DecodeError::OverLimit`], [`DecodeError::Malformed`].
    pub(super) fn check_scans(&self, bytes: &[u8], limits: &Limits) -> Result<(), DecodeError> {
        self.check_first_scan()?;
        let mut scans = 1;
        let mut segments = Segments { bytes, at: self.scan_start };
        loop {
            if scans > limits.jpeg_scans {
                let limit = limits.jpeg_scans.into();
                return Err(DecodeError::OverLimit { format: Format::Jpeg, what: "the number of scans", limit });
            }
            segments.skip_entropy_data();
            match segments.next() {
                Some((SOS, body)) => {
                    self.frame.check_scan(body)?;
                    scans += 1;
                }
                Some((EOI, _)) | None => return Ok(()),
                Some(_) => {}
            }
        }
    }
}

/// The file with only those segments before the first scan that pixels depend on, for a decoder that is stricter
/// about the others than need be. `None` when there is no scan. An Adobe segment with an unknown transform counts as
/// one that says that there is one, as in libjpeg.
pub(super) fn without_metadata(bytes: &[u8], components: usize) -> Option<Vec<u8>> {
    let mut out = vec![0xFF, SOI];
    let mut segments = Segments { bytes, at: 2 };
    loop {
        let (marker, body) = segments.next()?;
        let keep = match marker {
            APP14 => body.starts_with(b"Adobe") && body.len() >= 12,
            0xE0..=0xEF | COM => false,
            _ => true,
        };
        if keep {
            out.extend_from_slice(&[0xFF, marker]);
            out.extend_from_slice(&(body.len() as u16 + 2).to_be_bytes());
            out.extend_from_slice(body);
            if marker == APP14 && body[11] > 2 {
                let transform = out.len() - body.len() + 11;
                out[transform] = if components == 4 { 2 } else { 1 };
            }
        }
        if marker == SOS {
            out.extend_from_slice(bytes.get(segments.at..)?);
            return Some(out);
        }
    }
}

impl Frame {
    fn read(process: u8, body: &[u8]) -> Result<Self, DecodeError> {
        let &[precision, h1, h0, w1, w0, count, ref specs @ ..] = body else {
            return Err(malformed("the frame header is too short"));
        };
        if specs.len() != 3 * usize::from(count) {
            return Err(malformed("the frame header's length contradicts its components"));
        }
        let components: Vec<_> = specs
            .as_chunks::<3>()
            .0
            .iter()
            .map(|&[id, sampling, _]| Component { id, horizontal: sampling >> 4, vertical: sampling & 15 })
            .collect();
        Ok(Self {
            process,
            precision,
            width: u16::from_be_bytes([w1, w0]),
            height: u16::from_be_bytes([h1, h0]),
            components,
        })
    }

    /// Says clearly what this build does not decode, before a decoder stumbles over it.
    pub(super) fn check_supported(&self) -> Result<(), DecodeError> {
        match self.process {
            0xC0..=0xC2 => {}
            0xC3 => return Err(malformed("lossless coding is not supported")),
            0xC5..=0xC7 => return Err(malformed("hierarchical coding is not supported")),
            _ => return Err(malformed("arithmetic coding is not supported")),
        }
        if self.precision != 8 {
            return Err(malformed(format_args!("{} bits a sample are not supported", self.precision)));
        }
        if !matches!(self.components.len(), 1 | 3 | 4) {
            return Err(malformed(format_args!("{} components are not supported", self.components.len())));
        }
        let odd = |c: &Component| !(1..=4).contains(&c.horizontal) || !(1..=4).contains(&c.vertical);
        if self.components.iter().any(odd) {
            return Err(malformed("sampling factors must be 1 to 4"));
        }
        for (index, component) in self.components.iter().enumerate() {
            if self.components[..index].iter().any(|other| other.id == component.id) {
                return Err(malformed("two components have the same name"));
            }
        }
        Ok(())
    }

    /// Checks a scan header against T.81 B.2.3 and, where progressive, G.1.1.1.
    fn check_scan(&self, body: &[u8]) -> Result<(), DecodeError> {
        let [count, rest @ ..] = body else { return Err(malformed("a scan header is empty")) };
        let count = usize::from(*count);
        let &[ref selectors @ .., start, end, approximation] = rest else {
            return Err(malformed("a scan header is too short"));
        };
        if !(1..=4).contains(&count) || selectors.len() != 2 * count {
            return Err(malformed("a scan header's length contradicts its components"));
        }
        // Which kinds of Huffman table the scan uses, of four each.
        let uses_dc = start == 0 && (approximation >> 4 == 0 || !self.is_progressive());
        let uses_ac = end > 0;
        let mut blocks = 0;
        for (index, &[id, tables]) in selectors.as_chunks::<2>().0.iter().enumerate() {
            let component = self.components.iter().find(|component| component.id == id);
            let component = component.ok_or_else(|| malformed("a scan names an unknown component"))?;
            if selectors.iter().step_by(2).take(index).any(|&other| other == id) {
                return Err(malformed("a scan names a component twice"));
            }
            if uses_dc && tables >> 4 > 3 || uses_ac && tables & 15 > 3 {
                return Err(malformed("a scan uses a Huffman table that cannot exist"));
            }
            blocks += component.horizontal * component.vertical;
        }
        if count > 1 && blocks > 10 {
            return Err(malformed("a minimum coded unit has more than 10 blocks"));
        }
        if self.is_progressive() {
            let (high, low) = (approximation >> 4, approximation & 15);
            let band = if start == 0 { end == 0 } else { count == 1 && start <= end && end <= 63 };
            if !band || low > 13 || (high != 0 && low != high - 1) {
                return Err(malformed("a progressive scan's parameters are wrong"));
            }
        }
        Ok(())
    }

    pub(super) fn is_progressive(&self) -> bool {
        self.process == 0xC2
    }

    /// The largest sampling factors, across and down.
    fn most(&self) -> (u64, u64) {
        let most = |of: fn(&Component) -> u8| u64::from(self.components.iter().map(of).max().unwrap_or(1).max(1));
        (most(|c| c.horizontal), most(|c| c.vertical))
    }

    /// Bytes that zune-jpeg holds for a row of minimum coded units, from its sources: samples of 16 bits, as decoded, as
    /// upsampled (room for twice as many in some samplings), the rows that are carried over, and one to work in.
    fn row_bytes(&self) -> u64 {
        let (across, down) = self.most();
        let units = u64::from(self.width).div_ceil(8 * across);
        let rows = self.components.iter().map(|c| {
            let (h, v) = (u64::from(c.horizontal), u64::from(c.vertical));
            let stride = units * 8 * h;
            let times = across.div_ceil(h.max(1)) * down.div_ceil(v.max(1));
            stride * (8 * v + 16 * v.max(times) + 2 * v + v * times)
        });
        2 * (rows.sum::<u64>() + units * 8 * across * 8) + 4 * u64::from(self.width)
    }

    /// Samples of all components, padded to whole minimum coded units.
    fn samples(&self) -> u64 {
        let (across, down) = self.most();
        let units = |side: u16, most: u64| u64::from(side).div_ceil(8 * most);
        let mcus = units(self.width, across) * units(self.height, down);
        let blocks: u64 = self.components.iter().map(|c| u64::from(c.horizontal) * u64::from(c.vertical)).sum();
        mcus * blocks * 64
    }
}

/// Marker segments from a position on.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// The next marker's code and the segment behind it, empty for markers without one. `None` at the end of the
    /// bytes or when a segment reaches beyond it. Bytes between segments are stepped over, as all decoders do.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            self.at += memchr::memchr(0xFF, rest)? + 1;
            // Any number of 0xFF may come before the code.
            while self.bytes.get(self.at) == Some(&0xFF) {
                self.at += 1;
            }
            let marker = *self.bytes.get(self.at)?;
            self.at += 1;
            match marker {
                // Not a marker: a stuffed byte of damaged data.
                0x00 => {}
                // Restart markers and TEM stand alone.
                0x01 | 0xD0..=0xD7 => {}
                SOI | EOI => return Some((marker, &[])),
                _ => {
                    let length = usize::from(u16::from_be_bytes(*self.bytes.get(self.at..)?.first_chunk()?));
                    let body = self.bytes.get(self.at + 2..self.at.checked_add(length)?)?;
                    self.at += length;
                    return Some((marker, body));
                }
            }
        }
    }

    /// Moves to the next 0xFF that starts a marker other than a restart.
    fn skip_entropy_data(&mut self) {
        while let Some(found) = self.bytes.get(self.at..).and_then(|rest| memchr::memchr(0xFF, rest)) {
            self.at += found;
            match self.bytes.get(self.at + 1) {
                Some(0x00 | 0xD0..=0xD7) => self.at += 2,
                Some(0xFF) => self.at += 1,
                _ => return,
            }
        }
        self.at = self.bytes.len();
    }
}

fn malformed(reason: impl std::fmt::Display) -> DecodeError {
    DecodeError::malformed(Format::Jpeg, reason)
}
