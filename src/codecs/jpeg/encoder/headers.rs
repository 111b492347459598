//! Markers before the scan. ITU-T T.81, annex B; T.871.

use crate::image::Size;

use super::strips::Component;
use super::{Settings, Unfit};

/// Start of the picture, JFIF, the application's segments, quantisation tables, frame header.
pub(super) fn begin(
    out: &mut Vec<u8>,
    size: Size,
    layout: &[Component],
    tables: &[[u8; 64]; 2],
    settings: &Settings<'_>,
) -> Result<(), Unfit> {
    out.extend_from_slice(&[0xFF, 0xD8]);
    // Version 1.2; samples are square, no thumbnail.
    segment(out, 0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0")?;
    for (number, body) in settings.segments {
        segment(out, 0xE0 | number & 15, body)?;
    }
    for (number, table) in (0..).zip(tables).take(layout.len().min(2)) {
        segment(out, 0xDB, &[&[number], &table[..]].concat())?;
    }
    let (Ok(width), Ok(height)) = (u16::try_from(size.width()), u16::try_from(size.height())) else {
        return Err(Unfit::TooLarge);
    };
    let mut frame = vec![8];
    frame.extend_from_slice(&height.to_be_bytes());
    frame.extend_from_slice(&width.to_be_bytes());
    frame.push(layout.len() as u8);
    for (id, component) in (1..).zip(layout) {
        frame.extend_from_slice(&[id, (component.side << 4 | component.side) as u8, component.tables as u8]);
    }
    segment(out, if settings.progressive { 0xC2 } else { 0xC0 }, &frame)
}

/// The scan header, of components with their numbers: the band of the zigzag order, and the bits that are left out of its
/// coefficients before and after the scan.
pub(super) fn scan(parts: &[(usize, Component)], band: (u32, u32), (high, low): (u32, u32)) -> Vec<u8> {
    let mut body = vec![0xFF, 0xDA, 0, 6 + 2 * parts.len() as u8, parts.len() as u8];
    for (number, component) in parts {
        body.extend_from_slice(&[*number as u8 + 1, (component.tables << 4 | component.tables) as u8]);
    }
    body.extend_from_slice(&[band.0 as u8, band.1 as u8, (high << 4 | low) as u8]);
    body
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) -> Result<(), Unfit> {
    let length = u16::try_from(body.len() + 2).map_err(|_| Unfit::Segment)?;
    out.extend_from_slice(&[0xFF, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
    Ok(())
}
