//! Sections 8 and 11: how macroblocks are predicted.

use super::bools::Bools;
use super::header::Header;
use super::tables::SUBBLOCK_MODES;

/// How a macroblock's luma (all of it) or chroma is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Whole {
    #[default]
    Dc,
    Vertical,
    Horizontal,
    TrueMotion,
}

/// How a subblock is predicted, in the order of [`SUBBLOCK_MODES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sub {
    #[default]
    Dc,
    TrueMotion,
    Vertical,
    Horizontal,
    LeftDown,
    RightDown,
    VerticalRight,
    VerticalLeft,
    HorizontalDown,
    HorizontalUp,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Luma {
    Whole(Whole),
    Split([Sub; 16]),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Macroblock {
    pub(super) segment: u8,
    /// No coefficients follow.
    pub(super) skipped: bool,
    pub(super) luma: Luma,
    pub(super) chroma: Whole,
}

/// The modes of the subblocks above and to the left, which say what is likely.
#[derive(Debug)]
pub(super) struct Context {
    above: Vec<[Sub; 4]>,
    left: [Sub; 4],
}

impl Context {
    pub(super) fn new(macroblocks: usize) -> Self {
        Self { above: vec![[Sub::Dc; 4]; macroblocks], left: [Sub::Dc; 4] }
    }

    pub(super) fn begin_row(&mut self) {
        self.left = [Sub::Dc; 4];
    }

    /// Reads what is said of macroblock `x` of the row.
    #[inline(always)]
    pub(super) fn read(&mut self, reader: &mut Bools<'_>, header: &Header<'_>, x: usize) -> Macroblock {
        // A copy: its fields stay in registers.
        let mut copy = *reader;
        let macroblock = self.read_from(&mut copy, header, x);
        *reader = copy;
        macroblock
    }

    #[inline(always)]
    fn read_from(&mut self, bits: &mut Bools<'_>, header: &Header<'_>, x: usize) -> Macroblock {
        let segment = match header.segment_tree {
            None => 0,
            Some([first, low, high]) => {
                if bits.bit(first) {
                    2 + u8::from(bits.bit(high))
                } else {
                    u8::from(bits.bit(low))
                }
            }
        };
        let skipped = header.skipping.is_some_and(|probability| bits.bit(probability));
        let luma = if bits.bit(145) {
            let whole = if bits.bit(156) {
                if bits.bit(128) { Whole::TrueMotion } else { Whole::Horizontal }
            } else if bits.bit(163) {
                Whole::Vertical
            } else {
                Whole::Dc
            };
            let sub = match whole {
                Whole::Dc => Sub::Dc,
                Whole::Vertical => Sub::Vertical,
                Whole::Horizontal => Sub::Horizontal,
                Whole::TrueMotion => Sub::TrueMotion,
            };
            self.above[x] = [sub; 4];
            self.left = [sub; 4];
            Luma::Whole(whole)
        } else {
            let mut modes = [Sub::Dc; 16];
            let above = &mut self.above[x];
            for (row, left) in modes.as_chunks_mut::<4>().0.iter_mut().zip(&mut self.left) {
                for (mode, above) in row.iter_mut().zip(&mut *above) {
                    *mode = subblock(bits, &SUBBLOCK_MODES[*above as usize][*left as usize]);
                    (*above, *left) = (*mode, *mode);
                }
            }
            Luma::Split(modes)
        };
        let chroma = if !bits.bit(142) {
            Whole::Dc
        } else if !bits.bit(114) {
            Whole::Vertical
        } else if bits.bit(183) {
            Whole::TrueMotion
        } else {
            Whole::Horizontal
        };
        Macroblock { segment, skipped, luma, chroma }
    }
}

#[inline(always)]
fn subblock(bits: &mut Bools<'_>, p: &[u8; 9]) -> Sub {
    if !bits.bit(p[0]) {
        Sub::Dc
    } else if !bits.bit(p[1]) {
        Sub::TrueMotion
    } else if !bits.bit(p[2]) {
        Sub::Vertical
    } else if !bits.bit(p[3]) {
        if !bits.bit(p[4]) {
            Sub::Horizontal
        } else if bits.bit(p[5]) {
            Sub::VerticalRight
        } else {
            Sub::RightDown
        }
    } else if !bits.bit(p[6]) {
        Sub::LeftDown
    } else if !bits.bit(p[7]) {
        Sub::VerticalLeft
    } else if bits.bit(p[8]) {
        Sub::HorizontalUp
    } else {
        Sub::HorizontalDown
    }
}
