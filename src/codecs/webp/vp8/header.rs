use super::Refused;
use super::bools::Bools;
use super::quantiser::{Indices, Steps};
use super::strength::Strength;
use super::tables::{DEFAULTS, Probabilities, UPDATES};

/// Frame tag, start code, two sides.
const HEAD: usize = 10;

/// What is said of the whole picture (section 9), and readers that stand behind it.
pub(super) struct Header<'a> {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Of the segments; the first one is that of a picture without.
    pub(super) segments: [Segment; 4],
    /// Probabilities of the tree of segments, if each macroblock names its own.
    pub(super) segment_tree: Option<[u8; 3]>,
    pub(super) simple_filter: bool,
    pub(super) probabilities: Box<Probabilities>,
    /// The probability that a macroblock has coefficients, if macroblocks say so.
    pub(super) skipping: Option<u8>,
    /// The modes of the macroblocks follow.
    pub(super) modes: Bools<'a>,
    /// Rows of macroblocks take turns.
    pub(super) partitions: Vec<Bools<'a>>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Segment {
    pub(super) steps: Steps,
    /// The loop filter where all of the macroblock has one prediction.
    pub(super) whole: Strength,
    /// The loop filter where each subblock has its own.
    pub(super) split: Strength,
}

/// Section 9.3.
#[derive(Default)]
struct Segments {
    enabled: bool,
    /// Values replace those of the frame; otherwise they are added.
    absolute: bool,
    quantiser: [i32; 4],
    filter: [i32; 4],
    tree: Option<[u8; 3]>,
}

impl Segments {
    fn read(bits: &mut Bools<'_>) -> Self {
        let mut segments = Self { enabled: bits.flag(), ..Self::default() };
        if !segments.enabled {
            return segments;
        }
        // Without values of their own the segments have those of an index and a level of 0.
        segments.absolute = true;
        let (map, values) = (bits.flag(), bits.flag());
        if values {
            segments.absolute = bits.flag();
            segments.quantiser = std::array::from_fn(|_| bits.optional(7));
            segments.filter = std::array::from_fn(|_| bits.optional(6));
        }
        if map {
            segments.tree = Some(std::array::from_fn(|_| if bits.flag() { bits.literal(8) as u8 } else { 255 }));
        }
        segments
    }

    fn value(&self, frame: i32, own: i32) -> i32 {
        match (self.enabled, self.absolute) {
            (false, _) => frame,
            (true, true) => own,
            (true, false) => frame + own,
        }
    }
}

impl<'a> Header<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Refused> {
        let (&[t0, t1, t2, 0x9D, 0x01, 0x2A, w0, w1, h0, h1], rest) =
            body.split_first_chunk::<HEAD>().ok_or(Refused)?
        else {
            return Err(Refused);
        };
        if t0 & 1 != 0 {
            return Err(Refused);
        }
        let side = |low, high| usize::from(u16::from_le_bytes([low, high]) & 0x3FFF);
        let first = u32::from_le_bytes([t0, t1, t2, 0]) >> 5;
        let (first, data) = rest.split_at_checked(first as usize).ok_or(Refused)?;

        let mut bits = Bools::new(first);
        let (space, _clamping) = (bits.flag(), bits.flag());
        if space {
            return Err(Refused);
        }
        let segments = Segments::read(&mut bits);
        let simple_filter = bits.flag();
        let (level, sharpness) = (bits.literal(6) as i32, bits.literal(3) as u8);
        let (mut of_reference, mut of_mode) = ([0; 4], [0; 4]);
        if bits.flag() && bits.flag() {
            of_reference = std::array::from_fn(|_| bits.optional(6));
            of_mode = std::array::from_fn(|_| bits.optional(6));
        }
        let partitions = partitions(data, 1 << bits.literal(2))?;
        let indices = Indices::read(&mut bits);
        bits.flag(); // whether the probabilities outlive this frame
        let mut probabilities = Box::new(DEFAULTS);
        for (own, update) in
            probabilities.as_flattened_mut().as_flattened_mut().iter_mut().zip(UPDATES.as_flattened().as_flattened())
        {
            for (own, update) in own.iter_mut().zip(update) {
                if bits.bit(*update) {
                    *own = bits.literal(8) as u8;
                }
            }
        }
        let skipping = bits.flag().then(|| bits.literal(8) as u8);
        if bits.overrun() {
            return Err(Refused);
        }

        let segment = |i: usize| {
            // A level of 0 for the frame switches the filter off, whatever the segments say.
            let strength = |of_mode: i32| {
                if level == 0 {
                    return Strength::default();
                }
                let level = segments.value(level, segments.filter[i]).clamp(0, 63);
                Strength::new((level + of_reference[0] + of_mode).clamp(0, 63) as u8, sharpness)
            };
            Segment {
                steps: indices.steps(segments.value(indices.base, segments.quantiser[i])),
                whole: strength(0),
                split: strength(of_mode[0]),
            }
        };
        Ok(Self {
            width: side(w0, w1),
            height: side(h0, h1),
            segments: std::array::from_fn(segment),
            segment_tree: segments.tree,
            simple_filter,
            probabilities,
            skipping,
            modes: bits,
            partitions,
        })
    }
}

/// Section 9.5: the lengths of all but the last, three bytes each, then the partitions.
fn partitions(data: &[u8], count: usize) -> Result<Vec<Bools<'_>>, Refused> {
    let (lengths, mut data) = data.split_at_checked(3 * (count - 1)).ok_or(Refused)?;
    let mut partitions = Vec::with_capacity(count);
    for &[a, b, c] in lengths.as_chunks::<3>().0 {
        let (own, rest) = data.split_at_checked(u32::from_le_bytes([a, b, c, 0]) as usize).ok_or(Refused)?;
        partitions.push(written(own)?);
        data = rest;
    }
    partitions.push(written(data)?);
    Ok(partitions)
}

/// The coder of section 7 begins with a value below its range of 255, and stays below; what comes of data that begins above
/// is another thing in each decoder.
fn written(data: &[u8]) -> Result<Bools<'_>, Refused> {
    if data.first() == Some(&0xFF) { Err(Refused) } else { Ok(Bools::new(data)) }
}
