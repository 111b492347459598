//! Our JPEG codec beside libjpeg-turbo, in one run: interleaved repetitions, medians and ratios.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench that cannot run has failed; it prints a table")]

mod decoding;
mod encoding;
mod options;
mod quality;
mod timing;

use options::Options;

fn main() {
    let options = Options::read(std::env::args().skip(1));
    let cases = options.cases();
    let mut answer = Vec::new();
    if options.decoding {
        answer.push(("decoding", decoding::measure(&cases, &options)));
    }
    if options.encoding {
        answer.push(("encoding", encoding::measure(&cases, &options)));
    }
    if let Some(path) = &options.json {
        let all: serde_json::Map<_, _> = answer.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        std::fs::write(path, serde_json::Value::Object(all).to_string()).expect("a file that can be written");
    }
}
