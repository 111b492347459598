// Steps from colour to colour, pixel by pixel: flatten, grey.

struct Params {
    group: u32,
    tiles: u32,
    src: u32,
    dst: u32,
    places: vec4<u32>,
    // Red, green, blue to blend over.
    over: vec4<u32>,
    // The result: pixels, words of a row, samples a pixel.
    width: u32,
    height: u32,
    dst_pitch: u32,
    channels: u32,
    // The source.
    src_pitch: u32,
    src_channels: u32,
    // 0: blend over the colour and drop alpha; 1: drop colour, keep alpha.
    operation: u32,
    reserved_0: u32,
    reserved_1: array<vec4<u32>, 3>,
}

// `over` where alpha is 0, `colour` where it is 255, rounded between.
fn blend(colour: u32, over: u32, alpha: u32) -> u32 {
    return (colour * alpha + over * (255u - alpha) + 127u) / 255u;
}

// sRGB (IEC 61966-2-1) without its transfer function, 0 to 1.
fn linear(encoded: u32) -> f32 {
    let c = f32(encoded) / 255.0;
    if c <= 0.04045 {
        return c / 12.92;
    }
    return pow((c + 0.055) / 1.055, 2.4);
}

// 0.2 R + 0.7 G + 0.1 B of the linear light, encoded again; equal samples stay as they are.
fn luma(rgb: vec3<u32>) -> u32 {
    if rgb.r == rgb.g && rgb.g == rgb.b {
        return rgb.r;
    }
    let light = 0.2 * linear(rgb.r) + 0.7 * linear(rgb.g) + 0.1 * linear(rgb.b);
    if light <= 0.0031308 {
        return to_byte(255.0 * 12.92 * light);
    }
    return to_byte(255.0 * (1.055 * pow(light, 1.0 / 2.4) - 0.055));
}

fn pixel_at(x: u32, y: u32) -> vec4<u32> {
    let n = jobs[job].src_channels;
    let pixel = pixel_of(jobs[job].src + y * jobs[job].src_pitch, x * n, n);
    let alpha = pixel[n - 1u];
    if jobs[job].operation == 1u {
        return vec4<u32>(luma(pixel.rgb), alpha, 0u, 0u);
    }
    let colour = select(pixel.rgb, pixel.rrr, n <= 2u);
    let over = jobs[job].over;
    return vec4<u32>(
        blend(colour.r, over.r, alpha),
        blend(colour.g, over.g, alpha),
        blend(colour.b, over.b, alpha),
        0u,
    );
}

@compute @workgroup_size(WG_X, WG_Y)
fn recolour(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) local: vec3<u32>) {
    let at = begin(group, local);
    if at.x >= jobs[job].dst_pitch || at.y >= jobs[job].height {
        return;
    }
    work[jobs[job].dst + at.y * jobs[job].dst_pitch + at.x] =
        word_of(at.x, at.y, jobs[job].width, jobs[job].channels);
}
