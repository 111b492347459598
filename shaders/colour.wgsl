// Steps from colour to colour, pixel by pixel: flatten, grey.
override WG_WORDS: u32 = 64u;

struct Params {
    // Pixels.
    pixels: u32,
    // Samples a pixel before and after.
    src_channels: u32,
    channels: u32,
    // 0: blend over the colour and drop alpha; 1: drop colour, keep alpha.
    operation: u32,
    // Red, green, blue to blend over.
    over: vec4<u32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<u32>;
@group(0) @binding(2) var<storage, read_write> dst: array<u32>;

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

fn pixel_at(index: u32) -> vec4<u32> {
    let n = params.src_channels;
    var pixel = vec4<u32>(0u);
    for (var c = 0u; c < n; c++) {
        let at = index * n + c;
        pixel[c] = byte_of(src[at >> 2u], at);
    }
    let alpha = pixel[n - 1u];
    if params.operation == 1u {
        return vec4<u32>(luma(pixel.rgb), alpha, 0u, 0u);
    }
    let colour = select(pixel.rgb, pixel.rrr, n <= 2u);
    let over = params.over;
    return vec4<u32>(
        blend(colour.r, over.r, alpha),
        blend(colour.g, over.g, alpha),
        blend(colour.b, over.b, alpha),
        0u,
    );
}

@compute @workgroup_size(WG_WORDS)
fn recolour(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.y * WORDS_ACROSS + id.x;
    if i >= words_in(params.channels, params.pixels) {
        return;
    }
    dst[i] = word_of(i, params.channels, params.pixels);
}
