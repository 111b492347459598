//! The `Params` of each shader, byte for byte; the tests of `shaders.rs` compare the two. All are as long as each other,
//! so that those of a batch lie in one array.

use bytemuck::{Pod, Zeroable};

/// Words of every `Params`.
pub(super) const WORDS: usize = 32;

/// What every `Params` begins with; filled in when the batch is laid out.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Header {
    pub(super) group: u32,
    pub(super) tiles: u32,
    pub(super) src: u32,
    pub(super) dst: u32,
    pub(super) places: [u32; 4],
}

/// `sum.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Sum {
    pub(super) header: Header,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) src_pitch: u32,
    pub(super) dst_pitch: u32,
    pub(super) first_row: u32,
    pub(super) alpha: u32,
    pub(super) axis: u32,
    pub(super) channels: u32,
    pub(super) reserved: [u32; 16],
}

/// `store.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Store {
    pub(super) header: Header,
    pub(super) at: [u32; 4],
    pub(super) pitch: [u32; 4],
    pub(super) step: [u32; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dst_pitch: u32,
    pub(super) channels: u32,
    pub(super) flags: u32,
    pub(super) origin_x: i32,
    pub(super) origin_y: i32,
    pub(super) xx: i32,
    pub(super) xy: i32,
    pub(super) yx: i32,
    pub(super) yy: i32,
    pub(super) reserved: u32,
}

/// `resample_coefficients.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Blocks {
    pub(super) header: Header,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) blocks: u32,
    pub(super) frequencies: u32,
    pub(super) count: u32,
    pub(super) plane: u32,
    pub(super) skip: u32,
    pub(super) reserved_0: u32,
    pub(super) reserved_1: [u32; 16],
}

/// `arrange.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Arrange {
    pub(super) header: Header,
    pub(super) fill: [u32; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dst_pitch: u32,
    pub(super) channels: u32,
    pub(super) src_width: u32,
    pub(super) src_height: u32,
    pub(super) src_pitch: u32,
    pub(super) src_channels: u32,
    pub(super) origin_x: i32,
    pub(super) origin_y: i32,
    pub(super) xx: i32,
    pub(super) xy: i32,
    pub(super) yx: i32,
    pub(super) yy: i32,
    pub(super) factor: i32,
    pub(super) border: u32,
    pub(super) reserved: [u32; 4],
}

/// `colour.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Colour {
    pub(super) header: Header,
    pub(super) over: [u32; 4],
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dst_pitch: u32,
    pub(super) channels: u32,
    pub(super) src_pitch: u32,
    pub(super) src_channels: u32,
    pub(super) operation: u32,
    pub(super) reserved_0: u32,
    pub(super) reserved_1: [u32; 12],
}

/// `composite.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Composite {
    pub(super) header: Header,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dst_pitch: u32,
    pub(super) channels: u32,
    pub(super) src_pitch: u32,
    pub(super) src_channels: u32,
    pub(super) over_width: u32,
    pub(super) over_height: u32,
    pub(super) over_pitch: u32,
    pub(super) over_channels: u32,
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) tiled: u32,
    pub(super) reserved_0: u32,
    pub(super) reserved_1: u32,
    pub(super) reserved_2: u32,
    pub(super) reserved_3: [u32; 8],
}

/// Numbers that are found once the batch is laid out are left 0.
pub(super) trait Params: Pod {
    /// As the array of all jobs holds it.
    fn words(&self) -> [u32; WORDS] {
        let mut words = [0; WORDS];
        let bytes = bytemuck::bytes_of(self);
        bytemuck::bytes_of_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        words
    }
}

impl Params for Sum {}
impl Params for Store {}
impl Params for Blocks {}
impl Params for Arrange {}
impl Params for Colour {}
impl Params for Composite {}

/// What a dispatch is told: its jobs, and how its workgroups are counted.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Dispatch {
    pub(super) first: u32,
    pub(super) count: u32,
    pub(super) across: u32,
    pub(super) reserved: u32,
}
