//! The readers of scans, compiled for any processor and for those that count and find bits in one instruction.

use super::super::Refused;
use super::super::frame::{Frame, Grid, Scan};
use super::super::huffman::Table;
use super::super::window::Window;
use super::{Rows, Units, dc, first, refinement};

/// Reads a scan of means.
pub(super) type ReadDc = fn(Rows<'_, '_>, &Frame, &Scan, &mut [Grid], &Window) -> Result<(), Refused>;
/// Reads a scan of a band of one component.
pub(super) type ReadBand = fn(Rows<'_, '_>, Units, &Scan, &Table, &mut Grid) -> Result<(), Refused>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Twins {
    pub(super) dc: ReadDc,
    pub(super) first: ReadBand,
    pub(super) refinement: ReadBand,
}

impl Twins {
    pub(super) const PLAIN: Self = Self { dc: dc::read, first: first::read, refinement: refinement::read };

    /// The fastest that this processor runs.
    pub(super) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt") {
                return Self { dc: bits::dc, first: bits::first, refinement: bits::refinement };
            }
        }
        Self::PLAIN
    }
}

#[cfg(target_arch = "x86_64")]
mod bits {
    use super::{Frame, Grid, Refused, Rows, Scan, Table, Units, Window};

    macro_rules! twin {
        ($name:ident($($argument:ident: $kind:ty),*)) => {
            pub(super) fn $name(rows: Rows<'_, '_>, $($argument: $kind),*) -> Result<(), Refused> {
                #[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
                fn enabled(rows: Rows<'_, '_>, $($argument: $kind),*) -> Result<(), Refused> {
                    super::$name::read(rows, $($argument),*)
                }
                #[allow(unsafe_code, reason = "calling code compiled for features")]
                // SAFETY: `fastest` gives this function away only where the processor has all of them.
                unsafe {
                    enabled(rows, $($argument),*)
                }
            }
        };
    }
    twin!(dc(frame: &Frame, scan: &Scan, grids: &mut [Grid], window: &Window));
    twin!(first(units: Units, scan: &Scan, table: &Table, grid: &mut Grid));
    twin!(refinement(units: Units, scan: &Scan, table: &Table, grid: &mut Grid));
}

#[cfg(test)]
mod tests {
    use super::super::super::frame::Walker;
    use super::*;

    #[test]
    fn both_twins_read_the_same() {
        let file = std::fs::read("tests/fixtures/progressive.jpg").unwrap();
        let read = |twins, bytes: &[u8], whole| {
            let mut walker = Walker::new(bytes)?;
            let frame = walker.frame()?;
            let grid = |c| if whole { Grid::whole(c) } else { Grid::new(c, 6) };
            let mut grids: Vec<_> = frame.components.iter().map(grid).collect();
            let window = Window::new(frame.size, None);
            super::super::decode_by(twins, &mut walker, &frame, &mut grids, &window, 100, &|| false)?;
            Ok::<_, Refused>(grids.into_iter().map(|grid| (grid.values, grid.filled)).collect::<Vec<_>>())
        };
        let (mut random, mut fine) = (5_u32, 0);
        for round in 0..200 {
            let mut bytes = file.clone();
            for _ in 0..round % 5 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = 700 + random as usize % (bytes.len() - 700);
                bytes[at] = (random >> 24) as u8;
            }
            for whole in [false, true] {
                let plain = read(Twins::PLAIN, &bytes, whole);
                fine += usize::from(plain.is_ok());
                assert!(plain == read(Twins::fastest(), &bytes, whole), "{round}");
            }
        }
        assert!(fine > 100, "{fine}");
    }
}
