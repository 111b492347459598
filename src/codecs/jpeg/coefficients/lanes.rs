//! Where blocks begin, found at several places of the data at once.
//!
//! Looking up, shifting and looking up again is a chain of which a processor could follow several side by side. Huffman
//! data falls into step by itself: whoever begins to read at a wrong place soon reads what the right reader reads.
//! So lanes begin at places of their own, and [`super::splice`] keeps what the true reader would have met.
//! (S. T. Klein and Y. Wiseman, "Parallel Huffman Decoding with Applications to JPEG Files", The Computer Journal 46
//! (5), 2003.)

use std::hint::select_unpredictable;

use super::bits::Unstuffed;
use super::pattern::{MAX_BLOCKS, Pattern, PatternSkips};
use super::skip::{COEFFICIENT, ENDS, FEW, MAX_DC_SIZE, MOST, NONE, Skips, WINDOW, sequence};

/// Places that are read at once.
pub(super) const LANES: usize = 6;
/// Look-ups for which each load of eight bytes is enough, though seven of its bits may be behind; one more is made where
/// these have left a whole window.
const GROUP: u32 = 1 + (57 - WINDOW) / MOST;
/// Bits that may be used before a window may not be whole any more.
const WHOLE: i32 = 57 - WINDOW as i32;
/// Loads between looks at how far the lanes are.
const ROUNDS: usize = 63;

/// A bit behind all data.
const NOWHERE: usize = u32::MAX as usize;

/// Bits used, of a sum of entries.
const USED: i32 = (1 << COEFFICIENT) - 1;
/// Sums of coefficients of 64 and more; they stay below 256.
const OVER: i32 = 3 * NONE as i32;
/// Bits that a slow step reads at most before it looks up.
const SLOWLY: usize = 44;

/// A part of the data, and where blocks were found in it.
#[derive(Debug, Default)]
pub(super) struct Segment {
    /// First byte, and the byte at or behind which the lane stops.
    pub(super) begin: usize,
    pub(super) end: usize,
    /// Whether an MCU begins at `begin`; otherwise that is a guess.
    pub(super) exact: bool,
    /// First bit of each block, the first of them that of an MCU; the last block may be incomplete.
    pub(super) begins: Vec<u32>,
}

/// A reader of one segment.
struct Lane<'a> {
    segment: Option<&'a mut Segment>,
    /// Bit.
    at: usize,
    /// From bit [`COEFFICIENT`] on: coefficients passed in this block.
    passed: i32,
    /// Twice the block of the MCU, and 1 if it has begun.
    place: usize,
    /// Bit at which there was no code.
    lost: Option<usize>,
}

impl Lane<'_> {
    /// Whether there is something left to read in this segment.
    fn goes_on(&mut self) -> bool {
        let Some(segment) = &self.segment else { return false };
        let Some(bit) = self.lost else { return self.at < 8 * segment.end };
        let again = bit / 8 + 1;
        let guessed = !segment.exact && again < segment.begin + WARM_UP && again < segment.end;
        if guessed {
            self.restart(again);
        }
        guessed
    }

    /// At an MCU that begins with byte `at`.
    fn restart(&mut self, at: usize) {
        (self.at, self.passed, self.place, self.lost) = (8 * at, 0, 0, None);
        if let Some(segment) = &mut self.segment {
            segment.begins.clear();
            segment.begins.push(8 * at as u32);
        }
    }
}

/// Bytes from a guessed beginning in which what is no code only shows that the guess was wrong.
const WARM_UP: usize = 2048;

/// Reads all segments.
pub(super) fn read<'a>(
    data: &Unstuffed,
    pattern: &Pattern,
    skips: &PatternSkips,
    mut waiting: impl Iterator<Item = &'a mut Segment>,
) {
    let tables = Tables::new(pattern, skips);
    let run = fastest();
    let mut lanes: [Lane<'_>; LANES] =
        std::array::from_fn(|_| Lane { segment: None, at: 0, passed: 0, place: 0, lost: None });
    loop {
        let mut busy = false;
        for lane in &mut lanes {
            if !lane.goes_on() {
                lane.segment = waiting.next();
                let begin = lane.segment.as_ref().map_or(0, |segment| segment.begin);
                lane.restart(begin);
            }
            busy |= lane.segment.is_some();
        }
        if !busy {
            return;
        }
        run(data, pattern, &tables, &mut lanes);
    }
}

/// Blocks of an MCU that have not begun, and that have.
const PLACES: usize = 2 * MAX_BLOCKS;

/// What a lane looks up at each place of an MCU.
struct Tables<'a> {
    /// The table of a block's first symbols, and behind it that of the others.
    skips: [&'a Skips; PLACES],
    /// The place behind a block.
    following: [u8; PLACES],
}

impl<'a> Tables<'a> {
    fn new(pattern: &Pattern, skips: &'a PatternSkips) -> Self {
        let blocks = pattern.blocks.len();
        let of_blocks = skips.tables();
        let tables = |place: usize| {
            let (first, others) = of_blocks[place / 2];
            if place.is_multiple_of(2) { first } else { others }
        };
        Self {
            skips: std::array::from_fn(tables),
            following: std::array::from_fn(|place| ((place / 2 + 1) % blocks.max(1) * 2) as u8),
        }
    }
}

type Run = fn(&Unstuffed, &Pattern, &Tables<'_>, &mut [Lane<'_>; LANES]);

/// The fastest of the twins that this processor runs: the same code, compiled for it.
fn fastest() -> Run {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("bmi2") {
        return run_bmi2;
    }
    run
}

/// With shifts by any register.
#[cfg(target_arch = "x86_64")]
fn run_bmi2(data: &Unstuffed, pattern: &Pattern, tables: &Tables<'_>, lanes: &mut [Lane<'_>; LANES]) {
    #[target_feature(enable = "bmi1,bmi2,lzcnt")]
    fn enabled(data: &Unstuffed, pattern: &Pattern, tables: &Tables<'_>, lanes: &mut [Lane<'_>; LANES]) {
        run(data, pattern, tables, lanes);
    }
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has BMI2, and all that do have the other two.
    unsafe {
        enabled(data, pattern, tables, lanes);
    }
}

/// Steps each lane over [`ROUNDS`] groups of look-ups. There is no branch in it that depends on the data but for blocks
/// that a look-up cannot step over: whatever a lane finds, the others go on.
#[inline(always)]
fn run(data: &Unstuffed, pattern: &Pattern, tables: &Tables<'_>, lanes: &mut [Lane<'_>; LANES]) {
    let mut at: [usize; LANES] = std::array::from_fn(|i| lanes[i].at);
    let mut passed: [i32; LANES] = std::array::from_fn(|i| lanes[i].passed);
    let mut place: [usize; LANES] = std::array::from_fn(|i| lanes[i].place);
    let mut found = [[0_u32; ROUNDS + 1]; LANES];
    let mut count = [0_usize; LANES];
    // What is found behind a loss is nothing.
    let mut kept = [ROUNDS; LANES];

    for _ in 0..ROUNDS {
        let mut bits = [0_u64; LANES];
        let mut sum = [0_i32; LANES];
        let mut others = [tables.skips[1]; LANES];
        for i in 0..LANES {
            bits[i] = data.peek(at[i]);
        }
        for i in 0..LANES {
            let first = tables.skips[place[i] % PLACES];
            others[i] = tables.skips[(place[i] | 1) % PLACES];
            let entry = i32::from(first[(bits[i] >> (64 - WINDOW)) as usize] as i16);
            bits[i] <<= entry & USED;
            sum[i] = passed[i] + entry;
        }
        for _ in 1..GROUP {
            for i in 0..LANES {
                let entry = i32::from(others[i][(bits[i] >> (64 - WINDOW)) as usize] as i16);
                bits[i] <<= entry & USED;
                // Behind the end of a block nothing is added.
                sum[i] += select_unpredictable(sum[i] < 0, 0, entry);
            }
        }
        for i in 0..LANES {
            let entry = i32::from(others[i][(bits[i] >> (64 - WINDOW)) as usize] as i16);
            let stops = sum[i] | (WHOLE - (sum[i] & USED));
            sum[i] += select_unpredictable(stops < 0, 0, entry);
        }
        for i in 0..LANES {
            if sum[i] & OVER != 0 {
                let block = place[i] / 2 % MAX_BLOCKS;
                match slowly(data, pattern, block, &tables.skips.as_chunks().0[block], (at[i], passed[i])) {
                    Ok(found) => (at[i], sum[i]) = found,
                    Err(bit) => {
                        lanes[i].lost.get_or_insert(bit);
                        kept[i] = kept[i].min(count[i]);
                        // Goes on behind all data, where there are zeros.
                        (at[i], sum[i]) = (NOWHERE, 0);
                    }
                }
            }
        }
        for i in 0..LANES {
            let ends = sum[i] < 0;
            at[i] += (sum[i] & USED) as usize;
            found[i][count[i] % (ROUNDS + 1)] = at[i] as u32;
            count[i] += usize::from(ends);
            let following = usize::from(tables.following[place[i] % PLACES]);
            place[i] = select_unpredictable(ends, following, place[i] | 1);
            passed[i] = select_unpredictable(ends, 0, sum[i] & !USED);
        }
    }
    for (i, lane) in lanes.iter_mut().enumerate() {
        (lane.at, lane.passed, lane.place) = (at[i], passed[i], place[i]);
        if let Some(segment) = &mut lane.segment {
            segment.begins.extend_from_slice(&found[i][..count[i].min(kept[i])]);
        }
    }
}

/// Steps over some bits, symbol by symbol where it must, up to the end of the block at most. Answers the bit and a sum of
/// entries without bits used.
///
/// # Errors
/// The bit at which there is no code, or a run beyond the block.
#[cold]
#[inline(never)]
fn slowly(
    data: &Unstuffed,
    pattern: &Pattern,
    block: usize,
    [first, others]: &[&Skips; 2],
    (begin, passed): (usize, i32),
) -> Result<(usize, i32), usize> {
    let mut bit = begin;
    let mut k = (passed >> COEFFICIENT) as u32;
    let part = pattern.blocks.get(block).and_then(|&part| pattern.parts.get(part));
    while bit < begin + SLOWLY {
        let window = data.peek(bit);
        if let Some(stepped) = sequence(if k == 0 { first } else { others }, window, k) {
            bit += stepped.bits as usize;
            if stepped.ends || stepped.reached == 64 {
                return Ok((bit, i32::MIN));
            }
            k = stepped.reached;
            continue;
        }
        let found = part.and_then(|part| if k == 0 { part.dc.look(window) } else { part.ac.look(window) });
        let (length, symbol) = match found {
            Some((length, symbol)) if k > 0 || u32::from(symbol) <= MAX_DC_SIZE => (length, u32::from(symbol)),
            _ => return Err(bit),
        };
        let (run, size) = if k == 0 { (0, symbol) } else { (symbol >> 4, symbol & 15) };
        bit += (length + size) as usize;
        if k > 0 && size == 0 && run != 15 {
            return Ok((bit, i32::MIN));
        }
        k += run + 1;
        if k == 64 {
            return Ok((bit, i32::MIN));
        }
        if k > 64 {
            return Err(bit);
        }
    }
    Ok((bit, (k << COEFFICIENT) as i32))
}

const _: () = assert!(ENDS as i16 as i32 == i32::MIN >> 16, "the end of a block is the sign of an entry");
const _: () = assert!((GROUP + 1) * MOST < 1 << COEFFICIENT, "bits used stay in their bits");
const _: () = assert!(63 + GROUP * FEW + 64 < 256 && GROUP < 4, "coefficients stay in theirs");
