//! How many bytes a plan holds at its worst moment, reckoned from the header before any pixel exists.

use crate::codecs::{self, Format, Header};
use crate::image::{ImageBuf, PixelFormat, Size};
use crate::ops::Step;
use crate::plan::{Overlay, Plan};

/// Bytes a worker needs beside the pictures: parser state, tables, small buffers.
const FIXED: u64 = 256 << 10;

/// Peak bytes of carrying `plan` out on a source with this header, without the source's own bytes.
pub(super) fn peak_bytes(plan: &Plan, header: &Header) -> u64 {
    let alpha = header.alpha;
    let gray = header.is_gray();
    let divisor = if header.format == Format::Svg { plan.decode.shrink.divisor() } else { 1 };
    let mut size = Size::at_least_one(header.size.width().div_ceil(divisor), header.size.height().div_ceil(divisor));
    let mut held = ImageBuf::byte_len(size, PixelFormat::of(gray, alpha));
    let mut peak = held.saturating_add(header.scratch_bytes);

    for step in &plan.steps {
        let out = step.output_size(size);
        // A coloured overlay or background may turn grey into RGB; reckon with the wider format from there on.
        let widens = matches!(step, Step::Composite { .. } | Step::Embed { .. } | Step::Flatten(_));
        let format = PixelFormat::of(gray && !widens, alpha);
        let bytes = ImageBuf::byte_len(out, format);
        let between = match step {
            // Two passes: one intermediate with one side already resampled.
            Step::Resample { .. } => Size::new(out.width(), size.height())
                .map_or(0, |s| ImageBuf::byte_len(s, format).min(bytes.saturating_mul(4).max(held))),
            Step::Blur(_) => bytes.saturating_mul(2),
            _ => 0,
        };
        peak = peak.max(held.saturating_add(bytes).saturating_add(between));
        held = bytes;
        size = out;
    }

    // Tiles of text are never larger than the picture; fetched marks are charged when their headers are known.
    let texts = plan.overlays.iter().filter(|o| matches!(o, Overlay::Text(_))).count() as u64;
    peak = peak.saturating_add(texts.saturating_mul(size.area().saturating_mul(4)));
    // The picture, a file that is no larger, and what the encoder holds.
    let encoding = codecs::encoding_bytes(size, held, &plan.encode);
    peak.max(held.saturating_mul(2).saturating_add(encoding)).saturating_add(FIXED)
}
