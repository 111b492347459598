// Moves of whole pixels: turns, mirrors and windows.
override WG_WORDS: u32 = 64u;

struct Params {
    // Pixels of the result.
    width: u32,
    height: u32,
    channels: u32,
    // Source pixel of the first one, and how far the source moves with a step to the right and a step down; modulo 2^32.
    origin: u32,
    right: u32,
    down: u32,
    reserved_0: u32,
    reserved_1: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;

fn pixel_at(index: u32) -> vec4<u32> {
    let begin = params.origin + (index % params.width) * params.right + (index / params.width) * params.down;
    var pixel = vec4<u32>(0u);
    for (var c = 0u; c < params.channels; c++) {
        let at = begin * params.channels + c;
        pixel[c] = byte_of(src[at >> 2u], at);
    }
    return pixel;
}

@compute @workgroup_size(WG_WORDS)
fn move_pixels(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * WORDS_ACROSS + id.x;
    let pixels = params.width * params.height;
    if i >= words_in(params.channels, pixels) {
        return;
    }
    dst[i] = word_of(i, params.channels, pixels);
}
