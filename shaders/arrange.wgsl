// Moves of whole pixels: turns, windows, repeated pixels, a larger canvas.

struct Params {
    group: u32,
    tiles: u32,
    src: u32,
    dst: u32,
    places: vec4<u32>,
    // What the border of a canvas is filled with, in the result's samples.
    fill: vec4<u32>,
    // The result: pixels, words of a row, samples a pixel.
    width: u32,
    height: u32,
    dst_pitch: u32,
    channels: u32,
    // The source.
    src_width: u32,
    src_height: u32,
    src_pitch: u32,
    src_channels: u32,
    // The source pixel of (x, y): (origin_x + xx x + xy y, origin_y + yx x + yy y), divided by `factor`.
    origin_x: i32,
    origin_y: i32,
    xx: i32,
    xy: i32,
    yx: i32,
    yy: i32,
    factor: i32,
    // Outside the source: 0 never asked, 1 `fill`, 2 the nearest pixel, 3 the mirrored picture.
    border: u32,
    reserved: vec4<u32>,
}

// … c b a | a b c …
fn mirrored(place: i32, length: i32) -> i32 {
    let period = 2 * length;
    let folded = ((place % period) + period) % period;
    return select(period - 1 - folded, folded, folded < length);
}

fn pixel_at(x: u32, y: u32) -> vec4<u32> {
    var left = jobs[job].origin_x + jobs[job].xx * i32(x) + jobs[job].xy * i32(y);
    var top = jobs[job].origin_y + jobs[job].yx * i32(x) + jobs[job].yy * i32(y);
    let width = i32(jobs[job].src_width);
    let height = i32(jobs[job].src_height);
    let border = jobs[job].border;
    if border == 0u {
        left /= jobs[job].factor;
        top /= jobs[job].factor;
    } else if border == 1u {
        if left < 0 || top < 0 || left >= width || top >= height {
            return jobs[job].fill;
        }
    } else if border == 2u {
        left = clamp(left, 0, width - 1);
        top = clamp(top, 0, height - 1);
    } else {
        left = mirrored(left, width);
        top = mirrored(top, height);
    }
    let n = jobs[job].src_channels;
    let pixel = pixel_of(jobs[job].src + u32(top) * jobs[job].src_pitch, u32(left) * n, n);
    // Grey that becomes colour.
    if n < 3u && jobs[job].channels > 2u {
        return vec4<u32>(pixel.rrr, pixel.g);
    }
    return pixel;
}

@compute @workgroup_size(WG_X, WG_Y)
fn arrange(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].dst_pitch || at.y >= jobs[job].height {
        return;
    }
    work[jobs[job].dst + at.y * jobs[job].dst_pitch + at.x] =
        word_of(at.x, at.y, jobs[job].width, jobs[job].channels);
}
