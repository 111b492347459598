// Bytes in words, and samples rounded to bytes.

// The byte at place `at` (in bytes) of the word that holds it.
fn byte_of(word: u32, at: u32) -> u32 {
    return (word >> (8u * (at & 3u))) & 255u;
}

// The nearest of 0 to 255.
fn to_byte(sample: f32) -> u32 {
    return u32(clamp(sample, 0.0, 255.0) + 0.5);
}
