//! What holds whatever is asked of whatever picture.

use proptest::prelude::*;

use super::*;
use crate::ops::Step;

/// A value of a parameter: mostly sensible, sometimes not.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0u32..3000).prop_map(|n| n.to_string()),
        2 => prop_oneof![Just("true"), Just("false"), Just(""), Just("0"), Just("smart"), Just("bw"), Just("16:9")]
            .prop_map(str::to_owned),
        2 => prop_oneof![Just("jpeg"), Just("webp"), Just("auto"), Just("1,2,3"), Just("background"), Just("mirror")]
            .prop_map(str::to_owned),
        1 => prop_oneof![Just("9e18"), Just("1e300"), Just("-7.5"), Just("4294967296"), Just("2147483647")]
            .prop_map(str::to_owned),
    ]
}

fn pairs() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let names = PARAMS.map(|spec| spec.name).to_vec();
    prop::collection::vec((prop::sample::select(names), value()), 0..8)
}

fn joined(pairs: &[(&str, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// Values as JSON: bare where they can be, negative now and then.
fn json(pairs: &[(&str, String)], negative: bool) -> String {
    let bare = |value: &str| value.parse::<f64>().is_ok_and(f64::is_finite) || value == "true" || value == "false";
    let fields = pairs.iter().map(|(name, value)| match value.parse::<f64>() {
        Ok(n) if negative && n > 0.0 => format!("\"{name}\":-{n}"),
        _ if bare(value) && !value.is_empty() => format!("\"{name}\":{value}"),
        _ => format!("\"{name}\":\"{value}\""),
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

fn headers() -> impl Strategy<Value = Header> {
    let formats = [Format::Jpeg, Format::Png, Format::Webp, Format::Tiff, Format::Gif, Format::Avif];
    let spaces = [Space::Srgb, Space::Gray, Space::Cmyk, Space::Rgb16, Space::Gray16];
    let side = || prop_oneof![1u32..12, 1u32..5000, 60_000u32..70_000];
    (
        side(),
        side(),
        0u16..10,
        any::<bool>(),
        prop::sample::select(formats.to_vec()),
        prop::sample::select(spaces.to_vec()),
    )
        .prop_map(|(width, height, exif_orientation, alpha, format, space)| Header {
            exif_orientation,
            alpha,
            space,
            ..header(width, height, format)
        })
}

/// Walks the steps and checks that each can be carried out and stays within the limits.
fn check(plan: &Plan, header: &Header) {
    let limits = Limits::default();
    let pixels = limits.output_pixels.max(header.size.area());
    let side = limits.side.max(header.size.width()).max(header.size.height());
    let mut size = header.size;
    for step in &plan.steps {
        match step {
            Step::Crop(window) => assert!(window.is_inside(size), "{plan:?}"),
            Step::Zoom { factor, window } => {
                let zoomed = |side: u32| side.checked_mul(factor.get()).expect("windows can be named");
                let whole = Size::new(zoomed(size.width()), zoomed(size.height())).unwrap();
                assert!(window.is_inside(whole), "{plan:?}");
            }
            Step::SmartCrop { to } => assert!(to.fits_in(size) && *to != size, "{plan:?}"),
            Step::Resample { to, .. } => assert_ne!(*to, size, "{plan:?}"),
            Step::Orient(orientation) => assert!(!orientation.is_upright(), "{plan:?}"),
            Step::Composite { overlay, .. } => assert!(*overlay < plan.overlays.len(), "{plan:?}"),
            Step::Embed { .. } | Step::Blur(_) | Step::Flatten(_) | Step::Gray => {}
        }
        size = step.output_size(size);
        assert!(size.area() <= pixels && size.width() <= side && size.height() <= side, "{size} in {plan:?}");
    }
    assert_eq!(plan.output_size(header.size), size);
    assert!((1..=100).contains(&plan.encode.quality) && (1..=9).contains(&plan.encode.compression));
    assert!(plan.encode.format.is_written());
    let jpeg_alpha = header.alpha && !plan.encode.format.holds_alpha();
    assert!(!jpeg_alpha || plan.steps.iter().any(|step| matches!(step, Step::Flatten(_))) || plan.steps.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsing_never_panics(raw in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&Query::parse(&raw));
    }

    #[test]
    fn any_value_of_any_parameter_is_read_or_named(
        name in prop::sample::select(PARAMS.map(|spec| spec.name).to_vec()),
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let escaped: String = value.iter().map(|b| format!("%{b:02X}")).collect();
        if let Err(error) = parse(&Query::parse(format!("{name}={escaped}").as_bytes())) {
            prop_assert_eq!(error.0.name, name);
            prop_assert_eq!(error.0.value, quote(&value));
        }
    }

    #[test]
    fn a_plan_can_be_carried_out_within_the_limits(
        pairs in pairs(),
        endpoint in prop::sample::select(Endpoint::ALL.to_vec()),
        header in headers(),
    ) {
        if let Ok(plan) = plan(endpoint.name(), &joined(&pairs), &header, None) {
            check(&plan, &header);
        }
    }

    #[test]
    fn so_can_a_pipeline(
        operations in prop::collection::vec(
            (prop::sample::select(Endpoint::ALL.to_vec()), pairs(), any::<bool>(), any::<bool>()),
            1..5,
        ),
        header in headers(),
    ) {
        let list: Vec<String> = operations
            .iter()
            .map(|(endpoint, pairs, ignore, negative)| {
                let name = endpoint.operation_name().unwrap_or("flip");
                let params = json(pairs, *negative);
                format!("{{\"operation\":\"{name}\",\"ignore_failure\":{ignore},\"params\":{params}}}")
            })
            .collect();
        let query = format!("operations=[{}]", list.join(","));
        if let Ok(plan) = plan("pipeline", &query, &header, None) {
            check(&plan, &header);
        }
    }

    #[test]
    fn results_stay_inside_the_box(width in 1u32..900, height in 1u32..900, header in headers()) {
        let query = format!("width={width}&height={height}&type=png");
        let frame = Size::new(width, height).unwrap();
        for endpoint in ["fit", "crop", "smartcrop", "resize"] {
            if let Ok(plan) = plan(endpoint, &query, &header, None) {
                prop_assert!(plan.output_size(header.size).fits_in(frame), "{endpoint} {plan:?}");
            }
        }
    }

    #[test]
    fn a_forced_size_is_exact(width in 1u32..900, height in 1u32..900, header in headers()) {
        let query = format!("width={width}&height={height}&force=true&type=png");
        for endpoint in ["resize", "crop", "smartcrop", "enlarge", "thumbnail", "flip", "convert"] {
            let plan = plan(endpoint, &query, &header, None).unwrap();
            prop_assert_eq!(plan.output_size(header.size), Size::new(width, height).unwrap());
        }
    }

    #[test]
    fn one_operation_alone_or_in_a_pipeline_is_the_same_plan(pairs in pairs(), header in headers()) {
        // Numbers as strings are read alike; `type` has rules of its own inside a pipeline, and repeated names too.
        let mut seen = Vec::new();
        let pairs: Vec<_> = pairs
            .into_iter()
            .filter(|(name, _)| !["type", "operations"].contains(name) && !seen.contains(name) && { seen.push(name); true })
            .collect();
        let fields: Vec<_> = pairs.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        for endpoint in Endpoint::ALL {
            let Some(name) = endpoint.operation_name() else { continue };
            let list = format!("operations=[{{\"operation\":\"{name}\",\"params\":{{{}}}}}]", fields.join(","));
            let alone = plan(endpoint.name(), &joined(&pairs), &header, None);
            let piped = plan("pipeline", &list, &header, None);
            match (alone, piped) {
                (Ok(alone), Ok(piped)) => prop_assert_eq!(alone, piped),
                (alone, piped) => prop_assert_eq!(alone.is_err(), piped.is_err(), "{}", list),
            }
        }
    }
}
