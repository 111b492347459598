//! What a worker does for one job, each stage under `catch_unwind`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use tokio::sync::oneshot;

use crate::backend::{Backend, Checkpoint, CpuBackend};
use crate::budget::Charge;
use crate::codecs::{self, DecodeError, DecodeSpec, DecodedTo, EncodeSpec, Header, Limits, Metadata};
use crate::image::{ImageBuf, Picture, PixelFormat, Size};
use crate::ops::{self, Step};
use crate::plan::{Overlay, Plan};

use super::control::Control;
use super::placement::{Ahead, Away, Begun, Decided, Placed, Placement, Rest, Space, Subject, Task};
use super::pool::Finisher;
use super::{Counters, EngineError, Job, Output, Timings};

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

/// Who waits for a picture.
type Answer = oneshot::Sender<Result<Output, EngineError>>;

/// What all stages of a job share.
pub(super) struct Stages {
    pub(super) limits: Limits,
    pub(super) counters: Arc<Counters>,
    pub(super) control: Control,
    pub(super) placement: Arc<Placement>,
    pub(super) finisher: Finisher,
}

/// What a job needs besides its picture, on its way from stage to stage.
struct Luggage {
    metadata: Metadata,
    spec: EncodeSpec,
    timings: Timings,
    charge: Charge,
    answer: Answer,
    /// When the steps were done.
    made: Instant,
}

/// A job that is decoded.
#[allow(clippy::large_enum_variant, reason = "there is one a job, and it is moved twice")]
enum Decoded {
    /// To be given its place, or the one that was decided.
    Here(Task, Option<Decided>),
    Away(Away),
}

impl Stages {
    /// Makes a picture: decodes here, does the steps here or leaves them to a GPU, and hands in the encoding. No thread
    /// waits for a GPU: what it made comes back as the second half of a job.
    pub(super) fn run(self, job: Job, queue: Duration, charge: Charge, answer: Answer) {
        let begun = Instant::now();
        let spec = job.plan.encode;
        let (begin, metadata, charge) = match self.decode(job, charge) {
            Ok(decoded) => decoded,
            Err(error) => {
                let _ = answer.send(Err(error));
                return;
            }
        };
        let timings = Timings { queue, decode: begun.elapsed(), ..Timings::default() };
        let luggage = Luggage { metadata, spec, timings, charge, answer, made: Instant::now() };
        let begun = Instant::now();
        let place = || match begin {
            Decoded::Here(task, decided) => self.placement.begin(task, decided),
            Decoded::Away(away) => Begun::Away(away),
        };
        match guarded(self.panics(), place) {
            Some(Begun::Here(rest)) => {
                let Some((luggage, picture, placed)) = self.finish(rest, luggage, begun) else { return };
                // Before any job that has not begun.
                let counters = self.counters;
                self.finisher.submit(Box::new(move || luggage.encode(&picture, placed, &counters.panics)));
            }
            Some(Begun::Away(away)) => {
                let (finisher, counters) = (self.finisher.clone(), Arc::clone(&self.counters));
                let resume = move |rest| {
                    finisher.submit(Box::new(move || {
                        let Some((luggage, picture, placed)) = self.finish(rest, luggage, begun) else { return };
                        luggage.encode(&picture, placed, self.panics());
                    }));
                };
                // Who waits is told by the dropped sender if this panics.
                let _ = guarded(&counters.panics, || away.then(resume));
            }
            None => drop(luggage.answer.send(Err(EngineError::Panicked))),
        }
    }

    fn panics(&self) -> &AtomicU64 {
        &self.counters.panics
    }

    /// Decodes the source and the overlays: the source to where it will be worked on, if that can be said before; then the
    /// overlays come first, for nothing can be laid out without their sizes. The source is let go as soon as it is decoded
    /// here.
    fn decode(&self, job: Job, mut charge: Charge) -> Result<(Decoded, Metadata, Charge), EngineError> {
        let Job { source, header, plan, overlays: fetched } = job;
        let form = codecs::form(&plan.encode);
        let outline = || codecs::outline(&source, &header, &plan.decode, &self.limits);
        let outline = self.placement.is_a_choice().then(|| guarded(self.panics(), outline)).flatten().flatten();
        let overlays = outline.as_ref().map(|outline| self.overlays(&plan, outline.size(), &fetched, &mut charge));
        let ahead = outline.as_ref().zip(overlays.as_ref().and_then(|drawn| drawn.as_ref().ok()));
        let ahead = ahead.and_then(|(outline, drawn)| {
            guarded(self.panics(), || self.placement.ahead(outline, drawn, (&plan.steps, form)))
        });
        let (decoded, decided) = match ahead {
            Some(Ahead::Away(mut space)) => match self.decode_to(&source, &header, &plan.decode, &mut space)? {
                DecodedTo::Sink(metadata) => {
                    let (limits, control, steps) = (self.limits, self.control.clone(), plan.steps);
                    let again = move || {
                        let cancelled = || control.is_cancelled();
                        let decoded = codecs::decode(&source, &header, &plan.decode, &limits, &cancelled)?;
                        Ok(decoded.picture)
                    };
                    // Nothing is decided before they are there.
                    let overlays = overlays.transpose()?.unwrap_or_default();
                    let task = Task { subject: Subject::Again(Box::new(again)), overlays, steps, form };
                    return Ok((Decoded::Away(space.filled(&self.placement, task)), metadata, charge));
                }
                DecodedTo::Picture(decoded) => (decoded, None),
            },
            Some(Ahead::Here(decided)) => (self.decode_here(&source, &header, &plan.decode)?, Some(decided)),
            Some(Ahead::Open) | None => (self.decode_here(&source, &header, &plan.decode)?, None),
        };
        drop(source);
        // What is wrong with the picture is said before what is wrong with an overlay.
        let overlays = match overlays {
            Some(drawn) => drawn?,
            None => self.overlays(&plan, decoded.picture.size(), &fetched, &mut charge)?,
        };
        let task = Task { subject: Subject::Here(decoded.picture), overlays, steps: plan.steps, form };
        Ok((Decoded::Here(task, decided), decoded.metadata, charge))
    }

    fn decode_here(&self, source: &[u8], header: &Header, spec: &DecodeSpec) -> Result<codecs::Decoded, DecodeError> {
        let cancelled = || self.control.is_cancelled();
        guarded(self.panics(), || codecs::decode(source, header, spec, &self.limits, &cancelled))
            .unwrap_or(Err(DecodeError::Unreadable))
    }

    fn decode_to(
        &self,
        source: &[u8],
        header: &Header,
        spec: &DecodeSpec,
        space: &mut Space,
    ) -> Result<DecodedTo, DecodeError> {
        let cancelled = || self.control.is_cancelled();
        guarded(self.panics(), || codecs::decode_to(source, header, spec, &self.limits, space, &cancelled))
            .unwrap_or(Err(DecodeError::Unreadable))
    }

    /// Ends the steps; whoever waits is told when they fail.
    fn finish(&self, rest: Rest, mut luggage: Luggage, begun: Instant) -> Option<(Luggage, Picture, Placed)> {
        let made = guarded(self.panics(), || rest.finish(&self.control)).unwrap_or(Err(EngineError::Panicked));
        match made {
            Ok((picture, placed)) => {
                luggage.timings.device_wait = placed.device_wait;
                luggage.timings.steps = begun.elapsed().saturating_sub(placed.device_wait + placed.thread_wait);
                luggage.timings.encode_wait = placed.thread_wait;
                luggage.made = Instant::now();
                Some((luggage, picture, placed))
            }
            Err(error) => {
                let _ = luggage.answer.send(Err(error));
                None
            }
        }
    }

    /// Draws texts and decodes marks, in the order of the plan, for a picture of this size.
    fn overlays(
        &self,
        plan: &Plan,
        picture: Size,
        fetched: &[Option<Bytes>],
        charge: &mut Charge,
    ) -> Result<Vec<ImageBuf>, EngineError> {
        let mut drawn = Vec::with_capacity(plan.overlays.len());
        for (i, overlay) in plan.overlays.iter().enumerate() {
            let image = match overlay {
                Overlay::Text(spec) => {
                    let size = size_at(plan, i, picture);
                    guarded(self.panics(), || ops::draw_text(spec, size))
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
        let decoded = guarded(self.panics(), || {
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
        Ok(CpuBackend.run(decoded.picture, &[], &[], &self.control)?)
    }
}

impl Luggage {
    /// Encodes, gives the memory back, and answers.
    fn encode(self, picture: &Picture, placed: Placed, panics: &AtomicU64) {
        let Self { metadata, spec, timings, charge, answer, made } = self;
        let (encode_wait, begun) = (timings.encode_wait + made.elapsed(), Instant::now());
        let bytes = guarded(panics, || codecs::encode_picture(picture, &metadata, &spec).map_err(EngineError::from))
            .unwrap_or(Err(EngineError::Panicked));
        drop(charge);
        let timings = Timings { encode_wait, encode: begun.elapsed(), ..timings };
        let output =
            |bytes: Vec<u8>| Output { bytes: bytes.into(), format: spec.format, size: picture.size(), timings, placed };
        // Whoever asked may be gone.
        let _ = answer.send(bytes.map(output));
    }
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
