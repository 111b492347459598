//! Two answers to one request: what differs first, in the order status, format, size, pixels.

use crate::backend::{Backend as _, CpuBackend, NeverCancelled};
use crate::codecs::{self, DecodeSpec, Header, Limits};
use crate::image::ImageBuf;

use super::ask::Theirs;
use super::exchange::Exchange;
use super::pixels::{Difference, difference};

/// What became of a sample.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    Same,
    Status {
        ours: u16,
        theirs: u16,
    },
    Format {
        ours: String,
        theirs: String,
    },
    Size {
        ours: (u32, u32),
        theirs: (u32, u32),
    },
    Pixels(Difference),
    /// Texts, such as `/info`'s.
    Body,
    /// The other server's answer is no picture that can be read here.
    Unreadable,
    /// The other server gave no answer.
    Failed,
    Timeout,
    /// A body or an answer above the bound.
    TooLarge,
    /// No place in the queue, or no memory to hold or to compare it.
    Dropped,
}

impl Outcome {
    /// The label of the figure.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Status { .. } => "status",
            Self::Format { .. } => "format",
            Self::Size { .. } => "size",
            Self::Pixels(_) => "pixels",
            Self::Body => "body",
            Self::Unreadable => "unreadable",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Dropped => "dropped",
        }
    }

    /// A line of the log, where there is something to look at.
    pub(super) fn tell(&self, request: &str) {
        let result = self.name();
        match self {
            Self::Same => tracing::debug!(result, request, "shadow"),
            Self::Status { ours, theirs } => tracing::info!(result, request, ours, theirs, "shadow differs"),
            Self::Format { ours, theirs } => tracing::info!(result, request, ours, theirs, "shadow differs"),
            Self::Size { ours, theirs } => tracing::info!(
                result,
                request,
                ours = format!("{}x{}", ours.0, ours.1),
                theirs = format!("{}x{}", theirs.0, theirs.1),
                "shadow differs"
            ),
            Self::Pixels(difference) => tracing::info!(
                result,
                request,
                mean = format!("{:.2}", difference.mean),
                worst_block = format!("{:.1}", difference.worst_block),
                psnr = format!("{:.1}", difference.psnr()),
                "shadow differs"
            ),
            _ => tracing::info!(result, request, "shadow differs"),
        }
    }
}

/// Compares. Decodes at most two pictures, for which the exchange's charge is raised first.
pub(super) fn compare(mut exchange: Exchange, theirs: &Theirs, limits: &Limits) -> Outcome {
    if exchange.status != theirs.status {
        return Outcome::Status { ours: exchange.status, theirs: theirs.status };
    }
    // Errors are told in words of one's own; that both refuse is what counts.
    if exchange.status >= 400 || exchange.answer == theirs.bytes {
        return Outcome::Same;
    }
    let format = |bytes: &[u8]| codecs::sniff(bytes).map_or_else(|| "none".to_owned(), |format| format.to_string());
    let formats = (format(&exchange.answer), format(&theirs.bytes));
    if formats.0 != formats.1 {
        return Outcome::Format { ours: formats.0, theirs: formats.1 };
    }
    if formats.0 == "none" {
        return texts(&exchange.answer, &theirs.bytes);
    }
    let headers = (codecs::probe(&exchange.answer, limits), codecs::probe(&theirs.bytes, limits));
    let (Ok(ours), Ok(other)) = headers else { return Outcome::Unreadable };
    let size = |header: &Header| (header.size.width(), header.size.height());
    if size(&ours) != size(&other) {
        return Outcome::Size { ours: size(&ours), theirs: size(&other) };
    }
    // Decoded, and once more as packed samples; two of each at the worst moment.
    let needed = ours.size.area().saturating_mul(16).saturating_add(ours.scratch_bytes.max(other.scratch_bytes));
    if !exchange.charge.as_mut().is_some_and(|charge| charge.try_grow(needed)) {
        return Outcome::Dropped;
    }
    let pictures = (decoded(&exchange.answer, &ours, limits), decoded(&theirs.bytes, &other, limits));
    let (Some(ours), Some(other)) = pictures else { return Outcome::Unreadable };
    let difference = difference(&ours, &other);
    if difference.is_visible() { Outcome::Pixels(difference) } else { Outcome::Same }
}

/// JSON by what it says, anything else by its bytes.
fn texts(ours: &[u8], theirs: &[u8]) -> Outcome {
    let json = |bytes| serde_json::from_slice::<serde_json::Value>(bytes).ok();
    match (json(ours), json(theirs)) {
        (Some(ours), Some(theirs)) if ours == theirs => Outcome::Same,
        _ => Outcome::Body,
    }
}

fn decoded(bytes: &[u8], header: &Header, limits: &Limits) -> Option<ImageBuf> {
    let decoded = codecs::decode(bytes, header, &DecodeSpec::default(), limits, &|| false).ok()?;
    CpuBackend.run(decoded.picture, &[], &[], &NeverCancelled).ok()
}
