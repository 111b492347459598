//! The `Params` of each shader, byte for byte; the tests of `shaders.rs` compare the two.

use bytemuck::{Pod, Zeroable};

/// `resample.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Resample {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: u32,
    pub(super) axis: u32,
    pub(super) alpha: u32,
    pub(super) colour: u32,
    pub(super) dst_at: u32,
    pub(super) reserved: u32,
    pub(super) lanes: [[u32; 4]; 4],
}

/// `resample_coefficients.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Blocks {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) blocks: u32,
    pub(super) frequencies: u32,
    pub(super) count: u32,
    pub(super) plane: u32,
    pub(super) src_at: u32,
    pub(super) dst_at: u32,
    pub(super) table: u32,
    pub(super) order: u32,
    pub(super) reserved_0: u32,
    pub(super) reserved_1: u32,
}

/// `orient.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Move {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) channels: u32,
    pub(super) origin: u32,
    pub(super) right: u32,
    pub(super) down: u32,
    pub(super) reserved_0: u32,
    pub(super) reserved_1: u32,
}

/// `colour.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, Pod, Zeroable)]
pub(super) struct Colour {
    pub(super) pixels: u32,
    pub(super) src_channels: u32,
    pub(super) channels: u32,
    pub(super) operation: u32,
    pub(super) over: [u32; 4],
}
