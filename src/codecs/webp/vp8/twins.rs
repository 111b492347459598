//! The work on a row, compiled for any processor and for those with AVX2.

use super::Refused;
use super::rows::Rows;

/// See [`Rows::decode`].
type Decode = fn(&mut Rows<'_>, usize) -> Result<(), Refused>;
/// See [`Rows::pixels`].
pub(super) type Pixels = fn(&mut Rows<'_>, usize, &mut [u8]);

#[derive(Debug, Clone, Copy)]
pub(super) struct Twins {
    pub(super) decode: Decode,
    pub(super) rgb: Pixels,
    pub(super) rgba: Pixels,
}

impl Twins {
    pub(super) const PLAIN: Self = Self {
        decode: |rows, y| rows.decode(y),
        rgb: |rows, y, out| rows.pixels::<3>(y, out),
        rgba: |rows, y, out| rows.pixels::<4>(y, out),
    };

    /// The fastest that this processor runs.
    pub(super) fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") {
                return avx2::TWINS;
            }
        }
        Self::PLAIN
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "calling code compiled for features")]
mod avx2 {
    use super::{Refused, Rows, Twins};

    // SAFETY: `fastest` gives these away only where the processor has all features.
    pub(super) const TWINS: Twins = Twins {
        decode: |rows, y| unsafe { decode(rows, y) },
        rgb: |rows, y, out| unsafe { pixels::<3>(rows, y, out) },
        rgba: |rows, y, out| unsafe { pixels::<4>(rows, y, out) },
    };

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn decode(rows: &mut Rows<'_>, y: usize) -> Result<(), Refused> {
        rows.decode(y)
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn pixels<const CHANNELS: usize>(rows: &mut Rows<'_>, y: usize, out: &mut [u8]) {
        rows.pixels::<CHANNELS>(y, out);
    }
}
