//! Pixels to JPEG files: one interleaved scan, or progressive ones, under Huffman tables made for them. ITU-T T.81 and T.871.
//!
//! A row of MCUs at a time, samples become coefficients ([`fdct`]) and these symbols ([`symbols`]), which are held in
//! two bytes each; coefficients never are. When all are counted the tables are made ([`huffman`]) and the symbols
//! written ([`write`]). Pictures of very many symbols get their tables from the first of them, so that no more than
//! [`HELD`] bytes are ever held. Progressive files hold all coefficients ([`progressive`]).

#[cfg(target_arch = "x86_64")]
mod avx2;
mod blocks;
mod colour;
#[cfg(target_arch = "x86_64")]
mod colour_avx2;
mod fdct;
#[cfg(target_arch = "x86_64")]
mod fdct_avx2;
mod headers;
mod huffman;
mod kernels;
mod progressive;
mod quantisation;
mod strips;
mod symbols;
#[cfg(test)]
mod tests;
mod write;

use crate::image::{ImageBuf, Plane, Planes, Size};

use blocks::Part;
use fdct::Divisors;
use kernels::Kernels;
use strips::Strips;
use symbols::Symbols;
use write::Scan;

/// Longest side that a frame header can say.
pub const MAX_SIDE: u32 = 65_535;

/// Bytes of symbols after which tables are made of those that there are.
const HELD: usize = 8 << 20;

/// How much chroma there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// As much as luma: 4:4:4.
    Full,
    /// Half across and down: 4:2:0.
    Quarter,
}

impl Sampling {
    /// Luma samples on each axis that a chroma sample stands for.
    pub const fn step(self) -> u32 {
        match self {
            Self::Full => 1,
            Self::Quarter => 2,
        }
    }

    /// The size of chroma planes in a picture of this size.
    pub const fn chroma(self, picture: Size) -> Size {
        Size::at_least_one(picture.width().div_ceil(self.step()), picture.height().div_ceil(self.step()))
    }
}

/// What is encoded.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Packed samples; alpha is flattened on black.
    Packed {
        /// The picture.
        image: &'a ImageBuf,
        /// Luma alone is written.
        gray: bool,
    },
    /// Planes at the sizes that the sampling says.
    Planes(&'a Planes),
}

impl Source<'_> {
    /// Width and height.
    pub const fn size(&self) -> Size {
        match self {
            Self::Packed { image, .. } => image.size(),
            Self::Planes(planes) => planes.size,
        }
    }

    /// Whether a file can hold it.
    ///
    /// # Errors
    /// [`Unfit::TooLarge`], [`Unfit::Planes`].
    pub fn check(&self, sampling: Sampling) -> Result<(), Unfit> {
        let size = self.size();
        if size.width().max(size.height()) > MAX_SIDE {
            return Err(Unfit::TooLarge);
        }
        let Self::Planes(planes) = self else { return Ok(()) };
        let holds = |plane: &Plane, size: Size| plane.size == size && plane.samples.len() as u64 == size.area();
        let coarse = sampling.chroma(size);
        let right = holds(&planes.luma, size) && planes.chroma.iter().flatten().all(|plane| holds(plane, coarse));
        if right { Ok(()) } else { Err(Unfit::Planes) }
    }
}

/// How it is encoded.
#[derive(Debug, Clone, Copy)]
pub struct Settings<'a> {
    /// 1 to 100, of the tables of T.81's annex K scaled as the Independent JPEG Group does.
    pub quality: u8,
    /// Nothing to grey pictures.
    pub sampling: Sampling,
    /// Scans of rising detail.
    pub progressive: bool,
    /// Application segments: the number of the marker (1 to 15) and the body, at most 65 533 bytes.
    pub segments: &'a [(u8, Vec<u8>)],
}

/// Why a picture cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A side is longer than [`MAX_SIDE`].
    #[error("a side is longer than {MAX_SIDE}")]
    TooLarge,
    /// Planes of other sizes than the sampling says, or that lack samples.
    #[error("planes of other sizes than the file holds")]
    Planes,
    /// An application segment that is too long.
    #[error("a segment is longer than 65533 bytes")]
    Segment,
}

/// Encodes a picture.
///
/// # Errors
/// [`Unfit`].
pub fn encode(source: Source<'_>, settings: &Settings<'_>) -> Result<Vec<u8>, Unfit> {
    encode_by(&Kernels::fastest(), HELD, source, settings)
}

/// Most bytes that [`encode`] holds beside the picture and the file.
pub const fn held_bytes(size: Size, sampling: Sampling, gray: bool, progressive: bool) -> u64 {
    let (blocks, step) = match (gray, sampling) {
        (true, _) => (1, 1),
        (false, Sampling::Full) => (3, 1),
        (false, Sampling::Quarter) => (6, 2),
    };
    let across = size.width().div_ceil(8 * step) as u64;
    let down = size.height().div_ceil(8 * step) as u64;
    let strip = across * blocks * symbols::LARGEST_BLOCK;
    let all = strip * down;
    let symbols = if progressive {
        progressive::held_bytes(across * down * blocks, across * down * (step * step) as u64, HELD)
    } else if all < HELD as u64 {
        all
    } else {
        HELD as u64 + strip
    };
    // The samples of a strip as packed colours and as planes, and what of the last chunk is not used.
    symbols + across * 64 * (step * step) as u64 * 6 + symbols::CHUNK_BYTES
}

fn encode_by(kernels: &Kernels, held: usize, source: Source<'_>, settings: &Settings<'_>) -> Result<Vec<u8>, Unfit> {
    let mut strips = Strips::new(source, settings.sampling)?;
    let tables = [true, false].map(|luma| quantisation::table(settings.quality, luma));
    let divisors = tables.map(|table| Divisors::new(&table));
    let layout = strips.layout();
    let mut out = Vec::new();
    headers::begin(&mut out, strips.size(), layout, &tables, settings)?;
    if settings.progressive {
        return Ok(progressive::encode(out, &mut strips, &divisors, kernels, held));
    }

    let mut symbols = Symbols::new();
    let mut scan = Scan::new(out, layout);
    let mut predictors = [0; 3];
    for strip in 0..strips.count() {
        let mcus = strips.mcus_across();
        let parts: [Part<'_>; 3] = strips.read(strip, kernels);
        (kernels.strip)(&parts[..layout.len()], layout, mcus, &divisors, &mut predictors, &mut symbols);
        if symbols.bytes() >= held && strip + 1 < strips.count() {
            scan.write(&mut symbols, write::Symbols::Some, kernels);
        }
    }
    scan.write(&mut symbols, write::Symbols::All, kernels);
    Ok(scan.finish())
}
