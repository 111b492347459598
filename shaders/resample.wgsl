// Separable weighted sums (resampling, blur), one axis a pass, with the weights of `ops::WeightTable`. Samples stay
// f32 and unrounded from the first pass to the last; alpha is premultiplied on the way in and divided out at the end.
override WG_X: u32 = 16u;
override WG_Y: u32 = 16u;
override WG_WORDS: u32 = 64u;

struct Params {
    // Pixels of the result.
    width: u32,
    height: u32,
    // Samples a pixel of the result.
    channels: u32,
    // The axis along which is summed: 0 across, 1 down.
    axis: u32,
    // 1: the last sample of a pixel is alpha.
    alpha: u32,
    // 1: the lanes are Y, Cb and Cr, the result is RGB.
    colour: u32,
    // First sample of the result of a sum; a store begins at 0.
    dst_at: u32,
    reserved: u32,
    // Where channel c is read: first sample, samples from row to row, from pixel to pixel, its table. Sums use the
    // first lane for all channels of a pixel, which lie side by side.
    lanes: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;
// A table: rows, taps; for each row its first source pixel and their number; rows × taps weights.
@group(0) @binding(3) var<storage, read> tables: array<u32>;

struct Run {
    // Place of the first sample.
    at: u32,
    // From one sample to the next.
    step: u32,
    // Place of the first weight.
    weight: u32,
    count: u32,
}

fn run_of(lane: vec4<u32>, x: u32, y: u32) -> Run {
    let down = params.axis == 1u;
    let row = select(x, y, down);
    let step = select(lane.z, lane.y, down);
    let side = select(y * lane.y, x * lane.z, down);
    let bounds = lane.w + 2u + 2u * row;
    let weights = lane.w + 2u + 2u * tables[lane.w] + row * tables[lane.w + 1u];
    return Run(lane.x + side + tables[bounds] * step, step, weights, tables[bounds + 1u]);
}

fn weight_at(at: u32) -> f32 {
    return bitcast<f32>(tables[at]);
}

fn sample_at(at: u32) -> f32 {
    return f32(byte_of(src[at >> 2u], at));
}

// The pixel whose first byte is at `at`, premultiplied.
fn load_pixel(at: u32) -> vec4<f32> {
    var pixel = vec4<f32>(0.0);
    for (var c = 0u; c < params.channels; c++) {
        pixel[c] = sample_at(at + c);
    }
    if params.alpha == 1u {
        let last = params.channels - 1u;
        let alpha = pixel[last];
        pixel *= alpha / 255.0;
        pixel[last] = alpha;
    }
    return pixel;
}

fn keep_pixel(x: u32, y: u32, pixel: vec4<f32>) {
    let at = params.dst_at + (y * params.width + x) * params.channels;
    for (var c = 0u; c < params.channels; c++) {
        dst[at + c] = bitcast<u32>(pixel[c]);
    }
}

@compute @workgroup_size(WG_X, WG_Y)
fn sum_bytes(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let run = run_of(params.lanes[0], id.x, id.y);
    var sum = vec4<f32>(0.0);
    for (var k = 0u; k < run.count; k++) {
        sum += weight_at(run.weight + k) * load_pixel(run.at + k * run.step);
    }
    keep_pixel(id.x, id.y, sum);
}

@compute @workgroup_size(WG_X, WG_Y)
fn sum_floats(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.width || id.y >= params.height {
        return;
    }
    let run = run_of(params.lanes[0], id.x, id.y);
    var sum = vec4<f32>(0.0);
    for (var k = 0u; k < run.count; k++) {
        let weight = weight_at(run.weight + k);
        let at = run.at + k * run.step;
        for (var c = 0u; c < params.channels; c++) {
            sum[c] += weight * bitcast<f32>(src[at + c]);
        }
    }
    keep_pixel(id.x, id.y, sum);
}

// Full-range BT.601 (ITU-T T.871, section 7), all 0 to 255.
fn rgb_of(ycc: vec4<f32>) -> vec4<f32> {
    let cb = ycc.y - 128.0;
    let cr = ycc.z - 128.0;
    return vec4<f32>(ycc.x + 1.402 * cr, ycc.x - 0.3441363 * cb - 0.7141363 * cr, ycc.x + 1.772 * cb, 0.0);
}

fn pixel_at(index: u32) -> vec4<u32> {
    let x = index % params.width;
    let y = index / params.width;
    var pixel = vec4<f32>(0.0);
    for (var c = 0u; c < params.channels; c++) {
        let run = run_of(params.lanes[c], x, y);
        var sum = 0.0;
        for (var k = 0u; k < run.count; k++) {
            sum += weight_at(run.weight + k) * bitcast<f32>(src[run.at + k * run.step]);
        }
        pixel[c] = sum;
    }
    if params.colour == 1u {
        pixel = rgb_of(pixel);
    }
    if params.alpha == 1u {
        let last = params.channels - 1u;
        let alpha = pixel[last];
        // What is fully transparent has no colour.
        if to_byte(alpha) == 0u {
            return vec4<u32>(0u);
        }
        pixel *= 255.0 / alpha;
        pixel[last] = alpha;
    }
    return vec4<u32>(to_byte(pixel.x), to_byte(pixel.y), to_byte(pixel.z), to_byte(pixel.w));
}

@compute @workgroup_size(WG_WORDS)
fn store_bytes(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * WORDS_ACROSS + id.x;
    let pixels = params.width * params.height;
    if i >= words_in(params.channels, pixels) {
        return;
    }
    dst[i] = word_of(i, params.channels, pixels);
}
