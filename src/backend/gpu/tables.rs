//! Weight tables as shaders read them: 32-bit words. Tables are made once and kept: a server shrinks pictures of few
//! sizes to fewer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::image::{CoefficientPlane, Coefficients, Plane, Rect, Size};
use crate::ops::shared::Shared;
use crate::ops::{BlockWeights, BlurWeights, Filter, Opacity, Sigma, WeightTable, ZIGZAG};
use crate::ops::{component_weights, plane_weights};

/// Bytes of tables that are kept.
const KEPT: usize = 32 << 20;

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// No other table ever has this number.
    pub(super) id: u64,
    pub(super) words: Vec<u32>,
    /// First and number of the source pixels of each row; empty for tables that are not of weights over samples.
    pub(super) runs: Vec<(u32, u32)>,
    /// Whether it leaves samples as they are.
    pub(super) identity: bool,
    /// Whether its rows are samples of a grid, not pixels.
    grid: bool,
}

impl Table {
    /// Rows.
    pub(super) const fn len(&self) -> u32 {
        self.runs.len() as u32
    }

    /// The source pixels that rows `from` to `to` read: the first and one past the last.
    pub(super) fn used(&self, from: u32, to: u32) -> (u32, u32) {
        let rows = self.runs.get(from as usize..to as usize).unwrap_or(&[]);
        let first = rows.iter().map(|&(first, _)| first).min().unwrap_or(0);
        let end = rows.iter().map(|&(first, count)| first + count).max().unwrap_or(1);
        (first, end)
    }
}

/// What a table is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Resample { from: u32, to: u32, filter: Filter },
    Plane { picture: u32, plane: u32, window: (u32, u32), to: u32, step: u32, filter: Filter },
    Blocks { picture: u32, luma: u32, component: u32, count: u8, to: u32, step: u32, filter: Filter },
    Blur { len: u32, sigma: u64, up: bool },
    Identity { len: u32 },
    Coverage { opacity: u32 },
    Zigzag,
}

/// The tables that were asked for lately.
#[derive(Debug)]
pub(super) struct TableCache {
    tables: Shared<Key, Table>,
}

impl Default for TableCache {
    fn default() -> Self {
        Self { tables: Shared::new(KEPT) }
    }
}

/// A table without its number.
#[derive(Default)]
struct Made {
    words: Vec<u32>,
    runs: Vec<(u32, u32)>,
    identity: bool,
    grid: bool,
}

impl TableCache {
    /// Resamples `from` samples to `to`.
    pub(super) fn resample(&self, from: u32, to: u32, filter: Filter) -> Arc<Table> {
        self.get(Key::Resample { from, to, filter }, || of_samples(&WeightTable::new(from, to, filter)))
    }

    /// Tables, across and down, over the samples of a plane: [`plane_weights`].
    pub(super) fn plane(
        &self,
        picture: Size,
        plane: &Plane,
        window: Rect,
        (to, step): (Size, (u32, u32)),
        filter: Filter,
    ) -> [Arc<Table>; 2] {
        let across = (window.left, window.size.width());
        let down = (window.top, window.size.height());
        let both = || plane_weights(picture, plane, window, to, step, filter);
        let key = |picture, plane, window, to, step| Key::Plane { picture, plane, window, to, step, filter };
        [
            self.get(key(picture.width(), plane.size.width(), across, to.width(), step.0), || of_samples(&both().0)),
            self.get(key(picture.height(), plane.size.height(), down, to.height(), step.1), || of_samples(&both().1)),
        ]
    }

    /// Tables, columns and rows, over the blocks of a component: [`component_weights`].
    pub(super) fn blocks(
        &self,
        picture: &Coefficients,
        component: &CoefficientPlane,
        (to, step): (Size, (u32, u32)),
        filter: Filter,
    ) -> [Arc<Table>; 2] {
        let luma = picture.components.first().map_or(component.size, |luma| luma.size);
        let both = || component_weights(picture, component, to, step, filter);
        let key = |side: fn(Size) -> u32, step| Key::Blocks {
            picture: side(picture.size),
            luma: side(luma),
            component: side(component.size),
            count: component.count,
            to: side(to),
            step,
            filter,
        };
        [
            self.get(key(Size::width, step.0), || of_blocks(&both().0)),
            self.get(key(Size::height, step.1), || of_blocks(&both().1)),
        ]
    }

    /// Blurs a side: pixels → samples, and samples → pixels where those lie on a coarser grid.
    pub(super) fn blur(&self, len: u32, sigma: Sigma) -> (Arc<Table>, Option<Arc<Table>>) {
        let key = |up| Key::Blur { len, sigma: sigma.get().to_bits(), up };
        let down = self.get(key(false), || {
            let weights = BlurWeights::new(len, sigma);
            Made { grid: weights.up.is_some(), ..of_samples(&weights.down) }
        });
        let way_back = || BlurWeights::new(len, sigma).up.map_or_else(Made::default, |up| of_samples(&up));
        let up = down.grid.then(|| self.get(key(true), way_back));
        (down, up)
    }

    /// Leaves `len` pixels as they are.
    pub(super) fn identity(&self, len: u32) -> Arc<Table> {
        self.get(Key::Identity { len }, || of_samples(&WeightTable::new(len, len, Filter::Box)))
    }

    /// Alpha of an overlay → coverage of 65535, as on the CPU.
    pub(super) fn coverage(&self, opacity: Opacity) -> Arc<Table> {
        self.get(Key::Coverage { opacity: opacity.get().to_bits() }, || Made {
            words: opacity.coverage().to_vec(),
            ..Made::default()
        })
    }

    /// The place in the zigzag order of each (u across, v down), at `8 v + u`.
    pub(super) fn zigzag(&self) -> Arc<Table> {
        self.get(Key::Zigzag, || {
            let mut words = vec![0; 64];
            for (place, (u, v)) in (0..).zip(ZIGZAG) {
                words[8 * v + u] = place;
            }
            Made { words, ..Made::default() }
        })
    }

    fn get(&self, key: Key, make: impl FnOnce() -> Made) -> Arc<Table> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        self.tables.get(key, bytes, || {
            let Made { words, runs, identity, grid } = make();
            Table { id: NEXT.fetch_add(1, Ordering::Relaxed), words, runs, identity, grid }
        })
    }
}

fn bytes(table: &Table) -> usize {
    4 * table.words.len() + 8 * table.runs.len() + 128
}

/// Rows, taps; for each row its first source pixel and their number; rows × taps weights.
fn of_samples(table: &WeightTable) -> Made {
    let runs: Vec<(u32, u32)> = table.bounds().iter().map(|b| (b.first, b.count)).collect();
    let mut words = vec![table.dst_len(), table.taps() as u32];
    words.extend(runs.iter().flat_map(|&(first, count)| [first, count]));
    words.extend(table.weights().iter().map(|&w| (w as f32).to_bits()));
    Made { words, runs, identity: table.is_identity(), grid: false }
}

/// For each output its first block, their number and the place of its weights, from the start of the table.
fn of_blocks(table: &BlockWeights) -> Made {
    let weights = 3 * table.bounds.len() as u32;
    let mut words = Vec::with_capacity(weights as usize + table.weights.len());
    for (&(first, blocks), &start) in table.bounds.iter().zip(&table.starts) {
        words.extend([first as u32, blocks as u32, weights + start as u32]);
    }
    words.extend(table.weights.iter().map(|w| w.to_bits()));
    Made { words, ..Made::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_table_is_made_once_and_another_is_another() {
        let cache = TableCache::default();
        let table = cache.resample(400, 30, Filter::Lanczos3);
        assert!(Arc::ptr_eq(&table, &cache.resample(400, 30, Filter::Lanczos3)));
        let others = [
            cache.resample(400, 31, Filter::Lanczos3),
            cache.resample(401, 30, Filter::Lanczos3),
            cache.resample(400, 30, Filter::Box),
            cache.identity(30),
            cache.zigzag(),
        ];
        assert!(others.iter().all(|other| other.id != table.id));
        assert_eq!((table.words[0], table.len(), table.used(0, 30)), (30, 30, (0, 400)));
        assert!(cache.identity(30).identity && !table.identity);
    }
}
