// What every pass of a batch shares: one dispatch does the same pass of many pictures. Each picture's part of it is a
// job; a workgroup finds its own by a search over the jobs' first workgroups. The file joined with this one declares
// `Params`, whose first members are
//     group: u32,         first workgroup of the job
//     tiles: u32,         workgroups in a row
//     src: u32, dst: u32, first words of source and result
//     places: vec4<u32>,  first words of tables, or of a second source
override WG_X: u32 = 32u;
override WG_Y: u32 = 8u;
// Whether the source lies in `input`, as it came from the host, or in `work`.
override FROM_INPUT: bool = false;

struct Dispatch {
    first: u32,
    count: u32,
    // Workgroups in a row of the dispatch.
    across: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> dispatch: Dispatch;
@group(0) @binding(1) var<storage, read> jobs: array<Params>;
@group(0) @binding(2) var<storage, read> input: array<u32>;
@group(0) @binding(3) var<storage, read_write> work: array<u32>;
@group(0) @binding(4) var<storage, read> tables: array<u32>;

// The job of this thread.
var<private> job: u32;

// Finds the job; answers the column and the row of the thread in it, which may lie outside.
fn begin(group: vec3<u32>, local: vec3<u32>) -> vec2<u32> {
    let number = group.y * dispatch.across + group.x;
    var low = dispatch.first;
    var high = dispatch.first + dispatch.count;
    while high - low > 1u {
        let middle = (low + high) / 2u;
        if jobs[middle].group <= number {
            low = middle;
        } else {
            high = middle;
        }
    }
    job = low;
    let tile = number - jobs[low].group;
    let tiles = jobs[low].tiles;
    return vec2<u32>((tile % tiles) * WG_X + local.x, (tile / tiles) * WG_Y + local.y);
}

// A word of the source.
fn load(at: u32) -> u32 {
    if FROM_INPUT {
        return input[at];
    }
    return work[at];
}

// The four bytes of a word.
fn bytes_of(word: u32) -> vec4<u32> {
    return (vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

// The nearest of 0 to 255.
fn to_byte(sample: f32) -> u32 {
    return u32(clamp(sample, 0.0, 255.0) + 0.5);
}
