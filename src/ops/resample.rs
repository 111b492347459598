//! Weight tables: which source pixels make an output pixel, and with what weights. One table an axis, in f64, for
//! every backend.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::Filter;
use super::shared::Shared;

/// The weights of one axis: a sparse matrix of `dst_len` rows, each a run of at most `taps` source pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightTable {
    src_len: u32,
    taps: usize,
    bounds: Vec<Bounds>,
    weights: Vec<f64>,
}

/// The run of source pixels that make one output pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// First source pixel.
    pub first: u32,
    /// How many, at least 1; `first + count <= src_len`.
    pub count: u32,
}

/// Bytes of shared tables that are kept.
const TABLE_BYTES: usize = 4 << 20;

/// Places less than this apart, in pixels, are the same: what lies on a border must not be moved over it by the rounding of
/// a ratio.
pub(super) const TIE: f64 = 1e-9;

impl WeightTable {
    /// Antialiased resampling of `src_len` pixels to `dst_len`, both at least 1. Pixel centres are aligned at both ends
    /// (output pixel `i` lies at `(i + 0.5) × src_len / dst_len`), the filter widens with the scale when shrinking,
    /// taps outside the source are left out and the rest renormalised to a sum of 1.
    pub fn new(src_len: u32, dst_len: u32, filter: Filter) -> Self {
        Self::windowed(src_len, 0.0..f64::from(src_len), dst_len, filter)
    }

    /// As [`WeightTable::new`] for a window of the source, in source pixels, that may begin and end inside a pixel; for
    /// planes that are subsampled. Pixels outside the window but inside the source take part.
    pub fn windowed(src_len: u32, window: Range<f64>, dst_len: u32, filter: Filter) -> Self {
        let (src_len, dst_len) = (src_len.max(1), dst_len.max(1));
        let scale = (window.end - window.start) / f64::from(dst_len);
        let stretch = scale.max(1.0);
        let radius = filter.support() * stretch;
        let last = f64::from(src_len - 1);
        let rows = (0..dst_len).map(|i| {
            let centre = window.start + (f64::from(i) + 0.5) * scale;
            let nearest = (centre + TIE).floor().max(0.0).min(last) as u32;
            // Pixel p has its centre at p + 0.5.
            let first = (centre - radius - 0.5).ceil().max(0.0).min(last) as u32;
            let end = ((centre + radius + TIE - 0.5).floor().max(0.0).min(last) as u32).max(first) + 1;
            let row: Vec<f64> = (first..end).map(|p| filter.weight((f64::from(p) + 0.5 - centre) / stretch)).collect();
            // Nearest has no width, and a box between two pixels may miss both.
            if filter == Filter::Nearest || row.iter().sum::<f64>().abs() < 1e-9 {
                (nearest, vec![1.0])
            } else {
                (first, row)
            }
        });
        Self::from_rows(src_len, rows)
    }

    /// [`WeightTable::windowed`] for whoever needs the same table again: it is made once.
    pub fn shared(src_len: u32, window: Range<f64>, dst_len: u32, filter: Filter) -> Arc<Self> {
        type Key = (u32, [u64; 2], u32, Filter);
        static TABLES: LazyLock<Shared<Key, WeightTable>> = LazyLock::new(|| Shared::new(TABLE_BYTES));
        let key = (src_len, [window.start.to_bits(), window.end.to_bits()], dst_len, filter);
        TABLES.get(key, Self::bytes, || Self::windowed(src_len, window, dst_len, filter))
    }

    /// As [`WeightTable::windowed`] over `full_len` pixels that are linearly interpolated from `src_len`, half as many
    /// (rounded up) and each in the middle of two; a pixel is made of the nearer and the farther one by 3 to 1. At the ends
    /// the nearer one counts alone.
    fn interpolated((src_len, full_len): (u32, u32), window: Range<f64>, dst_len: u32, filter: Filter) -> Self {
        let full = Self::windowed(full_len, window, dst_len, filter);
        let last = i64::from(src_len.max(1)) - 1;
        let rows = (0..full.dst_len()).map(|i| {
            let (first, weights) = full.row(i);
            let begin = (i64::from(first) / 2 - 1).max(0);
            let mut row = vec![0.0; weights.len() / 2 + 3];
            for (pixel, weight) in (i64::from(first)..).zip(weights) {
                let near = (pixel / 2).min(last);
                let far = if pixel % 2 == 0 { near - 1 } else { near + 1 }.max(0).min(last);
                for (source, share) in [(near, 0.75), (far, 0.25)] {
                    if let Some(slot) = row.get_mut((source - begin) as usize) {
                        *slot += share * weight;
                    }
                }
            }
            row.truncate((last - begin + 1) as usize);
            (begin as u32, row)
        });
        Self::from_rows(src_len.max(1), rows)
    }

    /// [`WeightTable::interpolated`], made once.
    pub(super) fn shared_interpolated(
        lengths: (u32, u32),
        window: Range<f64>,
        dst_len: u32,
        filter: Filter,
    ) -> Arc<Self> {
        type Key = ((u32, u32), [u64; 2], u32, Filter);
        static TABLES: LazyLock<Shared<Key, WeightTable>> = LazyLock::new(|| Shared::new(TABLE_BYTES));
        let key = (lengths, [window.start.to_bits(), window.end.to_bits()], dst_len, filter);
        TABLES.get(key, Self::bytes, || Self::interpolated(lengths, window, dst_len, filter))
    }

    fn bytes(&self) -> usize {
        8 * (self.weights.len() + self.bounds.len()) + 128
    }

    /// A table of any rows, each the first source pixel and the weights from there on; zero weights at the ends are cut
    /// off and each row is normalised to a sum of 1. Rows must lie inside `src_len`.
    pub fn from_rows(src_len: u32, rows: impl Iterator<Item = (u32, Vec<f64>)>) -> Self {
        let rows: Vec<(u32, Vec<f64>)> = rows.map(|(first, row)| trimmed(first, row)).collect();
        let taps = rows.iter().map(|(_, row)| row.len()).max().unwrap_or(0);
        let mut table =
            Self { src_len, taps, bounds: Vec::with_capacity(rows.len()), weights: vec![0.0; taps * rows.len()] };
        for ((first, row), slot) in rows.iter().zip(table.weights.chunks_mut(taps.max(1))) {
            debug_assert!(*first as usize + row.len() <= src_len as usize, "a row of weights leaves the source");
            let sum: f64 = row.iter().sum();
            for (slot, weight) in slot.iter_mut().zip(row) {
                *slot = weight / sum;
            }
            table.bounds.push(Bounds { first: *first, count: row.len() as u32 });
        }
        table
    }

    /// Pixels before.
    pub const fn src_len(&self) -> u32 {
        self.src_len
    }

    /// Pixels after.
    pub const fn dst_len(&self) -> u32 {
        self.bounds.len() as u32
    }

    /// Most source pixels that any output pixel needs.
    pub const fn taps(&self) -> usize {
        self.taps
    }

    /// The runs, one an output pixel.
    pub fn bounds(&self) -> &[Bounds] {
        &self.bounds
    }

    /// `dst_len × taps` weights, row-major; each row sums to 1 and ends in zeros where its run is shorter than `taps`.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The first source pixel of output pixel `i` and the weights from there on.
    pub fn row(&self, i: u32) -> (u32, &[f64]) {
        let bounds = self.bounds[i as usize];
        (bounds.first, &self.weights[i as usize * self.taps..][..bounds.count as usize])
    }

    /// Whether the output is the source.
    pub fn is_identity(&self) -> bool {
        self.dst_len() == self.src_len
            && self.taps == 1
            && self.bounds.iter().enumerate().all(|(i, b)| b.first as usize == i)
    }
}

/// Cuts off what is zero at both ends; sinc zeros come out as 1e-17.
fn trimmed(first: u32, mut row: Vec<f64>) -> (u32, Vec<f64>) {
    let is_zero = |w: &f64| w.abs() < 1e-12;
    while row.len() > 1 && row.last().is_some_and(is_zero) {
        row.pop();
    }
    let zeros = row.iter().take_while(|w| is_zero(w)).count().min(row.len().saturating_sub(1));
    (first + zeros as u32, row.split_off(zeros))
}

#[cfg(test)]
mod tests {
    #[test]
    fn interpolating_and_shrinking_are_one_table() {
        for (src_len, full_len, dst_len) in [(50_u32, 100_u32, 13_u32), (50, 99, 40), (1, 2, 1), (1, 1, 1), (7, 13, 12)]
        {
            let source: Vec<f64> = (0..src_len).map(|i| f64::from((i * i * 37 + i * 11) % 256)).collect();
            let at = |i: i64| source[i.clamp(0, i64::from(src_len) - 1) as usize];
            let full: Vec<f64> = (0..i64::from(full_len))
                .map(|p| 0.75 * at(p / 2) + 0.25 * at(if p % 2 == 0 { p / 2 - 1 } else { p / 2 + 1 }))
                .collect();
            let window = 0.0..f64::from(full_len);
            let shrunk = WeightTable::windowed(full_len, window.clone(), dst_len, Filter::Lanczos3);
            let table = WeightTable::interpolated((src_len, full_len), window, dst_len, Filter::Lanczos3);
            let sum = |table: &WeightTable, source: &[f64], i: u32| {
                let (first, row) = table.row(i);
                row.iter().zip(&source[first as usize..]).map(|(w, s)| w * s).sum::<f64>()
            };
            for i in 0..dst_len {
                assert!((sum(&table, &source, i) - sum(&shrunk, &full, i)).abs() < 1e-9, "{src_len} {dst_len} {i}");
            }
        }
    }

    use super::*;

    const ALL: [Filter; 6] =
        [Filter::Nearest, Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Mitchell, Filter::Lanczos3];

    #[test]
    fn rows_sum_to_one_and_stay_inside() {
        for filter in ALL {
            for (src, dst) in [(1, 1), (1, 40), (40, 1), (7, 5), (5, 7), (4000, 300), (3, 1000), (65500, 7), (2, 3)] {
                let table = WeightTable::new(src, dst, filter);
                assert_eq!(table.dst_len(), dst);
                for i in 0..dst {
                    let (first, row) = table.row(i);
                    assert!(first as usize + row.len() <= src as usize, "{filter:?} {src}->{dst}");
                    assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{filter:?} {src}->{dst}");
                }
            }
        }
    }

    #[test]
    fn rows_are_symmetric() {
        for filter in [Filter::Triangle, Filter::CatmullRom, Filter::Mitchell, Filter::Lanczos3] {
            for (src, dst) in [(40, 7), (7, 40), (100, 99)] {
                let table = WeightTable::new(src, dst, filter);
                for i in 0..dst {
                    let (a, left) = table.row(i);
                    let (b, right) = table.row(dst - 1 - i);
                    assert_eq!(a, src - b - right.len() as u32);
                    assert!(left.iter().zip(right.iter().rev()).all(|(l, r)| (l - r).abs() < 1e-12));
                }
            }
        }
    }

    #[test]
    fn same_size_is_the_identity_for_interpolating_filters() {
        for filter in [Filter::Nearest, Filter::Box, Filter::Triangle, Filter::CatmullRom, Filter::Lanczos3] {
            assert!(WeightTable::new(9, 9, filter).is_identity(), "{filter:?}");
        }
        assert!(!WeightTable::new(9, 9, Filter::Mitchell).is_identity());
        assert!(!WeightTable::new(9, 8, Filter::Nearest).is_identity());
    }

    /// Reckoned in whole numbers: a source pixel whose centre lies on the border between two outputs belongs to the first,
    /// an output whose centre lies on the border between two pixels shows the second.
    #[test]
    fn ties_are_ties_whatever_the_ratio_rounds_to() {
        for (src, dst) in (1..60_u32).flat_map(|src| (1..60_u32).map(move |dst| (src, dst))) {
            let (box_, nearest) =
                (WeightTable::new(src, dst, Filter::Box), WeightTable::new(src, dst, Filter::Nearest));
            let (src, dst) = (i64::from(src), i64::from(dst));
            for i in 0..dst {
                let inside = |p: &i64| {
                    let apart = (2 * p + 1) * dst - (2 * i + 1) * src;
                    -src.max(dst) < apart && apart <= src.max(dst)
                };
                let (first, row) = box_.row(i as u32);
                let taken: Vec<i64> = (0..row.len() as i64).map(|k| i64::from(first) + k).collect();
                assert_eq!(taken, (0..src).filter(inside).collect::<Vec<_>>(), "{src} -> {dst}, {i}");
                assert_eq!(i64::from(nearest.row(i as u32).0), (2 * i + 1) * src / (2 * dst), "{src} -> {dst}, {i}");
            }
        }
    }

    #[test]
    fn half_size_by_box_is_the_mean_of_two() {
        let table = WeightTable::new(6, 3, Filter::Box);
        assert_eq!(table.row(1), (2, &[0.5, 0.5][..]));
    }

    #[test]
    fn centred_chroma_by_triangle_is_three_quarters_and_a_quarter() {
        let table = WeightTable::windowed(4, 0.0..4.0, 8, Filter::Triangle);
        assert_eq!(table.row(3), (1, &[0.75, 0.25][..]));
        assert_eq!(table.row(0), (0, &[1.0][..]));
    }
}
