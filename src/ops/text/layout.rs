use std::collections::BTreeSet;

use cosmic_text::{Attrs, AttrsList, CacheKey, Family, Hinting, LayoutGlyph, ShapeLine, Shaping, Wrap};

use super::bounds::Bounds;
use super::fonts::Face;
use super::shaper::Shaper;

/// Columns of a tab stop, in spaces.
const TAB_SPACES: u16 = 8;

/// Widest wrap width, in pixels; the layout counts in `f32`, exact to 2^24.
const MAX_WIDTH: u32 = 1 << 20;

/// A glyph in its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) key: CacheKey,
    /// Origin on the baseline.
    pub(super) x: i32,
    pub(super) y: i32,
    /// Box of its outline, in its place.
    pub(super) bounds: Bounds,
}

/// Text broken into lines, in pixels from the top left of the first line.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) glyphs: Vec<Placed>,
    /// Smallest box around all outlines. A line without ink counts as a point at the start of its baseline, so that
    /// leading and trailing line breaks make room.
    pub(super) ink: Bounds,
}

/// Breaks a text into lines no wider than `width` pixels where words allow, and places its glyphs: on whole pixels, by
/// advances rounded to whole pixels, as Pango does on FreeType. `text` is as [`plain`] leaves it.
pub(super) fn layout(shaper: &mut Shaper, text: &str, face: &Face, em: f32, width: u32) -> Layout {
    let mut lines = shape(shaper, text, face);
    // `Hinting` rounds advances when glyphs are placed; where lines break must follow from the same numbers.
    let glyphs = lines.iter_mut().flat_map(|line| &mut line.spans).flat_map(|span| &mut span.words);
    for glyph in glyphs.flat_map(|word| &mut word.glyphs) {
        glyph.x_advance = (glyph.x_advance * em).round() / em;
    }
    let empty_line = shaper.face_extent(face, em);
    place(shaper, &lines, em, width, empty_line)
}

/// Line ends unified, other control characters dropped: what is left holds no paragraph separator but `\n`.
pub(super) fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], "\n")
        .chars()
        .filter(|&c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

/// Characters that no face of the shaper has: their glyph is the one for "no glyph".
pub(super) fn uncovered(shaper: &mut Shaper, text: &str, face: &Face) -> BTreeSet<char> {
    let mut missing = BTreeSet::new();
    for (line, shaped) in text.split('\n').zip(shape(shaper, text, face)) {
        let glyphs = shaped.spans.iter().flat_map(|span| &span.words).flat_map(|word| &word.glyphs);
        for glyph in glyphs.filter(|glyph| glyph.glyph_id == 0) {
            missing.extend(line.get(glyph.start..glyph.end).unwrap_or_default().chars());
        }
    }
    missing
}

fn shape(shaper: &mut Shaper, text: &str, face: &Face) -> Vec<ShapeLine> {
    let attributes = AttrsList::new(
        &Attrs::new().family(Family::Name(&face.family)).weight(face.weight).stretch(face.stretch).style(face.style),
    );
    text.split('\n')
        .map(|line| ShapeLine::new(&mut shaper.fonts, line, &attributes, Shaping::Advanced, TAB_SPACES))
        .collect()
}

/// `empty_line` is the extent above and below the baseline of a line without glyphs.
fn place(shaper: &mut Shaper, lines: &[ShapeLine], em: f32, width: u32, empty_line: (i32, i32)) -> Layout {
    // A word that just fits must not fall to rounding of the sum of its advances.
    let width = width.min(MAX_WIDTH) as f32 + 0.25;
    let mut placed = Vec::new();
    let mut ink: Option<Bounds> = None;
    let mut top = 0_i32;
    for line in lines {
        let rows = line.layout(em, Some(width), Wrap::Word, None, None, Hinting::Enabled);
        for row in rows {
            let mut extent: Option<(i32, i32)> = None;
            let mut last_font = None;
            for glyph in &row.glyphs {
                if last_font != Some(glyph.font_id) {
                    last_font = Some(glyph.font_id);
                    let (above, below) = shaper.line_extent(glyph.font_id, glyph.font_weight, em);
                    let (a, b) = extent.unwrap_or((above, below));
                    extent = Some((a.max(above), b.max(below)));
                }
            }
            let (above, below) = extent.unwrap_or(empty_line);
            let baseline = top.saturating_add(above);

            let first = placed.len();
            placed.extend(row.glyphs.iter().filter_map(|glyph| place_glyph(shaper, glyph, baseline)));
            let row_ink = placed[first..].iter().map(|glyph: &Placed| glyph.bounds).reduce(Bounds::around);
            let row_ink = row_ink.unwrap_or_else(|| Bounds::new(0, baseline, 0, baseline));
            ink = Some(ink.map_or(row_ink, |ink| ink.around(row_ink)));
            top = baseline.saturating_add(below);
        }
    }
    Layout { glyphs: placed, ink: ink.unwrap_or(Bounds::EMPTY) }
}

/// `None` for blanks.
fn place_glyph(shaper: &mut Shaper, glyph: &LayoutGlyph, baseline: i32) -> Option<Placed> {
    let em = glyph.font_size;
    let x = (glyph.x + glyph.x_offset * em).round();
    let y = (glyph.y - glyph.y_offset * em).round();
    let (key, x, y) =
        CacheKey::new(glyph.font_id, glyph.glyph_id, em, (x, y), glyph.font_weight, glyph.cache_key_flags);
    let y = y.saturating_add(baseline);
    let bounds = shaper.bounds(key, glyph.w);
    (!bounds.is_empty()).then(|| Placed { key, x, y, bounds: bounds.moved(x, y) })
}
