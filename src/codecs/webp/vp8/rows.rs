use crate::image::PlaneSink;

use super::Refused;
use super::band::{Band, MARGIN};
use super::canvas::{LEFT, Large, Small};
use super::colour;
use super::edges::{self, Edges, Planes};
use super::header::Header;
use super::modes::{Context, Luma, Macroblock};
use super::predict;
use super::tokens::{self, Beside, ByPlace, Coefficients, Content};
use super::transform;

/// Rows that the filter of the next row of macroblocks changes, and one of them is needed for interpolation: luma from
/// the tenth row on, chroma from the fifth.
const KEPT: [usize; 3] = [8, 4, 4];

/// What is above the picture.
const ABOVE_ALL: u8 = 127;
/// What is above it and to the left, but for the first row.
const CORNER: u8 = 129;

/// Decodes row after row of macroblocks into pixels.
pub(super) struct Rows<'a> {
    header: Header<'a>,
    probabilities: Box<ByPlace>,
    context: Context,
    /// Macroblocks of a row, and rows of them.
    across: usize,
    down: usize,
    beside: Vec<Beside>,
    coefficients: Box<Coefficients>,
    luma: Large,
    chroma: [Small; 2],
    /// The last rows above as they were before the filter: [`LEFT`] bytes, the samples, as many more.
    above: [Vec<u8>; 3],
    planes: Planes,
    edges: Vec<Edges>,
    row: colour::Row,
    /// The next row of pixels.
    next: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(header: Header<'a>) -> Self {
        let (across, down) = (header.width.div_ceil(16), header.height.div_ceil(16));
        let sides = [16, 8, 8];
        Self {
            probabilities: tokens::by_place(&header.probabilities),
            context: Context::new(across),
            across,
            down,
            beside: vec![[0; 9]; across],
            coefficients: Box::new(Coefficients::new()),
            luma: Large::new(),
            chroma: [Small::new(), Small::new()],
            above: sides.map(|side| vec![ABOVE_ALL; side * across + 2 * LEFT]),
            planes: std::array::from_fn(|i| Band::new(sides[i] * across, sides[i], KEPT[i])),
            edges: vec![Edges::default(); across],
            row: colour::Row::new(header.width),
            next: 0,
            header,
        }
    }

    pub(super) fn down(&self) -> usize {
        self.down
    }

    /// Decodes row `y` of macroblocks; then one of [`Self::pixels`] and [`Self::samples`] is called.
    #[inline(always)]
    pub(super) fn decode(&mut self, y: usize) -> Result<(), Refused> {
        if y > 0 {
            for plane in &mut self.planes {
                plane.advance();
            }
        }
        self.macroblocks(y)?;
        for (above, plane) in self.above.iter_mut().zip(&self.planes) {
            // The margins are of the same width.
            const { assert!(LEFT == MARGIN) };
            let last = &plane.samples[plane.samples.len() - plane.stride..];
            above.copy_from_slice(last);
            let end = above.len() - MARGIN;
            let right = above[end - 1];
            above[end..].fill(right);
            above[LEFT - 1] = CORNER;
        }
        if self.header.simple_filter {
            edges::simple(&mut self.planes, &self.edges, y == 0);
        } else {
            edges::normal(&mut self.planes, &self.edges, y == 0);
        }
        Ok(())
    }

    #[inline(always)]
    fn macroblocks(&mut self, y: usize) -> Result<(), Refused> {
        self.context.begin_row();
        let mut left = [0; 9];
        let partition = y % self.header.partitions.len();
        for x in 0..self.across {
            let mut modes = self.header.modes;
            let macroblock = self.context.read(&mut modes, &self.header, x);
            self.header.modes = modes;
            let segment = self.header.segments[usize::from(macroblock.segment & 3)];
            let beside = (&mut self.beside[x], &mut left);
            let coded = if macroblock.skipped {
                tokens::none(&macroblock, beside.0, beside.1);
                false
            } else {
                let reader = &mut self.header.partitions[partition];
                tokens::read(reader, &self.probabilities, &macroblock, &segment, beside, &mut self.coefficients)
            };
            self.edges[x] = match macroblock.luma {
                Luma::Whole(_) => Edges { strength: segment.whole, inside: coded },
                Luma::Split(_) => Edges { strength: segment.split, inside: true },
            };
            self.macroblock(&macroblock, x, y, coded);
        }
        let overrun = self.header.modes.overrun() || self.header.partitions[partition].overrun();
        if overrun { Err(Refused) } else { Ok(()) }
    }

    #[inline(always)]
    fn macroblock(&mut self, macroblock: &Macroblock, x: usize, y: usize, coded: bool) {
        let sides = (x > 0, y > 0);
        let [above, above_chroma @ ..] = &self.above;
        let Coefficients { blocks, contents } = &mut *self.coefficients;
        let luma = &mut self.luma;
        luma.advance(above, x);
        match macroblock.luma {
            Luma::Whole(mode) => {
                predict::whole(luma, mode, sides);
                if coded {
                    for i in 0..16 {
                        add(luma, 4 * (i % 4), 4 * (i / 4), &mut blocks[i], &mut contents[i]);
                    }
                }
            }
            Luma::Split(modes) => {
                // What is above to the right is below the macroblock above for all of the last column.
                let mut right = [0; 4];
                right.copy_from_slice(&luma.rows[0][LEFT + 16..][..4]);
                for row in [4, 8, 12] {
                    luma.rows[row][LEFT + 16..][..4].copy_from_slice(&right);
                }
                for (i, mode) in modes.into_iter().enumerate() {
                    let (x, y) = (4 * (i % 4), 4 * (i / 4));
                    predict::sub(luma, x, y, mode);
                    if coded {
                        add(luma, x, y, &mut blocks[i], &mut contents[i]);
                    }
                }
            }
        }
        self.planes[0].store::<16, 32>(16 * x, &luma.rows[1..]);
        for (plane, (chroma, above)) in self.chroma.iter_mut().zip(above_chroma).enumerate() {
            chroma.advance(above, x);
            predict::whole(chroma, macroblock.chroma, sides);
            if coded {
                for i in 0..4 {
                    let at = 16 + 4 * plane + i;
                    add(chroma, 4 * (i % 2), 4 * (i / 2), &mut blocks[at], &mut contents[at]);
                }
            }
            self.planes[1 + plane].store::<8, 16>(8 * x, &chroma.rows[1..]);
        }
    }

    /// The next row of pixels that will be stored.
    pub(super) const fn next(&self) -> usize {
        self.next
    }

    /// Stores all rows of pixels that no filter will change any more, the next one first.
    #[inline(always)]
    pub(super) fn pixels<const CHANNELS: usize>(&mut self, y: usize, out: &mut [u8]) {
        let Header { width, height, .. } = self.header;
        let last = y + 1 == self.down;
        let end = if last { height } else { 16 * y + 9 };
        let chroma_width = width.div_ceil(2);
        let bottom = height.div_ceil(2) - 1;
        let first = self.next;
        for pixels in first..end {
            let near = pixels / 2;
            let far = if pixels % 2 == 1 { (near + 1).min(bottom) } else { near.saturating_sub(1) };
            let [luma, chroma @ ..] = &self.planes;
            let chroma = [0, 1].map(|plane: usize| {
                let row = |row: usize| &chroma[plane].row(row as isize - 8 * y as isize)[..chroma_width];
                (row(near), row(far))
            });
            let luma = &luma.row(pixels as isize - 16 * y as isize)[..width];
            self.row.fill::<CHANNELS>(
                luma,
                chroma,
                &mut out[CHANNELS * width * (pixels - first)..][..CHANNELS * width],
            );
        }
        self.next = end;
    }

    /// Hands over all rows of samples that no filter will change any more: Y, then U and V.
    pub(super) fn samples(&self, y: usize, sink: &mut dyn PlaneSink) {
        let Header { width, height, .. } = self.header;
        for (plane, band) in self.planes.iter().enumerate() {
            let (side, width, height) = match plane {
                0 => (16, width, height),
                _ => (8, width.div_ceil(2), height.div_ceil(2)),
            };
            let first = if y == 0 { 0 } else { side * y - KEPT[plane] };
            let end = if y + 1 == self.down { height } else { side * (y + 1) - KEPT[plane] };
            for row in first..end {
                sink.rows(plane, row as u32, &band.row(row as isize - (side * y) as isize)[..width]);
            }
        }
    }
}

/// Adds a block's residue and clears the block.
#[inline(always)]
fn add<const SIDE: usize, const WIDTH: usize, const ROWS: usize>(
    canvas: &mut super::canvas::Canvas<SIDE, WIDTH, ROWS>,
    x: usize,
    y: usize,
    block: &mut [i32; 16],
    content: &mut Content,
) {
    match content {
        Content::Nothing => return,
        Content::Mean => {
            canvas.add_mean(x, y, (block[0] + 4) >> 3);
            block[0] = 0;
        }
        Content::Narrow => {
            canvas.add(x, y, &transform::narrow(block));
            *block = [0; 16];
        }
        Content::Wide => {
            canvas.add(x, y, &transform::wide(block));
            *block = [0; 16];
        }
    }
    *content = Content::Nothing;
}
