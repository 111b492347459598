//! Small answers that people have looked at, kept. `UPDATE_GOLDENS=1 cargo test goldens` writes them anew: look at each
//! one that git says has changed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::http::Server;
use super::http::origin::{Origin, answer};

/// Floating point differs a little from one processor to the next; anything else does not.
const FLOOR: f64 = 45.0;
/// The same for the worst block of this side, so that a small fault does not drown in a large picture.
const BLOCK_FLOOR: f64 = 38.0;
const BLOCK: usize = 32;

/// Where the golden stands in `tests/golden`, by the stem of the code that makes it; the fixture; the request, to which
/// `type=png` is added. `MARKS` is where the fixtures can be fetched.
pub const GOLDENS: &[(&str, &str, &str)] = &[
    ("resample/photo", "photo.jpg", "resize?width=120"),
    ("resample/upwards", "lossless.webp", "enlarge?width=240&height=180"),
    ("resample/stretched", "rgb.png", "resize?width=60&height=100&force=true"),
    ("resample/thumbnail", "metadata.jpg", "thumbnail?height=100"),
    ("resample/fit", "photo.jpg", "fit?width=100&height=100"),
    ("resample/ratio", "photo.jpg", "crop?width=120&aspectratio=4:3"),
    ("resample/alpha", "rgba.png", "resize?width=70"),
    ("embed/black", "rgb.png", "resize?width=160&height=70&extend=black"),
    ("embed/white", "rgb.png", "resize?width=160&height=70&extend=white"),
    ("embed/copy", "rgb.png", "resize?width=160&height=70&extend=copy"),
    ("embed/mirror", "rgb.png", "resize?width=160&height=70&extend=mirror"),
    ("embed/background", "rgb.png", "resize?width=160&height=70&extend=background&background=200,80,40"),
    ("embed/lastpixel", "rgb.png", "resize?width=160&height=70&extend=lastpixel&background=20,160,40"),
    ("embed/upright", "exif-6.jpg", "resize?width=60&height=120&extend=mirror"),
    ("embed/alpha-black", "rgba.png", "resize?width=160&height=70&extend=black"),
    ("embed/alpha-white", "rgba.png", "resize?width=160&height=70&extend=white"),
    ("embed/grey-white", "grey.png", "resize?width=160&height=70&extend=white"),
    ("embed/grey-background", "grey.png", "resize?width=160&height=70&extend=background&background=200,80,40"),
    ("crop/centre", "rgb.png", "crop?width=90&height=90"),
    ("crop/north", "rgb.png", "crop?width=120&height=50&gravity=north"),
    ("crop/south", "rgb.png", "crop?width=120&height=50&gravity=south"),
    ("crop/east", "rgb.png", "crop?width=50&height=90&gravity=east"),
    ("crop/west", "rgb.png", "crop?width=50&height=90&gravity=west"),
    ("crop/enlarged", "tiny-3x2.png", "enlarge?width=60&height=60"),
    ("crop/area", "photo.jpg", "extract?top=150&left=230&areawidth=120&areaheight=120"),
    ("smartcrop/photo", "photo.jpg", "smartcrop?width=120&height=120"),
    ("smartcrop/tall", "photo.jpg", "resize?width=60&height=120&gravity=smart"),
    ("zoom/whole", "tiny-3x2.png", "zoom?factor=9"),
    ("zoom/area", "rgb.png", "zoom?factor=2&top=20&left=30&areawidth=120&areaheight=90"),
    ("orient/rotate-90", "rgb.png", "rotate?rotate=90&width=80"),
    ("orient/rotate-180", "rgb.png", "rotate?rotate=180&width=80"),
    ("orient/rotate-270", "rgb.png", "rotate?rotate=270&width=80"),
    ("orient/flip", "rgb.png", "flip?width=80"),
    ("orient/flop", "rgb.png", "flop?width=80"),
    ("orient/exif-5", "exif-5.jpg", "convert?"),
    ("orient/exif-8", "exif-8.jpg", "convert?"),
    ("orient/norotation", "exif-6.jpg", "convert?norotation=true"),
    ("blur/photo", "photo.jpg", "blur?sigma=3&width=90"),
    ("blur/alpha", "rgba.png", "blur?sigma=6"),
    (
        "text/repeated",
        "photo.jpg",
        "watermark?text=Phasor&textwidth=60&margin=20&dpi=90&width=180&opacity=0.6&color=255,255,255",
    ),
    (
        "text/once",
        "rgb.png",
        "watermark?text=Once&noreplicate=true&font=sans+bold+14&dpi=72&opacity=1&color=250,220,60",
    ),
    ("text/margin", "lossless.webp", "watermark?text=Hello&textwidth=110&dpi=100&opacity=0.9&color=255,255,255"),
    ("text/alpha", "rgba.png", "watermark?text=Phasor&textwidth=100&dpi=90&opacity=0.8&color=255,0,0"),
    ("overlay/mark", "photo.jpg", "watermarkimage?image=MARKS/mark.png&left=60&top=20&width=120"),
    ("overlay/half", "rgb.png", "watermarkimage?image=MARKS/mark-half.png&left=100&top=70&opacity=0.5"),
    ("overlay/clipped", "rgb.png", "watermarkimage?image=MARKS/mark.png&left=130&top=100"),
    ("overlay/alpha", "rgba.png", "watermarkimage?image=MARKS/mark-half.png&left=10&top=10"),
    ("overlay/grey", "grey.png", "watermarkimage?image=MARKS/mark.png&left=10&top=10"),
    ("colour/grey", "photo.jpg", "resize?width=90&colorspace=bw"),
    ("colour/grey-alpha", "grey-alpha.png", "resize?width=90&colorspace=bw"),
    ("colour/flat", "rgba.png", "convert?background=255,200,0"),
    ("colour/16-bit", "rgb16.png", "resize?width=90"),
    ("colour/grey-16-bit", "grey16.png", "resize?width=90"),
    ("colour/cmyk", "cmyk.jpg", "convert?"),
    ("colour/ycck", "ycck.jpg", "resize?width=90"),
    ("colour/rgb-jpeg", "rgb.jpg", "resize?width=30"),
    // Not resampled: the least difference there may lead to quite another palette.
    ("colour/palette", "lossless.webp", "convert?palette=true"),
    ("format/svg", "size.svg", "convert?"),
    ("format/svg-viewbox", "viewbox.svg", "resize?width=90"),
    ("format/svg-text", "text.svg", "convert?"),
    ("format/gif", "transparent.gif", "convert?"),
    ("format/gif-first-frame", "animated.gif", "convert?"),
    ("format/tiff", "rgba.tiff", "convert?"),
    ("format/tiff-16-bit", "rgb16.tiff", "convert?"),
    ("format/webp", "alpha.webp", "convert?"),
    ("format/png-1-bit", "bits1.png", "convert?"),
    ("format/png-palette", "palette-trns.png", "convert?"),
    ("format/png-interlaced", "interlaced.png", "resize?width=80"),
    ("format/jpeg-422", "422.jpg", "resize?width=120"),
    ("format/jpeg-separate-scans", "separate.jpg", "extract?top=10&left=90&areawidth=60&areaheight=100"),
    ("format/jpeg-late-height", "late-height.jpg", "resize?width=90"),
    ("format/jpeg-lost-interval", "lost-interval.jpg", "convert?"),
    ("format/jpeg-progressive", "progressive.jpg", "resize?width=90"),
    (
        "pipeline/three",
        "photo.jpg",
        "pipeline?operations=[{\"operation\":\"smartcrop\",\"params\":{\"width\":120,\"height\":120}},{\"operation\":\"rotate\",\"params\":{\"rotate\":90}},{\"operation\":\"blur\",\"params\":{\"sigma\":1.5,\"type\":\"png\"}}]",
    ),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

pub fn encoded(text: &str) -> String {
    text.replace('[', "%5B").replace(']', "%5D").replace('{', "%7B").replace('}', "%7D").replace('"', "%22")
}

#[test]
fn goldens_are_what_the_server_makes() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let at = fixtures.clone();
    let origin = Origin::with(move |path| answer("200 OK", &std::fs::read(at.join(&path[1..])).unwrap()));
    let flags = ["-enable-url-source", "-source-networks", "127.0.0.1/32", "-mount", fixtures.to_str().unwrap()];
    let server = Server::with(&flags);
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut faults = Vec::new();
    for (name, fixture, request) in GOLDENS {
        let request = encoded(&request.replace("MARKS", &origin.url("")));
        let answer = server.get(&format!("/{request}&type=png&file={fixture}"));
        assert_eq!((answer.status, answer.header("content-type").as_deref()), (200, Some("image/png")), "{name}");
        let path = directory().join(name).with_extension("png");
        if update && !std::fs::read(&path).is_ok_and(|there| far(&Picture::read(&there), &answer.body).is_none()) {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &answer.body).unwrap();
        }
        let Ok(golden) = std::fs::read(&path) else {
            faults.push(format!("{name} is missing"));
            continue;
        };
        if let Some(fault) = far(&Picture::read(&golden), &answer.body) {
            let made = std::env::temp_dir().join(format!("golden-{}.png", name.replace('/', "-")));
            std::fs::write(&made, &answer.body).unwrap();
            faults.push(format!("{name}: {fault}; what was made is at {}", made.display()));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}\nIf this is meant: UPDATE_GOLDENS=1 cargo test goldens, and look at them");
}

#[test]
fn every_golden_belongs_to_a_request() {
    let wanted: BTreeSet<String> = GOLDENS.iter().map(|(name, ..)| format!("{name}.png")).collect();
    assert_eq!(wanted.len(), GOLDENS.len(), "two goldens have one name");
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        eprintln!("SKIPPED: the goldens are being written just now");
        return;
    }
    let mut there = BTreeSet::new();
    for stem in std::fs::read_dir(directory()).unwrap().map(Result::unwrap) {
        for file in std::fs::read_dir(stem.path()).unwrap().map(Result::unwrap) {
            there.insert(format!("{}/{}", stem.file_name().display(), file.file_name().display()));
        }
    }
    assert_eq!(there, wanted);
}

/// Why this answer is not the golden; `None` when it is.
fn far(golden: &Picture, answer: &[u8]) -> Option<String> {
    let answer = Picture::read(answer);
    if (golden.width, golden.channels, golden.samples.len()) != (answer.width, answer.channels, answer.samples.len()) {
        return Some(format!("{golden:?} became {answer:?}"));
    }
    let whole = psnr(golden, &answer, (0, 0), (golden.width, golden.height));
    let blocks =
        (0..golden.height.div_ceil(BLOCK)).flat_map(|y| (0..golden.width.div_ceil(BLOCK)).map(move |x| (x, y)));
    let (worst, block) = blocks
        .map(|(x, y)| (psnr(golden, &answer, (x * BLOCK, y * BLOCK), (BLOCK, BLOCK)), (x * BLOCK, y * BLOCK)))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    (whole < FLOOR || worst < BLOCK_FLOOR).then(|| format!("{whole:.1} dB, {worst:.1} dB around {block:?}"))
}

/// Peak signal-to-noise ratio of a block, in dB.
fn psnr(a: &Picture, b: &Picture, (left, top): (usize, usize), (width, height): (usize, usize)) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for y in top..(top + height).min(a.height) {
        for at in (y * a.width + left) * a.channels..(y * a.width + (left + width).min(a.width)) * a.channels {
            sum += (f64::from(a.samples[at]) - f64::from(b.samples[at])).powi(2);
            count += 1.0;
        }
    }
    if sum == 0.0 { f64::INFINITY } else { 10.0 * (255.0 * 255.0 * count / sum).log10() }
}

/// Premultiplied samples: what is clear has no colour to compare.
struct Picture {
    width: usize,
    height: usize,
    channels: usize,
    samples: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {} × {}", self.width, self.height, self.channels)
    }
}

impl Picture {
    fn read(file: &[u8]) -> Self {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut samples).unwrap();
        samples.truncate(info.buffer_size());
        let channels = info.color_type.samples();
        if channels.is_multiple_of(2) {
            for pixel in samples.chunks_exact_mut(channels) {
                let alpha = u32::from(pixel[channels - 1]);
                for sample in &mut pixel[..channels - 1] {
                    *sample = (u32::from(*sample) * alpha / 255) as u8;
                }
            }
        }
        Self { width: info.width as usize, height: info.height as usize, channels, samples }
    }
}

#[test]
fn a_small_fault_is_far_enough() {
    let golden = std::fs::read(directory().join("resample/photo.png")).unwrap();
    let picture = Picture::read(&golden);
    assert_eq!(far(&picture, &golden), None);
    let mut shifted = Picture::read(&golden);
    shifted.samples.rotate_right(shifted.channels);
    assert!(far(&shifted, &golden).is_some(), "a shift by one pixel");
    let mut spotted = Picture::read(&golden);
    for at in 0..36 {
        spotted.samples[at] ^= 0x40;
    }
    assert!(far(&spotted, &golden).is_some(), "a dozen wrong pixels");
}
