//! The first coefficients of blocks whose beginnings are known.

use std::hint::select_unpredictable;

use super::Refused;
use super::bits::Unstuffed;
use super::frame::Grid;
use super::huffman::extend;
use super::pattern::{Part, Pattern};
use super::ready::{self, Entry};
use super::target::Scanned;

/// Reads blocks in their order, dequantised.
pub(super) struct Values<'p, 't> {
    pattern: &'p Pattern,
    target: Scanned<'t>,
    /// For each part: the DC value of the block before.
    predictors: Vec<i32>,
    /// For each part: its quantisation table.
    tables: Vec<[u16; 64]>,
    /// Where the next MCU lies.
    x: usize,
    y: usize,
}

impl<'p, 't> Values<'p, 't> {
    /// `tables`: of quantisation, one for each part.
    pub(super) fn new(pattern: &'p Pattern, target: Scanned<'t>, tables: Vec<[u16; 64]>) -> Self {
        Self { pattern, target, predictors: vec![0; pattern.parts.len()], tables, x: 0, y: 0 }
    }

    /// A restart interval begins.
    pub(super) fn restart(&mut self) {
        self.predictors.fill(0);
    }

    /// Reads the blocks of whole MCUs, which begin at these bits.
    ///
    /// # Errors
    /// [`Refused::Damaged`] where there is no code.
    pub(super) fn take(&mut self, data: &Unstuffed, begins: &[u32]) -> Result<(), Refused> {
        let blocks = self.pattern.blocks.len();
        let read = fastest();
        let mut begins = begins;
        while !begins.is_empty() {
            let mcus = (begins.len() / blocks).min(self.pattern.across - self.x);
            let (row, rest) = begins.split_at(mcus * blocks);
            if row.is_empty() {
                return Err(Refused::Damaged);
            }
            let mut first = 0;
            for (part, predictor) in self.pattern.parts.iter().zip(&mut self.predictors) {
                let grid = self.target.grid(part);
                let place = Place { first, blocks, x: self.x, top: grid.row(part, self.y) };
                *predictor = read(data, part, row, &place, *predictor, grid)?;
                first += part.h * part.v;
            }
            self.x += mcus;
            if self.x == self.pattern.across {
                self.target.done(self.pattern, &self.tables, self.y);
                (self.x, self.y) = (0, self.y + 1);
            }
            begins = rest;
        }
        Ok(())
    }
}

/// Which of the blocks are those of a part, and where they lie.
struct Place {
    /// First block of the part in an MCU of so many blocks.
    first: usize,
    blocks: usize,
    /// The first MCU, and its first row of blocks in the grid.
    x: usize,
    top: usize,
}

/// Blocks that are read side by side.
const ABREAST: usize = 4;

type Read = fn(&Unstuffed, &Part, &[u32], &Place, i32, &mut Grid) -> Result<i32, Refused>;

/// The fastest of the twins that this processor runs: the same code, compiled for it.
fn fastest() -> Read {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("bmi2") {
        return read_bmi2;
    }
    read
}

/// With shifts by any register.
#[cfg(target_arch = "x86_64")]
fn read_bmi2(
    data: &Unstuffed,
    part: &Part,
    begins: &[u32],
    place: &Place,
    predictor: i32,
    grid: &mut Grid,
) -> Result<i32, Refused> {
    #[target_feature(enable = "bmi1,bmi2,lzcnt")]
    fn enabled(
        data: &Unstuffed,
        part: &Part,
        begins: &[u32],
        place: &Place,
        predictor: i32,
        grid: &mut Grid,
    ) -> Result<i32, Refused> {
        read(data, part, begins, place, predictor, grid)
    }
    #[allow(unsafe_code, reason = "calling code compiled for a feature")]
    // SAFETY: `fastest` gives this function away only where the processor has BMI2, and all that do have the other two.
    unsafe {
        enabled(data, part, begins, place, predictor, grid)
    }
}

/// Reads the blocks of one part in a row of MCUs; answers the last DC value.
#[inline(always)]
fn read(
    data: &Unstuffed,
    part: &Part,
    begins: &[u32],
    place: &Place,
    predictor: i32,
    grid: &mut Grid,
) -> Result<i32, Refused> {
    match grid.count {
        1 => read_row::<1, 2>(data, part, begins, place, predictor, grid),
        3 => read_row::<3, 4>(data, part, begins, place, predictor, grid),
        6 => read_row::<6, 8>(data, part, begins, place, predictor, grid),
        10 => read_row::<10, 16>(data, part, begins, place, predictor, grid),
        15 => read_row::<15, 16>(data, part, begins, place, predictor, grid),
        21 => read_row::<21, 32>(data, part, begins, place, predictor, grid),
        28 => read_row::<28, 32>(data, part, begins, place, predictor, grid),
        _ => read_row::<64, 1>(data, part, begins, place, predictor, grid),
    }
}

/// `ROOM`: more than `N`, for blocks that are read abreast.
#[inline(always)]
fn read_row<const N: usize, const ROOM: usize>(
    data: &Unstuffed,
    part: &Part,
    begins: &[u32],
    place: &Place,
    mut predictor: i32,
    grid: &mut Grid,
) -> Result<i32, Refused> {
    let mut group = Group { at: [0; ABREAST], index: [0; ABREAST], len: 0 };
    for (mcu, begins) in begins.chunks_exact(place.blocks).enumerate() {
        let left = (place.x + mcu) * part.h;
        let begins = &begins[place.first..][..part.h * part.v];
        for y in 0..part.v {
            for x in 0..part.h {
                group.at[group.len] = begins[y * part.h + x] as usize;
                group.index[group.len] = (place.top + y) * grid.blocks_across + left + x;
                group.len += 1;
                if group.len == ABREAST {
                    group.read::<N, ROOM>(data, part, &mut predictor, grid)?;
                }
            }
        }
    }
    if group.len > 0 {
        group.read::<N, ROOM>(data, part, &mut predictor, grid)?;
    }
    Ok(predictor)
}

/// Blocks that are read side by side: their first bits and where their values go.
struct Group {
    at: [usize; ABREAST],
    index: [usize; ABREAST],
    len: usize,
}

impl Group {
    #[inline(always)]
    fn read<const N: usize, const ROOM: usize>(
        &mut self,
        data: &Unstuffed,
        part: &Part,
        predictor: &mut i32,
        grid: &mut Grid,
    ) -> Result<(), Refused> {
        let plane = grid.blocks_across * grid.blocks_down;
        let len = std::mem::take(&mut self.len);
        if N > MOST_ABREAST {
            for i in 0..len {
                let values = &mut grid.values[self.index[i]..];
                block(data, part, self.at[i], predictor, (grid.count, plane), values)?;
            }
            return Ok(());
        }
        let found = if N <= Entry::END {
            ready::<N, ROOM>(data, part, &self.at)
        } else {
            abreast::<N, ROOM>(data, part, &self.at)
        };
        for (i, (values, longer)) in found.iter().enumerate().take(len) {
            let target = &mut grid.values[self.index[i]..];
            if *longer {
                block(data, part, self.at[i], predictor, (N, plane), target)?;
                continue;
            }
            *predictor = predictor.wrapping_add(i32::from(values[0]));
            target[0] = clamped(*predictor);
            for k in 1..N {
                target[k * plane] = values[k];
            }
        }
        Ok(())
    }
}

/// Up to so many coefficients it pays to read all that there might be, whether the block has them or not.
const MOST_ABREAST: usize = 28;

/// The difference of the DC value and the next `N - 1` coefficients of each block; or that a code was long.
///
/// There is no branch in it that depends on the data.
#[inline(always)]
fn abreast<const N: usize, const ROOM: usize>(
    data: &Unstuffed,
    part: &Part,
    at: &[usize; ABREAST],
) -> [([i16; ROOM], bool); ABREAST] {
    let [dc, ac] = part.symbols();
    let mut found = [([0_i16; ROOM], false); ABREAST];
    let mut at = *at;
    let mut window = at.map(|at| data.peek(at));
    let mut k = [0; ABREAST];
    for i in 0..ABREAST {
        let symbol = dc.look(window[i]);
        found[i].1 = symbol.is_none();
        found[i].0[0] = symbol.value(window[i]) as i16;
        at[i] += symbol.used() as usize;
        window[i] <<= symbol.used();
    }
    for n in 1..N {
        for i in 0..ABREAST {
            // 57 bits are enough for two symbols.
            if n % 2 == 0 {
                window[i] = data.peek(at[i]);
            }
            let symbol = ac.look(window[i]);
            found[i].1 |= symbol.is_none();
            k[i] += symbol.passed();
            found[i].0[select_unpredictable(k[i] < N, k[i], N)] = symbol.value(window[i]) as i16;
            at[i] += symbol.used() as usize;
            window[i] <<= symbol.used();
        }
    }
    found
}

/// As [`abreast`], of no more coefficients than [`Entry::END`].
///
/// There are branches in it, for what does not fit into a table; they are seldom taken.
#[inline(always)]
fn ready<const N: usize, const ROOM: usize>(
    data: &Unstuffed,
    part: &Part,
    at: &[usize; ABREAST],
) -> [([i16; ROOM], bool); ABREAST] {
    let tables = part.ready();
    let mut found = [([0_i16; ROOM], false); ABREAST];
    let mut at = *at;
    let mut window = at.map(|at| data.peek(at));
    let mut k = [0; ABREAST];
    for i in 0..ABREAST {
        let entry = tables.dc(window[i]);
        if entry.is_none() {
            found[i].1 = true;
        }
        found[i].0[0] = entry.value();
        at[i] += entry.used();
        window[i] <<= entry.used();
    }
    for n in 1..N {
        for i in 0..ABREAST {
            if n % (57 / ready::MOST as usize) == 0 {
                window[i] = data.peek(at[i]);
            }
            let entry = tables.ac(window[i]);
            if N <= AGAIN && entry.is_none() {
                found[i].1 = true;
            } else if entry.is_none() {
                let Some(far) = far(data, part, at[i]) else {
                    // Not to be read on; said to be wrong when it is read again.
                    (found[i].1, window[i]) = (true, 0);
                    continue;
                };
                k[i] += far.passed;
                found[i].0[select_unpredictable(k[i] < N, k[i], N)] = far.value;
                (at[i], window[i]) = (far.at, far.window);
                continue;
            }
            k[i] += entry.passed();
            found[i].0[select_unpredictable(k[i] < N, k[i], N)] = entry.value();
            at[i] += entry.used();
            window[i] <<= entry.used();
        }
    }
    found
}

/// Up to so many coefficients a block with one that does not lie in a table is read once more instead: the code for the
/// rare case would slow the others.
const AGAIN: usize = 6;

/// An AC symbol that does not lie in a table with its value, and what is behind it.
struct Far {
    passed: usize,
    value: i16,
    at: usize,
    window: u64,
}

/// `None` where there is no code.
#[cold]
#[inline(never)]
fn far(data: &Unstuffed, part: &Part, at: usize) -> Option<Far> {
    let window = data.peek(at);
    let (length, symbol) = part.ac.look(window)?;
    let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
    let passed = if size == 0 && run != 15 { Entry::END } else { run + 1 };
    let at = at + (length + size) as usize;
    Some(Far { passed, value: extend(window << length, size) as i16, at, window: data.peek(at) })
}

fn clamped(value: i32) -> i16 {
    value.max(i32::from(i16::MIN)).min(i32::from(i16::MAX)) as i16
}

/// Reads the first `count` coefficients of a block, each to be found `plane` values behind the one before.
#[inline(always)]
fn block(
    data: &Unstuffed,
    part: &Part,
    mut at: usize,
    predictor: &mut i32,
    (count, plane): (usize, usize),
    values: &mut [i16],
) -> Result<(), Refused> {
    let window = data.peek(at);
    let (length, size) = part.dc.look(window).ok_or(Refused::Damaged)?;
    let size = u32::from(size);
    *predictor = predictor.wrapping_add(extend(window << length, size));
    values[0] = clamped(*predictor);
    at += (length + size) as usize;
    let mut k = 1;
    while k < count {
        let window = data.peek(at);
        let (length, symbol) = part.ac.look(window).ok_or(Refused::Damaged)?;
        let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
        at += (length + size) as usize;
        if size == 0 {
            if run != 15 {
                break;
            }
            k += 16;
            continue;
        }
        k += run;
        if k < count {
            values[k * plane] = extend(window << length, size) as i16;
        }
        k += 1;
    }
    Ok(())
}
