//! What holds of every file, sound or damaged: for tests and fuzzing. Each law panics where it is broken.

use std::collections::BTreeMap;

use zune_core::{bytestream::ZCursor, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use super::colours::Colours;
use super::frame::{Frame, Grid, Walker};
use super::idct::BY_COLUMN;
use super::window::Window;
use super::{Ask, Read, Refused, Streams, lenient, progressive};
use crate::codecs::jpeg::markers::Markers;
use crate::codecs::{Kept, Limits};
use crate::image::{ImageBuf, PlaneSink, Rect, Size};

/// The second opinion's samples and ours are at most so far apart: their transform is one of integers, as libjpeg's.
const APART: u8 = 1;

/// The sizes and numbers of components that the header check, this decoder and zune-jpeg read are the same, where two of
/// them read any.
pub fn headers_agree(bytes: &[u8]) {
    let markers = Markers::read(bytes).ok().filter(|markers| markers.frame.check_supported().is_ok());
    let markers = markers.map(|markers| {
        (u32::from(markers.frame.width), u32::from(markers.frame.height), markers.frame.components.len())
    });
    let told = |frame: Frame| (frame.size.width(), frame.size.height(), frame.components.len());
    let ours = Walker::new(bytes).and_then(|mut walker| walker.frame()).ok().map(told);
    if let (Some(markers), Some(ours)) = (markers, ours) {
        assert_eq!(markers, ours, "header check and decoder");
    }
    // What lies between segments, zune-jpeg takes for other things.
    if !is_tidy(bytes) {
        return;
    }
    let mut zune = JpegDecoder::new_with_options(ZCursor::new(bytes), options(false));
    if zune.decode_headers().is_err() {
        return;
    }
    let (Some((width, height)), Some(components)) = (zune.dimensions(), zune.raw_output().num_components()) else {
        return;
    };
    // Its number of lines may come behind the first scan.
    if let Some(ours) = ours.filter(|_| height > 0) {
        assert_eq!(ours, (width as u32, height as u32, components), "decoder and second opinion");
    }
}

/// Whether up to the first scan there is one segment behind the other, and none about the number of lines.
fn is_tidy(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        let &[0xFF, code, high, low, ..] = rest else { return false };
        if matches!(code, 0 | 1 | 0xD0..=0xD9 | 0xDC | 0xFF) {
            return false;
        }
        if code == 0xDA {
            return true;
        }
        rest = rest.get(2 + usize::from(u16::from_be_bytes([high, low]))..).unwrap_or_default();
    }
}

/// The size that the decoder reads.
pub fn size(bytes: &[u8]) -> Option<Size> {
    Walker::new(bytes).and_then(|mut walker| walker.frame()).ok().map(|frame| frame.size)
}

fn options(strict: bool) -> DecoderOptions {
    let most = usize::from(u16::MAX);
    DecoderOptions::default().set_strict_mode(strict).set_max_width(most).set_max_height(most)
}

/// One stream and several, with segments of so many bytes, give the same coefficients or the same refusal.
pub fn streams_agree(bytes: &[u8], count: u8, segment: usize) {
    let read = |streams| Read::new(bytes, Kept::all(count), streams, &Ask::default()).and_then(Read::coefficients);
    assert!(
        read(Streams::One) == read(Streams::Several(segment.max(1))),
        "{count} coefficients, segments of {segment}"
    );
}

/// The lenient reader gives what the fast one does, where that reads a file.
pub fn lenient_agrees(bytes: &[u8], count: u8) {
    assert!(super::is_same_leniently(bytes, count), "{count} coefficients");
}

/// A window is that part of the whole, in samples and in coefficients.
pub fn windows_are_parts(bytes: &[u8], window: Rect) {
    let whole = Ask::default().packed(bytes);
    let part = Ask { window: Some(window), ..Ask::default() }.packed(bytes);
    match (&whole, &part) {
        (Ok(whole), Ok(part)) => assert!(cut(whole, window) == cut(part, window), "{window:?}"),
        // Sequential files are left as soon as all that is wanted was read.
        (Err(_), _) => {}
        (Ok(_), Err(error)) => panic!("a part is refused, all of it is not: {error:?}"),
    }
}

/// The rows of a window.
fn cut(image: &ImageBuf, window: Rect) -> Vec<&[u8]> {
    let channels = image.format().channels();
    let (first, count) = (window.left as usize * channels, window.size.width() as usize * channels);
    (window.top..window.top + window.size.height()).map(|y| &image.row(y)[first..first + count]).collect()
}

/// The first coefficients of every block are the first of more: `few` of them, and of what is found where `more` are kept.
/// Means of blocks that seem to have nothing else are rounded ([`Grid::dequantise`]), and those of RGB mixed.
///
/// Of progressive files fewer scans are read for fewer coefficients: what is wrong with the others is not seen. Nothing is
/// held to where such a one may hold bytes that look like markers.
pub fn prefixes_agree(bytes: &[u8], few: u8, more: u8) {
    let read = |count| Ask::default().coefficients(bytes, Kept::all(count));
    let Ok(frame) = Walker::new(bytes).and_then(|mut walker| walker.frame()) else { return };
    let is_rgb = frame.colours == Colours::Rgb;
    if frame.progressive && bytes.windows(2).any(|pair| pair[0] == 0xFF && (0x01..0xC0).contains(&pair[1])) {
        return;
    }
    match (read(few), read(more)) {
        (Ok(few), Ok(more)) => {
            assert_eq!((few.size, few.components.len()), (more.size, more.components.len()));
            for (few, more) in few.components.iter().zip(&more.components) {
                assert_eq!((few.size, few.blocks), (more.size, more.blocks));
                let blocks = few.blocks.area() as usize;
                let (some, all) = (&few.values, &more.values[..few.values.len()]);
                assert!(some[blocks..] == all[blocks..], "others than means");
                for (&a, &b) in some[..blocks].iter().zip(all) {
                    let mixed = is_rgb && a.abs_diff(b) <= 9;
                    assert!(mixed || a == b || a == rounded(b) || rounded(a) == b, "means {a} and {b}");
                }
            }
        }
        (Ok(_), Err(Refused::Damaged)) if frame.progressive => {}
        (few, more) => assert_eq!(few.is_ok(), more.is_ok(), "{:?} {:?}", few.err(), more.err()),
    }
}

fn rounded(mean: i16) -> i16 {
    mean.saturating_add(4) & !7
}

/// All coefficients of each component as the file has them, in rows of blocks of whole MCUs, zigzag.
///
/// # Errors
/// As the decoder's.
pub fn coefficients_as_written(bytes: &[u8]) -> Result<Vec<Vec<[i16; 64]>>, Refused> {
    let (_, grids, _) = written(bytes)?;
    let blocks = |grid: &Grid| {
        let block = |block: usize| std::array::from_fn(|k| grid.values[grid.at(k, block)]);
        (0..grid.blocks_across * grid.blocks_down).map(block).collect()
    };
    Ok(grids.iter().map(blocks).collect())
}

fn written(bytes: &[u8]) -> Result<(Frame, Vec<Grid>, Walker<'_>), Refused> {
    let ask = Ask::default();
    let mut walker = Walker::new(bytes)?;
    let frame = walker.frame()?;
    let window = Window::new(frame.size, None);
    let mut grids: Vec<Grid> = frame.components.iter().map(Grid::whole).collect();
    let of = if frame.progressive { progressive::decode } else { lenient::decode };
    of(&mut walker, &frame, &mut grids, &window, ask.max_scans, ask.cancelled)?;
    Ok((frame, grids, walker))
}

/// What two decoders had to say of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opinions {
    /// Samples were compared.
    Same,
    /// One of them refuses, or there is nothing that could be compared.
    Apart,
}

/// Where neither zune-jpeg nor the check of scan headers finds anything wrong with a file, it is read here too; and to the
/// same samples, where the data are known to be sound. zune-jpeg does not notice all that is wrong with them.
///
/// Not compared are blocks that no encoder makes of samples, whose coefficients are so large that the transforms round or
/// overflow in ways of their own; sequential files with restarts, in front of which zune-jpeg may read the last block wrong
/// and which it goes on counting from one scan to the next; and those of several scans, of which some hold some, but not all,
/// components.
pub fn second_opinion_agrees(bytes: &[u8], is_sound: bool) -> Opinions {
    let limits = Limits::default();
    let checked = Markers::read(bytes).and_then(|markers| markers.check_scans(bytes, &limits));
    let Some(theirs) = by_zune(bytes).filter(|_| checked.is_ok()) else { return Opinions::Apart };
    let ours = match Collected::new(bytes) {
        Ok(ours) => ours,
        Err(error) => panic!("zune-jpeg finds nothing wrong, here it is refused: {error:?}"),
    };
    if !is_sound || is_in_odd_order(bytes) || !is_moderate(bytes) {
        return Opinions::Apart;
    }
    for (i, (size, theirs)) in theirs.iter().enumerate() {
        let ours = &ours.planes[&i];
        assert_eq!(ours.len(), theirs.len(), "component {i} of {size}");
        let apart = ours.iter().zip(theirs).position(|(a, b)| a.abs_diff(*b) > APART);
        let differing = apart.map(|at| (at, ours[at], theirs[at]));
        assert_eq!(differing, None, "sample, ours and theirs, of component {i} of {size}");
    }
    Opinions::Same
}

/// A sequential file with restarts, or of several scans that are not of one component each.
fn is_in_odd_order(bytes: &[u8]) -> bool {
    let of = |code: u8| bytes.windows(5).filter(move |at| at.starts_with(&[0xFF, code]));
    let mixed = of(0xDA).count() > 1 && of(0xDA).any(|scan| scan[4] > 1);
    of(0xC2).count() == 0 && (mixed || of(0xDD).count() > 0)
}

/// All coefficients of moderate size.
fn is_moderate(bytes: &[u8]) -> bool {
    let Ok((frame, grids, walker)) = written(bytes) else { return false };
    frame.components.iter().zip(grids).all(|(component, grid)| {
        let Some(table) = walker.quantisation(component.table) else { return false };
        grid.values.as_chunks::<64>().0.iter().all(|block| {
            let zigzag = BY_COLUMN.iter().zip(table);
            let sum: i64 = zigzag.map(|(&at, &q)| i64::from(block[usize::from(at)]).abs() * i64::from(q)).sum();
            sum <= 8192
        })
    })
}

/// The size and the samples of each component.
type Planes = Vec<(Size, Vec<u8>)>;

/// `None` where it finds anything wrong.
fn by_zune(bytes: &[u8]) -> Option<Planes> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options(true));
    decoder.decode_headers().ok()?;
    let mut raw = decoder.raw_output();
    let (layout, count) = (raw.layout()?, raw.num_components()?);
    let layout = &layout[..count];
    let mut buffers: Vec<Vec<u8>> = layout.iter().map(|plane| vec![0; plane.byte_size]).collect();
    let mut planes: Vec<&mut [u8]> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
    raw.decode_into_planes(&mut planes).ok()?;
    let planes = layout.iter().zip(&buffers).map(|(plane, samples)| {
        let rows = samples.chunks(plane.stride.max(1)).take(plane.height).flat_map(|row| &row[..plane.width]);
        Some((Size::new(plane.width as u32, plane.height as u32)?, rows.copied().collect()))
    });
    planes.collect()
}

/// All samples of each component.
#[derive(Default)]
struct Collected {
    planes: BTreeMap<usize, Vec<u8>>,
}

impl Collected {
    fn new(bytes: &[u8]) -> Result<Self, Refused> {
        let mut walker = Walker::new(bytes)?;
        let frame = walker.frame()?;
        let mut collected = Self::default();
        Ask::default().samples_to(&mut walker, &frame, &Window::new(frame.size, None), &mut collected)?;
        Ok(collected)
    }
}

impl PlaneSink for Collected {
    fn rows(&mut self, plane: usize, _: u32, samples: &[u8]) {
        self.planes.entry(plane).or_default().extend_from_slice(samples);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The JPEG files in a folder and in those in it, of at most so many bytes.
    fn files(folder: &str, most: u64) -> Vec<(String, Vec<u8>)> {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
        let mut found = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "jpg" || e == "jpeg")
                    && entry.metadata().is_ok_and(|about| about.len() <= most)
                {
                    found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found
    }

    /// Whether samples were compared with those of the other decoder.
    fn hold(bytes: &[u8], is_sound: bool) -> bool {
        headers_agree(bytes);
        let Some(size) = size(bytes).filter(|size| size.area() <= 1 << 17) else { return false };
        for count in [1, 6, 64] {
            lenient_agrees(bytes, count);
            streams_agree(bytes, count, 50);
            [3, 15, 64].into_iter().for_each(|more| prefixes_agree(bytes, count.min(more), count.max(more)));
        }
        let part = |side: u32| (side / 3, side.div_ceil(4));
        let ((left, across), (top, down)) = (part(size.width()), part(size.height()));
        windows_are_parts(bytes, Rect { left, top, size: Size::at_least_one(across, down) });
        second_opinion_agrees(bytes, is_sound) == Opinions::Same
    }

    /// Fixtures that are as they should be.
    const SOUND: [&str; 9] = [
        "exif-1.jpg",
        "422.jpg",
        "444.jpg",
        "cmyk.jpg",
        "grey.jpg",
        "rgb.jpg",
        "separate.jpg",
        "ycck.jpg",
        "progressive.jpg",
    ];

    #[test]
    fn laws_hold_of_every_file() {
        let mut compared = 0;
        for folder in ["tests/fixtures", "fuzz/regressions", "../shared/corpus"] {
            for (path, bytes) in files(folder, 60 << 10) {
                println!("{path}");
                let is_sound = SOUND.iter().any(|name| path.ends_with(&format!("/fixtures/{name}")));
                compared += usize::from(hold(&bytes, is_sound));
            }
        }
        assert!(compared >= SOUND.len() - 1, "{compared}");
    }
}
