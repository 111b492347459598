// An overlay blended over a picture by Porter-Duff *over*; the picture keeps its size and its alpha.

struct Params {
    group: u32,
    tiles: u32,
    src: u32,
    dst: u32,
    // The overlay in `input`; the table of coverages.
    places: vec4<u32>,
    // The result: pixels, words of a row, samples a pixel.
    width: u32,
    height: u32,
    dst_pitch: u32,
    channels: u32,
    // The picture.
    src_pitch: u32,
    src_channels: u32,
    // The overlay: pixels, words of a row, samples a pixel.
    over_width: u32,
    over_height: u32,
    over_pitch: u32,
    over_channels: u32,
    // Where its top left corner lies.
    left: i32,
    top: i32,
    // 1: repeated from there over the whole picture.
    tiled: u32,
    reserved_0: u32,
    reserved_1: u32,
    reserved_2: u32,
    reserved_3: array<vec4<u32>, 2>,
}

// Full coverage.
const FULL: u32 = 65535u;

fn overlay_at(x: u32, y: u32) -> vec4<u32> {
    let row = jobs[job].places.x + y * jobs[job].over_pitch;
    let channels = jobs[job].over_channels;
    var pixel = vec4<u32>(0u);
    for (var c = 0u; c < channels; c++) {
        let byte = x * channels + c;
        pixel[c] = (input[row + (byte >> 2u)] >> (8u * (byte & 3u))) & 255u;
    }
    return pixel;
}

fn pixel_at(x: u32, y: u32) -> vec4<u32> {
    let n = jobs[job].src_channels;
    let channels = jobs[job].channels;
    var base = pixel_of(jobs[job].src + y * jobs[job].src_pitch, x * n, n);
    // Grey that becomes colour.
    if n < 3u && channels > 2u {
        base = vec4<u32>(base.rrr, base.g);
    }
    var left = i32(x) - jobs[job].left;
    var top = i32(y) - jobs[job].top;
    let width = i32(jobs[job].over_width);
    let height = i32(jobs[job].over_height);
    if jobs[job].tiled == 1u {
        left %= width;
        top %= height;
    }
    if left < 0 || top < 0 || left >= width || top >= height {
        return base;
    }
    let pixel = overlay_at(u32(left), u32(top));
    let over = jobs[job].over_channels;
    let own_alpha = select(255u, pixel[over - 1u], over % 2u == 0u);
    let cover = tables[jobs[job].places.y + own_alpha];
    if cover == 0u {
        return base;
    }
    let colour = select(pixel.rgb, pixel.rrr, over < 3u);
    let last = channels - 1u;
    let alpha = select(255u, base[last], channels % 2u == 0u);
    if alpha < 255u {
        // Straight alpha: colours weigh as much as they cover.
        let below = f32(alpha) / 255.0 * (f32(FULL - cover) / f32(FULL));
        let above = f32(cover) / f32(FULL);
        let sum = above + below;
        for (var c = 0u; c < last; c++) {
            base[c] = to_byte((f32(colour[c]) * above + f32(base[c]) * below) / sum);
        }
        base[last] = to_byte(sum * 255.0);
        return base;
    }
    let colours = select(channels, last, channels % 2u == 0u);
    for (var c = 0u; c < colours; c++) {
        base[c] = (colour[c] * cover + base[c] * (FULL - cover) + FULL / 2u) / FULL;
    }
    return base;
}

@compute @workgroup_size(WG_X, WG_Y)
fn composite(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].dst_pitch || at.y >= jobs[job].height {
        return;
    }
    work[jobs[job].dst + at.y * jobs[job].dst_pitch + at.x] =
        word_of(at.x, at.y, jobs[job].width, jobs[job].channels);
}
