//! Markers before the scan. ITU-T T.81, annex B; T.871.

use crate::image::Size;

use super::Unfit;
use super::strips::Component;

/// Start of the picture, JFIF, the application's segments, quantisation tables, frame header.
pub(super) fn begin(
    out: &mut Vec<u8>,
    size: Size,
    layout: &[Component],
    tables: &[[u8; 64]; 2],
    segments: &[(u8, Vec<u8>)],
) -> Result<(), Unfit> {
    out.extend_from_slice(&[0xFF, 0xD8]);
    // Version 1.2; samples are square, no thumbnail.
    segment(out, 0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0")?;
    for (number, body) in segments {
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
    segment(out, 0xC0, &frame)
}

/// The scan header: all components, all coefficients.
pub(super) fn scan(layout: &[Component]) -> Vec<u8> {
    let mut body = vec![0xFF, 0xDA, 0, 6 + 2 * layout.len() as u8, layout.len() as u8];
    for (id, component) in (1..).zip(layout) {
        body.extend_from_slice(&[id, (component.tables << 4 | component.tables) as u8]);
    }
    body.extend_from_slice(&[0, 63, 0]);
    body
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) -> Result<(), Unfit> {
    let length = u16::try_from(body.len() + 2).map_err(|_| Unfit::Segment)?;
    out.extend_from_slice(&[0xFF, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(body);
    Ok(())
}
