//! Section 12: samples from their neighbours.

use super::canvas::{Canvas, LEFT, Large};
use super::modes::{Sub, Whole};

/// Predicts a whole plane of a macroblock. Means are taken of neighbours inside the picture only.
#[inline(always)]
pub(super) fn whole<const SIDE: usize, const WIDTH: usize, const ROWS: usize>(
    canvas: &mut Canvas<SIDE, WIDTH, ROWS>,
    mode: Whole,
    (has_left, has_above): (bool, bool),
) {
    let Some((first, rows)) = canvas.rows.split_first_mut() else { return };
    let mut above = [0; SIDE];
    above.copy_from_slice(&first[LEFT..LEFT + SIDE]);
    match mode {
        Whole::Dc => {
            let mut sum = 0;
            if has_above {
                sum += above.iter().map(|&sample| u32::from(sample)).sum::<u32>();
            }
            if has_left {
                sum += rows.iter().map(|row| u32::from(row[LEFT - 1])).sum::<u32>();
            }
            let mean = match u32::from(has_above) + u32::from(has_left) {
                0 => 128,
                sides => {
                    let shift = SIDE.ilog2() + sides - 1;
                    (sum + (1 << shift >> 1)) >> shift
                }
            };
            for row in rows {
                row[LEFT..LEFT + SIDE].fill(mean as u8);
            }
        }
        Whole::Vertical => {
            for row in rows {
                row[LEFT..LEFT + SIDE].copy_from_slice(&above);
            }
        }
        Whole::Horizontal => {
            for row in rows {
                let left = row[LEFT - 1];
                row[LEFT..LEFT + SIDE].fill(left);
            }
        }
        Whole::TrueMotion => {
            let corner = i16::from(first[LEFT - 1]);
            for row in rows {
                let change = i16::from(row[LEFT - 1]) - corner;
                for (sample, above) in row[LEFT..LEFT + SIDE].iter_mut().zip(above) {
                    *sample = (i16::from(above) + change).max(0).min(255) as u8;
                }
            }
        }
    }
}

/// Predicts the subblock at column `x` of row `y`, in samples.
#[inline(always)]
pub(super) fn sub(canvas: &mut Large, x: usize, y: usize, mode: Sub) {
    // Up the left column, along the row above and four further.
    let mut e = [0; 13];
    for (i, row) in canvas.rows[1 + y..][..4].iter().enumerate() {
        e[3 - i] = row[LEFT - 1 + x];
    }
    e[4..].copy_from_slice(&canvas.rows[y][LEFT - 1 + x..][..9]);
    let rows = subblock(&e, mode);
    for (to, row) in canvas.rows[1 + y..][..4].iter_mut().zip(rows) {
        to[LEFT + x..][..4].copy_from_slice(&row);
    }
}

#[inline(always)]
fn subblock(e: &[u8; 13], mode: Sub) -> [[u8; 4]; 4] {
    // Of two, the upper half; of three around one, the middle counts twice.
    let two = |i: usize| ((u16::from(e[i]) + u16::from(e[i + 1]) + 1) >> 1) as u8;
    let around = |a: u8, b: u8, c: u8| ((u16::from(a) + 2 * u16::from(b) + u16::from(c) + 2) >> 2) as u8;
    let three = |i: usize| around(e[i - 1], e[i], e[i + 1]);
    match mode {
        Sub::Dc => {
            let sum: u16 = e[..4].iter().chain(&e[5..9]).map(|&sample| u16::from(sample)).sum();
            [[((sum + 4) >> 3) as u8; 4]; 4]
        }
        Sub::TrueMotion => std::array::from_fn(|y| {
            let change = i16::from(e[3 - y]) - i16::from(e[4]);
            std::array::from_fn(|x| (i16::from(e[5 + x]) + change).max(0).min(255) as u8)
        }),
        Sub::Vertical => [[three(5), three(6), three(7), three(8)]; 4],
        Sub::Horizontal => [[three(3); 4], [three(2); 4], [three(1); 4], [around(e[1], e[0], e[0]); 4]],
        Sub::LeftDown => {
            let line = [three(6), three(7), three(8), three(9), three(10), three(11), around(e[11], e[12], e[12])];
            std::array::from_fn(|y| std::array::from_fn(|x| line[y + x]))
        }
        Sub::RightDown => {
            let line = [three(1), three(2), three(3), three(4), three(5), three(6), three(7)];
            std::array::from_fn(|y| std::array::from_fn(|x| line[3 - y + x]))
        }
        Sub::VerticalRight => [
            [two(4), two(5), two(6), two(7)],
            [three(4), three(5), three(6), three(7)],
            [three(3), two(4), two(5), two(6)],
            [three(2), three(4), three(5), three(6)],
        ],
        Sub::VerticalLeft => [
            [two(5), two(6), two(7), two(8)],
            [three(6), three(7), three(8), three(9)],
            [two(6), two(7), two(8), three(10)],
            [three(7), three(8), three(9), three(11)],
        ],
        Sub::HorizontalDown => [
            [two(3), three(4), three(5), three(6)],
            [two(2), three(3), two(3), three(4)],
            [two(1), three(2), two(2), three(3)],
            [two(0), three(1), two(1), three(2)],
        ],
        Sub::HorizontalUp => {
            let last = e[0];
            let end = around(e[1], last, last);
            [
                [two(2), three(2), two(1), three(1)],
                [two(1), three(1), two(0), end],
                [two(0), end, last, last],
                [last; 4],
            ]
        }
    }
}
