//! Section 14: the inverse transforms.

/// √2 · cos(π/8) - 1 and √2 · sin(π/8) in 16 bits; the second one is more than half.
const COS: i64 = 20091;
const SIN: i64 = 35468;

/// The Walsh-Hadamard transform: a macroblock's means from their block.
pub(super) fn means(block: &mut [i32; 16]) {
    for i in 0..4 {
        let (a, b) = (block[i] + block[12 + i], block[4 + i] + block[8 + i]);
        let (c, d) = (block[4 + i] - block[8 + i], block[i] - block[12 + i]);
        (block[i], block[4 + i], block[8 + i], block[12 + i]) = (a + b, c + d, a - b, d - c);
    }
    for row in block.as_chunks_mut::<4>().0 {
        let (a, b) = (row[0] + row[3], row[1] + row[2]);
        let (c, d) = (row[1] - row[2], row[0] - row[3]);
        *row = [a + b, c + d, a - b, d - c].map(|sum| (sum + 3) >> 3);
    }
}

/// What is added to the samples of a block, rows of four. For any values that a file can hold.
pub(super) fn wide(block: &[i32; 16]) -> [i32; 16] {
    let halves = |a: i64, b: i64, c: i64, d: i64| {
        let sine = ((b * SIN) >> 16) - (d + ((d * COS) >> 16));
        let cosine = b + ((b * COS) >> 16) + ((d * SIN) >> 16);
        (a + c, a - c, sine, cosine)
    };
    let mut columns = [0_i64; 16];
    for i in 0..4 {
        let [a, b, c, d] = [0, 4, 8, 12].map(|row| i64::from(block[row + i]));
        let (a, b, c, d) = halves(a, b, c, d);
        (columns[i], columns[4 + i], columns[8 + i], columns[12 + i]) = (a + d, b + c, b - c, a - d);
    }
    let mut out = [0; 16];
    for (out, &[a, b, c, d]) in out.as_chunks_mut::<4>().0.iter_mut().zip(columns.as_chunks::<4>().0) {
        let (a, b, c, d) = halves(a, b, c, d);
        *out = [a + d, b + c, b - c, a - d].map(|sum| ((sum + 4) >> 3) as i32);
    }
    out
}

/// The same for values below 2048, in 16 bits throughout.
#[inline(always)]
pub(super) fn narrow(block: &[i32; 16]) -> [i16; 16] {
    let rows: [[i16; 4]; 4] = std::array::from_fn(|y| std::array::from_fn(|x| block[4 * y + x] as i16));
    let out = turned(pass(turned(pass(rows))));
    let mut flat = [0; 16];
    for (flat, out) in flat.as_chunks_mut::<4>().0.iter_mut().zip(out) {
        *flat = out.map(|sum| (sum + 4) >> 3);
    }
    flat
}

/// One direction, four rows or columns side by side.
#[inline(always)]
fn pass([a, b, c, d]: [[i16; 4]; 4]) -> [[i16; 4]; 4] {
    let sine: [i16; 4] = std::array::from_fn(|i| scaled_sine(b[i]) - (d[i] + scaled_cosine(d[i])));
    let cosine: [i16; 4] = std::array::from_fn(|i| b[i] + scaled_cosine(b[i]) + scaled_sine(d[i]));
    let sum: [i16; 4] = std::array::from_fn(|i| a[i] + c[i]);
    let difference: [i16; 4] = std::array::from_fn(|i| a[i] - c[i]);
    [
        std::array::from_fn(|i| sum[i] + cosine[i]),
        std::array::from_fn(|i| difference[i] + sine[i]),
        std::array::from_fn(|i| difference[i] - sine[i]),
        std::array::from_fn(|i| sum[i] - cosine[i]),
    ]
}

/// `value * COS >> 16`.
#[inline(always)]
fn scaled_cosine(value: i16) -> i16 {
    ((i32::from(value) * COS as i32) >> 16) as i16
}

/// `value * SIN >> 16`: the factor less a whole one fits 16 bits.
#[inline(always)]
fn scaled_sine(value: i16) -> i16 {
    value + ((i32::from(value) * (SIN as i32 - 65536)) >> 16) as i16
}

#[inline(always)]
fn turned(rows: [[i16; 4]; 4]) -> [[i16; 4]; 4] {
    std::array::from_fn(|x| std::array::from_fn(|y| rows[y][x]))
}
