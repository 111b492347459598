//! What the README tells a newcomer to type, typed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::http::Server;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const KEY: &str = "4f46feebafc4b5e988f131c4ff8b5997";

/// The fenced blocks of one language under a heading.
fn blocks(heading: &str, language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| section.starts_with(heading)).expect("the heading");
    let opening = format!("```{language}\n");
    let found: Vec<String> =
        section.split(&opening).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect();
    assert!(!found.is_empty(), "no {language} under {heading}");
    found
}

/// Whether these programs are there; says loudly which one is not.
fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let there =
            Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success();
        if !there {
            eprintln!("SKIPPED: {program} is not installed, so an example of the README is not tried");
        }
        there
    })
}

/// Runs `program` on a script from its standard input, in a directory where `tests/` is the project's.
fn run(program: &[&str], script: &str, env: &[(&str, &str)]) -> (Output, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(Path::new(ROOT).join("tests"), directory.path().join("tests")).unwrap();
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).current_dir(directory.path()).envs(env.iter().copied());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    (output, directory)
}

fn fixtures() -> String {
    format!("{ROOT}/tests/fixtures")
}

#[test]
fn every_request_is_answered_with_what_its_name_says() {
    if !have(&["bash", "curl"]) {
        return;
    }
    let server = Server::with(&["-mount", &fixtures()]);
    // A refusal must end the script; plain curl would write the error into the file.
    let mut script = String::from("set -euo pipefail\ncurl() { command curl --fail --silent --show-error \"$@\"; }\n");
    script.push_str(&blocks("Requests", "sh").concat());
    let script = script.replace("http://localhost:8088", &format!("http://{}", server.address));
    assert!(script.contains(&server.address.to_string()));
    let (output, directory) = run(&["bash"], &script, &[]);
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&facts["width"], &facts["height"]), (&550.into(), &740.into()));
    let mut pictures = 0;
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let path = entry.unwrap().path();
        let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { continue };
        let format = phasor::codecs::sniff(&std::fs::read(&path).unwrap()).expect("a picture").name();
        assert_eq!(format.replace("jpeg", "jpg"), extension, "{}", path.display());
        pictures += 1;
    }
    assert_eq!(pictures, script.matches(" -o ").count());
}

#[test]
fn every_signing_example_makes_urls_that_are_served() {
    let server = Server::with(&["-mount", &fixtures(), "-enable-url-signature", "-url-signature-key", KEY]);
    let served = |language: &str, output: &Output| {
        let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let answer = server.get(&url);
        assert_eq!((answer.status, url.contains("&sign=")), (200, true), "{language}: {url}: {}", answer.text());
    };
    let script = |language: &str, more: &str| format!("{}\n{more}\n", blocks("Signing", language).concat());
    if have(&["bash", "openssl", "base64"]) {
        served("sh", &run(&["bash", "-eu"], &script("sh", ""), &[("URL_SIGNATURE_KEY", KEY)]).0);
    }
    // Characters that a sloppy encoding gets wrong; `text` means nothing to resize but is signed all the same.
    let text = r#"a b+c~d*e'(f)!&=%é/"#;
    if have(&["python3"]) {
        let call =
            format!("print(sign('{KEY}', '/resize', {{'width': 300, 'file': 'photo.jpg', 'text': \"{text}\"}}))");
        served("python", &run(&["python3", "-"], &script("python", &call), &[("PYTHONUTF8", "1")]).0);
    }
    if have(&["node"]) {
        let call =
            format!("console.log(sign('{KEY}', '/resize', {{ width: 300, file: 'photo.jpg', text: \"{text}\" }}));");
        served("js", &run(&["node", "--input-type=module"], &script("js", &call), &[]).0);
    }
}
