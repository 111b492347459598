//! The work on a row, compiled for any processor and for those with AVX2.

use super::Refused;
use super::rows::Rows;

/// See [`Rows::row`].
pub(super) type Row = fn(&mut Rows<'_>, usize, &mut [u8]) -> Result<(), Refused>;

#[derive(Debug, Clone, Copy)]
pub(super) struct Twins {
    pub(super) rgb: Row,
    pub(super) rgba: Row,
}

impl Twins {
    pub(super) const PLAIN: Self = Self { rgb: plain::<3>, rgba: plain::<4> };

    /// The fastest that this processor runs.
    pub(super) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") {
                return Self { rgb: avx2::<3>, rgba: avx2::<4> };
            }
        }
        Self::PLAIN
    }
}

fn plain<const CHANNELS: usize>(rows: &mut Rows<'_>, y: usize, out: &mut [u8]) -> Result<(), Refused> {
    rows.row::<CHANNELS>(y, out)
}

#[cfg(target_arch = "x86_64")]
fn avx2<const CHANNELS: usize>(rows: &mut Rows<'_>, y: usize, out: &mut [u8]) -> Result<(), Refused> {
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn enabled<const CHANNELS: usize>(rows: &mut Rows<'_>, y: usize, out: &mut [u8]) -> Result<(), Refused> {
        rows.row::<CHANNELS>(y, out)
    }
    #[allow(unsafe_code, reason = "calling code compiled for features")]
    // SAFETY: `fastest` gives this function away only where the processor has all of them.
    unsafe {
        enabled::<CHANNELS>(rows, y, out)
    }
}
