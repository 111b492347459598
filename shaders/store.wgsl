// The last sums, across, and samples of 8 bits: colour conversion, division by alpha and turns are done on the way out.

struct Params {
    group: u32,
    tiles: u32,
    src: u32,
    dst: u32,
    // The table of each channel: as in `sum.wgsl`.
    places: vec4<u32>,
    // Where channel c of pixel (x, y) of the sums lies: at + y pitch + x step, from `src`.
    at: vec4<u32>,
    pitch: vec4<u32>,
    step: vec4<u32>,
    // Pixels of the result, words of its rows, samples a pixel.
    width: u32,
    height: u32,
    dst_pitch: u32,
    channels: u32,
    // Bit 0: the last channel is alpha. Bit 1: the channels are Y, Cb and Cr, the result is RGB. Bit 2: the first channel is
    // luma of 16 to 235, to be made full. Bit 3: so are the others, or the first if bit 2 is not set, chroma of 16 to 240.
    flags: u32,
    // The pixel of the upright picture that pixel (x, y) of the result shows:
    // (origin_x + xx x + xy y, origin_y + yx x + yy y).
    origin_x: i32,
    origin_y: i32,
    xx: i32,
    xy: i32,
    yx: i32,
    yy: i32,
    reserved: u32,
}

// Full-range BT.601 (ITU-T T.871, section 7), all 0 to 255.
fn rgb_of(ycc: vec4<f32>) -> vec4<f32> {
    let cb = ycc.y - 128.0;
    let cr = ycc.z - 128.0;
    return vec4<f32>(ycc.x + 1.402 * cr, ycc.x - 0.3441363 * cb - 0.7141363 * cr, ycc.x + 1.772 * cb, 0.0);
}

// The range of video (ITU-R BT.601, section 2.5.3) to the full one.
fn widened(pixel: vec4<f32>, flags: u32) -> vec4<f32> {
    let chroma = (pixel - 128.0) * (255.0 / 224.0) + 128.0;
    var wide = select(pixel, chroma, (flags & 8u) != 0u);
    if (flags & 4u) != 0u {
        wide.x = (pixel.x - 16.0) * (255.0 / 219.0);
    }
    return wide;
}

// Channel `c` of a pixel of the upright picture.
fn channel_at(c: u32, x: u32, y: u32) -> f32 {
    let table = jobs[job].places[c];
    let bounds = table + 2u + 2u * x;
    let weight = table + 2u + 2u * tables[table] + x * tables[table + 1u];
    let step = jobs[job].step[c];
    let count = tables[bounds + 1u];
    var source = jobs[job].src + jobs[job].at[c] + y * jobs[job].pitch[c] + tables[bounds] * step;
    var sum = 0.0;
    for (var k = 0u; k < count; k++) {
        sum += bitcast<f32>(tables[weight + k]) * bitcast<f32>(load(source));
        source += step;
    }
    return sum;
}

fn pixel_at(x: u32, y: u32) -> vec4<u32> {
    let left = u32(jobs[job].origin_x + jobs[job].xx * i32(x) + jobs[job].xy * i32(y));
    let top = u32(jobs[job].origin_y + jobs[job].yx * i32(x) + jobs[job].yy * i32(y));
    let channels = jobs[job].channels;
    var pixel = vec4<f32>(0.0);
    for (var c = 0u; c < channels; c++) {
        pixel[c] = channel_at(c, left, top);
    }
    pixel = widened(pixel, jobs[job].flags);
    if (jobs[job].flags & 2u) != 0u {
        pixel = rgb_of(pixel);
    }
    if (jobs[job].flags & 1u) != 0u {
        let last = channels - 1u;
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

@compute @workgroup_size(WG_X, WG_Y)
fn store_bytes(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].dst_pitch || at.y >= jobs[job].height {
        return;
    }
    work[jobs[job].dst + at.y * jobs[job].dst_pitch + at.x] =
        word_of(at.x, at.y, jobs[job].width, jobs[job].channels);
}
