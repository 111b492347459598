//! Reading files, whole and as far as a thumbnail needs.

use std::hint::black_box;

use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Detail, Kept, Limits, decode, encode_picture, form, probe};
use phasor::image::{ImageBuf, Picture, PixelFormat, Size};
use phasor::ops::{Filter, Step};
use phasor::plan::{Endpoint, parse, resolve};
use phasor::query::Query;
use serde_json::{Value, json};
use turbojpeg::{Compressor, Decompressor, Image, ScalingFactor, Subsamp, YuvImage};

use crate::options::{Case, Options};
use crate::timing::{Contender, Times, in_turns};

/// Ours, and whom it stands beside: what libjpeg-turbo would be asked for at the ratio that ours serves.
const PAIRS: [(&str, &str); 11] = [
    ("prefix of 1", "turbo 1/8"),
    ("prefix of 3", "turbo 1/8"),
    ("prefix of 3", "turbo 1/4"),
    ("prefix of 6", "turbo 1/4"),
    ("prefix of 10", "turbo 1/2"),
    ("prefix of 15", "turbo 1/2"),
    ("prefix of 21", "turbo 1/2"),
    ("planes", "turbo planes"),
    ("planes", "turbo RGB"),
    ("RGB", "turbo RGB"),
    ("to 300 px", "turbo to 300 px"),
];

/// Width of the whole thumbnail.
const WIDTH: usize = 300;

/// Prints a table for each case and answers with the same for programs.
pub fn measure(cases: &[Case], options: &Options) -> Value {
    let mut all = serde_json::Map::new();
    for case in cases {
        let times = in_turns(contenders(&case.files), options.rounds);
        println!("\n{}: {} files, {:.1} MP", case.name, case.files.len(), megapixels(&case.files));
        println!("| ours | ms | libjpeg-turbo | ms | times faster |\n|---|---:|---|---:|---:|");
        let found = |name: &str| times.iter().find(|t| t.name == name).expect("every name is measured");
        let mut rows = Vec::new();
        for (ours, theirs) in PAIRS.map(|(ours, theirs)| (found(ours), found(theirs))) {
            let ratio = ours.faster_than(theirs);
            let [a, b] = [ours, theirs].map(|t| format!("{}{}", t.name, note(t)));
            println!("| {a} | {:.1} | {b} | {:.1} | {ratio:.2} |", ours.median(), theirs.median());
            rows.push(json!({ "ours": ours.name, "ms": ours.median(), "not_done": ours.not_done,
                "theirs": theirs.name, "their_ms": theirs.median(), "times_faster": ratio }));
        }
        all.insert(case.name.clone(), Value::Array(rows));
    }
    Value::Object(all)
}

fn note(times: &Times) -> String {
    if times.not_done == 0 { String::new() } else { format!(" ({} files not so)", times.not_done) }
}

fn megapixels(files: &[Vec<u8>]) -> f64 {
    let area = |file: &Vec<u8>| probe(file, &limits()).map_or(0, |header| header.size.area());
    files.iter().map(area).sum::<u64>() as f64 / 1e6
}

fn limits() -> Limits {
    Limits { pixels: u64::MAX, ..Limits::default() }
}

fn contenders(files: &[Vec<u8>]) -> Vec<Contender<'_>> {
    let ours = |name, detail| Contender::new(name, move || count(files, |file| read(file, detail)));
    let scaled = |name, to| Contender::new(name, move || count(files, |file| turbo_rgb(file, to).map(|_| ())));
    vec![
        ours("prefix of 1", Detail::Coefficients(Kept::all(1))),
        ours("prefix of 3", Detail::Coefficients(Kept::all(3))),
        ours("prefix of 6", Detail::Coefficients(Kept::all(6))),
        ours("prefix of 10", Detail::Coefficients(Kept::all(10))),
        ours("prefix of 15", Detail::Coefficients(Kept::all(15))),
        ours("prefix of 21", Detail::Coefficients(Kept::all(21))),
        ours("planes", Detail::Planes),
        Contender::new("RGB", move || count(files, rgb)),
        Contender::new("to 300 px", move || count(files, thumbnail)),
        scaled("turbo 1/8", ScalingFactor::ONE_EIGHTH),
        scaled("turbo 1/4", ScalingFactor::ONE_QUARTER),
        scaled("turbo 1/2", ScalingFactor::ONE_HALF),
        scaled("turbo RGB", ScalingFactor::ONE),
        Contender::new("turbo planes", move || count(files, turbo_planes)),
        Contender::new("turbo to 300 px", move || count(files, turbo_thumbnail)),
    ]
}

/// How many files were not done.
fn count(files: &[Vec<u8>], each: impl Fn(&[u8]) -> Option<()>) -> usize {
    files.iter().filter(|file| each(file).is_none()).count()
}

/// `None` where the general decoder had to read the file.
fn read(file: &[u8], detail: Detail) -> Option<()> {
    let header = probe(file, &limits()).ok()?;
    let spec = DecodeSpec { detail, ..DecodeSpec::default() };
    let decoded = decode(file, &header, &spec, &limits(), &|| false).ok()?;
    match black_box(decoded).picture {
        Picture::Packed(_) => None,
        Picture::Planes(_) | Picture::Narrow(_) | Picture::Coefficients(_) => Some(()),
    }
}

/// Packed samples at full size.
fn rgb(file: &[u8]) -> Option<()> {
    let header = probe(file, &limits()).ok()?;
    black_box(decode(file, &header, &DecodeSpec::default(), &limits(), &|| false).ok()?);
    Some(())
}

/// As the server does it, of the plan's steps.
fn thumbnail(file: &[u8]) -> Option<()> {
    let limits = limits();
    let header = probe(file, &limits).ok()?;
    let params = parse(&Query::parse(format!("width={WIDTH}").as_bytes())).ok()?;
    let plan = resolve(Endpoint::Resize, &params, &header, &limits, None).ok()?;
    let decoded = decode(file, &header, &plan.decode, &limits, &|| false).ok()?;
    let form = form(&plan.encode);
    let picture = CpuBackend.run_to(decoded.picture, &[], &plan.steps, form, &NeverCancelled).ok()?;
    black_box(encode_picture(&picture, &decoded.metadata, &plan.encode).ok()?);
    Some(())
}

fn turbo_rgb(file: &[u8], scale: ScalingFactor) -> Option<Image<Vec<u8>>> {
    let mut decompressor = Decompressor::new().ok()?;
    let header = decompressor.read_header(file).ok()?;
    decompressor.set_scaling_factor(scale).ok()?;
    let scaled = header.scaled(scale);
    let (width, height) = (scaled.width, scaled.height);
    let format = turbojpeg::PixelFormat::RGB;
    let mut image = Image { pixels: vec![0; width * height * 3], width, pitch: width * 3, height, format };
    decompressor.decompress(file, image.as_deref_mut()).ok()?;
    Some(black_box(image))
}

fn turbo_planes(file: &[u8]) -> Option<()> {
    let mut decompressor = Decompressor::new().ok()?;
    let header = decompressor.read_header(file).ok()?;
    let (width, height, subsamp) = (header.width, header.height, header.subsamp);
    let bytes = turbojpeg::yuv_pixels_len(width, 1, height, subsamp).ok()?;
    let mut image = YuvImage { pixels: vec![0; bytes], width, align: 1, height, subsamp };
    decompressor.decompress_to_yuv(file, image.as_deref_mut()).ok()?;
    black_box(image);
    Some(())
}

/// Shrunk while loading as far as twice the wanted width allows (what libvips's thumbnails do), our resampling, its own
/// encoder with counted tables.
fn turbo_thumbnail(file: &[u8]) -> Option<()> {
    let header = turbojpeg::read_header(file).ok()?;
    let enough = |scale: &ScalingFactor| scale.scale(header.width) >= 2 * WIDTH;
    let scales = [ScalingFactor::ONE_EIGHTH, ScalingFactor::ONE_QUARTER, ScalingFactor::ONE_HALF];
    let image = turbo_rgb(file, scales.into_iter().find(enough).unwrap_or(ScalingFactor::ONE))?;
    let size = Size::new(image.width as u32, image.height as u32)?;
    let picture = ImageBuf::new(size, PixelFormat::Rgb8, image.pixels).ok()?;
    let height = (WIDTH * header.height).div_ceil(header.width).max(1);
    let to = Size::new(WIDTH as u32, height as u32)?;
    let steps = [Step::Resample { to, filter: Filter::Lanczos3 }];
    let small = CpuBackend.run(Picture::Packed(picture), &[], &steps, &NeverCancelled).ok()?;
    let mut compressor = Compressor::new().ok()?;
    compressor.set_quality(80).ok()?;
    compressor.set_optimize(true).ok()?;
    compressor.set_subsamp(Subsamp::Sub2x2).ok()?;
    let format = turbojpeg::PixelFormat::RGB;
    let image = Image { pixels: small.pixels(), width: WIDTH, pitch: WIDTH * 3, height, format };
    black_box(compressor.compress_to_vec(image).ok()?);
    Some(())
}
