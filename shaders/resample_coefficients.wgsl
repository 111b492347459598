// Resampling straight from JPEG coefficients, one axis a pass, with the weights of `ops::BlockWeights`, which absorb
// the inverse DCT (ITU-T T.81, A.3.3).
override WG_X: u32 = 16u;
override WG_Y: u32 = 16u;

struct Params {
    // Values of the result: columns (first pass: frequencies × blocks), rows.
    width: u32,
    height: u32,
    // Blocks in a row of the component.
    blocks: u32,
    // Frequencies on each axis.
    frequencies: u32,
    // Coefficients kept of each block.
    count: u32,
    // Blocks in the component.
    plane: u32,
    // First value read: of 16 bits in the first pass, of 32 in the second.
    src_at: u32,
    // First value written.
    dst_at: u32,
    table: u32,
    // Where the places of the zigzag order lie in `tables`: that of (u, v) at 8 v + u.
    order: u32,
    reserved_0: u32,
    reserved_1: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
// A table: for each output its first block, their number and the place of its weights, a run of blocks a frequency.
@group(0) @binding(3) var<storage, read> tables: array<u32>;

// The 16-bit value at `at`, with its sign.
fn coefficient_at(at: u32) -> f32 {
    let word = src[at >> 1u];
    return f32(extractBits(bitcast<i32>(word), 16u * (at & 1u), 16u));
}

// Sums over rows of blocks: for each output row, horizontal frequency and column of blocks one value.
@compute @workgroup_size(WG_X, WG_Y)
fn blocks_down(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let u = id.x / params.blocks;
    let column = id.x % params.blocks;
    let entry = params.table + 3u * id.y;
    let first = tables[entry];
    let run = tables[entry + 1u];
    let weights = tables[entry + 2u];
    var sum = 0.0;
    for (var v = 0u; v < params.frequencies; v++) {
        let place = tables[params.order + 8u * v + u];
        if place >= params.count {
            continue;
        }
        let begin = params.src_at + place * params.plane + first * params.blocks + column;
        for (var b = 0u; b < run; b++) {
            sum += bitcast<f32>(tables[weights + v * run + b]) * coefficient_at(begin + b * params.blocks);
        }
    }
    dst[params.dst_at + id.y * params.width + id.x] = bitcast<u32>(sum);
}

// Sums over columns of blocks: samples around 128.
@compute @workgroup_size(WG_X, WG_Y)
fn blocks_across(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let entry = params.table + 3u * id.x;
    let first = tables[entry];
    let run = tables[entry + 1u];
    let weights = tables[entry + 2u];
    let row = params.src_at + id.y * params.frequencies * params.blocks;
    var sum = 0.0;
    for (var u = 0u; u < params.frequencies; u++) {
        for (var b = 0u; b < run; b++) {
            let value = bitcast<f32>(src[row + u * params.blocks + first + b]);
            sum += bitcast<f32>(tables[weights + u * run + b]) * value;
        }
    }
    dst[params.dst_at + id.y * params.width + id.x] = bitcast<u32>(sum + 128.0);
}
