//! Decoders and encoders, one thread, on a picture of 2 MP made in `pictures`. Throughput is in pixels.

#![allow(clippy::expect_used, reason = "a bench that cannot run has failed")]

mod pictures;

use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::ItemsCount;
use phasor::codecs::{DecodeSpec, EncodeSpec, Limits, Metadata, OutputFormat, decode, encode, probe};
use phasor::image::ImageBuf;

fn main() {
    divan::main();
}

static PHOTOGRAPH: LazyLock<ImageBuf> = LazyLock::new(|| pictures::photograph(1920, 1080));

/// What is measured: a name, how it is written.
const FILES: [(&str, OutputFormat, bool, bool); 5] = [
    ("jpeg", OutputFormat::Jpeg, false, false),
    ("jpeg progressive", OutputFormat::Jpeg, true, false),
    ("png", OutputFormat::Png, false, false),
    ("webp", OutputFormat::Webp, false, false),
    ("webp lossless", OutputFormat::Webp, false, true),
];

fn spec(name: &str) -> EncodeSpec {
    let (_, format, interlace, lossless) =
        *FILES.iter().find(|(known, ..)| *known == name).expect("a name of the list");
    EncodeSpec { quality: 80, interlace, lossless, ..EncodeSpec::new(format) }
}

fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, ..)| *name)
}

#[divan::bench(args = names(), sample_count = 10)]
fn decoding(bencher: Bencher<'_, '_>, name: &str) {
    let file = encode(&PHOTOGRAPH, &Metadata::default(), &spec(name)).expect("a picture of usual size");
    let limits = Limits::default();
    let header = probe(&file, &limits).expect("a file of ours");
    bencher
        .counter(ItemsCount::new(header.size.area()))
        .bench(|| decode(&file, &header, &DecodeSpec::default(), &limits, &|| false));
}

#[divan::bench(args = names(), sample_count = 10)]
fn encoding(bencher: Bencher<'_, '_>, name: &str) {
    let spec = spec(name);
    bencher
        .counter(ItemsCount::new(PHOTOGRAPH.size().area()))
        .bench(|| encode(&PHOTOGRAPH, &Metadata::default(), &spec));
}

/// What lossy WebP is measured against: the library behind our own decoder.
#[divan::bench(sample_count = 10)]
fn decoding_by_image_webp(bencher: Bencher<'_, '_>) {
    let file = encode(&PHOTOGRAPH, &Metadata::default(), &spec("webp")).expect("a picture of usual size");
    bencher.counter(ItemsCount::new(PHOTOGRAPH.size().area())).bench(|| {
        let mut decoder = image_webp::WebPDecoder::new(std::io::Cursor::new(&file[..])).expect("a file of ours");
        let mut pixels = vec![0; decoder.output_buffer_size().expect("a picture of usual size")];
        decoder.read_image(&mut pixels).expect("a file of ours");
        pixels
    });
}
