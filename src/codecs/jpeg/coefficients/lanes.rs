//! Where blocks begin, found at several places of the data at once.
//!
//! Looking up, shifting and looking up again is a chain of which a processor could follow several side by side. Huffman
//! data falls into step by itself: whoever begins to read at a wrong place soon reads what the right reader reads.
//! So lanes begin at places of their own, and [`super::splice`] keeps what the true reader would have met.
//! (S. T. Klein and Y. Wiseman, "Parallel Huffman Decoding with Applications to JPEG Files", The Computer Journal 46
//! (5), 2003.)

use super::bits::Unstuffed;
use super::pattern::{MAX_BLOCKS, Pattern, PatternSkips};
use super::skip::{COEFFICIENT, ENDS, MAX_DC_SIZE, MOST, NONE, Skips, WINDOW};

/// Places that are read at once.
pub(super) const LANES: usize = 4;
/// Look-ups for each load of eight bytes, of which the first may hold seven bits that are behind.
const GROUP: u32 = 1 + (57 - WINDOW) / MOST;
/// Loads between looks at how far the lanes are.
const ROUNDS: usize = 15;

/// A byte behind all data.
const NOWHERE: usize = u32::MAX as usize;

/// Bits of a lane's state: where in the byte it is, or bits used since.
const USED: i32 = (1 << COEFFICIENT) - 1;
/// Sums of coefficients of 64 and more; a group adds less than 256.
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
    at: usize,
    /// Bits 0 to 2: bits of the byte that are behind; from [`COEFFICIENT`] on: coefficients passed in this block.
    state: i32,
    /// Block of the MCU.
    phase: usize,
    /// Bit at which there was no code.
    lost: Option<usize>,
}

impl Lane<'_> {
    /// Whether there is something left to read in this segment.
    fn goes_on(&mut self) -> bool {
        let Some(segment) = &self.segment else { return false };
        let Some(bit) = self.lost else { return self.at < segment.end };
        let again = bit / 8 + 1;
        let guessed = !segment.exact && again < segment.begin + WARM_UP && again < segment.end;
        if guessed {
            self.restart(again);
        }
        guessed
    }

    fn restart(&mut self, at: usize) {
        (self.at, self.state, self.phase, self.lost) = (at, 0, 0, None);
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
    let tables = skips.tables();
    let run = fastest();
    let mut lanes: [Lane<'_>; LANES] =
        std::array::from_fn(|_| Lane { segment: None, at: 0, state: 0, phase: 0, lost: None });
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

type Tables<'a> = [(&'a Skips, &'a Skips); MAX_BLOCKS];
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
    let blocks = pattern.blocks.len();
    let mut at: [usize; LANES] = std::array::from_fn(|i| lanes[i].at);
    let mut state: [i32; LANES] = std::array::from_fn(|i| lanes[i].state);
    let mut phase: [usize; LANES] = std::array::from_fn(|i| lanes[i].phase);
    let mut others: [&Skips; LANES] = std::array::from_fn(|i| tables[phase[i] % MAX_BLOCKS].1);
    let mut next: [&Skips; LANES] =
        std::array::from_fn(|i| if state[i] >> COEFFICIENT == 0 { tables[phase[i] % MAX_BLOCKS].0 } else { others[i] });
    let mut found = [[0_u32; ROUNDS + 1]; LANES];
    let mut count = [0_usize; LANES];
    // What is found behind a loss is nothing.
    let mut kept = [ROUNDS; LANES];

    for _ in 0..ROUNDS {
        let mut bits = [0_u64; LANES];
        let mut sum = [0_i32; LANES];
        for i in 0..LANES {
            bits[i] = data.load(at[i]) << (state[i] & 7);
        }
        for i in 0..LANES {
            let entry = i32::from(next[i][(bits[i] >> (64 - WINDOW)) as usize] as i16);
            bits[i] <<= entry & USED;
            sum[i] = state[i] + entry;
        }
        for _ in 1..GROUP {
            for i in 0..LANES {
                let entry = i32::from(others[i][(bits[i] >> (64 - WINDOW)) as usize] as i16);
                bits[i] <<= entry & USED;
                // Behind the end of a block nothing is added.
                sum[i] += entry & !(sum[i] >> 31);
            }
        }
        for i in 0..LANES {
            if sum[i] & OVER != 0 {
                match slowly(data, pattern, phase[i], others[i], (at[i], state[i])) {
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
            at[i] += (sum[i] & USED) as usize >> 3;
            let bit = sum[i] & 7;
            found[i][count[i] % (ROUNDS + 1)] = (8 * at[i] + bit as usize) as u32;
            count[i] += usize::from(ends);
            let following = if phase[i] + 1 == blocks { 0 } else { phase[i] + 1 };
            phase[i] = if ends { following } else { phase[i] };
            let (first, rest) = tables[phase[i] % MAX_BLOCKS];
            others[i] = rest;
            next[i] = if ends { first } else { rest };
            state[i] = bit | if ends { 0 } else { sum[i] & !USED };
        }
    }
    for (i, lane) in lanes.iter_mut().enumerate() {
        (lane.at, lane.state, lane.phase) = (at[i], state[i], phase[i]);
        if let Some(segment) = &mut lane.segment {
            segment.begins.extend_from_slice(&found[i][..count[i].min(kept[i])]);
        }
    }
}

/// Steps over some bits, symbol by symbol where it must, up to the end of the block at most. Answers the byte and the sum of entries.
///
/// # Errors
/// The bit at which there is no code, or a run beyond the block.
#[cold]
#[inline(never)]
fn slowly(
    data: &Unstuffed,
    pattern: &Pattern,
    phase: usize,
    others: &Skips,
    (at, state): (usize, i32),
) -> Result<(usize, i32), usize> {
    let begin = 8 * at + (state & 7) as usize;
    let mut bit = begin;
    let mut k = (state >> COEFFICIENT) as u32;
    let part = pattern.blocks.get(phase).and_then(|&part| pattern.parts.get(part));
    while bit < begin + SLOWLY {
        let window = data.peek(bit);
        if k > 0 {
            let entry = others[(window >> (64 - WINDOW)) as usize];
            let reached = k + u32::from(entry >> COEFFICIENT & 0x7F);
            if entry & NONE == 0 && reached < 64 {
                bit += usize::from(entry) & USED as usize;
                if entry & ENDS != 0 {
                    return Ok((bit / 8, i32::MIN | (bit % 8) as i32));
                }
                k = reached;
                continue;
            }
        }
        let found = part.and_then(|part| if k == 0 { part.dc.look(window) } else { part.ac.look(window) });
        let (length, symbol) = match found {
            Some((length, symbol)) if k > 0 || u32::from(symbol) <= MAX_DC_SIZE => (length, u32::from(symbol)),
            _ => return Err(bit),
        };
        let (run, size) = if k == 0 { (0, symbol) } else { (symbol >> 4, symbol & 15) };
        bit += (length + size) as usize;
        if k > 0 && size == 0 && run != 15 {
            return Ok((bit / 8, i32::MIN | (bit % 8) as i32));
        }
        k += run + 1;
        if k == 64 {
            return Ok((bit / 8, i32::MIN | (bit % 8) as i32));
        }
        if k > 64 {
            return Err(bit);
        }
    }
    Ok((bit / 8, (bit % 8) as i32 | (k << COEFFICIENT) as i32))
}

const _: () = assert!(ENDS as i16 as i32 == i32::MIN >> 16, "the end of a block is the sign of an entry");
const _: () = assert!(7 + GROUP * MOST < 1 << COEFFICIENT && 64 * (GROUP + 1) <= 256, "sums stay in their bits");
