use std::path::Path;

use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Limits, decode, form, probe};
use phasor::image::{Form, Picture};
use phasor::plan::{Endpoint, parse, resolve};
use phasor::query::Query;

/// Requests whose answers show a part of the picture, and steps around that.
const REQUESTS: [(Endpoint, &str); 14] = [
    (Endpoint::Extract, "top=31&left=17&areawidth=40&areaheight=30"),
    (Endpoint::Extract, "top=0&left=0&areawidth=20&areaheight=20&width=60"),
    (Endpoint::Extract, "top=50&left=40&areawidth=60&areaheight=40&width=30"),
    (Endpoint::Extract, "top=60&left=70&areawidth=33&areaheight=9&width=5&type=jpeg"),
    (Endpoint::Extract, "top=9&left=9&areawidth=50&areaheight=50&rotate=90"),
    (Endpoint::Extract, "top=9&left=9&areawidth=50&areaheight=50&flip=true&colorspace=bw"),
    (Endpoint::Extract, "top=9&left=9&areawidth=50&areaheight=50&sigma=2"),
    (Endpoint::Crop, "width=60&height=20"),
    (Endpoint::Crop, "width=20&height=60&gravity=west"),
    (Endpoint::Crop, "width=16&height=9&gravity=north&type=jpeg"),
    (Endpoint::Crop, "width=50&height=10&gravity=south&type=webp"),
    (Endpoint::Crop, "width=40&height=40&gravity=smart"),
    (Endpoint::Thumbnail, "width=30&height=8"),
    (Endpoint::Zoom, "factor=2&top=9&left=9&areawidth=50&areaheight=50"),
];

#[test]
fn a_crop_of_a_part_is_that_of_the_whole() {
    let limits = Limits::default();
    let (mut parts, mut made) = (0, 0);
    for name in [
        "photo.jpg",
        "progressive.jpg",
        "422.jpg",
        "444.jpg",
        "grey.jpg",
        "exif-2.jpg",
        "exif-6.jpg",
        "exif-7.jpg",
        "cmyk.jpg",
        "rgb.jpg",
        "separate.jpg",
        "lost-interval.jpg",
    ] {
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        for (endpoint, query) in REQUESTS {
            let params = parse(&Query::parse(query.as_bytes())).unwrap();
            let Ok(plan) = resolve(endpoint, &params, &header, &limits, None) else { continue };
            made += 1;
            parts += usize::from(plan.decode.window.is_some());
            let make = |window, form: Form| -> Picture {
                let spec = DecodeSpec { window, ..plan.decode };
                let decoded = decode(&bytes, &header, &spec, &limits, &|| false).unwrap();
                CpuBackend.run_to(decoded.picture, &[], &plan.steps, form, &NeverCancelled).unwrap()
            };
            for form in [Form::Packed, form(&plan.encode)] {
                assert_eq!(make(plan.decode.window, form), make(None, form), "{name} {endpoint:?} {query}");
            }
        }
    }
    assert!(made >= 140 && parts >= 80, "{made} made, {parts} of a part");
}
