//! Sixteen rows of eight samples to eight lines of sixteen lanes, and back.

/// Samples of a column, one from each row.
pub(super) type Line = [u8; 16];

#[cfg(target_arch = "x86_64")]
pub(super) use vectors::{to_lines, to_rows};
#[cfg(not(target_arch = "x86_64"))]
pub(super) use words::{to_lines, to_rows};

/// Halves of vectors change places: each step puts rows between rows that lie half of what is left further down. Every
/// processor of this kind has the instructions.
#[cfg(target_arch = "x86_64")]
mod vectors {
    use std::arch::x86_64::{__m128i, _mm_unpackhi_epi8, _mm_unpacklo_epi8};

    use bytemuck::cast;

    use super::Line;

    #[inline(always)]
    fn mixed(a: __m128i, b: __m128i) -> [__m128i; 2] {
        #[allow(unsafe_code, reason = "instructions that are not named by the caller's features")]
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            [_mm_unpacklo_epi8(a, b), _mm_unpackhi_epi8(a, b)]
        }
    }

    #[inline(always)]
    pub(in super::super) fn to_lines(rows: [u64; 16]) -> [Line; 8] {
        let [a, b] = [0, 8].map(|from: usize| -> [__m128i; 8] { std::array::from_fn(|i| cast([rows[from + i], 0])) });
        let eighths: [__m128i; 8] = std::array::from_fn(|i| mixed(a[i], b[i])[0]);
        let quarters: [[__m128i; 2]; 4] = std::array::from_fn(|i| mixed(eighths[i], eighths[i + 4]));
        let halves: [[[__m128i; 2]; 2]; 2] =
            std::array::from_fn(|i| std::array::from_fn(|half| mixed(quarters[i][half], quarters[i + 2][half])));
        let lines: [[__m128i; 2]; 4] = std::array::from_fn(|i| mixed(halves[0][i / 2][i % 2], halves[1][i / 2][i % 2]));
        std::array::from_fn(|i| cast(lines[i / 2][i % 2]))
    }

    #[inline(always)]
    pub(in super::super) fn to_rows(lines: &[Line; 8]) -> [u64; 16] {
        let lines: [__m128i; 8] = lines.map(cast);
        let pairs: [[__m128i; 2]; 4] = std::array::from_fn(|i| mixed(lines[i], lines[i + 4]));
        let fours: [[[__m128i; 2]; 2]; 2] =
            std::array::from_fn(|i| std::array::from_fn(|half| mixed(pairs[i][half], pairs[i + 2][half])));
        let eights: [[__m128i; 2]; 4] = std::array::from_fn(|i| mixed(fours[0][i / 2][i % 2], fours[1][i / 2][i % 2]));
        std::array::from_fn(|row| cast::<__m128i, [u64; 2]>(eights[row / 4][row / 2 % 2])[row % 2])
    }
}

/// The same in words of eight bytes.
#[cfg(any(not(target_arch = "x86_64"), test))]
mod words {
    use super::Line;

    #[inline(always)]
    pub(in super::super) fn to_lines(rows: [u64; 16]) -> [Line; 8] {
        let [upper, lower] = [0, 8].map(|from: usize| turned(std::array::from_fn(|i| rows[from + i])));
        std::array::from_fn(|i| {
            let mut line = [0; 16];
            line[..8].copy_from_slice(&upper[i].to_le_bytes());
            line[8..].copy_from_slice(&lower[i].to_le_bytes());
            line
        })
    }

    #[inline(always)]
    pub(in super::super) fn to_rows(lines: &[Line; 8]) -> [u64; 16] {
        let [upper, lower] = [0, 8].map(|from: usize| {
            turned(lines.map(|line| {
                let mut word = [0; 8];
                word.copy_from_slice(&line[from..][..8]);
                u64::from_le_bytes(word)
            }))
        });
        std::array::from_fn(|i| if i < 8 { upper[i] } else { lower[i - 8] })
    }

    /// Rows of eight bytes to columns: halves, quarters and bytes change places.
    #[inline(always)]
    fn turned(mut words: [u64; 8]) -> [u64; 8] {
        for (apart, shift, mask) in
            [(4, 32, 0x0000_0000_FFFF_FFFF), (2, 16, 0x0000_FFFF_0000_FFFF), (1, 8, 0x00FF_00FF_00FF_00FF_u64)]
        {
            for low in (0..8).filter(|i| i & apart == 0) {
                let (a, b) = (words[low], words[low + apart]);
                words[low] = a & mask | (b & mask) << shift;
                words[low + apart] = a >> shift & mask | b & !mask;
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_lines_and_come_back() {
        let sample = |row: usize, column: usize| (8 * row + column) as u8;
        let rows: [u64; 16] =
            std::array::from_fn(|row| u64::from_le_bytes(std::array::from_fn(|column| sample(row, column))));
        let lines: [Line; 8] = std::array::from_fn(|column| std::array::from_fn(|row| sample(row, column)));
        assert_eq!((to_lines(rows), to_rows(&lines)), (lines, rows));
        assert_eq!((words::to_lines(rows), words::to_rows(&lines)), (lines, rows));
    }
}
