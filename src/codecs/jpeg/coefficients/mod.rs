//! JPEG to the first zigzag coefficients of every block, stepping over the rest.
//!
//! A thumbnail needs only the low frequencies, yet nearly all of a JPEG decoder's time goes into entropy-decoding,
//! storing and transforming the high ones. Here the wanted prefix of each block is read, and the remaining symbols are
//! stepped over several at a time by a table of whole symbol sequences. All samples, as planes or packed, are there too.
//! What this decoder does not take on (other processes than 8-bit Huffman coding, tables that contradict themselves) it
//! refuses, and the general decoder answers.

mod baseline;
pub(super) mod bits;
pub(super) mod colours;
mod dequantise;
pub(super) mod frame;
pub(super) mod huffman;
mod idct;
mod lanes;
#[cfg(any(test, fuzzing))]
pub mod laws;
mod lenient;
mod mcus;
mod packed;
mod pattern;
mod progressive;
mod ready;
mod restarts;
mod rgb;
mod samples;
mod skip;
mod splice;
mod symbols;
mod target;
mod upsample;
mod values;
mod window;

use baseline::Streams;
pub(super) use baseline::WORTH_LANES;

use colours::Colours;
use packed::Packer;
use target::Target;
use window::Window;

use crate::codecs::Kept;
use crate::image::{
    CoefficientPlane, CoefficientSink, Coefficients, ImageBuf, PixelFormat, PlaneSink, Planes, Rect, Size,
};

/// Why this decoder leaves a file to the general one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A kind of JPEG, or a colour model, that is not done here.
    Kind,
    /// Damaged or truncated data.
    Damaged,
    /// The request ended.
    Cancelled,
}

/// Zigzag prefixes that are triangles of the block: all (u, v) with u + v < k.
pub const fn triangle(k: u8) -> u8 {
    if k >= 8 { 64 } else { k * (k + 1) / 2 }
}

/// What is asked of this decoder besides the form.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The part of the picture that is wanted, in its pixels; the rest is left undefined.
    pub window: Option<Rect>,
    /// Scans that are read at most.
    pub max_scans: u32,
    /// Whether the request ended.
    pub cancelled: &'a dyn Fn() -> bool,
}

impl Default for Ask<'_> {
    /// All of the picture, 100 scans, for as long as it takes.
    fn default() -> Self {
        Self { window: None, max_scans: 100, cancelled: &|| false }
    }
}

impl Ask<'_> {
    /// Decodes some coefficients of each block (1, 3, 6, … 36 or 64), dequantised, of a picture that is grey, YCbCr or can
    /// be made so block by block. Means of blocks that have nothing else are whole samples, as they are to decoders that
    /// round samples.
    ///
    /// # Errors
    /// [`Refused`]; the file may still be readable by the general decoder.
    pub fn coefficients(&self, bytes: &[u8], kept: Kept) -> Result<Coefficients, Refused> {
        match Read::new(bytes, kept, Streams::AsItPays, self) {
            // The fast way is for sound files.
            Err(Refused::Damaged) => Read::leniently(bytes, kept, self)?.coefficients(),
            read => read?.coefficients(),
        }
    }

    /// As [`Self::coefficients`], of a sequential file that is grey or YCbCr and sound, handing over rows of blocks as they
    /// are done.
    ///
    /// # Errors
    /// [`Refused`]; what was handed over until then is worth nothing, and [`Self::coefficients`] may still read the file.
    pub fn coefficients_to(&self, bytes: &[u8], kept: Kept, sink: &mut dyn CoefficientSink) -> Result<(), Refused> {
        self.coefficients_by(bytes, kept, Streams::AsItPays, sink)
    }

    fn coefficients_by(
        &self,
        bytes: &[u8],
        kept: Kept,
        streams: Streams,
        sink: &mut dyn CoefficientSink,
    ) -> Result<(), Refused> {
        let mut walker = frame::Walker::new(bytes)?;
        let frame = walker.frame()?;
        if !frame.is_handed_over() {
            return Err(Refused::Kind);
        }
        let counts = frame.components.iter().map(|component| frame.kept(component, kept)).collect();
        let window = Window::new(frame.size, self.window);
        baseline::decode(&mut walker, &frame, &mut Target::Handed(counts, sink), &window, streams, self.cancelled)
    }

    /// Decodes all samples to planes at their own sampling, of a picture that is grey or YCbCr.
    ///
    /// # Errors
    /// [`Refused`]; the file may still be readable by the general decoder.
    pub fn planes(&self, bytes: &[u8]) -> Result<Planes, Refused> {
        let mut planes = planes_ahead(bytes)?.filled();
        self.planes_to(bytes, &mut planes)?;
        Ok(planes)
    }

    /// As [`Self::planes`], handing over rows as they are done.
    ///
    /// # Errors
    /// [`Refused`]; what was handed over until then is worth nothing.
    pub fn planes_to(&self, bytes: &[u8], sink: &mut dyn PlaneSink) -> Result<(), Refused> {
        let mut walker = frame::Walker::new(bytes)?;
        let frame = walker.frame()?;
        if !frame.is_planar() {
            return Err(Refused::Kind);
        }
        self.samples_to(&mut walker, &frame, &Window::new(frame.size, self.window), sink)
    }

    /// Decodes all samples to grey or RGB, of every colour model and sampling.
    ///
    /// # Errors
    /// [`Refused`]; the file may still be readable by the general decoder.
    pub fn packed(&self, bytes: &[u8]) -> Result<ImageBuf, Refused> {
        let mut walker = frame::Walker::new(bytes)?;
        let frame = walker.frame()?;
        let window = Window::new(frame.size, self.window);
        let mut packer = Packer::new(&frame, &window, None);
        self.samples_to(&mut walker, &frame, &window, &mut packer)?;
        packer.finish()
    }

    /// As [`Self::packed`], handing over rows as they are done.
    ///
    /// # Errors
    /// [`Refused`]; what was handed over until then is worth nothing.
    pub fn packed_to(&self, bytes: &[u8], sink: &mut dyn PlaneSink) -> Result<(), Refused> {
        let mut walker = frame::Walker::new(bytes)?;
        let frame = walker.frame()?;
        let window = Window::new(frame.size, self.window);
        let mut packer = Packer::new(&frame, &window, Some(sink));
        self.samples_to(&mut walker, &frame, &window, &mut packer)?;
        packer.is_whole()
    }

    fn samples_to(
        &self,
        walker: &mut frame::Walker<'_>,
        frame: &frame::Frame,
        window: &Window,
        sink: &mut dyn PlaneSink,
    ) -> Result<(), Refused> {
        let of = if frame.progressive { samples::progressive } else { samples::sequential };
        of(walker, frame, window, self.max_scans, sink, self.cancelled)
    }
}

/// [`Ask::coefficients`] of all of a picture.
///
/// # Errors
/// As there.
pub fn decode(bytes: &[u8], kept: Kept, max_scans: u32, cancelled: &dyn Fn() -> bool) -> Result<Coefficients, Refused> {
    Ask { window: None, max_scans, cancelled }.coefficients(bytes, kept)
}

/// [`Ask::planes`] of all of a picture.
///
/// # Errors
/// As there.
pub fn decode_planes(bytes: &[u8], max_scans: u32, cancelled: &dyn Fn() -> bool) -> Result<Planes, Refused> {
    Ask { window: None, max_scans, cancelled }.planes(bytes)
}

/// The coefficients, without values, that [`Ask::coefficients_to`] will hand over.
///
/// # Errors
/// [`Refused`], as far as that can be seen before the first scan.
pub fn coefficients_ahead(bytes: &[u8], kept: Kept) -> Result<Coefficients, Refused> {
    let frame = frame::Walker::new(bytes)?.frame()?;
    if !frame.is_handed_over() {
        return Err(Refused::Kind);
    }
    let hollow = |component: &frame::Component| {
        let blocks = Size::new(component.mcu_blocks_across as u32, component.mcu_blocks_down as u32);
        let (blocks, count) = (blocks.ok_or(Refused::Damaged)?, frame.kept(component, kept));
        Ok(CoefficientPlane { size: component.size, blocks, count, values: Vec::new() })
    };
    let components = frame.components.iter().map(hollow).collect::<Result<_, _>>()?;
    Ok(Coefficients { size: frame.size, components })
}

/// Size and layout of what [`Ask::packed_to`] will hand over.
///
/// # Errors
/// As [`coefficients_ahead`].
pub fn packed_ahead(bytes: &[u8]) -> Result<(Size, PixelFormat), Refused> {
    let frame = frame::Walker::new(bytes)?.frame()?;
    Ok((frame.size, packed::format_of(frame.colours)))
}

/// The planes, without samples, that [`Ask::planes_to`] will hand over.
///
/// # Errors
/// [`Refused`], as far as that can be seen before the first scan.
pub fn planes_ahead(bytes: &[u8]) -> Result<Planes, Refused> {
    let frame = frame::Walker::new(bytes)?.frame()?;
    if !frame.is_planar() {
        return Err(Refused::Kind);
    }
    samples::hollow(&frame).ok_or(Refused::Kind)
}

impl Read {
    fn coefficients(self) -> Result<Coefficients, Refused> {
        let components = self.frame.components.iter().zip(self.grids).map(|(component, grid)| {
            let blocks = Size::new(grid.blocks_across as u32, grid.blocks_down as u32).ok_or(Refused::Damaged)?;
            Ok(CoefficientPlane { size: component.size, blocks, count: grid.count as u8, values: grid.values })
        });
        let mut components = components.collect::<Result<Vec<_>, _>>()?;
        if self.frame.colours == Colours::Rgb {
            rgb::to_ycc(&mut components);
        }
        Ok(Coefficients { size: self.frame.size, components })
    }
}

/// Everything up to the end of the last scan, dequantised.
struct Read {
    frame: frame::Frame,
    grids: Vec<frame::Grid>,
}

impl Read {
    fn new(bytes: &[u8], kept: Kept, streams: Streams, ask: &Ask<'_>) -> Result<Self, Refused> {
        let (mut walker, mut read, window) = Self::begin(bytes, kept, ask)?;
        let Self { frame, grids } = &mut read;
        if frame.progressive {
            progressive::decode(&mut walker, frame, grids, &window, ask.max_scans, ask.cancelled)?;
            read.dequantise(&walker)?;
        } else {
            baseline::decode(&mut walker, frame, &mut Target::Held(grids), &window, streams, ask.cancelled)?;
        }
        Ok(read)
    }

    /// As [`Self::new`], whatever the data is like.
    fn leniently(bytes: &[u8], kept: Kept, ask: &Ask<'_>) -> Result<Self, Refused> {
        let (mut walker, mut read, window) = Self::begin(bytes, kept, ask)?;
        let Self { frame, grids } = &mut read;
        if frame.progressive {
            return Err(Refused::Damaged);
        }
        lenient::decode(&mut walker, frame, grids, &window, ask.max_scans, ask.cancelled)?;
        read.dequantise(&walker)?;
        Ok(read)
    }

    fn begin<'a>(bytes: &'a [u8], kept: Kept, ask: &Ask<'_>) -> Result<(frame::Walker<'a>, Self, Window), Refused> {
        let mut walker = frame::Walker::new(bytes)?;
        let frame = walker.frame()?;
        // Of tiny pictures, components of other samplings have the same size, but not the same blocks.
        let alike = frame.components.iter().all(|c| (c.h, c.v) == frame.most());
        if !(frame.is_planar() || frame.colours == Colours::Rgb && alike) {
            return Err(Refused::Kind);
        }
        let grids = frame.components.iter().map(|c| frame::Grid::new(c, frame.kept(c, kept))).collect();
        let window = Window::new(frame.size, ask.window);
        Ok((walker, Self { frame, grids }, window))
    }

    fn dequantise(&mut self, walker: &frame::Walker<'_>) -> Result<(), Refused> {
        for (component, grid) in self.frame.components.iter().zip(&mut self.grids) {
            let table = walker.quantisation(component.table).ok_or(Refused::Damaged)?;
            grid.dequantise(0..grid.blocks_down, table);
        }
        Ok(())
    }
}

/// Whether one stream and several, with segments of so many bytes, give the same answer: for fuzzing.
#[cfg(any(test, fuzzing))]
pub fn is_same_by_several_streams(bytes: &[u8], count: u8, segment: usize) -> bool {
    let read = |streams| Read::new(bytes, Kept::all(count), streams, &Ask::default());
    let by = |streams| read(streams).and_then(Read::coefficients);
    by(Streams::One) == by(Streams::Several(segment.max(1)))
}

/// Whether the lenient reader gives what the fast one does, where that reads a file: for fuzzing.
#[cfg(any(test, fuzzing))]
pub fn is_same_leniently(bytes: &[u8], count: u8) -> bool {
    let ask = Ask::default();
    let Ok(fast) = Read::new(bytes, Kept::all(count), Streams::One, &ask) else { return true };
    if fast.frame.progressive {
        return true;
    }
    let lenient = Read::leniently(bytes, Kept::all(count), &ask).and_then(Read::coefficients);
    fast.coefficients() == lenient
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::{EncodeSpec, Metadata, OutputFormat, encode};

    /// A picture whose blocks are constant: each has a DC coefficient and nothing else.
    fn blocks(interlace: bool, quality: u8) -> Vec<u8> {
        let size = Size::new(40, 24).unwrap();
        let mut samples = Vec::new();
        for y in 0..24u32 {
            for x in 0..40u32 {
                samples.extend([((x / 8 + y / 8 * 5) * 12 + 40) as u8; 3]);
            }
        }
        let image = ImageBuf::new(size, PixelFormat::Rgb8, samples).unwrap();
        let spec = EncodeSpec { interlace, quality, ..EncodeSpec::new(OutputFormat::Jpeg) };
        encode(&image, &Metadata::default(), &spec).unwrap()
    }

    #[test]
    fn dc_is_eight_times_the_mean_of_a_block() {
        for interlace in [false, true] {
            for count in [1, 3, 6, 64] {
                if interlace && count > 1 {
                    continue;
                }
                let got = decode(&blocks(interlace, 95), Kept::all(count), 100, &|| false).unwrap();
                let luma = &got.components[0];
                let across = luma.blocks.width();
                for (i, dc) in luma.values[..(across * luma.blocks.height()) as usize].iter().enumerate() {
                    let (x, y) = (i as u32 % across, i as u32 / across);
                    if x < 5 && y < 3 {
                        let want = ((x + y * 5) * 12 + 40) as i32 - 128;
                        assert!((i32::from(*dc) - 8 * want).abs() <= 8, "{interlace} {count} {x},{y}: {dc} {want}");
                    }
                }
            }
        }
    }

    fn by(bytes: &[u8], count: u8, streams: Streams) -> Result<Coefficients, Refused> {
        Read::new(bytes, Kept::all(count), streams, &Ask::default())?.coefficients()
    }

    /// Every JPEG of a directory and those in it.
    fn files(directory: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                files(&entry.path(), found);
            } else if entry.path().extension().is_some_and(|e| e == "jpg" || e == "jpeg") {
                found.push(entry.path());
            }
        }
    }

    #[test]
    fn several_streams_give_what_one_gives() {
        let mut found = Vec::new();
        files(std::path::Path::new("tests/fixtures"), &mut found);
        files(std::path::Path::new("../shared/corpus"), &mut found);
        files(std::path::Path::new("fuzz/regressions/decode_jpeg"), &mut found);
        let mut decoded = 0;
        for path in found {
            let bytes = std::fs::read(&path).unwrap();
            let small = frame::Walker::new(&bytes).and_then(|mut w| w.frame()).is_ok_and(|f| f.size.area() < 1 << 26);
            for count in [1, 6] {
                let one = if small { by(&bytes, count, Streams::One) } else { continue };
                decoded += usize::from(one.is_ok());
                for segment in [700, 5000] {
                    assert!(one == by(&bytes, count, Streams::Several(segment)), "{} {segment}", path.display());
                }
            }
        }
        assert!(decoded > 20, "{decoded}");
    }

    /// A grey file whose blocks are three zero bits each: a lane that begins beside one never falls into step.
    #[test]
    fn streams_that_never_fall_into_step_are_read_all_the_same() {
        let (side, data) = (2048_u16, vec![0_u8; 256 * 256 * 3 / 8]);
        let [high, low] = side.to_be_bytes();
        let mut lengths = [[0; 16]; 2];
        (lengths[0][0], lengths[1][1]) = (1, 1);
        let bytes = [
            &[0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0][..],
            &[1; 64],
            &[0xFF, 0xC0, 0, 11, 8, high, low, high, low, 1, 1, 0x11, 0, 0xFF, 0xC4, 0, 20, 0x00],
            &lengths[0],
            &[0, 0xFF, 0xC4, 0, 20, 0x10],
            &lengths[1],
            &[0, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0],
            &data,
            &[0xFF, 0xD9],
        ]
        .concat();
        let one = by(&bytes, 3, Streams::One);
        assert!(one.as_ref().is_ok_and(|found| found.components[0].values == vec![0; 3 * 256 * 256]));
        for segment in [100, 1001, 1002, 5000] {
            assert!(one == by(&bytes, 3, Streams::Several(segment)), "{segment}");
        }
        // A byte less than there should be.
        let short = [&bytes[..bytes.len() - 3], &bytes[bytes.len() - 2..]].concat();
        assert_eq!(by(&short, 3, Streams::One), Err(Refused::Damaged));
        assert_eq!(by(&short, 3, Streams::Several(1001)), Err(Refused::Damaged));
    }

    /// A photograph's worth of symbols.
    fn noise() -> Vec<u8> {
        let size = Size::new(203, 149).unwrap();
        let mut random = 3_u32;
        let samples = (0..203 * 149 * 3)
            .map(|i| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (i / 613 % 200 + (random >> 27)) as u8
            })
            .collect();
        let image = ImageBuf::new(size, PixelFormat::Rgb8, samples).unwrap();
        let spec = EncodeSpec { quality: 60, ..EncodeSpec::new(OutputFormat::Jpeg) };
        encode(&image, &Metadata::default(), &spec).unwrap()
    }

    #[test]
    fn what_is_handed_over_is_what_would_be_held() {
        let mut found = Vec::new();
        files(std::path::Path::new("tests/fixtures"), &mut found);
        files(std::path::Path::new("../shared/corpus/photos"), &mut found);
        let (ask, mut handed) = (Ask::default(), 0);
        let read = |path| std::fs::read(path).unwrap();
        for bytes in found.into_iter().map(read).chain([noise(), blocks(false, 80)]) {
            for kept in [Kept::all(1), Kept { full: 3, sparse: 6 }, Kept::all(64)] {
                let Ok(hollow) = coefficients_ahead(&bytes, kept) else { continue };
                for streams in [Streams::AsItPays, Streams::One, Streams::Several(700)] {
                    let mut filled = hollow.clone().filled();
                    let done = ask.coefficients_by(&bytes, kept, streams, &mut filled);
                    let held = Read::new(&bytes, kept, streams, &ask).and_then(Read::coefficients);
                    assert_eq!(done.err(), held.as_ref().err().copied());
                    handed += usize::from(held.is_ok());
                    assert!(held.is_err() || held == Ok(filled));
                }
            }
        }
        assert!(handed > 50, "{handed}");
    }

    #[test]
    fn damage_is_the_same_to_several_streams() {
        let original = noise();
        let (mut random, mut fine) = (11_u32, 0);
        for round in 0..400_usize {
            let mut bytes = original.clone();
            for _ in 0..round % 4 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = 600 + random as usize % (bytes.len() - 600);
                bytes[at] = (random >> 24) as u8;
            }
            let one = by(&bytes, 6, Streams::One);
            fine += usize::from(one.is_ok());
            for segment in [64, 300, 4000] {
                assert!(one == by(&bytes, 6, Streams::Several(segment)), "round {round}, segments of {segment}");
            }
        }
        assert!((100..400).contains(&fine), "{fine}");
    }

    #[test]
    fn mutated_files_are_refused_or_decoded_but_never_panic() {
        let mut random = 7_u32;
        for original in [blocks(false, 80), blocks(true, 80)] {
            for round in 0..3000 {
                let mut bytes = original.clone();
                for _ in 0..=round % 6 {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let at = random as usize % bytes.len();
                    bytes[at] = (random >> 24) as u8;
                }
                if bytes.len() > 4 {
                    bytes.truncate(bytes.len() - (random as usize >> 8) % 4);
                }
                // A mutated size may ask for much memory: the header check does that before, in real use.
                if let Ok(mut walker) = frame::Walker::new(&bytes)
                    && walker.frame().is_ok_and(|f| f.size.area() < 1 << 20)
                {
                    let _ = decode(&bytes, Kept::all(6), 100, &|| false);
                }
            }
        }
    }
}
