// Packed pixels of 1 to 4 bytes, written a word of four bytes at a time: no two threads share a word, and rows need no
// padding. The file joined with this one gives `pixel_at(pixel) -> vec4<u32>`, the samples of a pixel, 0 to 255.

// Threads in a row of a dispatch; rows follow each other.
const WORDS_ACROSS: u32 = 4096u;

// Word `i` of a picture of `pixels` pixels with `channels` bytes each.
fn word_of(i: u32, channels: u32, pixels: u32) -> u32 {
    var word = 0u;
    var have = 0xffffffffu;
    var samples = vec4<u32>(0u);
    for (var k = 0u; k < 4u; k++) {
        let at = 4u * i + k;
        let pixel = at / channels;
        if pixel >= pixels {
            break;
        }
        if pixel != have {
            samples = pixel_at(pixel);
            have = pixel;
        }
        word |= samples[at % channels] << (8u * k);
    }
    return word;
}

// Words that a picture takes.
fn words_in(channels: u32, pixels: u32) -> u32 {
    return (channels * pixels + 3u) / 4u;
}
