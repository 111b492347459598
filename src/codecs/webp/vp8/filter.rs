//! Section 15: the arithmetic of the loop filter, on lanes that lie along an edge.
//!
//! Lines of samples are p3, p2, p1, p0 in front of the edge and q0, q1, q2, q3 behind it. There is no branch, so that
//! lanes become vectors.
#![allow(clippy::needless_range_loop, reason = "a lane is read from and written to eight lines")]

use super::strength::Strength;

/// Lanes.
pub(super) const LANES: usize = 16;
/// The samples across an edge.
pub(super) type Across = [[u8; LANES]; 8];

/// To the range of a signed byte.
#[inline(always)]
fn signed(value: i16) -> i16 {
    value.max(-128).min(127)
}

#[inline(always)]
fn sample(value: i16) -> u8 {
    value.max(0).min(255) as u8
}

/// Section 15.2.
#[inline(always)]
pub(super) fn simple(lines: &mut Across, limit: u8) {
    let limit = i16::from(limit);
    for i in 0..LANES {
        let [p1, p0, q0, q1] = [2, 3, 4, 5].map(|line: usize| i16::from(lines[line][i]));
        let even = (p0 - q0).abs() * 2 + (p1 - q1).abs() / 2 <= limit;
        let change = signed(signed(p1 - q1) + 3 * (q0 - p0));
        let change = if even { change } else { 0 };
        lines[3][i] = sample(p0 + (signed(change + 3) >> 3));
        lines[4][i] = sample(q0 - (signed(change + 4) >> 3));
    }
}

/// Whether an edge is one of blocks rather than of the picture, and whether it varies much beside it.
#[inline(always)]
fn kind(v: [i16; 8], limit: i16, interior: i16, high: i16) -> (bool, bool) {
    let [p3, p2, p1, p0, q0, q1, q2, q3] = v;
    let (beside_p, beside_q) = ((p1 - p0).abs(), (q1 - q0).abs());
    let beside = beside_p.max(beside_q);
    let steepest = beside.max((p3 - p2).abs()).max((p2 - p1).abs()).max((q3 - q2).abs()).max((q2 - q1).abs());
    let even = ((p0 - q0).abs() * 2 + (p1 - q1).abs() / 2 <= limit) & (steepest <= interior);
    (even, beside > high)
}

/// Section 15.3 between macroblocks.
#[inline(always)]
pub(super) fn outer(lines: &mut Across, strength: &Strength) {
    let [limit, interior, high] = [strength.outer(), strength.interior, strength.high_variance].map(i16::from);
    for i in 0..LANES {
        let v: [i16; 8] = std::array::from_fn(|line| i16::from(lines[line][i]));
        let (even, high) = kind(v, limit, interior, high);
        let [_, p2, p1, p0, q0, q1, q2, _] = v;
        let w = signed(signed(p1 - q1) + 3 * (q0 - p0));
        let w = if even { w } else { 0 };
        // At much variation the two nearest alone change, and as they do inside of macroblocks.
        let (wide, near) = if high { (0, w) } else { (w, 0) };
        let a = (27 * wide + 63) >> 7;
        lines[3][i] = sample(p0 + a + (signed(near + 3) >> 3));
        lines[4][i] = sample(q0 - a - (signed(near + 4) >> 3));
        let a = (18 * wide + 63) >> 7;
        lines[2][i] = sample(p1 + a);
        lines[5][i] = sample(q1 - a);
        let a = (9 * wide + 63) >> 7;
        lines[1][i] = sample(p2 + a);
        lines[6][i] = sample(q2 - a);
    }
}

/// Section 15.3 inside of macroblocks.
#[inline(always)]
pub(super) fn inner(lines: &mut Across, strength: &Strength) {
    let [limit, interior, high] = [strength.inner(), strength.interior, strength.high_variance].map(i16::from);
    for i in 0..LANES {
        let v: [i16; 8] = std::array::from_fn(|line| i16::from(lines[line][i]));
        let (even, high) = kind(v, limit, interior, high);
        let [_, _, p1, p0, q0, q1, _, _] = v;
        let outer = if high { signed(p1 - q1) } else { 0 };
        let change = signed(outer + 3 * (q0 - p0));
        let change = if even { change } else { 0 };
        let a = signed(change + 4) >> 3;
        lines[3][i] = sample(p0 + (signed(change + 3) >> 3));
        lines[4][i] = sample(q0 - a);
        let a = if high { 0 } else { (a + 1) >> 1 };
        lines[2][i] = sample(p1 + a);
        lines[5][i] = sample(q1 - a);
    }
}
