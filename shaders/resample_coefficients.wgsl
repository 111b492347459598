// Resampling straight from JPEG coefficients, one axis a pass, with the weights of `ops::BlockWeights`, which absorb
// the inverse DCT (ITU-T T.81, A.3.3).

struct Params {
    group: u32,
    tiles: u32,
    src: u32,
    dst: u32,
    // The table: for each output its first block, their number and the place of its weights (from the table's start), a
    // run of blocks a frequency. Then the places of the zigzag order: that of (u, v) at 8 v + u.
    places: vec4<u32>,
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
    // Coefficients of 16 bits to step over from `src`.
    skip: u32,
    reserved_0: u32,
    reserved_1: array<vec4<u32>, 4>,
}

// The 16-bit value at `at`, counted from `src`, with its sign.
fn coefficient_at(at: u32) -> f32 {
    let word = load(jobs[job].src + (at >> 1u));
    return f32(extractBits(bitcast<i32>(word), 16u * (at & 1u), 16u));
}

// Sums over rows of blocks: for each output row, horizontal frequency and column of blocks one value.
@compute @workgroup_size(WG_X, WG_Y)
fn blocks_down(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].width || at.y >= jobs[job].height {
        return;
    }
    let blocks = jobs[job].blocks;
    let u = at.x / blocks;
    let column = at.x % blocks;
    let table = jobs[job].places.x;
    let entry = table + 3u * at.y;
    let first = tables[entry];
    let run = tables[entry + 1u];
    let weights = table + tables[entry + 2u];
    var sum = 0.0;
    for (var v = 0u; v < jobs[job].frequencies; v++) {
        let place = tables[jobs[job].places.y + 8u * v + u];
        if place >= jobs[job].count {
            continue;
        }
        let start = jobs[job].skip + place * jobs[job].plane + first * blocks + column;
        for (var b = 0u; b < run; b++) {
            sum += bitcast<f32>(tables[weights + v * run + b]) * coefficient_at(start + b * blocks);
        }
    }
    work[jobs[job].dst + at.y * jobs[job].width + at.x] = bitcast<u32>(sum);
}

// Sums over columns of blocks: samples around 128.
@compute @workgroup_size(WG_X, WG_Y)
fn blocks_across(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].width || at.y >= jobs[job].height {
        return;
    }
    let table = jobs[job].places.x;
    let entry = table + 3u * at.x;
    let first = tables[entry];
    let run = tables[entry + 1u];
    let weights = table + tables[entry + 2u];
    let row = jobs[job].src + at.y * jobs[job].frequencies * jobs[job].blocks;
    var sum = 0.0;
    for (var u = 0u; u < jobs[job].frequencies; u++) {
        for (var b = 0u; b < run; b++) {
            let value = bitcast<f32>(load(row + u * jobs[job].blocks + first + b));
            sum += bitcast<f32>(tables[weights + u * run + b]) * value;
        }
    }
    work[jobs[job].dst + at.y * jobs[job].width + at.x] = bitcast<u32>(sum + 128.0);
}
