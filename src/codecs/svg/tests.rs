use super::*;
use crate::codecs::Shrink;
use crate::image::Picture;

fn svg(attributes: &str, content: &str) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' {attributes}>{content}</svg>"
    )
}

fn read(text: &str, shrink: Shrink) -> Result<(Header, ImageBuf), DecodeError> {
    let limits = Limits::default();
    let header = probe(text.as_bytes(), &limits)?;
    let decoded =
        decode(text.as_bytes(), &header, &DecodeSpec { shrink, ..DecodeSpec::default() }, &limits, &|| false)?;
    let Picture::Packed(image) = decoded.picture else { panic!("SVG decodes to packed samples") };
    Ok((header, image))
}

fn size_of(attributes: &str) -> (u32, u32) {
    let size = probe(svg(attributes, "<rect x='20' y='10' width='40' height='30.4'/>").as_bytes(), &Limits::default())
        .unwrap()
        .size;
    (size.width(), size.height())
}

#[test]
fn the_size_is_the_reference_servers() {
    assert_eq!(size_of("width='200' height='150'"), (200, 150));
    assert_eq!(size_of("width='50mm' height='37.5mm'"), (142, 106));
    assert_eq!(size_of("width='2in' height='1.5in'"), (144, 108));
    assert_eq!(size_of("viewBox='0 0 200 150'"), (200, 150));
    assert_eq!(size_of("width='100%' height='100%' viewBox='0 0 200 150'"), (200, 150));
    assert_eq!(size_of("width='100' viewBox='0 0 200 150'"), (100, 75));
    // No size at all: as far as the drawing goes.
    assert_eq!(size_of(""), (60, 40));
}

#[test]
fn alpha_is_straight() {
    let (header, image) =
        read(&svg("width='4' height='2'", "<rect width='2' height='2' fill='#f80' opacity='.5'/>"), Shrink::One)
            .unwrap();
    assert_eq!((header.channels, header.alpha, image.format()), (4, true, PixelFormat::Rgba8));
    let [r, g, b, a] = image.pixel(0, 0) else { panic!("four samples") };
    assert!(
        r.abs_diff(255) <= 1 && g.abs_diff(0x88) <= 1 && *b == 0 && a.abs_diff(128) <= 1,
        "{:?}",
        image.pixel(0, 0)
    );
    assert_eq!(image.pixel(3, 1), [0, 0, 0, 0]);
}

#[test]
fn shrinking_draws_smaller_and_rounds_up() {
    let text = svg("width='9' height='5'", "<rect width='9' height='5' fill='red'/>");
    let (_, image) = read(&text, Shrink::Quarter).unwrap();
    assert_eq!((image.size().width(), image.size().height()), (3, 2));
    assert_eq!(image.pixel(1, 0), [255, 0, 0, 255]);
}

#[test]
fn text_is_drawn_in_any_family() {
    let ink = |family: &str| {
        let text = format!("<text x='2' y='30' font-size='30' font-family='{family}'>Wi</text>");
        let (_, image) = read(&svg("width='80' height='40'", &text), Shrink::One).unwrap();
        image.pixels().chunks(4).map(|p| u32::from(p[3])).sum::<u32>()
    };
    assert!(ink("No Such Font") > 50_000);
    assert_eq!(ink("No Such Font"), ink("DejaVu Sans"));
    assert_ne!(ink("serif"), ink("sans-serif"));
    assert_ne!(ink("monospace"), ink("sans-serif"));
}

#[test]
fn nothing_outside_the_document_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("red.svg");
    std::fs::write(&path, svg("width='9' height='9'", "<rect width='9' height='9' fill='red'/>")).unwrap();
    let nested = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0naHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmcnLz4=";
    for href in [path.to_str().unwrap(), &format!("file://{}", path.display()), nested] {
        let image = format!("<image width='9' height='9' href='{href}' xlink:href='{href}'/>");
        let (_, drawn) = read(&svg("width='9' height='9'", &image), Shrink::One).unwrap();
        assert!(drawn.pixels().iter().all(|&b| b == 0), "{href}");
    }
    let entity = format!(
        "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file://{}'>]>{}",
        path.display(),
        svg("width='9' height='9'", "<text>&x;</text>")
    );
    assert!(read(&entity, Shrink::One).is_err());
}

#[test]
fn what_is_no_document_is_refused() {
    for text in ["", "<svg", "<html/>", &svg("width='9'", "<g>").replace("</svg>", ""), "\u{1f}\u{8b}"] {
        assert!(matches!(probe(text.as_bytes(), &Limits::default()), Err(DecodeError::Malformed { .. })), "{text}");
    }
    assert!(probe(b"\x1f\x8b\x08\0", &Limits::default()).is_err());
}

#[test]
fn sizes_are_limited() {
    let of = |attributes: &str| probe(svg(attributes, "").as_bytes(), &Limits::default()).unwrap_err();
    assert_eq!(of("width='100000' height='100000'"), DecodeError::TooManyPixels);
    assert_eq!(of("width='1e30' height='1e30'"), DecodeError::TooManyPixels);
    assert_eq!(of("width='65501' height='1'"), DecodeError::TooManyPixels);
    assert!(matches!(of("width='1e-30' height='1'"), DecodeError::Malformed { .. }));
    let tight = Limits { svg_bytes: 50, ..Limits::default() };
    assert!(matches!(probe(svg("", "").as_bytes(), &tight), Err(DecodeError::OverLimit { .. })));
}

#[test]
fn entities_do_not_explode() {
    let mut declared = "<!ENTITY e0 'lolololololololololo'>".to_owned();
    for i in 1..12 {
        declared += &format!("<!ENTITY e{i} '{}'>", format!("&e{};", i - 1).repeat(10));
    }
    let text = format!("<!DOCTYPE svg [{declared}]>{}", svg("width='9' height='9'", "<text>&e11;</text>"));
    assert!(probe(text.as_bytes(), &Limits::default()).is_err());
}

#[test]
fn attributes_are_counted_before_they_are_compared() {
    let of = |n: usize| {
        svg("width='9' height='9'", &format!("<g {}/>", (0..n).map(|i| format!("a{i}='' ")).collect::<String>()))
    };
    assert!(probe(of(1900).as_bytes(), &Limits::default()).is_ok());
    assert!(matches!(probe(of(2100).as_bytes(), &Limits::default()), Err(DecodeError::OverLimit { .. })));
}

/// The deepest chains that pass the nesting check, in the kinds of reference that take the most stack.
#[test]
fn the_deepest_documents_allowed_fit_the_stack() {
    let link = |i: usize, kind: &str| match kind {
        "pattern" => format!(
            "<pattern id='p{i}' width='1' height='1'><rect width='9' height='9' fill='url(#p{})'/></pattern>",
            i + 1
        ),
        "mask" => format!("<mask id='p{i}'><rect width='9' height='9' mask='url(#p{})'/></mask>", i + 1),
        "clip" => format!("<clipPath id='p{i}'><rect width='9' height='9' clip-path='url(#p{})'/></clipPath>", i + 1),
        "use" => format!("<g id='p{i}'><use href='#p{}'/></g>", i + 1),
        "marker" => format!("<marker id='p{i}'><path d='M0 0L9 9' marker-start='url(#p{})'/></marker>", i + 1),
        _ => format!(
            "<filter id='p{i}'><feImage href='#q{i}'/></filter><rect id='q{i}' width='9' height='9' filter='url(#p{})'/>",
            i + 1
        ),
    };
    for kind in ["pattern", "mask", "clip", "use", "marker", "filter", "group"] {
        let document = |n: usize| {
            let chain: String = match kind {
                "group" => format!("{}<rect/>{}", "<g opacity='.9'>".repeat(n), "</g>".repeat(n)),
                _ => (0..n).map(|i| link(i, kind)).collect(),
            };
            let start = match kind {
                "pattern" => "fill",
                "marker" => "marker-start",
                "clip" => "clip-path",
                other => other,
            };
            let start = format!("<path d='M0 0L9 9V0Z' {start}='url(#p0)'/><use href='#p0'/>");
            svg("width='9' height='9'", &format!("{chain}{start}"))
        };
        let passes = |n: &usize| nesting::check(&usvg::roxmltree::Document::parse(&document(*n)).unwrap()).is_ok();
        let most = (1..200).take_while(passes).last().unwrap();
        assert!((30..150).contains(&most), "{kind} {most}");
        let answer = read(&document(most), Shrink::One);
        assert!(answer.is_ok() || matches!(answer, Err(DecodeError::OverLimit { .. })), "{kind} {answer:?}");
    }
}

#[test]
fn work_is_weighed_before_it_is_done() {
    let filter = |content: &str| {
        svg(
            "width='1000' height='1000'",
            &format!("<filter id='f'>{content}</filter><rect width='999' height='999' filter='url(#f)'/>"),
        )
    };
    let over = |text: &str| matches!(probe(text.as_bytes(), &Limits::default()), Err(DecodeError::OverLimit { .. }));
    assert!(!over(&filter("<feGaussianBlur stdDeviation='9'/>")));
    assert!(!over(&filter("<feTurbulence baseFrequency='.1' numOctaves='4'/>")));
    assert!(over(&filter("<feTurbulence baseFrequency='.1' numOctaves='1000000000'/>")));
    assert!(over(&filter("<feMorphology operator='dilate' radius='100000'/>")));
    // Few pixels, but each of them looks at all the others.
    let small = |radius: u32| {
        let filter = format!("<filter id='f'><feMorphology radius='{radius}'/></filter>");
        svg("width='200' height='200'", &format!("{filter}<rect width='160' height='160' filter='url(#f)'/>"))
    };
    assert!(probe(small(9).as_bytes(), &Limits::default()).is_ok());
    assert!(over(&small(9999)));
    for far in ["<feOffset dy='41111111111'/>", "<feDropShadow dx='-1e12'/>"] {
        assert!(over(&filter(far)));
    }
    assert!(!over(&filter("<feOffset dx='99999'/><feDropShadow dy='-99999'/>")));
    // Blurs by less than two pixels take longer than others.
    assert!(!over(&filter(&"<feGaussianBlur stdDeviation='9'/>".repeat(12))));
    assert!(over(&filter(&"<feGaussianBlur stdDeviation='1'/>".repeat(12))));
    // Ten uses of a pattern that uses the next one ten times, and so on.
    let patterns: String = (0..12)
        .map(|i| {
            let rect = format!("<rect width='9' height='9' fill='url(#p{})'/>", i + 1);
            format!(
                "<pattern id='p{i}' width='9' height='9' patternUnits='userSpaceOnUse'>{}</pattern>",
                rect.repeat(10)
            )
        })
        .collect();
    let end =
        "<pattern id='p12' width='9' height='9' patternUnits='userSpaceOnUse'><rect width='9' height='9'/></pattern>";
    assert!(over(&svg(
        "width='99' height='99'",
        &format!("{patterns}{end}<rect width='99' height='99' fill='url(#p0)'/>")
    )));
}

#[test]
fn what_is_used_often_is_charged_as_often() {
    let tenfold = |levels: usize| {
        let group = |i| format!("<g id='g{i}'>{}</g>", format!("<use href='#g{}'/>", i + 1).repeat(10));
        let groups: String = (0..levels).map(group).collect();
        let end = format!("<g id='g{levels}'><rect width='1' height='1'/></g>");
        svg("width='9' height='9'", &format!("<defs>{groups}{end}</defs><use href='#g0'/>"))
    };
    let charged = |levels| probe(tenfold(levels).as_bytes(), &Limits::default()).unwrap().scratch_bytes;
    // A tree of 10 000 rectangles, groups around them included, took 16 MB.
    assert!((16_000_000..60_000_000).contains(&charged(4)), "{}", charged(4));
    assert!(charged(4) > 8 * charged(3));
    let document = tenfold(4);
    let held = probe_bytes(document.as_bytes(), &Limits::default()).unwrap();
    assert!(held <= charged(4) && held >= 16_000_000);
    assert!(probe_bytes(b"<svg", &Limits::default()).is_err());
}

#[test]
fn a_small_use_does_not_stand_for_a_large_one() {
    let noise = "<rect width='1000' height='1000' filter='url(#f)'/>".repeat(3);
    let parts = format!(
        "<filter id='f'><feTurbulence baseFrequency='.1' numOctaves='10'/></filter>\
         <pattern id='p' width='1000' height='1000' patternUnits='userSpaceOnUse'>{noise}</pattern>"
    );
    let uses = |scales: &[f32]| {
        let path = |scale: &f32| format!("<path d='M0 0H999V999Z' transform='scale({scale})' fill='url(#p)'/>");
        svg("width='1000' height='1000'", &(parts.clone() + &scales.iter().map(path).collect::<String>()))
    };
    let over = |text: String| matches!(probe(text.as_bytes(), &Limits::default()), Err(DecodeError::OverLimit { .. }));
    assert!(!over(uses(&[0.01, 0.01, 0.01])));
    assert!(over(uses(&[0.01, 1.0, 1.0])));
}

#[test]
fn cancelling_stops_before_drawing() {
    let text = svg("width='9' height='9'", "");
    let limits = Limits::default();
    let header = probe(text.as_bytes(), &limits).unwrap();
    let asked = std::cell::Cell::new(0);
    let second = || {
        asked.set(asked.get() + 1);
        asked.get() == 2
    };
    let answer = decode(text.as_bytes(), &header, &DecodeSpec::default(), &limits, &second);
    assert_eq!(answer.unwrap_err(), DecodeError::Cancelled);
}
