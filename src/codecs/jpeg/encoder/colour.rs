//! Rows of RGB → rows of YCbCr, in whole numbers of 15 bits. ITU-T T.871, section 7.
//!
//! Coarse chroma is made of the sum of four pixels and rounded once. The twin in AVX2 intrinsics gives the same bytes.

/// Shares of red, green and blue, of [`ONE`].
pub(super) const Y: [i16; 3] = [9798, 19235, 3735];
pub(super) const CB: [i16; 3] = [-5529, -10855, 16384];
pub(super) const CR: [i16; 3] = [16384, -13720, -2664];
/// Bits of a share.
pub(super) const SHARE: u32 = 15;

/// Where chroma is none, and the half that rounds; of sums of `1 << more` pixels.
pub(super) const fn middle(more: u32) -> i32 {
    (128 << (SHARE + more)) + rounding(more)
}

/// The half that rounds.
pub(super) const fn rounding(more: u32) -> i32 {
    1 << (SHARE + more - 1)
}

#[inline(always)]
fn sum(shares: [i16; 3], [r, g, b]: [i32; 3]) -> i32 {
    i32::from(shares[0]) * r + i32::from(shares[1]) * g + i32::from(shares[2]) * b
}

/// A row with a chroma sample for each pixel. All of the same number of pixels.
pub(super) fn full(rgb: &[u8], luma: &mut [u8], cb: &mut [u8], cr: &mut [u8]) {
    let (pixels, _) = rgb.as_chunks::<3>();
    for (((pixel, luma), cb), cr) in pixels.iter().zip(luma).zip(cb).zip(cr) {
        let pixel = pixel.map(i32::from);
        *luma = luma_of(pixel);
        *cb = chroma_of(CB, pixel, 0);
        *cr = chroma_of(CR, pixel, 0);
    }
}

/// Two rows with a chroma sample for each four pixels, the last of which stands for one beyond it if the width is odd.
pub(super) fn quarter(rgb: [&[u8]; 2], (above, below): (&mut [u8], &mut [u8]), cb: &mut [u8], cr: &mut [u8]) {
    for (rgb, luma) in rgb.iter().zip([above, below]) {
        let (pixels, _) = rgb.as_chunks::<3>();
        for (pixel, luma) in pixels.iter().zip(luma) {
            *luma = luma_of(pixel.map(i32::from));
        }
    }
    for ((above, below), (cb, cr)) in rgb[0].chunks(6).zip(rgb[1].chunks(6)).zip(cb.iter_mut().zip(cr)) {
        let second = if above.len() == 6 { 3 } else { 0 };
        let four = [0, 1, 2].map(|i| {
            i32::from(above[i]) + i32::from(above[i + second]) + i32::from(below[i]) + i32::from(below[i + second])
        });
        *cb = chroma_of(CB, four, 2);
        *cr = chroma_of(CR, four, 2);
    }
}

#[inline(always)]
fn luma_of(pixel: [i32; 3]) -> u8 {
    ((sum(Y, pixel) + rounding(0)) >> SHARE) as u8
}

/// Of the sum of `1 << more` pixels. Pure blue and red are 255.5, which there is no byte for.
#[inline(always)]
fn chroma_of(shares: [i16; 3], pixels: [i32; 3], more: u32) -> u8 {
    ((sum(shares, pixels) + middle(more)) >> (SHARE + more)).min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::super::kernels::Kernels;
    use super::*;

    #[test]
    fn shares_add_up() {
        assert_eq!(Y.map(i32::from).iter().sum::<i32>(), 1 << SHARE);
        assert_eq!(CB.map(i32::from).iter().sum::<i32>(), 0);
        assert_eq!(CR.map(i32::from).iter().sum::<i32>(), 0);
    }

    #[test]
    fn every_colour_is_the_rounded_definition() {
        let steps = [0, 1, 30, 77, 127, 128, 200, 254, 255_u8];
        for r in steps {
            for g in steps {
                for b in steps {
                    let (mut y, mut cb, mut cr) = ([0], [0], [0]);
                    full(&[r, g, b], &mut y, &mut cb, &mut cr);
                    let [r, g, b] = [r, g, b].map(f64::from);
                    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
                    let want = [luma, (b - luma) / 1.772 + 128.0, (r - luma) / 1.402 + 128.0];
                    for (got, want) in [y[0], cb[0], cr[0]].into_iter().zip(want) {
                        assert!((f64::from(got) - want).abs() < 0.51, "{r} {g} {b}: {got} {want}");
                    }
                }
            }
        }
    }

    #[test]
    fn twins_agree_at_every_width() {
        let mut random = 9_u32;
        let mut noise = |len: usize| -> Vec<u8> {
            let mut next = || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                if random >> 30 == 0 { (random >> 8) as u8 / 128 * 255 } else { (random >> 24) as u8 }
            };
            (0..len).map(|_| next()).collect()
        };
        let kernels = Kernels::fastest();
        for width in (1..140).chain([1000, 1001]) {
            let (above, below) = (noise(3 * width), noise(3 * width));
            let rows = |len| [vec![0_u8; len], vec![0; len], vec![0; len]];
            let ([mut y, mut cb, mut cr], mut other) = (rows(width), rows(width));
            full(&above, &mut y, &mut cb, &mut cr);
            let [y2, cb2, cr2] = &mut other;
            (kernels.full)(&above, y2, cb2, cr2);
            assert_eq!([y, cb, cr], other, "{width}");

            let coarse = width.div_ceil(2);
            let ([mut y, mut below_y, _], [mut cb, mut cr, _]) = (rows(width), rows(coarse));
            let ([mut y2, mut below_y2, _], [mut cb2, mut cr2, _]) = (rows(width), rows(coarse));
            quarter([&above, &below], (&mut y, &mut below_y), &mut cb, &mut cr);
            (kernels.quarter)([&above, &below], (&mut y2, &mut below_y2), &mut cb2, &mut cr2);
            assert_eq!([y, below_y, cb, cr], [y2, below_y2, cb2, cr2], "{width}");
        }
    }
}
