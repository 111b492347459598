//! Rows of RGB: chroma interpolated to the size of luma (three quarters of the nearer sample in each direction), then
//! the conversion of BT.601's narrow range, in the integers that libwebp uses.

/// Scratch of a row.
#[derive(Debug)]
pub(super) struct Row {
    u: Vec<u8>,
    v: Vec<u8>,
    /// Sums down a column.
    sums: Vec<u16>,
}

impl Row {
    pub(super) fn new(width: usize) -> Self {
        let chroma = width.div_ceil(2);
        Self { u: vec![0; 2 * chroma], v: vec![0; 2 * chroma], sums: vec![0; chroma] }
    }

    /// Fills `out`, pixels of `CHANNELS` samples; a fourth one becomes 0. Of each plane of chroma the nearer row, then the
    /// farther one.
    #[inline(always)]
    pub(super) fn fill<const CHANNELS: usize>(&mut self, luma: &[u8], [u, v]: [(&[u8], &[u8]); 2], out: &mut [u8]) {
        widened(u, &mut self.sums, &mut self.u);
        widened(v, &mut self.sums, &mut self.v);
        converted::<CHANNELS>(luma, &self.u, &self.v, out);
    }
}

#[inline(always)]
fn widened((near, far): (&[u8], &[u8]), sums: &mut [u16], out: &mut [u8]) {
    for (sum, (&near, &far)) in sums.iter_mut().zip(near.iter().zip(far)) {
        *sum = 3 * u16::from(near) + u16::from(far);
    }
    let ([first, ..], [.., last]) = (&*sums, &*sums) else { return };
    let ends = [first, last].map(|sum| ((4 * sum + 8) >> 4) as u8);
    let Some((out_first, out)) = out.split_first_mut() else { return };
    *out_first = ends[0];
    let (pairs, rest) = out.as_chunks_mut::<2>();
    for (pair, (&a, &b)) in pairs.iter_mut().zip(sums.iter().zip(&sums[1..])) {
        *pair = [((3 * a + b + 8) >> 4) as u8, ((3 * b + a + 8) >> 4) as u8];
    }
    if let [out_last] = rest {
        *out_last = ends[1];
    }
}

#[inline(always)]
fn converted<const CHANNELS: usize>(luma: &[u8], u: &[u8], v: &[u8], out: &mut [u8]) {
    for ((pixel, &y), (&u, &v)) in out.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(luma).zip(u.iter().zip(v)) {
        let rgb = rgb(y, u, v);
        *pixel = std::array::from_fn(|channel| rgb.get(channel).copied().unwrap_or(0));
    }
}

/// `value * factor >> 8`, in the form that processors have an instruction for.
#[inline(always)]
fn scaled(value: u8, factor: u16) -> u16 {
    ((u32::from(u16::from(value) << 8) * u32::from(factor)) >> 16) as u16
}

/// Sums fit 16 bits, and what is below 0 becomes 0 in the end.
#[inline(always)]
fn rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let y = scaled(y, 19077);
    let r = (y + scaled(v, 26149)).saturating_sub(14234);
    let g = (y + 8708).saturating_sub(scaled(u, 6419) + scaled(v, 13320));
    let b = (y + scaled(u, 33050)).saturating_sub(17685);
    [r, g, b].map(|sum| (sum >> 6).min(255) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, all of it in wide integers.
    fn definition(y: i32, u: i32, v: i32) -> [u8; 3] {
        let y = (y * 19077) >> 8;
        [
            y + ((v * 26149) >> 8) - 14234,
            y - ((u * 6419) >> 8) - ((v * 13320) >> 8) + 8708,
            y + ((u * 33050) >> 8) - 17685,
        ]
        .map(|sum| (sum >> 6).clamp(0, 255) as u8)
    }

    #[test]
    fn sixteen_bits_are_enough() {
        for y in 0..=255 {
            for u in (0..=255).step_by(3) {
                for v in (0..=255).step_by(5) {
                    assert_eq!(rgb(y, u, v), definition(y.into(), u.into(), v.into()));
                }
            }
        }
    }

    #[test]
    fn chroma_between_samples_leans_to_the_nearer() {
        let mut row = [0; 6];
        widened((&[0, 160, 0], &[0, 160, 0]), &mut [0; 3], &mut row);
        assert_eq!(row, [0, 40, 120, 120, 40, 0]);
    }
}
