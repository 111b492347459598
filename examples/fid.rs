use phasor::backend::{Backend, CpuBackend, NeverCancelled};
use phasor::codecs::{DecodeSpec, Detail, Limits, decode, probe};
use phasor::image::Size;
use phasor::ops::{Filter, Step};
fn main() {
    // args: outdir width files...
    let a: Vec<String> = std::env::args().collect();
    let width: u32 = a[2].parse().unwrap();
    let mut limits = Limits::default();
    limits.pixels = 1 << 30;
    for f in &a[3..] {
        let bytes = std::fs::read(f).unwrap();
        let header = probe(&bytes, &limits).unwrap();
        let (w, h) = (header.size.width(), header.size.height());
        let height = ((h as f64 * width as f64 / w as f64).round() as u32).max(1);
        let to = Size::at_least_one(width, height);
        let name = f.replace('/', "_");
        for (tag, detail) in [
            ("k1", Detail::Coefficients(1)),
            ("k2", Detail::Coefficients(3)),
            ("k3", Detail::Coefficients(6)),
            ("k4", Detail::Coefficients(10)),
            ("k5", Detail::Coefficients(15)),
            ("k6", Detail::Coefficients(21)),
            ("k7", Detail::Coefficients(28)),
            ("hT", Detail::Halves { all: true }),
            ("hF", Detail::Halves { all: false }),
            ("pl", Detail::Planes),
            ("sa", Detail::Samples),
        ] {
            let spec = DecodeSpec { detail, ..DecodeSpec::default() };
            let t = std::time::Instant::now();
            let d = decode(&bytes, &header, &spec, &limits, &|| false).unwrap();
            let t1 = t.elapsed().as_secs_f64() * 1e3;
            let out = CpuBackend
                .run(d.picture, &[], &[Step::Resample { to, filter: Filter::Lanczos3 }], &NeverCancelled)
                .unwrap();
            let t2 = t.elapsed().as_secs_f64() * 1e3 - t1;
            let px = out.pixels();
            let ch = px.len() / (width * height) as usize;
            std::fs::write(format!("{}/{name}.{width}x{height}x{ch}.{tag}", a[1]), px).unwrap();
            println!("{name} {width} {tag} {t1:.2} {t2:.2}");
        }
    }
}
