use proptest::prelude::*;

use super::*;
use crate::codecs::{Format, Header, Limits, OutputFormat, Space};
use crate::image::Size;
use crate::query::Query;

fn header(width: u32, height: u32, exif: u16) -> Header {
    Header {
        format: Format::Png,
        size: Size::new(width, height).unwrap(),
        exif_orientation: exif,
        alpha: false,
        space: Space::Srgb,
        channels: 3,
        profile: false,
        scratch_bytes: 0,
    }
}

fn plan(request: &str, header: &Header) -> Result<Plan, String> {
    let (name, query) = request.split_once('?').unwrap_or((request, ""));
    let params = parse(&Query::parse(query.as_bytes())).map_err(|e| e.to_string())?;
    let endpoint = Endpoint::from_path_segment(name).unwrap();
    resolve(endpoint, &params, header, &Limits::default(), None).map_err(|e| e.to_string())
}

fn size_of(plan: &Plan, header: &Header) -> (u32, u32) {
    let size = plan.steps.iter().fold(header.size, |size, step| step.output_size(size));
    (size.width(), size.height())
}

#[test]
fn sizes_are_the_contracts() {
    for (request, (w, h), want) in [
        ("resize?width=300", (550, 740), (300, 404)),
        ("resize?height=100", (550, 740), (74, 100)),
        ("resize?width=300&height=300", (550, 740), (300, 300)),
        ("resize?width=300&height=300&nocrop=false", (550, 740), (300, 300)),
        ("resize?width=5000", (550, 740), (550, 740)),
        ("resize?width=600&height=800", (550, 740), (550, 740)),
        ("resize?width=600&height=300", (550, 740), (600, 300)),
        ("fit?width=300&height=300", (550, 740), (223, 300)),
        ("fit?width=100&height=900", (400, 300), (100, 75)),
        ("enlarge?width=1100&height=1480", (550, 740), (1100, 1480)),
        ("extract?top=10&left=20&areawidth=30&areaheight=40", (100, 100), (30, 40)),
        ("crop?width=300", (550, 740), (300, 740)),
        ("crop?width=300&height=200", (550, 740), (300, 200)),
        ("crop?width=900&height=200", (550, 740), (550, 200)),
        ("smartcrop?width=200&height=100", (550, 740), (200, 100)),
        ("thumbnail?width=100", (550, 740), (100, 135)),
        ("thumbnail?width=100&height=100", (550, 740), (100, 100)),
        ("zoom?factor=1", (50, 40), (100, 80)),
        ("zoom?factor=1&top=10&left=5&areawidth=50&areaheight=60", (50, 40), (50, 60)),
        ("zoom?factor=1&top=10&areawidth=50&areaheight=50&nocrop=false", (160, 120), (160, 120)),
        ("rotate?rotate=90", (50, 40), (40, 50)),
        ("rotate?rotate=45", (50, 40), (50, 40)),
        ("rotate?rotate=450", (50, 40), (40, 50)),
        ("flip?width=20&height=20", (50, 40), (20, 20)),
        ("resize?width=1", (1000, 1), (1, 1)),
        ("resize?width=160&aspectratio=16:9", (550, 740), (160, 90)),
        ("resize?width=300&force=true", (550, 740), (300, 404)),
    ] {
        let header = header(w, h, 0);
        let plan = plan(request, &header).unwrap_or_else(|e| panic!("{request}: {e}"));
        assert_eq!(size_of(&plan, &header), want, "{request}: {plan:#?}");
    }
}

#[test]
fn exif_turns_are_applied_once_and_rotate_replaces_them() {
    let turned = header(400, 300, 6);
    assert_eq!(size_of(&plan("resize?width=100", &turned).unwrap(), &turned), (100, 133));
    assert_eq!(size_of(&plan("rotate?rotate=180", &turned).unwrap(), &turned), (400, 300));
    assert_eq!(size_of(&plan("convert?type=png&norotation=true", &turned).unwrap(), &turned), (400, 300));
    assert_eq!(size_of(&plan("fit?width=100&height=100", &turned).unwrap(), &turned), (75, 100));
    let twice = plan("pipeline?operations=[{\"operation\":\"autorotate\"},{\"operation\":\"flip\"}]", &turned).unwrap();
    assert_eq!(size_of(&twice, &turned), (300, 400));
    let mirrored = header(4, 3, 2);
    assert_eq!(plan("flip", &mirrored), plan("convert?type=png", &mirrored));
}

#[test]
fn errors_are_the_contracts() {
    let h = header(100, 100, 0);
    let failed = |text: &str| format!("Error while processing the image: {text}");
    for (request, message) in [
        ("resize", failed("Missing required param: height or width")),
        ("fit?width=1", failed("Missing required params: height, width")),
        ("enlarge?width=1", failed("Missing required params: height, width")),
        ("extract?areawidth=1", failed("Missing required params: areawidth or areaheight")),
        ("thumbnail", failed("Missing required params: width or height")),
        ("zoom", failed("Missing required param: factor")),
        ("zoom?factor=1&top=1", failed("Missing required params: areawidth, areaheight")),
        ("rotate", failed("Missing required param: rotate")),
        ("convert", failed("Missing required param: type")),
        ("watermark", failed("Missing required param: text")),
        ("watermarkimage", failed("Missing required param: image")),
        ("blur", failed("Missing required param: sigma or minampl")),
        ("extract?top=90&areawidth=20&areaheight=20", failed("extract_area: bad extract area")),
        ("convert?type=gif", failed("Unsupported image output type")),
        ("resize?width=10&type=xyz", "Unsupported output image format".into()),
        ("enlarge?width=60000&height=60000", "Image resolution is too big".into()),
        ("pipeline", failed("Missing or invalid pipeline operations JSON")),
        ("pipeline?operations=[{}]", failed("Unsupported operation name: ")),
        (
            "resize?width=abc",
            "Error while processing parameters, error while processing parameter \"width\" with value \"abc\", error: \
             strconv.ParseFloat: parsing \"abc\": invalid syntax"
                .into(),
        ),
        (
            "resize?force=maybe",
            "Error while processing parameters, error while processing parameter \"force\" with value \"maybe\", error: \
             unsupported value"
                .into(),
        ),
        (
            "pipeline?operations=[{\"operation\":\"resize\",\"params\":{\"width\":\"abc\"}}]",
            failed(
                "error while processing parameter \"width\" with value \"abc\", error: strconv.ParseFloat: parsing \
                 \"abc\": invalid syntax",
            ),
        ),
    ] {
        assert_eq!(plan(request, &h), Err(message), "{request}");
    }
}

#[test]
fn a_pipeline_is_one_plan() {
    let h = Header { alpha: true, ..header(400, 300, 0) };
    let got = plan(
        "pipeline?operations=[{\"operation\":\"crop\",\"params\":{\"width\":200,\"height\":200}},{\"operation\":\"convert\",\"params\":{\"type\":\"jpeg\",\"quality\":\"80\"}},{\"operation\":\"extract\",\"ignore_failure\":true,\"params\":{\"areawidth\":900,\"areaheight\":9}},{\"operation\":\"resize\",\"params\":{\"width\":-50}}]",
        &h,
    )
    .unwrap();
    assert_eq!(size_of(&got, &h), (200, 200));
    assert_eq!(got.encode.format, OutputFormat::Jpeg);
    assert_eq!(got.encode.quality, 75);
    assert_eq!(got.steps.len(), 3, "{got:?}");
}

#[test]
fn negotiation_takes_the_first_known() {
    assert_eq!(negotiate("text/html, image/WEBP;q=0.1, image/png"), Some(OutputFormat::Webp));
    assert_eq!(negotiate("image/avif,*/*"), None);
}

proptest! {
    #[test]
    fn arbitrary_queries_never_panic_and_plans_keep_the_limits(
        endpoint in 0..Endpoint::ALL.len(),
        query in "((width|height|top|left|areawidth|areaheight|factor|rotate|sigma|text|gravity|force|nocrop|type|embed)=[-0-9a-z.]{0,7}&){0,7}",
        (w, h) in (1u32..5000, 1u32..3000),
        exif in 0u16..10,
    ) {
        let header = header(w, h, exif);
        let limits = Limits::default();
        if let Ok(params) = parse(&Query::parse(query.as_bytes()))
            && let Ok(plan) = resolve(Endpoint::ALL[endpoint], &params, &header, &limits, None)
        {
            let mut size = header.size;
            for step in &plan.steps {
                size = step.output_size(size);
                prop_assert!(size.area() <= limits.output_pixels.max(header.size.area()));
            }
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(query in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&Query::parse(&query));
    }
}
