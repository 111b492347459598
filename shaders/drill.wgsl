// Computes for as long as it is told, and nothing of use: a device that hangs, for drills. Marsaglia's xorshift.

struct Spin {
    state: u32,
    turns: u32,
}

@group(0) @binding(0) var<storage, read_write> spin: Spin;

@compute @workgroup_size(1)
fn turn(@builtin(workgroup_id) group: vec3<u32>) {
    var x = spin.state + group.x + 1u;
    for (var i = 0u; i < spin.turns; i++) {
        x ^= x << 13u;
        x ^= x >> 17u;
        x ^= x << 5u;
    }
    // Never: it is only to be computed.
    if x == 0u {
        spin.state = x;
    }
}
