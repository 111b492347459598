//! Request line and header → the plan as a list, one line a part. Reviewed like code.

use super::*;

/// The plan in lines: what the decoder is asked, overlays, steps, what the encoder is asked.
fn listed(plan: &Plan) -> String {
    let mut lines = vec![format!("decode {:?}", plan.decode.shrink)];
    lines.extend(plan.overlays.iter().map(|overlay| format!("{overlay:?}")));
    lines.extend(plan.steps.iter().map(|step| format!("{step:?}")));
    let e = &plan.encode;
    let mut encode = format!("encode {} q{} c{}", e.format, e.quality, e.compression);
    let notes = [
        (e.interlace, " interlace"),
        (e.palette, " palette"),
        (e.space == crate::codecs::OutputSpace::Gray, " gray"),
        (!e.metadata.exif, " -exif"),
        (!e.metadata.icc, " -icc"),
    ];
    notes.iter().filter(|(on, _)| *on).for_each(|(_, note)| encode.push_str(note));
    lines.push(encode);
    lines.join("\n")
}

fn snapshot(request: &str, header: &Header) -> String {
    let (endpoint, query) = request.split_once('?').unwrap();
    plan(endpoint, query, header, Some(OutputFormat::Webp)).map_or_else(|message| message, |plan| listed(&plan))
}

fn jpeg() -> Header {
    header(1600, 1200, Format::Jpeg)
}

fn turned() -> Header {
    Header { exif_orientation: 6, ..jpeg() }
}

fn clear_png() -> Header {
    Header { alpha: true, channels: 4, ..header(400, 300, Format::Png) }
}

#[test]
fn a_resize_keeps_the_ratio_and_lets_the_decoder_shrink() {
    insta::assert_snapshot!(snapshot(r##"resize?width=300"##, &jpeg()), @r#"
    decode Half
    Resample { to: 300x225, filter: Lanczos3 }
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"resize?width=300&height=300"##, &jpeg()), @r#"
    decode Half
    Resample { to: 300x225, filter: Lanczos3 }
    Embed { into: 300x300, at: Point { x: 0, y: 37 }, border: Copy }
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"resize?width=3000&height=3000"##, &jpeg()), @r#"
    decode One
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"resize?width=300&height=300&nocrop=false&gravity=south"##, &jpeg()), @r#"
    decode Half
    Resample { to: 400x300, filter: Lanczos3 }
    Crop(300x300+50+0)
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"resize?width=800&height=800&force=true"##, &jpeg()), @r#"
    decode One
    Resample { to: 800x800, filter: Lanczos3 }
    encode jpeg q75 c6
    "#);
}

#[test]
fn exif_turn_and_mirrors_are_one_step() {
    insta::assert_snapshot!(snapshot(r##"autorotate?width=3"##, &turned()), @r#"
    decode One
    Orient(Orientation { turns: 1, mirrored: false })
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"flip?"##, &turned()), @r#"
    decode One
    Orient(Orientation { turns: 1, mirrored: true })
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"rotate?rotate=180&flop=1&norotation=true"##, &turned()), @r#"
    decode One
    Orient(Orientation { turns: 0, mirrored: true })
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"thumbnail?width=100&norotation=1&stripmeta=1"##, &turned()), @r#"
    decode Eighth
    Resample { to: 100x75, filter: Lanczos3 }
    encode jpeg q75 c6 -exif -icc
    "#);
    insta::assert_snapshot!(snapshot(r##"fit?width=100&height=100"##, &turned()), @r#"
    decode Eighth
    Orient(Orientation { turns: 1, mirrored: false })
    Resample { to: 75x100, filter: Lanczos3 }
    encode jpeg q75 c6
    "#);
}

#[test]
fn borders_and_windows() {
    insta::assert_snapshot!(snapshot(r##"resize?width=500&height=200&extend=background&background=9,8,7"##, &clear_png()), @r#"
    decode One
    Resample { to: 267x200, filter: Lanczos3 }
    Embed { into: 500x200, at: Point { x: 116, y: 0 }, border: Background(Rgb8 { r: 9, g: 8, b: 7 }) }
    Flatten(Rgb8 { r: 9, g: 8, b: 7 })
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"crop?width=100"##, &clear_png()), @r#"
    decode One
    Crop(100x300+150+0)
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"smartcrop?width=100&height=100"##, &clear_png()), @r#"
    decode One
    Resample { to: 133x100, filter: Lanczos3 }
    SmartCrop { to: 100x100 }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"extract?areawidth=50&areaheight=40&top=3&left=2"##, &clear_png()), @r#"
    decode One
    Crop(50x40+2+3)
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"enlarge?width=800&height=900"##, &clear_png()), @r#"
    decode One
    Resample { to: 1200x900, filter: Lanczos3 }
    Crop(800x900+200+0)
    encode png q75 c6
    "#);
}

#[test]
fn a_window_of_a_zoomed_picture_is_never_made_whole() {
    insta::assert_snapshot!(snapshot(r##"zoom?factor=9999&top=8&left=7&areawidth=60&areaheight=50"##, &clear_png()), @r#"
    decode One
    Zoom { factor: 10000, window: 60x50+7+8 }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"zoom?factor=1"##, &clear_png()), @r#"
    decode One
    Zoom { factor: 2, window: 800x600+0+0 }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"zoom?factor=1&width=100"##, &clear_png()), @r#"
    decode One
    Zoom { factor: 2, window: 800x600+0+0 }
    Resample { to: 100x75, filter: Lanczos3 }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"zoom?factor=9999"##, &clear_png()), @"Image resolution is too big");
}

#[test]
fn watermarks_name_their_overlay() {
    insta::assert_snapshot!(snapshot(r##"watermark?text=Hi"##, &clear_png()), @r#"
    decode One
    Text(TextSpec { text: "Hi", font: "sans 10", dpi: 150, width: 66, margin: 66, colour: Rgb8 { r: 0, g: 0, b: 0 } })
    Composite { overlay: 0, placement: Tiled, opacity: Opacity(0.25) }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"watermark?text=a%20b&font=serif%2020&dpi=72&textwidth=90&margin=1e9&opacity=7&color=1,2,3&noreplicate=1&width=100"##, &clear_png()), @r#"
    decode Half
    Text(TextSpec { text: "a b", font: "serif 20", dpi: 72, width: 90, margin: 100, colour: Rgb8 { r: 1, g: 2, b: 3 } })
    Resample { to: 100x75, filter: Lanczos3 }
    Composite { overlay: 0, placement: At(Point { x: 0, y: 0 }), opacity: Opacity(1.0) }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"watermarkimage?image=http://x/y.png&left=399&top=2"##, &clear_png()), @r#"
    decode One
    Image { url: "http://x/y.png", optional: false }
    Composite { overlay: 0, placement: At(Point { x: 399, y: 2 }), opacity: Opacity(1.0) }
    encode png q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"watermarkimage?image=http://x/y.png&opacity=.5&type=jpeg&background=5,5,5"##, &clear_png()), @r#"
    decode One
    Image { url: "http://x/y.png", optional: false }
    Composite { overlay: 0, placement: At(Point { x: 0, y: 0 }), opacity: Opacity(0.5) }
    Flatten(Rgb8 { r: 5, g: 5, b: 5 })
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"watermarkimage?image=http://x/y.png&left=400"##, &clear_png()), @"Error while processing the image: embed: bad dimensions");
}

#[test]
fn alpha_colour_and_encoding() {
    insta::assert_snapshot!(snapshot(r##"convert?type=jpeg&quality=101&interlace=true"##, &clear_png()), @r#"
    decode One
    Flatten(Rgb8 { r: 0, g: 0, b: 0 })
    encode jpeg q75 c6 interlace
    "#);
    insta::assert_snapshot!(snapshot(r##"convert?type=webp&quality=40&colorspace=bw&compression=9"##, &clear_png()), @r#"
    decode One
    Gray
    encode webp q40 c9 gray -icc
    "#);
    insta::assert_snapshot!(snapshot(r##"convert?type=auto&noprofile=true"##, &clear_png()), @r#"
    decode One
    encode webp q75 c6 -icc
    "#);
    insta::assert_snapshot!(snapshot(r##"resize?width=200&palette=true&background=0,0,0"##, &clear_png()), @r#"
    decode One
    Resample { to: 200x150, filter: Lanczos3 }
    encode png q75 c6 palette
    "#);
    insta::assert_snapshot!(snapshot(r##"blur?sigma=2.5&type=tiff&background=1,2,3"##, &clear_png()), @r#"
    decode One
    Blur(Sigma(2.5))
    Flatten(Rgb8 { r: 1, g: 2, b: 3 })
    encode tiff q75 c6
    "#);
}

#[test]
fn a_pipeline_is_one_plan() {
    insta::assert_snapshot!(snapshot(r##"pipeline?operations=[{"operation":"autorotate"},{"operation":"fit","params":{"width":64,"height":64,"stripmeta":"true","type":"jpeg","norotation":"true","quality":"80"}}]&key="##, &turned()), @r#"
    decode Eighth
    Orient(Orientation { turns: 1, mirrored: false })
    Resample { to: 48x64, filter: Lanczos3 }
    encode jpeg q80 c6 -exif -icc
    "#);
    insta::assert_snapshot!(snapshot(r##"pipeline?operations=[{"operation":"rotate","params":{"rotate":90}},{"operation":"rotate","params":{"rotate":270}},{"operation":"flip"}]"##, &jpeg()), @r#"
    decode One
    Orient(Orientation { turns: 0, mirrored: true })
    encode jpeg q75 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"pipeline?operations=[{"operation":"convert","params":{"type":"jpeg","stripmeta":true,"palette":true}},{"operation":"crop","params":{"width":100,"type":"png","quality":30}}]"##, &clear_png()), @r#"
    decode One
    Flatten(Rgb8 { r: 0, g: 0, b: 0 })
    Crop(100x300+150+0)
    encode png q30 c6 -exif -icc
    "#);
    insta::assert_snapshot!(snapshot(r##"pipeline?operations=[{"operation":"blur","params":{"sigma":1,"colorspace":"bw"}},{"operation":"watermarkImage","ignore_failure":true,"params":{"image":"http://x","left":-3}},{"operation":"convert","params":{"type":"png","colorspace":"bw"}}]"##, &jpeg()), @r#"
    decode One
    Image { url: "http://x", optional: true }
    Blur(Sigma(1.0))
    Gray
    Composite { overlay: 0, placement: At(Point { x: -3, y: 0 }), opacity: Opacity(1.0) }
    Flatten(Rgb8 { r: 0, g: 0, b: 0 })
    Gray
    encode png q75 c6 gray -icc
    "#);
    insta::assert_snapshot!(snapshot(r##"pipeline?operations=[{"operation":"crop","params":{"width":100,"quality":9}},{"operation":"extract","ignore_failure":true,"params":{"areawidth":900,"areaheight":9,"type":"png"}}]"##, &jpeg()), @r#"
    decode One
    Crop(100x1200+750+0)
    encode jpeg q9 c6
    "#);
    insta::assert_snapshot!(snapshot(r##"pipeline?operations=[{"operation":"resize","ignore_failure":true}]"##, &jpeg()), @r#"
    decode One
    encode jpeg q75 c6
    "#);
}
