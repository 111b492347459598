//! What a worker does for one job, each stage under `catch_unwind`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::backend::{Backend, Checkpoint, CpuBackend};
use crate::budget::Charge;
use crate::codecs::{self, DecodeError, DecodeSpec, EncodeSpec, Header, Limits, Metadata};
use crate::image::{ImageBuf, Picture, PixelFormat, Size};
use crate::ops::{self, Step};
use crate::plan::{Overlay, Plan};

use super::control::Control;
use super::placement::{Placed, Placement};
use super::{EngineError, Job, Output, Timings};

/// Reads a header. A decoder that panics found a damaged file that it did not expect: the client's fault as much as ours.
pub(super) fn probe(source: &[u8], limits: &Limits, panics: &AtomicU64) -> Result<Header, EngineError> {
    let header = guarded(panics, || codecs::probe(source, limits)).unwrap_or(Err(DecodeError::Unreadable))?;
    Ok(header)
}

/// Reads a header where that takes memory worth counting; `charge` holds `charged` bytes of `total` that there are.
pub(super) fn probe_charged(
    source: &[u8],
    limits: &Limits,
    panics: &AtomicU64,
    (mut charge, charged, total): (Charge, u64, u64),
) -> Result<Header, EngineError> {
    let needed = guarded(panics, || codecs::probe_bytes(source, limits)).unwrap_or(Err(DecodeError::Unreadable))?;
    if needed > total {
        return Err(EngineError::TooLarge { needed, limit: total });
    }
    // Waiting here while holding memory could deadlock; better refuse.
    if !charge.try_grow(needed.saturating_sub(charged)) {
        return Err(EngineError::Busy { retry_after_seconds: 1 });
    }
    probe(source, limits, panics)
}

/// A picture with all steps done, on its way to the encoder.
pub(super) struct Pixels {
    picture: Picture,
    metadata: Metadata,
    spec: EncodeSpec,
    timings: Timings,
    placed: Placed,
    charge: Charge,
    made: Instant,
}

/// What all stages of a job share.
pub(super) struct Stage<'a> {
    pub(super) limits: Limits,
    pub(super) panics: &'a AtomicU64,
    pub(super) control: &'a Control,
    pub(super) placement: &'a Placement,
}

impl Stage<'_> {
    /// Decodes the source and the overlays and does the steps.
    pub(super) fn make_pixels(&self, job: Job, mut charge: Charge) -> Result<Pixels, EngineError> {
        let Job { source, header, plan, overlays } = job;
        let begun = Instant::now();
        let cancelled = || self.control.is_cancelled();
        let decoded = guarded(self.panics, || codecs::decode(&source, &header, &plan.decode, &self.limits, &cancelled))
            .unwrap_or(Err(DecodeError::Unreadable))?;
        drop(source);
        let overlays = self.overlays(&plan, &decoded.picture, &overlays, &mut charge)?;
        let decode = begun.elapsed();

        let begun = Instant::now();
        let work = (plan.steps.as_slice(), codecs::form(&plan.encode));
        let run = || self.placement.run(decoded.picture, &overlays, work, self.control);
        let (picture, placed) =
            guarded(self.panics, || run().map_err(EngineError::from)).unwrap_or(Err(EngineError::Panicked))?;
        let (device_wait, whole) = (placed.device_wait, begun.elapsed());
        let timings = Timings { decode, device_wait, steps: whole.saturating_sub(device_wait), ..Timings::default() };
        let made = Instant::now();
        Ok(Pixels { picture, metadata: decoded.metadata, spec: plan.encode, timings, placed, charge, made })
    }

    /// Draws texts and decodes marks, in the order of the plan.
    fn overlays(
        &self,
        plan: &Plan,
        picture: &Picture,
        fetched: &[Option<Bytes>],
        charge: &mut Charge,
    ) -> Result<Vec<ImageBuf>, EngineError> {
        let mut drawn = Vec::with_capacity(plan.overlays.len());
        for (i, overlay) in plan.overlays.iter().enumerate() {
            let image = match overlay {
                Overlay::Text(spec) => {
                    let size = size_at(plan, i, picture.size());
                    guarded(self.panics, || ops::draw_text(spec, size))
                        .ok_or(EngineError::Panicked)?
                        .map_err(|e| EngineError::Text(e.to_string()))?
                }
                Overlay::Image { optional, .. } => match fetched.get(i).and_then(Option::as_ref) {
                    Some(bytes) => match self.mark(bytes, charge) {
                        Err(EngineError::Overlay(_)) if *optional => nothing(),
                        other => other?,
                    },
                    None if *optional => nothing(),
                    None => return Err(EngineError::Overlay(DecodeError::Unreadable)),
                },
            };
            drawn.push(image);
        }
        Ok(drawn)
    }

    /// Decodes a fetched watermark picture.
    fn mark(&self, bytes: &[u8], charge: &mut Charge) -> Result<ImageBuf, EngineError> {
        let cancelled = || self.control.is_cancelled();
        let spec = DecodeSpec::default();
        let decoded = guarded(self.panics, || {
            let header = codecs::probe(bytes, &self.limits)?;
            let needed = header.size.area().saturating_mul(8).saturating_add(header.scratch_bytes);
            if !charge.try_grow(needed) {
                return Ok(None);
            }
            codecs::decode(bytes, &header, &spec, &self.limits, &cancelled).map(Some)
        })
        .unwrap_or(Err(DecodeError::Unreadable))
        .map_err(EngineError::Overlay)?;
        // Waiting here while holding memory could deadlock; better refuse.
        let decoded = decoded.ok_or(EngineError::Busy { retry_after_seconds: 1 })?;
        Ok(CpuBackend.run(decoded.picture, &[], &[], self.control)?)
    }
}

/// Encodes and gives the memory back.
pub(super) fn encode(pixels: Pixels, queue: Duration, panics: &AtomicU64) -> Result<Output, EngineError> {
    let Pixels { picture, metadata, spec, timings, placed, charge, made } = pixels;
    let (encode_wait, begun) = (made.elapsed(), Instant::now());
    let bytes = guarded(panics, || codecs::encode_picture(&picture, &metadata, &spec).map_err(EngineError::from))
        .unwrap_or(Err(EngineError::Panicked))?;
    let size = picture.size();
    drop(charge);
    let timings = Timings { queue, encode_wait, encode: begun.elapsed(), ..timings };
    Ok(Output { bytes: bytes.into(), format: spec.format, size, timings, placed })
}

/// Size of the picture just before overlay `index` is laid over it.
fn size_at(plan: &Plan, index: usize, decoded: Size) -> Size {
    let mut size = decoded;
    for step in &plan.steps {
        if matches!(step, Step::Composite { overlay, .. } if *overlay == index) {
            break;
        }
        size = step.output_size(size);
    }
    size
}

/// An overlay that changes nothing.
fn nothing() -> ImageBuf {
    ImageBuf::zeroed(Size::at_least_one(1, 1), PixelFormat::Rgba8)
}

/// Runs `body`; `None`, and one more panic counted, when it panics. What a panicking stage borrowed is dropped with its
/// job, so no half-changed state is seen again.
fn guarded<T>(panics: &AtomicU64, body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body))
        .inspect_err(|_| {
            panics.fetch_add(1, Ordering::Relaxed);
        })
        .ok()
}
