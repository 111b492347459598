//! From stored samples to grey or RGB with straight alpha (TIFF 6.0, PhotometricInterpretation).

use super::directory::Directory;
use super::layout::Alpha;
use super::{malformed, tag};
use crate::codecs::DecodeError;

/// What the colour samples of a pixel mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Model {
    /// One sample, black at 0 unless inverted.
    Gray { inverted: bool },
    /// Red, green, blue.
    Rgb,
    /// An index into these colours.
    Palette { colours: Vec<[u8; 3]>, gray: bool },
    /// Cyan, magenta, yellow, black.
    Cmyk,
    /// Full-range BT.601, not subsampled.
    YCbCr,
}

impl Model {
    /// Reads PhotometricInterpretation and the tags that belong to it.
    pub(super) fn read(
        directory: &Directory<'_>,
        bits: u32,
        compression: u64,
        planar: bool,
    ) -> Result<Self, DecodeError> {
        Ok(match directory.unsigned(tag::PHOTOMETRIC) {
            // Some writers call RGB grey.
            Some(1) if !directory.has(tag::EXTRA) && directory.unsigned(tag::SAMPLES) >= Some(3) => Self::Rgb,
            Some(0) => Self::Gray { inverted: true },
            Some(1) => Self::Gray { inverted: false },
            Some(2) => Self::Rgb,
            Some(3) if bits <= 8 => Self::palette(directory, bits)?,
            Some(5) => Self::Cmyk,
            // The JPEG decoder converts where it sees all components.
            Some(6) if compression == tag::JPEG && !planar => Self::Rgb,
            Some(6) if directory.list(tag::SUBSAMPLING, 2).is_some_and(|s| s == [1, 1]) => Self::YCbCr,
            Some(6) => return Err(malformed("subsampled YCbCr is read in JPEG compression only")),
            Some(other) => return Err(malformed(format!("photometric interpretation {other} is not supported"))),
            None => return Err(malformed("no photometric interpretation")),
        })
    }

    fn palette(directory: &Directory<'_>, bits: u32) -> Result<Self, DecodeError> {
        let entries = 1usize << bits;
        let map = directory.list(tag::COLOUR_MAP, 3 << bits).ok_or_else(|| malformed("no colour map"))?;
        // Old writers left the map at 8 bits.
        let wide = map.iter().any(|value| *value > 255);
        let narrow = |value: u64| if wide { to_8_bits(value) } else { value as u8 };
        let colours: Vec<[u8; 3]> =
            (0..entries).map(|i| [map[i], map[entries + i], map[2 * entries + i]].map(narrow)).collect();
        let gray = colours.iter().all(|c| c[0] == c[1] && c[1] == c[2]);
        Ok(Self::Palette { colours, gray })
    }

    /// Colour samples a pixel.
    pub(super) const fn samples(&self) -> usize {
        match self {
            Self::Gray { .. } | Self::Palette { .. } => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Cmyk => 4,
        }
    }

    /// Whether the decoded picture has one colour channel.
    pub(super) const fn is_gray(&self) -> bool {
        matches!(self, Self::Gray { .. } | Self::Palette { gray: true, .. })
    }

    /// Channels as `/info` counts them, without alpha.
    pub(super) const fn channels(&self) -> u8 {
        match self {
            Self::Cmyk => 4,
            _ if self.is_gray() => 1,
            _ => 3,
        }
    }

    /// Converts pixels: `samples()` values each, and alpha, to grey or RGB and straight alpha.
    pub(super) fn convert(&self, alpha: Option<Alpha>, from: &[u8], to: &mut [u8]) {
        let extra = usize::from(alpha.is_some());
        let (step, colours) = (self.samples() + extra, if self.is_gray() { 1 } else { 3 });
        for (from, to) in from.chunks_exact(step).zip(to.chunks_exact_mut(colours + extra)) {
            match self {
                Self::Gray { inverted } => to[0] = if *inverted { 255 - from[0] } else { from[0] },
                Self::Rgb => to[..3].copy_from_slice(&from[..3]),
                Self::Palette { colours: map, .. } => {
                    let colour = map.get(usize::from(from[0])).copied().unwrap_or_default();
                    to[..colours].copy_from_slice(&colour[..colours]);
                }
                Self::Cmyk => {
                    for (to, ink) in to.iter_mut().zip(&from[..3]) {
                        *to = scaled(255 - ink, 255 - from[3]);
                    }
                }
                Self::YCbCr => to[..3].copy_from_slice(&ycbcr_to_rgb(from[0], from[1], from[2])),
            }
            if let Some(kind) = alpha {
                let opacity = from[step - 1];
                if kind == Alpha::Associated {
                    to[..colours].iter_mut().for_each(|c| *c = divided(*c, opacity));
                }
                to[colours] = opacity;
            }
        }
    }
}

/// A 16-bit value as 8 bits: divided by 257, rounded.
pub(super) const fn to_8_bits(value: u64) -> u8 {
    let value = if value > 65535 { 65535 } else { value };
    ((value + 128) / 257) as u8
}

/// `a * b / 255`, rounded.
fn scaled(a: u8, b: u8) -> u8 {
    ((u32::from(a) * u32::from(b) + 127) / 255) as u8
}

/// `colour * 255 / alpha`, rounded and at most 255; 0 where nothing shows.
fn divided(colour: u8, alpha: u8) -> u8 {
    let alpha = u32::from(alpha);
    (u32::from(colour) * 255 + alpha / 2).checked_div(alpha).map_or(0, |c| c.min(255) as u8)
}

fn ycbcr_to_rgb(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|v| v.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_divide_by_257_and_round() {
        assert_eq!([0, 128, 129, 257, 65535].map(to_8_bits), [0, 0, 1, 1, 255]);
    }

    #[test]
    fn associated_alpha_is_divided_out() {
        let mut out = [0; 8];
        Model::Rgb.convert(Some(Alpha::Associated), &[64, 128, 0, 128, 9, 9, 9, 0], &mut out);
        assert_eq!(out, [128, 255, 0, 128, 0, 0, 0, 0]);
    }

    #[test]
    fn ink_darkens() {
        let mut out = [0; 6];
        Model::Cmyk.convert(None, &[255, 0, 0, 0, 0, 0, 0, 128], &mut out);
        assert_eq!(out, [0, 255, 255, 127, 127, 127]);
    }
}
