//! Writing files of pictures such as a server answers with: the given ones, resampled.

use std::hint::black_box;

use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::jpeg::encoder::{self, Sampling, Settings, Source};
use phasor::image::{ImageBuf, Picture, PixelFormat, Plane, Planes, Size};
use phasor::ops::{Filter, Step};
use serde_json::{Value, json};
use turbojpeg::{Compressor, Image, Subsamp, YuvPlanesImage};

use crate::options::{Case, Options};
use crate::quality::{self, Quality};
use crate::timing::{Contender, in_turns};

const QUALITIES: [u8; 3] = [75, 85, 95];

/// A picture in both forms.
struct Original {
    rgb: ImageBuf,
    full: Planes,
    quarter: Planes,
}

/// Prints a table for each case and answers with the same for programs.
pub fn measure(cases: &[Case], options: &Options) -> Value {
    let mut all = serde_json::Map::new();
    for case in cases {
        for &width in &options.widths {
            let pictures: Vec<Original> = case.files.iter().filter_map(|file| original(file, width)).collect();
            if pictures.is_empty() {
                continue;
            }
            let name = format!("{} to {width}", case.name);
            println!(
                "\n{name}: {} pictures; ours / libjpeg-turbo with counted tables (with the standard's)",
                pictures.len()
            );
            println!(
                "| | ms | times faster | kB | dB luma | dB RGB | SSIMULACRA2 |\n|---|---:|---:|---:|---:|---:|---:|"
            );
            let mut rows = Vec::new();
            for quality in QUALITIES {
                for sampling in [Sampling::Quarter, Sampling::Full] {
                    for planes in [false, true] {
                        rows.push(row(&pictures, &Setting { quality, sampling, planes, progressive: false }, options));
                    }
                }
            }
            for quality in QUALITIES {
                for sampling in [Sampling::Quarter, Sampling::Full] {
                    rows.push(row(&pictures, &Setting { quality, sampling, planes: true, progressive: true }, options));
                }
            }
            all.insert(name, Value::Array(rows));
        }
    }
    Value::Object(all)
}

#[derive(Clone, Copy)]
struct Setting {
    quality: u8,
    sampling: Sampling,
    /// Planes go in, not RGB.
    planes: bool,
    /// Planes only.
    progressive: bool,
}

impl Setting {
    fn ours(self, picture: &Original) -> Vec<u8> {
        let source = match (self.planes, self.sampling) {
            (false, _) => Source::Packed { image: &picture.rgb, gray: false },
            (true, Sampling::Full) => Source::Planes(&picture.full),
            (true, Sampling::Quarter) => Source::Planes(&picture.quarter),
        };
        let settings =
            Settings { quality: self.quality, sampling: self.sampling, progressive: self.progressive, segments: &[] };
        encoder::encode(source, &settings).expect("a picture of usual size")
    }

    fn turbo(self, picture: &Original, counted: bool) -> Vec<u8> {
        let mut compressor = Compressor::new().expect("memory");
        compressor.set_quality(self.quality.into()).expect("a quality");
        compressor.set_optimize(counted).expect("an option");
        compressor.set_progressive(self.progressive).expect("an option");
        let (subsamp, planes) = match self.sampling {
            Sampling::Full => (Subsamp::None, &picture.full),
            Sampling::Quarter => (Subsamp::Sub2x2, &picture.quarter),
        };
        compressor.set_subsamp(subsamp).expect("a sampling");
        let (width, height) = (picture.rgb.size().width() as usize, picture.rgb.size().height() as usize);
        if !self.planes {
            let format = turbojpeg::PixelFormat::RGB;
            let image = Image { pixels: picture.rgb.pixels(), width, pitch: 3 * width, height, format };
            return compressor.compress_to_vec(image).expect("a picture of usual size");
        }
        let [cb, cr] = planes.chroma.as_ref().expect("a picture in colour");
        let coarse = cb.size.width() as usize;
        let image = YuvPlanesImage {
            y_plane: &planes.luma.samples[..],
            u_plane: &cb.samples[..],
            v_plane: &cr.samples[..],
            width,
            height,
            y_stride: width,
            u_stride: coarse,
            v_stride: coarse,
            subsamp,
        };
        compressor.compress_yuv_planes_to_vec(&image).expect("a picture of usual size")
    }
}

fn row(pictures: &[Original], setting: &Setting, options: &Options) -> Value {
    let setting = *setting;
    let each = |name, encode: &'static dyn Fn(Setting, &Original) -> Vec<u8>| {
        Contender::new(name, move || {
            pictures.iter().for_each(|picture| drop(black_box(encode(setting, picture))));
            0
        })
    };
    let contenders = vec![
        each("ours", &|setting, picture| setting.ours(picture)),
        each("turbo", &|setting, picture| setting.turbo(picture, true)),
        each("turbo, standard's tables", &|setting, picture| setting.turbo(picture, false)),
    ];
    let times = in_turns(contenders, options.rounds);
    let [ours, counted, standard] = &times[..] else { unreachable!("three contenders") };
    let judged = |encode: &dyn Fn(&Original) -> Vec<u8>| -> (usize, Quality) {
        let files: Vec<Vec<u8>> = pictures.iter().map(encode).collect();
        let of = |(file, picture): (&Vec<u8>, &Original)| {
            let (width, height) = (picture.rgb.size().width() as usize, picture.rgb.size().height() as usize);
            quality::of(file, picture.rgb.pixels(), width, height)
        };
        let qualities: Vec<Quality> =
            if options.judging { files.iter().zip(pictures).map(of).collect() } else { Vec::new() };
        (files.iter().map(Vec::len).sum(), quality::mean(&qualities))
    };
    let (bytes, a) = judged(&|picture| setting.ours(picture));
    let (their_bytes, b) = judged(&|picture| setting.turbo(picture, true));
    let sampling = if setting.sampling == Sampling::Full { "4:4:4" } else { "4:2:0" };
    let from = match (setting.planes, setting.progressive) {
        (false, _) => "RGB",
        (true, false) => "planes",
        (true, true) => "planes, progressive",
    };
    let (ms, theirs, plain) = (ours.median(), counted.median(), standard.median());
    let (faster, faster_plain) = (ours.faster_than(counted), ours.faster_than(standard));
    println!(
        "| {from} {sampling} {} | {ms:.2} / {theirs:.2} ({plain:.2}) | {faster:.2} ({faster_plain:.2}) | {:.1} / {:.1} \
         | {:.2} / {:.2} | {:.2} / {:.2} | {:.2} / {:.2} |",
        setting.quality,
        bytes as f64 / 1e3,
        their_bytes as f64 / 1e3,
        a.luma_psnr,
        b.luma_psnr,
        a.rgb_psnr,
        b.rgb_psnr,
        a.ssimulacra2,
        b.ssimulacra2
    );
    let judged = |bytes: usize, q: Quality| json!({ "bytes": bytes, "luma_psnr": q.luma_psnr, "rgb_psnr": q.rgb_psnr, "ssimulacra2": q.ssimulacra2 });
    json!({ "from": from, "sampling": sampling, "quality": setting.quality, "ms": ms, "their_ms": theirs,
        "their_ms_standard_tables": plain, "times_faster": faster, "times_faster_than_standard_tables": faster_plain,
        "ours": judged(bytes, a), "theirs": judged(their_bytes, b) })
}

/// A picture of this width, of even sides, from a file that is no smaller.
fn original(file: &[u8], width: usize) -> Option<Original> {
    let shown = turbojpeg::decompress(file, turbojpeg::PixelFormat::RGB).ok()?;
    if shown.width < width {
        return None;
    }
    let height = (width * shown.height / shown.width / 2 * 2).max(2);
    let picture = ImageBuf::new(Size::new(shown.width as u32, shown.height as u32)?, PixelFormat::Rgb8, shown.pixels);
    let to = Size::new(width as u32, height as u32)?;
    let steps = [Step::Resample { to, filter: Filter::Lanczos3 }];
    let rgb = CpuBackend.run(Picture::Packed(picture.ok()?), &[], &steps, &NeverCancelled).ok()?;
    let (full, quarter) = (planes(&rgb, 1), planes(&rgb, 2));
    Some(Original { rgb, full, quarter })
}

/// Planes with the mean chroma of `step` pixels across and down, rounded once.
fn planes(rgb: &ImageBuf, step: u32) -> Planes {
    let size = rgb.size();
    let luma = |[r, g, b]: [f64; 3]| 0.299 * r + 0.587 * g + 0.114 * b;
    let made = |step: u32, of: &dyn Fn([f64; 3]) -> f64| {
        let size = Size::at_least_one(size.width() / step, size.height() / step);
        let mut samples = Vec::new();
        for (y, x) in (0..size.height()).flat_map(|y| (0..size.width()).map(move |x| (y, x))) {
            let mut sum = [0.0; 3];
            for (i, j) in (0..step).flat_map(|i| (0..step).map(move |j| (i, j))) {
                let pixel = rgb.pixel(x * step + i, y * step + j);
                sum.iter_mut().zip(pixel).for_each(|(sum, &sample)| *sum += f64::from(sample));
            }
            samples.push(of(sum.map(|sum| sum / f64::from(step * step))).round().clamp(0.0, 255.0) as u8);
        }
        Plane { size, samples }
    };
    let cb = made(step, &|p| (p[2] - luma(p)) / 1.772 + 128.0);
    let cr = made(step, &|p| (p[0] - luma(p)) / 1.402 + 128.0);
    Planes { size, luma: made(1, &luma), chroma: Some([cb, cr]) }
}
