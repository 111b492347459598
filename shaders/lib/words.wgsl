// Packed pixels of 1 to 4 bytes, whose rows begin at whole words: a thread writes a word of four bytes, so that no two
// threads share one. The file joined with this one gives `pixel_at(x, y) -> vec4<u32>`, the samples of a pixel, 0 to 255.

// Word `i` of row `y`, of `width` pixels with `channels` bytes each.
fn word_of(i: u32, y: u32, width: u32, channels: u32) -> u32 {
    var word = 0u;
    var have = 0xffffffffu;
    var samples = vec4<u32>(0u);
    for (var k = 0u; k < 4u; k++) {
        let at = 4u * i + k;
        let x = at / channels;
        if x >= width {
            break;
        }
        if x != have {
            samples = pixel_at(x, y);
            have = x;
        }
        word |= samples[at % channels] << (8u * k);
    }
    return word;
}

// The pixel of the source that begins at byte `at` of the row whose first word is `row`.
fn pixel_of(row: u32, at: u32, channels: u32) -> vec4<u32> {
    var pixel = vec4<u32>(0u);
    for (var c = 0u; c < channels; c++) {
        let byte = at + c;
        pixel[c] = (load(row + (byte >> 2u)) >> (8u * (byte & 3u))) & 255u;
    }
    return pixel;
}
