//! Laws of planning: whatever a client writes becomes a plan that can be carried out within the limits, or an error.
//!
//! The one place that names the functions of `phasor::plan`.

use phasor::codecs::{Format, Header, Limits, OutputFormat, Space};
use phasor::image::Size;
use phasor::ops::Step;
use phasor::plan::{self, Endpoint, MAX_TEXT_BYTES, Overlay, Plan};
use phasor::query::Query;

use super::limits;

/// A file of the fuzz target `query_to_plan`: four bytes for the endpoint and the picture, then the query as written.
pub fn check_query_file(bytes: &[u8]) {
    let Some((&[which, a, b, c], raw)) = bytes.split_first_chunk::<4>() else { return };
    let endpoint = Endpoint::ALL[usize::from(which) % Endpoint::ALL.len()];
    let _ = check(endpoint, raw, &source([a, b, c]));
}

/// A file of the fuzz target `operations_json`: three bytes for the picture, then JSON.
pub fn check_operations_file(bytes: &[u8]) {
    let Some((&picture, json)) = bytes.split_first_chunk::<3>() else { return };
    let escaped: String = json.iter().map(|b| format!("%{b:02x}")).collect();
    let raw = format!("operations={escaped}");
    let _ = check(Endpoint::Pipeline, raw.as_bytes(), &source(picture));
}

/// Plans for an endpoint and a raw query, twice, and holds the answer to its laws. Whether there is a plan.
pub fn check(endpoint: Endpoint, raw: &[u8], source: &Header) -> bool {
    let limits = limits();
    let query = Query::parse(raw);
    let resolve = || -> Result<Plan, String> {
        let params = plan::parse(&query).map_err(|error| error.to_string())?;
        // Counts for `type=auto` alone.
        let negotiated = Some(OutputFormat::Webp);
        plan::resolve(endpoint, &params, source, &limits, negotiated).map_err(|error| error.to_string())
    };
    let answer = resolve();
    assert_eq!(format!("{answer:?}"), format!("{:?}", resolve()), "two plans differ");
    match answer {
        Ok(plan) => {
            hold(&plan, source, &limits);
            true
        }
        Err(error) => {
            assert!(!error.is_empty());
            false
        }
    }
}

/// Every number of a plan is one that the engine can carry out.
fn hold(plan: &Plan, source: &Header, limits: &Limits) {
    let mut size = source.size;
    for step in &plan.steps {
        match step {
            Step::Crop(rect) => assert!(rect.is_inside(size), "{rect:?} is not inside {size}"),
            Step::Zoom { factor, window } => {
                let side = |side: u32| side.checked_mul(factor.get()).expect("no overflow");
                let zoomed = Size::at_least_one(side(size.width()), side(size.height()));
                assert!(window.is_inside(zoomed), "{window:?} is not inside {zoomed}");
            }
            Step::SmartCrop { to } => assert!(to.fits_in(size), "{to} does not fit in {size}"),
            Step::Composite { overlay, .. } => assert!(*overlay < plan.overlays.len(), "no overlay {overlay}"),
            Step::Orient(_)
            | Step::Resample { .. }
            | Step::Embed { .. }
            | Step::Blur(_)
            | Step::Flatten(_)
            | Step::Gray => {}
        }
        size = step.output_size(size);
        assert!(size.area() <= limits.output_pixels, "{size} after {step:?}");
        assert!(size.width().max(size.height()) <= limits.side, "{size} after {step:?}");
    }
    assert_eq!(size, plan.output_size(source.size));
    for overlay in &plan.overlays {
        if let Overlay::Text(text) = overlay {
            assert!(text.text.len() <= MAX_TEXT_BYTES && text.width >= 1);
        }
    }
    assert!((1..=100).contains(&plan.encode.quality) && (1..=9).contains(&plan.encode.compression));
    assert!(plan.encode.format.is_written());
}

/// A picture for planning, told by three bytes: sides 1 to 256, and a bit each for alpha, grey and format.
pub fn source(bytes: [u8; 3]) -> Header {
    let [width, height, kind] = bytes;
    let alpha = kind & 1 != 0;
    let space = if kind & 2 != 0 { Space::Gray } else { Space::Srgb };
    Header {
        format: [Format::Jpeg, Format::Png, Format::Webp, Format::Svg][usize::from(kind >> 2 & 3)],
        size: Size::at_least_one(u32::from(width) + 1, u32::from(height) + 1),
        exif_orientation: u16::from(kind >> 4) % 9,
        alpha,
        space,
        channels: if kind & 2 != 0 { 1 } else { 3 } + u8::from(alpha),
        profile: false,
        scratch_bytes: 0,
    }
}
