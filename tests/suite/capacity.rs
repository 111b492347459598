//! `phasor capacity` as a program: the example, a report of `phasor bench`, arrivals of one's own, faults.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn phasor(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_phasor")).args(args).output().unwrap()
}

fn printed(args: &[&str]) -> String {
    let out = phasor(args);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The estimates for an input in this folder.
fn estimates(folder: &Path, input: &Value) -> Vec<Value> {
    let path = folder.join("input.json");
    std::fs::write(&path, input.to_string()).unwrap();
    serde_json::from_str(&printed(&["capacity", path.to_str().unwrap(), "-json"])).unwrap()
}

#[test]
fn the_example_is_answered_and_is_the_one_of_the_docs() {
    let example = printed(&["capacity", "-example"]);
    let docs = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/capacity.md")).unwrap();
    assert!(docs.contains(&example), "docs/capacity.md shows another example");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("example.json");
    std::fs::write(&path, &example).unwrap();
    let table = printed(&["capacity", path.to_str().unwrap()]);
    assert!(docs.contains(&table), "docs/capacity.md shows another table than\n{table}");
    let widths: Vec<usize> = table.lines().filter(|l| l.starts_with('|')).map(|l| l.chars().count()).collect();
    assert!(widths.len() == 4 && widths.iter().all(|&width| width == widths[0]), "{table}");
    assert!(printed(&["capacity", "-help"]).contains("phasor capacity FILE"));
}

#[test]
fn nodes_grow_with_the_rate_and_spare_ones_are_paid_for() {
    let folder = tempfile::tempdir().unwrap();
    let of = |rate: f64, spare: u32, more: Value| {
        let mut input = json!({
            "rate": rate, "spare": spare, "requests": 20000,
            "mix": [{ "name": "all", "service": { "mean_ms": 20 } }],
            "nodes": [{ "name": "n", "threads": 4, "price_per_hour": 0.5 }],
        });
        for (name, value) in more.as_object().unwrap() {
            input[name] = value.clone();
        }
        estimates(folder.path(), &input).remove(0)
    };
    // 200 a second fill a node, 140 are 70 %.
    let one = of(130.0, 0, json!({}));
    assert_eq!((&one["nodes"], one["price_per_hour"].as_f64()), (&json!(1), Some(0.5)));
    assert_eq!(of(150.0, 0, json!({}))["nodes"], 2);
    let many = of(1390.0, 2, json!({}));
    assert_eq!((&many["nodes"], &many["bound_by"]), (&json!(12), &json!("utilisation")));
    assert!((many["price_per_million"].as_f64().unwrap() - 6.0 / 1390.0 / 3600.0 * 1e6).abs() < 0.01, "{many}");
    // A tight p99 needs more than the utilisation does; an impossible one is told.
    let tight = of(1390.0, 0, json!({"goals": {"p99_ms": 93.0}}));
    assert!(tight["nodes"].as_u64().unwrap() >= 10 && tight["p99_ms"].as_f64().unwrap() <= 93.0, "{tight}");
    assert_eq!(of(100.0, 0, json!({"goals": {"p99_ms": 5.0}}))["nodes"], Value::Null);
    // Twice as fast: half as many.
    let fast = of(1390.0, 0, json!({"nodes": [{ "name": "n", "threads": 4, "speed": 2.0 }]}));
    assert_eq!(fast["nodes"], 5);
    // So many and no more: the rest is shed.
    let few = of(400.0, 0, json!({"nodes": [{ "name": "n", "threads": 4, "count": 1 }]}));
    assert!(
        (few["shed"].as_f64().unwrap() - 0.5).abs() < 0.05 && few["threads_busy"].as_f64().unwrap() > 0.95,
        "{few}"
    );
}

#[test]
fn service_times_come_from_the_bench_and_arrivals_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").display().to_string();
    let report =
        printed(&["bench", &fixtures, "-seconds", "0.3", "-threads", "1", "-gpu", "off", "-vips", "off", "-json"]);
    std::fs::write(folder.path().join("bench.json"), &report).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    let served = report["rows"].as_array().unwrap().iter().find(|row| row["work"] == "served").unwrap();
    let of_bench = |name: &str| served[name].as_f64().unwrap();
    let (mean, besides) = (of_bench("mean_ms"), of_bench("besides_ms"));
    let quantiles: Vec<f64> =
        served["quantiles_ms"].as_array().unwrap().iter().map(|ms| ms.as_f64().unwrap()).collect();
    assert_eq!(quantiles.len(), 51);
    // They are stretched to the mean; few pictures as different as these have steps in their middle.
    let stretch = mean * 50.0 / quantiles.windows(2).map(|two| (two[0] + two[1]) / 2.0).sum::<f64>();
    let middle = quantiles[23] * stretch..=quantiles[27] * stretch;
    // One at a time: nobody waits, and what is left is the bench's own.
    let arrivals: Vec<String> = (0..3000).map(|n| format!("{}", f64::from(n) * mean / 10.0)).collect();
    std::fs::write(folder.path().join("arrivals"), arrivals.join("\n")).unwrap();
    let mut input = json!({
        "arrivals": "arrivals",
        "mix": [{ "name": "all", "service": { "bench": "bench.json", "row": "cpu" }, "overhead_ms": 3.0 }],
        "nodes": [{ "name": "n", "threads": 1, "count": 1 }],
    });
    let estimate = estimates(folder.path(), &input).remove(0);
    let figure = |name: &str| estimate[name].as_f64().unwrap();
    assert!((figure("saturation_per_node") * mean / 1e3 - 1.0).abs() < 1e-6, "{estimate}");
    assert!((figure("threads_busy") - 0.01).abs() < 0.002, "{estimate}");
    assert!(middle.contains(&(figure("p50_ms") - 3.0)), "{estimate}, {middle:?}");
    // What is not said is the bench's, too.
    input["mix"][0].as_object_mut().unwrap().remove("overhead_ms");
    let p50_without = estimates(folder.path(), &input).remove(0)["p50_ms"].as_f64().unwrap();
    assert!((p50_without - (figure("p50_ms") - 3.0 + besides)).abs() < 1e-6, "{p50_without}, {besides}");
}

#[test]
fn faults_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("input.json");
    let good =
        json!({"rate": 1, "mix": [{"name": "a", "service": {"mean_ms": 1}}], "nodes": [{"name": "n", "threads": 1}]});
    let cases = [
        ("/rate", json!(0), "rate"),
        ("/mix", json!([]), "mix"),
        ("/nodes", json!([]), "nodes"),
        ("/nodes/0/threads", json!(0), "threads"),
        ("/mix/0/service", json!({"p50_ms": 9, "p99_ms": 3}), "below p50_ms"),
        ("/mix/0/service", json!({"mean": 9}), "unknown field"),
        ("/mix/0/service", json!({"bench": "no.json"}), "no.json"),
        ("/mix/0/service", json!({"quantiles_ms": [3, 2]}), "sorted"),
    ];
    for (at, value, expected) in cases {
        let mut bad = good.clone();
        *bad.pointer_mut(at).unwrap() = value;
        std::fs::write(&path, bad.to_string()).unwrap();
        let out = phasor(&["capacity", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.code() == Some(2) && said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(phasor(&["capacity"]).status.code(), Some(2));
    assert_eq!(phasor(&["capacity", "/nonexistent"]).status.code(), Some(2));
}
