//! From a JPEG of 12 MP to a small picture, one thread: all samples against the first coefficients of each block.

#![allow(clippy::expect_used, missing_docs, reason = "a bench that cannot run has failed")]

mod pictures;

use std::sync::LazyLock;

use divan::Bencher;
use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Detail, Kept, Limits, OutputFormat, decode, probe};
use phasor::image::{Rect, Size};
use phasor::ops::{Filter, Step};

fn main() {
    divan::main();
}

static BASELINE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    pictures::file_or(".jpg", || pictures::encoded(&pictures::photograph(4000, 3000), OutputFormat::Jpeg, 88, false))
});

/// `k=3` stands for the coefficients with `u + v < 3` of each block.
fn detail(what: &str) -> Detail {
    match what {
        "samples" => Detail::Samples,
        "planes" => Detail::Planes,
        k => {
            let k: u8 = k.trim_start_matches("k=").parse().expect("a digit");
            Detail::Coefficients(Kept::all(k * (k + 1) / 2))
        }
    }
}

fn thumbnail(bencher: Bencher<'_, '_>, width: u32, what: &str) {
    let limits = Limits::default();
    let header = probe(&BASELINE, &limits).expect("a JPEG");
    let spec = DecodeSpec { detail: detail(what), ..DecodeSpec::default() };
    let to = Size::at_least_one(width, width * header.size.height() / header.size.width());
    let steps = [Step::Resample { to, filter: Filter::Lanczos3 }];
    bencher.bench(|| {
        let decoded = decode(&BASELINE, &header, &spec, &limits, &|| false).expect("a JPEG");
        CpuBackend.run(decoded.picture, &[], &steps, &NeverCancelled)
    });
}

#[divan::bench(args = ["k=2", "k=3", "k=5", "planes", "samples"], sample_count = 10)]
fn to_300(bencher: Bencher<'_, '_>, what: &str) {
    thumbnail(bencher, 300, what);
}

#[divan::bench(args = ["k=2", "k=3", "k=5", "planes", "samples"], sample_count = 10)]
fn to_800(bencher: Bencher<'_, '_>, what: &str) {
    thumbnail(bencher, 800, what);
}

#[divan::bench(args = ["k=2", "k=3", "k=5", "planes", "samples"], sample_count = 10)]
fn to_1600(bencher: Bencher<'_, '_>, what: &str) {
    thumbnail(bencher, 1600, what);
}

/// Decoding alone.
#[divan::bench(args = ["k=2", "k=3", "k=5", "planes", "samples"], sample_count = 10)]
fn decode_only(bencher: Bencher<'_, '_>, what: &str) {
    let limits = Limits::default();
    let header = probe(&BASELINE, &limits).expect("a JPEG");
    let spec = DecodeSpec { detail: detail(what), ..DecodeSpec::default() };
    bencher.bench(|| decode(&BASELINE, &header, &spec, &limits, &|| false));
}

/// A window of a twenty-fifth of the picture: what a crop decodes.
#[divan::bench(args = ["whole", "top", "middle", "bottom"], sample_count = 10)]
fn decode_window(bencher: Bencher<'_, '_>, place: &str) {
    let limits = Limits::default();
    let header = probe(&BASELINE, &limits).expect("a JPEG");
    let size = Size::at_least_one(header.size.width() / 5, header.size.height() / 5);
    let at = |part: u32| Rect { left: 2 * size.width(), top: part * size.height(), size };
    let window = match place {
        "top" => Some(at(0)),
        "middle" => Some(at(2)),
        "bottom" => Some(at(4)),
        _ => None,
    };
    let spec = DecodeSpec { window, ..DecodeSpec::default() };
    bencher.bench(|| decode(&BASELINE, &header, &spec, &limits, &|| false));
}

/// Decoding into what a GPU copies from, a software one too: all planes first and then a copy, or row by row.
#[cfg(feature = "gpu")]
mod to_the_device {
    use phasor::backend::GpuBackend;
    use phasor::backend::gpu::{Source, Staged, Wanted};
    use phasor::codecs::{decode_to, outline};
    use phasor::image::Form;

    use super::*;

    static GPU: LazyLock<Option<GpuBackend>> = LazyLock::new(|| {
        let opened = GpuBackend::open_all(&Wanted { software: true, ..Wanted::default() }).into_iter().next();
        if opened.is_none() {
            eprintln!("SKIPPED: no GPU adapter, not even a software one");
        }
        opened
    });

    /// Goes up when it is dropped, which is not measured, so that its memory is free for the next one.
    struct Sent(&'static GpuBackend, Option<Staged>);

    impl Drop for Sent {
        fn drop(&mut self) {
            let (answer, answered) = std::sync::mpsc::channel();
            if let Some(staged) = self.1.take() {
                self.0.submit(staged, move |result| answer.send(result.is_ok()).unwrap_or_default());
            }
            assert_eq!(answered.recv(), Ok(true));
        }
    }

    #[divan::bench(args = ["copied", "direct"], sample_count = 10)]
    fn to_1600(bencher: Bencher<'_, '_>, how: &str) {
        let Some(gpu) = GPU.as_ref() else { return };
        let limits = Limits::default();
        let header = probe(&BASELINE, &limits).expect("a JPEG");
        let spec = DecodeSpec { detail: Detail::Planes, ..DecodeSpec::default() };
        let to = Size::at_least_one(1600, 1600 * header.size.height() / header.size.width());
        let work: (&[Step], Form) = (&[Step::Resample { to, filter: Filter::Lanczos3 }], Form::Packed);
        let planes = outline(&BASELINE, &header, &spec, &limits).expect("a sequential file");
        bencher.bench(|| {
            let staged = if how == "direct" {
                let mut filling =
                    gpu.prepare(Source::Coming(&planes), &[], work).and_then(|p| p.open()).expect("memory");
                decode_to(&BASELINE, &header, &spec, &limits, &mut filling, &|| false).expect("a JPEG");
                filling.close()
            } else {
                let picture = decode(&BASELINE, &header, &spec, &limits, &|| false).expect("a JPEG").picture;
                gpu.prepare(Source::Here(&picture), &[], work).and_then(|p| p.stage()).expect("memory")
            };
            Sent(gpu, Some(staged))
        });
    }
}
