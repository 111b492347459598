// Separable weighted sums (resampling, blur) along one axis, with the weights of `ops::WeightTable`. Sums are f32 and
// unrounded; alpha is premultiplied on the way in and divided out in `store.wgsl`.

struct Params {
    group: u32,
    tiles: u32,
    src: u32,
    dst: u32,
    // The table: rows, taps; for each row its first source pixel and their number; rows × taps weights.
    places: vec4<u32>,
    // Of the result: words of four samples (sum_words) or samples (sum_floats), rows.
    width: u32,
    height: u32,
    // Words from row to row.
    src_pitch: u32,
    dst_pitch: u32,
    // Row of the table that makes the first row of the result.
    first_row: u32,
    // sum_words: 0 no alpha, 1 the last of four samples, 2 the last of two.
    alpha: u32,
    // sum_floats: the axis along which is summed, 0 across, 1 down; samples a pixel.
    axis: u32,
    channels: u32,
    reserved: array<vec4<u32>, 4>,
}

// Four samples of bytes, colours weighted with their alpha.
fn weighted(word: u32, alpha: u32) -> vec4<f32> {
    let p = vec4<f32>(bytes_of(word));
    if alpha == 1u {
        return vec4<f32>(p.xyz * (p.w / 255.0), p.w);
    }
    if alpha == 2u {
        return vec4<f32>(p.x * (p.y / 255.0), p.y, p.z * (p.w / 255.0), p.w);
    }
    return p;
}

struct Run {
    // First source pixel, their number, and the place of the first weight.
    first: u32,
    count: u32,
    weight: u32,
}

fn run_of(table: u32, row: u32) -> Run {
    let bounds = table + 2u + 2u * row;
    let weight = table + 2u + 2u * tables[table] + row * tables[table + 1u];
    return Run(tables[bounds], tables[bounds + 1u], weight);
}

// Down the rows of bytes, four samples at a time.
@compute @workgroup_size(WG_X, WG_Y)
fn sum_words(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].width || at.y >= jobs[job].height {
        return;
    }
    let run = run_of(jobs[job].places.x, jobs[job].first_row + at.y);
    let pitch = jobs[job].src_pitch;
    let alpha = jobs[job].alpha;
    var from_word = jobs[job].src + run.first * pitch + at.x;
    var sum = vec4<f32>(0.0);
    for (var k = 0u; k < run.count; k++) {
        sum += bitcast<f32>(tables[run.weight + k]) * weighted(load(from_word), alpha);
        from_word += pitch;
    }
    let to = jobs[job].dst + at.y * jobs[job].dst_pitch + 4u * at.x;
    work[to] = bitcast<u32>(sum.x);
    work[to + 1u] = bitcast<u32>(sum.y);
    work[to + 2u] = bitcast<u32>(sum.z);
    work[to + 3u] = bitcast<u32>(sum.w);
}

// Across or down sums that were made before.
@compute @workgroup_size(WG_X, WG_Y)
fn sum_floats(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].width || at.y >= jobs[job].height {
        return;
    }
    let channels = jobs[job].channels;
    let pitch = jobs[job].src_pitch;
    let down = jobs[job].axis == 1u;
    let run = run_of(jobs[job].places.x, select(at.x / channels, at.y, down));
    let step = select(channels, pitch, down);
    let side = select(at.y * pitch + at.x % channels, at.x, down);
    var source = jobs[job].src + side + run.first * step;
    var sum = 0.0;
    for (var k = 0u; k < run.count; k++) {
        sum += bitcast<f32>(tables[run.weight + k]) * bitcast<f32>(load(source));
        source += step;
    }
    work[jobs[job].dst + at.y * jobs[job].dst_pitch + at.x] = bitcast<u32>(sum);
}
