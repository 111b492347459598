//! Where the loop filter runs (section 15.1): the edges of one macroblock after the other, those that stand before those
//! that lie.

use super::band::{Band, MARGIN};
use super::filter::{self, Across, LANES};
use super::strength::Strength;
use super::turn;

/// What is filtered of a macroblock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Edges {
    pub(super) strength: Strength,
    /// Those of the subblocks too.
    pub(super) inside: bool,
}

/// Y, U and V.
pub(super) type Planes = [Band; 3];

/// Filters a row of macroblocks; `first` says that nothing is above it.
#[inline(always)]
pub(super) fn normal(planes: &mut Planes, edges: &[Edges], first: bool) {
    for (x, edges) in edges.iter().enumerate() {
        let Edges { strength, inside } = edges;
        if strength.level == 0 {
            continue;
        }
        let [luma, u, v] = &mut *planes;
        if *inside {
            let mut lines = Standing::<3>::of(luma, 16 * x);
            if x > 0 {
                filter::outer(lines.at(4), strength);
            }
            for at in [8, 12, 16] {
                filter::inner(lines.at(at), strength);
            }
            lines.store(luma, 16 * x);
            let mut lines = Standing::<2>::of_both(u, v, 8 * x);
            if x > 0 {
                filter::outer(lines.at(4), strength);
            }
            filter::inner(lines.at(8), strength);
            lines.store_both(u, v, 8 * x);
        } else if x > 0 {
            let mut lines = Standing::<1>::of(luma, 16 * x);
            filter::outer(lines.at(4), strength);
            lines.store(luma, 16 * x);
            let mut lines = Standing::<1>::of_both(u, v, 8 * x);
            filter::outer(lines.at(4), strength);
            lines.store_both(u, v, 8 * x);
        }
        if !first {
            let mut lines = lying(luma, 16 * x, 0);
            filter::outer(&mut lines, strength);
            store_lying(luma, 16 * x, 0, &lines);
            let mut lines = lying_both(u, v, 8 * x, 0);
            filter::outer(&mut lines, strength);
            store_lying_both(u, v, 8 * x, 0, &lines);
        }
        if *inside {
            for y in [4, 8, 12] {
                let mut lines = lying(luma, 16 * x, y);
                filter::inner(&mut lines, strength);
                store_lying(luma, 16 * x, y, &lines);
            }
            let mut lines = lying_both(u, v, 8 * x, 4);
            filter::inner(&mut lines, strength);
            store_lying_both(u, v, 8 * x, 4, &lines);
        }
    }
}

/// The same with the simple filter, which leaves chroma alone.
#[inline(always)]
pub(super) fn simple(planes: &mut Planes, edges: &[Edges], first: bool) {
    let [luma, ..] = planes;
    for (x, Edges { strength, inside }) in edges.iter().enumerate() {
        if strength.level == 0 {
            continue;
        }
        let mut lines = Standing::<3>::of(luma, 16 * x);
        if x > 0 {
            filter::simple(lines.at(4), strength.outer());
        }
        if *inside {
            for at in [8, 12, 16] {
                filter::simple(lines.at(at), strength.inner());
            }
        }
        lines.store(luma, 16 * x);
        for y in [0, 4, 8, 12] {
            let limit = match y {
                0 if first => continue,
                0 => strength.outer(),
                _ if !inside => continue,
                _ => strength.inner(),
            };
            let mut lines = lying(luma, 16 * x, y);
            filter::simple(&mut lines, limit);
            store_lying(luma, 16 * x, y, &lines);
        }
    }
}

/// Columns from the fourth in front of a macroblock on, eight in each tile, as lines of which every lane is a row.
struct Standing<const TILES: usize> {
    lines: [[[u8; LANES]; 8]; TILES],
}

impl<const TILES: usize> Standing<TILES> {
    /// Sixteen rows of a plane.
    #[inline(always)]
    fn of(band: &Band, x: usize) -> Self {
        Self::load([&band.samples[Self::first(band, x, 0)..], &band.samples[Self::first(band, x, 8)..]], band.stride)
    }

    /// Eight rows of each of two planes.
    #[inline(always)]
    fn of_both(u: &Band, v: &Band, x: usize) -> Self {
        Self::load([&u.samples[Self::first(u, x, 0)..], &v.samples[Self::first(v, x, 0)..]], u.stride)
    }

    #[inline(always)]
    fn store(&self, band: &mut Band, x: usize) {
        let stride = band.stride;
        let first = Self::first(band, x, 0);
        let Some((upper, lower)) = band.samples[first..].split_at_mut_checked(8 * stride) else { return };
        self.unload([upper, lower], stride);
    }

    #[inline(always)]
    fn store_both(&self, u: &mut Band, v: &mut Band, x: usize) {
        let (stride, first) = (u.stride, Self::first(u, x, 0));
        self.unload([&mut u.samples[first..], &mut v.samples[first..]], stride);
    }

    /// Where row `y` begins.
    #[inline(always)]
    fn first(band: &Band, x: usize, y: usize) -> usize {
        band.stride * (band.kept + y) + MARGIN - 4 + x
    }

    /// The lines across the edge in front of column `at`, counted from the first.
    #[inline(always)]
    fn at(&mut self, at: usize) -> &mut Across {
        let lines = self.lines.as_flattened_mut();
        // Three tiles hold the edges at 4, 8, 12 and 16.
        let Some(lines) = lines[at - 4..].first_chunk_mut() else { unreachable!("eight lines around each edge") };
        lines
    }

    /// Eight rows of each slice.
    #[inline(always)]
    fn load(rows: [&[u8]; 2], stride: usize) -> Self {
        let rows = rows.map(|rows| &rows[..7 * stride + 8 * TILES]);
        let tile = |tile| turn::to_lines(std::array::from_fn(|i| word(&rows[i / 8][i % 8 * stride + 8 * tile..])));
        Self { lines: std::array::from_fn(tile) }
    }

    #[inline(always)]
    fn unload(&self, rows: [&mut [u8]; 2], stride: usize) {
        let rows = rows.map(|rows| &mut rows[..7 * stride + 8 * TILES]);
        for (tile, lines) in self.lines.iter().enumerate() {
            for (i, word) in turn::to_rows(lines).into_iter().enumerate() {
                rows[i / 8][i % 8 * stride + 8 * tile..][..8].copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[..8]);
    u64::from_le_bytes(word)
}

/// The rows across the edge above row `y`.
#[inline(always)]
fn lying(band: &Band, x: usize, y: usize) -> Across {
    let from = band.stride * (band.kept + y - 4) + MARGIN + x;
    let rows = &band.samples[from..][..7 * band.stride + LANES];
    let mut lines = [[0; LANES]; 8];
    for (i, line) in lines.iter_mut().enumerate() {
        line.copy_from_slice(&rows[i * band.stride..][..LANES]);
    }
    lines
}

/// The outermost have not changed.
#[inline(always)]
fn store_lying(band: &mut Band, x: usize, y: usize, lines: &Across) {
    let from = band.stride * (band.kept + y - 4) + MARGIN + x;
    let rows = &mut band.samples[from..][..7 * band.stride + LANES];
    for (i, line) in lines.iter().enumerate().skip(1).take(6) {
        rows[i * band.stride..][..LANES].copy_from_slice(line);
    }
}

#[inline(always)]
fn lying_both(u: &Band, v: &Band, x: usize, y: usize) -> Across {
    let from = u.stride * (u.kept + y - 4) + MARGIN + x;
    let mut lines = [[0; LANES]; 8];
    for (band, lane) in [(u, 0), (v, 8)] {
        let rows = &band.samples[from..][..7 * u.stride + 8];
        for (i, line) in lines.iter_mut().enumerate() {
            line[lane..][..8].copy_from_slice(&rows[i * u.stride..][..8]);
        }
    }
    lines
}

#[inline(always)]
fn store_lying_both(u: &mut Band, v: &mut Band, x: usize, y: usize, lines: &Across) {
    let stride = u.stride;
    let from = stride * (u.kept + y - 4) + MARGIN + x;
    for (band, lane) in [(u, 0), (v, 8)] {
        let rows = &mut band.samples[from..][..7 * stride + 8];
        for (i, line) in lines.iter().enumerate().skip(1).take(6) {
            rows[i * stride..][..8].copy_from_slice(&line[lane..][..8]);
        }
    }
}
