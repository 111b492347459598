//! `phasor bench` as a program, on the fixtures.

use std::path::Path;
use std::process::{Command, Output};

fn bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_phasor")).arg("bench").args(args).output().unwrap()
}

fn fixtures() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").display().to_string()
}

#[test]
fn the_figures_of_a_folder_add_up() {
    let out = bench(&[&fixtures(), "-seconds", "0.4", "-threads", "2", "-gpu", "off", "-json"]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let files = std::fs::read_dir(fixtures()).unwrap().count() as u64;
    let skipped: u64 = report["skipped"].as_array().unwrap().iter().map(|reason| reason[1].as_u64().unwrap()).sum();
    let pictures = report["pictures"].as_u64().unwrap();
    assert_eq!(pictures + skipped, files, "{report}");
    assert!(pictures > 30 && skipped > 3, "{report}");
    let rows = report["rows"].as_array().unwrap();
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| (row["backend"].as_str().unwrap(), row["work"].as_str().unwrap()))
        .filter(|(backend, _)| !backend.starts_with("vipsthumbnail"))
        .collect();
    assert_eq!(kinds, [("cpu", "request"), ("cpu", "steps"), ("cpu", "served")]);
    for row in rows.iter().filter(|row| row["backend"] == "cpu") {
        let figure = |name: &str| row[name].as_f64().unwrap();
        assert!(figure("done") > 0.0 && row["failed"] == 0, "{row}");
        assert!(figure("images_per_second") > 0.0 && figure("megapixels_per_second") > 0.0);
        assert!(figure("p50_ms") > 0.0 && figure("p99_ms") >= figure("p50_ms"));
        assert!(row["gpu"].is_null());
        assert_eq!(row["besides_ms"].as_f64().is_some_and(|ms| ms > 0.0), row["work"] == "served", "{row}");
    }
}

#[test]
#[cfg(feature = "gpu")]
fn a_gpu_is_measured_beside_the_cpu() {
    let out = bench(&[&fixtures(), "-seconds", "0.3", "-gpu", "on", "-batch", "1,6", "-vips", "off", "-json"]);
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(said.contains("there is no GPU"), "{said}");
        assert!(std::env::var_os("REQUIRE_GPU").is_none_or(|v| v != "1"), "REQUIRE_GPU=1, and there is no adapter");
        eprintln!("SKIPPED: no GPU adapter, not even a software one (Debian: apt install mesa-vulkan-drivers)");
        return;
    }
    let report: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let rows: Vec<_> = report["rows"].as_array().unwrap().iter().filter(|row| !row["gpu"].is_null()).collect();
    let at_once: Vec<_> = rows.iter().filter(|row| row["work"] == "steps").map(|row| &row["threads"]).collect();
    assert_eq!(at_once, [1, 6]);
    for row in &rows {
        let gpu = &row["gpu"];
        assert!(row["failed"] == 0 && row["done"].as_u64() > gpu["fell_back"].as_u64(), "{row}");
        assert!(gpu["bytes_up"].as_f64() > Some(0.0) && gpu["bytes_down"].as_f64() > Some(0.0), "{row}");
        assert!(gpu["copy_bandwidth"].as_f64() > Some(0.0), "{row}");
        if let Some(busy) = gpu["busy_share"].as_f64() {
            assert!(busy > 0.0 && busy < 1.5, "{row}");
            assert!(gpu["bandwidth_share"].as_f64() > Some(0.0), "{row}");
        }
    }
    let alone = rows.iter().find(|row| row["threads"] == 1 && row["work"] == "steps").unwrap();
    assert_eq!(alone["gpu"]["pictures_per_submission"], 1.0);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    for (args, says) in [
        (&[path][..], "no picture in"),
        (&["/there/is/no/such/folder"], "/there/is/no/such/folder"),
        (&[path, "-request", "/nonsense?width=3"], "there is no endpoint"),
        (&[path, "-request", "/info"], "there is no endpoint"),
        (&[path, "-request", "/resize?width=abc"], "width"),
        (&[], "0 were given"),
    ] {
        let out = bench(args);
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && said.contains(says) && out.stdout.is_empty(), "{args:?}: {said}");
    }
    std::fs::write(empty.path().join("a.txt"), "no picture").unwrap();
    let said = String::from_utf8_lossy(&bench(&[path]).stderr).into_owned();
    assert!(said.contains("1 × Unsupported media type"), "{said}");
    let help = bench(&["-help"]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("-request"));
}
