//! What `phasor gpus` prints.

use std::fmt::Write as _;

use crate::backend::gpu::{Wanted, adapters};
use crate::backend::{Backend, CpuBackend, GpuBackend, NeverCancelled};
use crate::image::{ImageBuf, Picture, PixelFormat, Size};
use crate::ops::{Filter, Sigma, Step};

/// The adapters, their limits and whether each gives the CPU's picture.
pub fn listing() -> String {
    let mut out = String::new();
    for adapter in adapters() {
        let kind = if adapter.software { ", software: used only with -gpu on" } else { "" };
        let _ = writeln!(out, "{}: {} ({}, {}{kind})", adapter.index, adapter.name, adapter.api, adapter.driver);
        let _ = writeln!(
            out,
            "   buffers up to {} MiB, {} MiB of it seen by a shader; {} invocations a workgroup",
            adapter.max_buffer >> 20,
            adapter.max_binding >> 20,
            adapter.max_invocations
        );
        let _ = writeln!(out, "   self-test: {}", self_test(adapter.index));
    }
    if out.is_empty() {
        out.push_str("no GPU: neither a Vulkan driver nor a software one was found; pictures are made on the CPU\n");
    }
    out
}

/// Shrinks and blurs a picture on the adapter and on the CPU.
fn self_test(index: usize) -> String {
    let wanted = Wanted { adapter: Some(index.to_string()), software: true, ..Wanted::default() };
    let Some(gpu) = GpuBackend::open_all(&wanted).into_iter().next() else {
        return "failed: the device cannot be opened".to_owned();
    };
    let size = Size::at_least_one(500, 300);
    let pixels = (0..ImageBuf::byte_len(size, PixelFormat::Rgba8)).map(|i| (i * i / 97 + i) as u8).collect();
    let (Ok(image), Some(sigma)) = (ImageBuf::new(size, PixelFormat::Rgba8, pixels), Sigma::new(1.5)) else {
        return "failed: no picture".to_owned();
    };
    let steps = [Step::Resample { to: Size::at_least_one(170, 100), filter: Filter::Lanczos3 }, Step::Blur(sigma)];
    let expected = CpuBackend.run(image.clone().into(), &[], &steps, &NeverCancelled);
    let made = gpu.run(Picture::from(image), &[], &steps, &NeverCancelled);
    match (expected, made) {
        (Ok(expected), Ok(made)) => {
            let apart = expected.pixels().iter().zip(made.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
            match apart {
                Some(apart @ 0..=2) => format!("passed (at most {apart} of 255 from the CPU)"),
                other => format!("FAILED: {} of 255 from the CPU", other.unwrap_or(u8::MAX)),
            }
        }
        (Err(error), _) | (_, Err(error)) => format!("FAILED: {error}"),
    }
}
