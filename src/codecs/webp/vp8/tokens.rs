//! Section 13: the coefficients of a macroblock.

use super::bools::Bools;
use super::header::Segment;
use super::modes::{Luma, Macroblock};
use super::tables::Probabilities;
use super::transform;

/// Blocks of a macroblock: 16 of luma, 4 of each chroma.
pub(super) const BLOCKS: usize = 24;

/// The band of a coefficient, by its place.
const BANDS: [usize; 16] = [0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7];

/// Where in the block a coefficient lies, by its place.
const ZIGZAG: [u8; 16] = [0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15];

/// Values up to 2047 are transformed in 16 bits.
const NARROW: u32 = 1 << 11;

/// Probabilities by place instead of band, each set in 16 bytes.
pub(super) type ByPlace = [[[[u8; 16]; 3]; 16]; 4];

pub(super) fn by_place(probabilities: &Probabilities) -> Box<ByPlace> {
    let mut placed = Box::new([[[[0; 16]; 3]; 16]; 4]);
    for (to, from) in placed.iter_mut().zip(probabilities) {
        for (to, band) in to.iter_mut().zip(BANDS) {
            for (to, from) in to.iter_mut().zip(&from[band]) {
                to[..11].copy_from_slice(from);
            }
        }
    }
    placed
}

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    /// Only the first coefficient.
    Mean,
    /// Values below [`NARROW`].
    Narrow,
    Wide,
}

/// A macroblock's coefficients, multiplied by their steps. Blocks without content are zeros.
#[derive(Debug)]
pub(super) struct Coefficients {
    pub(super) blocks: [[i32; 16]; BLOCKS],
    pub(super) contents: [Content; BLOCKS],
}

impl Coefficients {
    pub(super) fn new() -> Self {
        Self { blocks: [[0; 16]; BLOCKS], contents: [Content::Nothing; BLOCKS] }
    }
}

/// Whether the blocks above or to the left had coefficients: 4 of luma, 2 of each chroma, the one of means.
pub(super) type Beside = [u8; 9];

/// The place of the block of means in [`Beside`].
const MEANS: usize = 8;

/// What follows where a macroblock says that it has no coefficients.
pub(super) fn none(macroblock: &Macroblock, above: &mut Beside, left: &mut Beside) {
    for beside in [above, left] {
        beside[..MEANS].fill(0);
        if matches!(macroblock.luma, Luma::Whole(_)) {
            beside[MEANS] = 0;
        }
    }
}

/// Reads a macroblock's coefficients over those of the one before, which must have been cleared. Answers whether there
/// are any, in the sense of the loop filter.
#[inline(always)]
pub(super) fn read(
    reader: &mut Bools<'_>,
    probabilities: &ByPlace,
    macroblock: &Macroblock,
    segment: &Segment,
    (above, left): (&mut Beside, &mut Beside),
    coefficients: &mut Coefficients,
) -> bool {
    // A copy: its fields stay in registers.
    let mut bits = *reader;
    let Coefficients { blocks, contents } = coefficients;
    let mut first = 0;
    let mut luma = &probabilities[3];
    if matches!(macroblock.luma, Luma::Whole(_)) {
        let mut means = [0; 16];
        let context = above[MEANS] + left[MEANS];
        let found = block(&mut bits, &probabilities[1], context, 0, segment.steps.means, &mut means);
        above[MEANS] = (found.end > 0).into();
        left[MEANS] = above[MEANS];
        if found.end > 0 {
            transform::means(&mut means);
        }
        for (block, mean) in blocks.iter_mut().zip(means) {
            block[0] = mean;
        }
        first = 1;
        luma = &probabilities[0];
    }
    let mut any = false;
    // Where a plane begins, how wide it is in blocks, and where its neighbours are remembered.
    for (from, side, beside, probabilities, first, steps) in [
        (0, 4, 0, luma, first, segment.steps.luma),
        (16, 2, 4, &probabilities[2], 0, segment.steps.chroma),
        (20, 2, 6, &probabilities[2], 0, segment.steps.chroma),
    ] {
        for y in 0..side {
            for x in 0..side {
                let i = from + side * y + x;
                let (above, left) = (&mut above[beside + x], &mut left[beside + y]);
                let found = block(&mut bits, probabilities, *above + *left, first, steps, &mut blocks[i]);
                let coded = found.end > first;
                *above = coded.into();
                *left = *above;
                let mean = blocks[i][0];
                contents[i] = if found.end > 1 {
                    if found.magnitudes | mean.unsigned_abs() < NARROW { Content::Narrow } else { Content::Wide }
                } else if mean != 0 {
                    Content::Mean
                } else {
                    Content::Nothing
                };
                any |= coded || mean != 0;
            }
        }
    }
    *reader = bits;
    any
}

struct Found {
    /// One more than the last place of a value; that of the first one if there is none.
    end: usize,
    /// At least as high as the highest magnitude.
    magnitudes: u32,
}

/// Reads a block's values from place `first` on.
#[inline(always)]
fn block(
    bits: &mut Bools<'_>,
    probabilities: &[[[u8; 16]; 3]; 16],
    context: u8,
    first: usize,
    steps: [i32; 2],
    out: &mut [i32; 16],
) -> Found {
    let mut place = first;
    let mut magnitudes = 0;
    let mut p = &probabilities[place][usize::from(context.min(2))];
    loop {
        bits.refill::<4>();
        if !bits.held_bit(p[0]) {
            return Found { end: place, magnitudes };
        }
        while !bits.held_bit(p[1]) {
            place += 1;
            if place == 16 {
                return Found { end: 16, magnitudes };
            }
            p = &probabilities[place & 15][0];
            bits.refill::<3>();
        }
        let (value, next) = if bits.held_bit(p[2]) { (large(bits, p), 2) } else { (1, 1) };
        let value = value * steps[usize::from(place > 0)];
        magnitudes |= value as u32;
        out[usize::from(ZIGZAG[place & 15])] = bits.held_sign(value);
        place += 1;
        if place == 16 {
            return Found { end: 16, magnitudes };
        }
        p = &probabilities[place & 15][next];
    }
}

/// A value above 1; the window holds enough for the sign behind it.
#[inline(always)]
fn large(bits: &mut Bools<'_>, p: &[u8; 16]) -> i32 {
    bits.refill::<4>();
    if !bits.held_bit(p[3]) {
        if !bits.held_bit(p[4]) {
            return 2;
        }
        return 3 + i32::from(bits.held_bit(p[5]));
    }
    if !bits.held_bit(p[6]) {
        if !bits.held_bit(p[7]) {
            bits.refill::<2>();
            return 5 + i32::from(bits.held_bit(159));
        }
        bits.refill::<3>();
        let high = i32::from(bits.held_bit(165));
        return 7 + 2 * high + i32::from(bits.held_bit(145));
    }
    let (base, more): (i32, &[u8]) = if !bits.bit(p[8]) {
        if !bits.bit(p[9]) { (11, &[173, 148, 140]) } else { (19, &[176, 155, 140, 135]) }
    } else if !bits.bit(p[10]) {
        (35, &[180, 157, 141, 134, 130])
    } else {
        (67, &[254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129])
    };
    let extra = more.iter().fold(0, |extra, &p| 2 * extra + i32::from(bits.bit(p)));
    bits.refill::<1>();
    base + extra
}
