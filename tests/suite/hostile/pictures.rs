//! Damaged fixtures, all the way from their bytes to an answer.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use phasor::budget::MemoryBudget;
use phasor::codecs::{self, EncodeError, Limits};
use phasor::engine::{Config, Engine, EngineError, GpuConfig, Job};
use phasor::plan::{self, Endpoint};
use phasor::query::Query;

use super::mutation::mutate;
use super::random::Random;
use super::{decoding, mutations};

const KIND: u64 = 2;

/// Longest time for one picture, on a busy machine without optimisation.
const PATIENCE: Duration = Duration::from_secs(30);

/// Requests that together reach every step and every encoder.
const REQUESTS: [(Endpoint, &str); 22] = [
    (Endpoint::Resize, "width=40"),
    (Endpoint::Resize, "width=64&height=40&type=webp&background=255,0,0"),
    (Endpoint::Fit, "width=50&height=50&type=png"),
    (Endpoint::Enlarge, "width=90&height=70"),
    (Endpoint::Extract, "top=1&left=1&areawidth=5&areaheight=5"),
    (Endpoint::Crop, "width=30&height=30&gravity=north"),
    (Endpoint::SmartCrop, "width=40&height=40"),
    (Endpoint::Thumbnail, "width=33&type=jpeg&interlace=true"),
    (Endpoint::Zoom, "factor=1&areawidth=20&areaheight=20"),
    (Endpoint::Rotate, "rotate=90"),
    (Endpoint::AutoRotate, ""),
    (Endpoint::Flip, "type=tiff"),
    (Endpoint::Flop, "colorspace=bw"),
    (Endpoint::Convert, "type=png&palette=true"),
    (Endpoint::Convert, "type=jpeg&stripmeta=true"),
    (Endpoint::Convert, "type=webp"),
    (Endpoint::Watermark, "text=ab&font=sans%206&opacity=0.5"),
    (Endpoint::WatermarkImage, "image=http%3A%2F%2Fa%2Fb.png&left=2&top=2"),
    (Endpoint::Blur, "sigma=2"),
    (Endpoint::Resize, "width=60&height=60&embed=true&extend=mirror&noprofile=true"),
    (Endpoint::Pipeline, "operations=[{\"operation\":\"crop\",\"params\":{\"width\":20,\"height\":20}}]"),
    (Endpoint::Info, ""),
];

/// Small pictures only: it is the parsing that is on trial.
fn limits() -> Limits {
    Limits { pixels: 320 * 240, output_pixels: 512 * 512, side: 4096, ..Limits::default() }
}

#[test]
fn damaged_pictures_are_served_or_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension != "md"));
    files.sort();
    let files: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    let config = Config { cpus: 1, max_queue: 4, limits: limits(), gpu: GpuConfig::default() };
    let engine = Engine::new(config, MemoryBudget::new(256 << 20)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();

    let mut served = 0;
    for number in 0..mutations(5000) {
        let mut random = Random::of(KIND, number);
        let file = &files[number as usize % files.len()];
        let bytes = mutate(file, random.pick::<Vec<u8>>(&files), &mut random);
        let mark = random.pick(&files).clone();
        let started = Instant::now();
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            if let (Some(format), true) = (codecs::sniff(&bytes), random.once_in(4)) {
                decoding::decode(format, &bytes);
            }
            runtime.block_on(serve(&engine, Bytes::from(bytes.clone()), mark.into(), random.pick(&REQUESTS)))
        }));
        let wrong = match &answer {
            Err(_) => Some("panicked".to_owned()),
            _ if engine.stats().panics > 0 => Some("panicked inside the engine".to_owned()),
            _ if started.elapsed() > PATIENCE => Some(format!("took {:?}", started.elapsed())),
            Ok(Ok(was_served)) => {
                served += u64::from(*was_served);
                None
            }
            Ok(Err(error)) => is_fault(error).then(|| error.to_string()),
        };
        if let Some(wrong) = wrong {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutation-{number}"));
            fs::write(&kept, &bytes).unwrap();
            panic!("mutation {number}, kept as {}: {wrong}", kept.display());
        }
    }
    println!("{served} served");
    // Were all refused, only headers would have been tested.
    assert!(served * 8 > mutations(5000), "{served} served");
}

/// Whether a picture was made; what needs a watermark gets `mark`.
async fn serve(
    engine: &Engine,
    source: Bytes,
    mark: Bytes,
    &(endpoint, request): &(Endpoint, &str),
) -> Result<bool, EngineError> {
    let deadline = Instant::now() + PATIENCE;
    let header = engine.probe(&source, deadline).await?;
    let params = plan::parse(&Query::parse(request.as_bytes())).expect("the requests are right");
    let Ok(plan) = plan::resolve(endpoint, &params, &header, engine.limits(), None) else { return Ok(false) };
    let overlays = plan.overlays.iter().map(|_| Some(mark.clone())).collect();
    let output = engine.run(Job { source, header, plan, overlays }, deadline).await?;
    assert!(!output.bytes.is_empty());
    Ok(true)
}

/// Whether an error is this server's and not the file's.
fn is_fault(error: &EngineError) -> bool {
    match error {
        EngineError::Decode(error) | EngineError::Overlay(error) => {
            decoding::one_line(&error.to_string());
            false
        }
        EngineError::TooLarge { .. }
        | EngineError::Encode(EncodeError::FormatNotWritten | EncodeError::TooLarge { .. }) => false,
        EngineError::Busy { .. } | EngineError::Deadline | EngineError::Panicked | EngineError::Text(_) => true,
        EngineError::Backend(_) => true,
        EngineError::Encode(EncodeError::Failed { .. } | EncodeError::OutOfMemory) => true,
    }
}

#[test]
fn a_small_document_of_many_uses_is_charged_before_its_tree_is_made() {
    let group = |i| format!("<g id='g{i}'>{}</g>", format!("<use href='#g{}'/>", i + 1).repeat(10));
    let groups: String = (0..4).map(group).collect();
    let text = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><defs>{groups}<g id='g4'><rect width='1' \
         height='1'/></g></defs><use href='#g0'/></svg>"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for (megabytes, fits) in [(8, false), (256, true)] {
        let config = Config { cpus: 1, max_queue: 4, limits: limits(), gpu: GpuConfig::default() };
        let engine = Engine::new(config, MemoryBudget::new(megabytes << 20)).unwrap();
        let answer = runtime.block_on(engine.probe(&Bytes::from(text.clone()), Instant::now() + PATIENCE));
        assert_eq!(answer.is_ok(), fits, "{answer:?}");
        assert!(fits || matches!(answer, Err(EngineError::TooLarge { .. })), "{answer:?}");
        assert_eq!(engine.budget().used(), 0);
    }
}
