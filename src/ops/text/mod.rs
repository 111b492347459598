//! Text drawn on a transparent tile.
//!
//! `font` reads a description, `fonts` finds the face, `shaper` holds fonts and drawn glyphs, `layout` breaks lines
//! and places glyphs; here they become pixels.

mod bounds;
mod font;
mod fonts;
mod layout;
mod shaper;

use crate::image::{ImageBuf, PixelFormat, Rgb8, Size};

use bounds::Bounds;
use font::FontRequest;
use layout::Layout;
use shaper::{Shaper, with_shaper};

/// Longest text, in bytes.
const MAX_TEXT: usize = 1024;

/// Longest font description, in bytes.
const MAX_FONT: usize = 256;

/// Where the text's box lies on the tile, in pixels from the top and from the left, when the tile reaches that far.
const TEXT_AT: u32 = 100;

/// Glyph area drawn at most, in pictures: bounds the time that overlapping giant letters can take.
const MAX_COVER: u64 = 4;

/// Glyph area that is always drawn, in pixels, however small the picture.
const ALWAYS_DRAWN: u64 = 1 << 22;

/// A text watermark, every number settled. The drawn tile is (text width + margin) × (text height + margin) with the
/// text's top left at (100, 100), clipped, or in the middle where the tile ends before that; section 4.18 of the
/// contract.
#[derive(Debug, Clone, PartialEq)]
pub struct TextSpec {
    /// Plain text, at most 1 KiB; may hold newlines.
    pub text: String,
    /// Pango-like description: family names, style words, size in points (`sans bold 12`).
    pub font: String,
    /// Dots an inch, for points → pixels.
    pub dpi: u32,
    /// Wrap width in pixels, at least 1.
    pub width: u32,
    /// Added to the text's box on both axes to make the tile, in pixels.
    pub margin: u32,
    /// Colour of the text.
    pub colour: Rgb8,
}

/// Why a text cannot be drawn. Every one is the client's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More bytes of text than are taken.
    #[error("text is longer than {max} bytes")]
    TextTooLong {
        /// Bytes taken.
        max: usize,
    },
    /// More bytes of font description than are taken.
    #[error("font is longer than {max} bytes")]
    FontTooLong {
        /// Bytes taken.
        max: usize,
    },
    /// Letters so large and so many that they would cover the picture several times over.
    #[error("text is too large for the picture")]
    TooLarge,
}

/// Draws a text on its tile: RGBA with straight alpha, the spec's colour everywhere, glyph coverage as alpha.
///
/// The tile is (text width + margin) × (text height + margin), at least 1×1 and no larger than `picture`; the text's
/// box, the smallest around its ink, lies at (100, 100), and what falls off the tile is cut. On a tile of 100 pixels or
/// less the text would be off it: it is centred on that axis instead. Blank text gives a transparent tile. Lines are broken between words alone: a word longer than the wrap width sticks out. Needs
/// 4 bytes a pixel of the tile, besides a byte a pixel of the largest letter.
///
/// # Errors
/// [`TextError`] for a text or a description that is too long, and for letters that cover the picture many times.
pub fn draw(spec: &TextSpec, picture: Size) -> Result<ImageBuf, TextError> {
    if spec.text.len() > MAX_TEXT {
        return Err(TextError::TextTooLong { max: MAX_TEXT });
    }
    if spec.font.len() > MAX_FONT {
        return Err(TextError::FontTooLong { max: MAX_FONT });
    }
    let request = FontRequest::parse(&spec.font);
    let text = layout::plain(&spec.text);
    let (face, chosen) = fonts::choose(&request);
    let mut of_the_machine = Vec::from_iter(chosen);
    // Bundled faces have all of ASCII. What still lacks a glyph after this shows as a box.
    if !text.is_ascii() {
        let missing = with_shaper(&of_the_machine, |shaper| layout::uncovered(shaper, &text, &face));
        if !missing.is_empty() {
            of_the_machine.extend(fonts::covering(&missing).into_iter().filter(|&id| Some(id) != chosen));
        }
    }
    with_shaper(&of_the_machine, |shaper| {
        let layout = layout::layout(shaper, &text, &face, request.em(spec.dpi), spec.width.max(1));
        paint(shaper, layout, spec, picture)
    })
}

/// Draws what is laid out.
fn paint(shaper: &mut Shaper, layout: Layout, spec: &TextSpec, picture: Size) -> Result<ImageBuf, TextError> {
    let side = |text: u32, picture: u32| text.saturating_add(spec.margin).min(picture);
    let size =
        Size::at_least_one(side(layout.ink.width(), picture.width()), side(layout.ink.height(), picture.height()));

    let at = |tile: u32, text: u32| if tile > TEXT_AT { TEXT_AT } else { tile.saturating_sub(text) / 2 } as i32;
    let dx = at(size.width(), layout.ink.width()).saturating_sub(layout.ink.left);
    let dy = at(size.height(), layout.ink.height()).saturating_sub(layout.ink.top);
    let on_tile = |bounds: Bounds| bounds.moved(dx, dy).shared(whole(size));
    let mut visible = layout.glyphs;
    visible.retain(|glyph| !on_tile(glyph.bounds).is_empty());
    let area = visible.iter().fold(0_u64, |sum, glyph| sum.saturating_add(glyph.bounds.area()));
    if area > picture.area().saturating_mul(MAX_COVER).saturating_add(ALWAYS_DRAWN) {
        return Err(TextError::TooLarge);
    }

    let mut tile = blank(size, spec.colour);
    for glyph in visible {
        if let Some(coverage) = shaper.coverage(glyph.key) {
            let place = coverage.bounds.moved(glyph.x, glyph.y).moved(dx, dy);
            add_coverage(&mut tile, place, &coverage.samples);
        }
    }
    Ok(tile)
}

/// A tile of the colour, wholly transparent.
fn blank(size: Size, colour: Rgb8) -> ImageBuf {
    let mut tile = ImageBuf::zeroed(size, PixelFormat::Rgba8);
    let pixel = [colour.r, colour.g, colour.b, 0];
    for out in tile.pixels_mut().chunks_exact_mut(4) {
        out.copy_from_slice(&pixel);
    }
    tile
}

fn whole(size: Size) -> Bounds {
    let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
    Bounds::new(0, 0, side(size.width()), side(size.height()))
}

/// Adds coverage to alpha, clamped: neighbours that touch within a pixel fill it together.
fn add_coverage(tile: &mut ImageBuf, place: Bounds, samples: &[u8]) {
    let shown = place.shared(whole(tile.size()));
    if shown.is_empty() {
        return;
    }
    // All not negative: `shown` lies in the tile and in `place`.
    let (skip_x, skip_y) = ((shown.left - place.left) as usize, (shown.top - place.top) as usize);
    let rows = samples.chunks_exact(place.width() as usize).skip(skip_y).take(shown.height() as usize);
    for (y, row) in (shown.top as u32..).zip(rows) {
        let pixels = tile.row_mut(y)[shown.left as usize * 4..].chunks_exact_mut(4);
        for (pixel, &sample) in pixels.zip(&row[skip_x..skip_x + shown.width() as usize]) {
            pixel[3] = pixel[3].saturating_add(sample);
        }
    }
}

#[cfg(test)]
mod tests;
