//! What fuzzing found once, replayed without libFuzzer.

use std::fs;
use std::path::Path;

use phasor::codecs::Format;

use super::{decoding, planning};

#[test]
fn findings_of_fuzzing_stay_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    let mut replayed = 0;
    for target in fs::read_dir(&folder).unwrap() {
        let target = target.unwrap();
        for file in fs::read_dir(target.path()).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            replay(target.file_name().to_str().unwrap(), &fs::read(path).unwrap());
            replayed += 1;
        }
    }
    assert!(replayed > 0, "nothing in {}", folder.display());
}

fn replay(target: &str, bytes: &[u8]) {
    match target {
        "sniff_probe" => drop(decoding::probe(bytes)),
        // The laws that only the decoder's own tests can check are checked there.
        "decode_jpeg" | "jpeg_forms" | "jpeg_baseline" | "jpeg_progressive" | "jpeg_prefix" => {
            decoding::decode(Format::Jpeg, bytes)
        }
        "decode_png" => decoding::decode(Format::Png, bytes),
        "decode_webp" => decoding::decode(Format::Webp, bytes),
        "decode_gif" => decoding::decode(Format::Gif, bytes),
        "decode_tiff" => decoding::decode(Format::Tiff, bytes),
        "decode_svg" => decoding::decode(Format::Svg, bytes),
        "vp8" => decoding::decode(Format::Webp, &in_a_file(bytes)),
        "query_to_plan" => planning::check_query_file(bytes),
        "operations_json" => planning::check_operations_file(bytes),
        other => panic!("how are the findings of {other} replayed?"),
    }
}

/// A WebP file of a lossy picture's chunk.
fn in_a_file(chunk: &[u8]) -> Vec<u8> {
    let length = |length: usize| u32::try_from(length).unwrap().to_le_bytes();
    let padding = &[0][..chunk.len() % 2];
    let size = length(12 + chunk.len() + padding.len());
    [b"RIFF", &size[..], b"WEBPVP8 ", &length(chunk.len()), chunk, padding].concat()
}
