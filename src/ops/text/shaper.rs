use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cosmic_text::fontdb::{ID, Query};
use cosmic_text::{CacheKey, Command, Family, FontSystem, SwashCache, SwashContent, Weight};

use super::bounds::Bounds;
use super::fonts::{self, Face};

/// Glyph coverage that a shaper keeps, in bytes.
const MAX_KEPT: usize = 1 << 20;

/// Largest coverage that is kept at all; larger letters are drawn anew each time, so that one is held at a time.
const MAX_KEPT_GLYPH: usize = 1 << 16;

/// Glyph boxes that a shaper keeps.
const MAX_BOXES: usize = 1 << 14;

/// Shapers kept for reuse, of all sets of faces together.
const MAX_IDLE: usize = 64;

/// Coverage of a glyph, rows top-down, one byte a pixel.
#[derive(Debug)]
pub(super) struct Coverage {
    pub(super) bounds: Bounds,
    pub(super) samples: Vec<u8>,
}

/// Fonts, and the glyphs drawn so far. Not shared: each text borrows one from a pool.
///
/// A shaper holds the bundled faces and those faces of the machine that it was made with, never more: which face a
/// character falls back to depends on all that are there, and a text must look the same whatever was drawn before it.
pub(super) struct Shaper {
    pub(super) fonts: FontSystem,
    scaler: SwashCache,
    system_faces: Vec<ID>,
    bounds: HashMap<CacheKey, Bounds>,
    coverage: HashMap<CacheKey, Arc<Coverage>>,
    kept: usize,
}

static IDLE: Mutex<Vec<Shaper>> = Mutex::new(Vec::new());

/// Lends a shaper for the bundled faces and these of the machine. One in which a panic happened is not seen again.
pub(super) fn with_shaper<T>(system_faces: &[ID], work: impl FnOnce(&mut Shaper) -> T) -> T {
    let idle = {
        let mut pool = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let found = pool.iter().rposition(|shaper| shaper.system_faces == system_faces);
        found.map(|i| pool.remove(i))
    };
    let mut shaper = idle.unwrap_or_else(|| Shaper::new(system_faces));
    let result = work(&mut shaper);
    let mut pool = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    if pool.len() >= MAX_IDLE {
        pool.remove(0); // the one unused for longest
    }
    pool.push(shaper);
    result
}

impl Shaper {
    fn new(system_faces: &[ID]) -> Self {
        let mut database = fonts::bundled().clone();
        for face in system_faces.iter().filter_map(|&id| fonts::system_face(id)) {
            database.push_face_info(face);
        }
        Self {
            // A fixed locale: the same text gives the same picture everywhere.
            fonts: FontSystem::new_with_locale_and_db("en-US".to_owned(), database),
            scaler: SwashCache::new(),
            system_faces: system_faces.to_vec(),
            bounds: HashMap::new(),
            coverage: HashMap::new(),
            kept: 0,
        }
    }

    /// As [`Self::line_extent`], for a face not known by its place in the database yet.
    pub(super) fn face_extent(&mut self, face: &Face, em: f32) -> (i32, i32) {
        let query = Query {
            families: &[Family::Name(&face.family)],
            weight: face.weight,
            stretch: face.stretch,
            style: face.style,
        };
        match self.fonts.db().query(&query) {
            Some(id) => self.line_extent(id, face.weight, em),
            None => (0, 0),
        }
    }

    /// Height of a face above and below the baseline in whole pixels, each rounded up as FreeType does for grid-fitted
    /// text.
    pub(super) fn line_extent(&mut self, id: ID, weight: Weight, em: f32) -> (i32, i32) {
        self.fonts.get_font(id, weight).map_or((0, 0), |font| {
            let metrics = font.metrics();
            let scale = em / f32::from(metrics.units_per_em.max(1));
            ((metrics.ascent * scale).ceil() as i32, (-metrics.descent * scale).ceil() as i32)
        })
    }

    /// The box that a glyph's outline fills, relative to its origin on the baseline; empty for a blank. Glyphs without
    /// an outline (bitmaps) fill their em.
    pub(super) fn bounds(&mut self, key: CacheKey, advance: f32) -> Bounds {
        if let Some(&bounds) = self.bounds.get(&key) {
            return bounds;
        }
        let commands = self.scaler.get_outline_commands_uncached(&mut self.fonts, key);
        let bounds = match commands {
            Some(commands) => outline_bounds(&commands),
            None => {
                let em = f32::from_bits(key.font_size_bits).ceil() as i32;
                Bounds::new(0, -em, advance.ceil() as i32, 0)
            }
        };
        if self.bounds.len() >= MAX_BOXES {
            self.bounds.clear();
        }
        self.bounds.insert(key, bounds);
        bounds
    }

    /// A glyph's coverage; `None` for a blank or a glyph that cannot be drawn.
    pub(super) fn coverage(&mut self, key: CacheKey) -> Option<Arc<Coverage>> {
        if let Some(coverage) = self.coverage.get(&key) {
            return Some(Arc::clone(coverage));
        }
        let image = self.scaler.get_image_uncached(&mut self.fonts, key)?;
        let samples = match image.content {
            SwashContent::Mask => image.data,
            // A coloured glyph leaves its shape; the colour is the text's.
            SwashContent::Color => image.data.chunks_exact(4).map(|pixel| pixel[3]).collect(),
            SwashContent::SubpixelMask => return None,
        };
        let (width, height) = (i32::try_from(image.placement.width).ok()?, i32::try_from(image.placement.height).ok()?);
        if width == 0 || height == 0 || samples.len() != (width as usize).checked_mul(height as usize)? {
            return None;
        }
        let (left, top) = (image.placement.left, -image.placement.top);
        let bounds = Bounds::new(left, top, left.checked_add(width)?, top.checked_add(height)?);
        let bytes = samples.len();
        let coverage = Arc::new(Coverage { bounds, samples });
        if bytes <= MAX_KEPT_GLYPH {
            if self.kept + bytes > MAX_KEPT {
                self.coverage.clear();
                self.kept = 0;
            }
            self.kept += bytes;
            self.coverage.insert(key, Arc::clone(&coverage));
        }
        Some(coverage)
    }
}

/// The box of an outline's control points: the curve lies inside, and touches it wherever extremes are on-curve, as is
/// the rule for fonts.
fn outline_bounds(commands: &[Command]) -> Bounds {
    let (mut left, mut top, mut right, mut bottom) =
        (f32::INFINITY, f32::INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY);
    let mut add = |x: f32, y: f32| {
        left = left.min(x);
        right = right.max(x);
        top = top.min(-y);
        bottom = bottom.max(-y);
    };
    for command in commands {
        match command {
            Command::MoveTo(p) | Command::LineTo(p) => add(p.x, p.y),
            Command::QuadTo(c, p) => {
                add(c.x, c.y);
                add(p.x, p.y);
            }
            Command::CurveTo(c, d, p) => {
                add(c.x, c.y);
                add(d.x, d.y);
                add(p.x, p.y);
            }
            Command::Close => {}
        }
    }
    if left > right {
        return Bounds::EMPTY;
    }
    // `as` saturates, so that a wild outline gives a wild box and no panic.
    Bounds::new(left.floor() as i32, top.floor() as i32, right.ceil() as i32, bottom.ceil() as i32)
}
