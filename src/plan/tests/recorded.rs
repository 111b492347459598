//! What imaginary answered, request by request: `tests/data/geometry.jsonl`, recorded from imaginary 1d4e251 with bimg
//! 1.1.7 and libvips 8.14. A row with `differs` is one where the answer here is another, for the reason given; its
//! `ours` is that answer.

use super::*;

#[derive(serde::Deserialize)]
struct Row {
    source: Source,
    endpoint: String,
    query: String,
    status: u16,
    size: Option<[u32; 2]>,
    #[serde(rename = "type")]
    mime: Option<String>,
    message: Option<String>,
    differs: Option<String>,
    ours: Option<String>,
}

#[derive(serde::Deserialize)]
struct Source {
    width: u32,
    height: u32,
    format: String,
    exif: u16,
    alpha: bool,
    gray: bool,
}

impl Source {
    fn header(&self) -> Header {
        let format = match self.format.as_str() {
            "jpeg" => Format::Jpeg,
            "png" => Format::Png,
            "webp" => Format::Webp,
            "tiff" => Format::Tiff,
            "gif" => Format::Gif,
            "svg" => Format::Svg,
            other => panic!("no format {other}"),
        };
        let space = if self.gray { Space::Gray } else { Space::Srgb };
        let channels = if self.gray { 1 } else { 3 } + u8::from(self.alpha);
        let exif_orientation = self.exif;
        let alpha = self.alpha;
        Header { exif_orientation, alpha, space, channels, ..header(self.width, self.height, format) }
    }
}

/// An answer in one line: `200 80x60 image/png`, or `400 message`.
fn expected(row: &Row) -> String {
    match (row.size, &row.mime, &row.message) {
        (Some([width, height]), Some(mime), None) => format!("{} {width}x{height} {mime}", row.status),
        (None, None, Some(message)) => format!("{} {message}", row.status),
        _ => panic!("a row is a picture or a message"),
    }
}

fn answered(row: &Row) -> String {
    let header = row.source.header();
    match plan(&row.endpoint, &row.query, &header, None) {
        Ok(plan) => format!("200 {} {}", plan.output_size(header.size), plan.encode.format.mime()),
        Err(message) if message == PlanError::TooManyPixels.to_string() => format!("422 {message}"),
        Err(message) => format!("400 {message}"),
    }
}

/// The answers agree, except that the text after `, error: ` of a list of operations is free.
fn agree(expected: &str, answered: &str) -> bool {
    let free = "error while processing parameter \"operations\"";
    match (expected.split_once(", error: "), answered.split_once(", error: ")) {
        (Some((a, _)), Some((b, why))) if a.contains(free) => a == b && !why.is_empty(),
        _ => expected == answered,
    }
}

#[test]
fn every_recorded_answer_is_given() {
    let text = include_str!("../../../tests/data/geometry.jsonl");
    let mut wrong = Vec::new();
    let (mut same, mut different) = (0, 0);
    for line in text.lines() {
        let row: Row = serde_json::from_str(line).unwrap();
        let answered = answered(&row);
        let expected = match (&row.differs, &row.ours) {
            (None, None) => {
                same += 1;
                expected(&row)
            }
            (Some(_), Some(ours)) => {
                different += 1;
                assert_ne!(*ours, expected(&row), "a difference that is none: {line}");
                ours.clone()
            }
            _ => panic!("`differs` and `ours` go together: {line}"),
        };
        if !agree(&expected, &answered) {
            wrong.push(format!("{line}\n  want {expected}\n  got  {answered}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), same + different, wrong.join("\n"));
    assert!(same >= 400 && different <= 50, "{same} {different}");
}

#[test]
fn a_wrong_pixel_or_letter_is_noticed() {
    assert!(!agree("200 80x60 image/png", "200 80x61 image/png"));
    assert!(!agree("400 a", "400 b"));
    let fault = |value: &str, why: &str| {
        format!("400 error while processing parameter \"operations\" with value \"{value}\", error: {why}")
    };
    assert!(agree(&fault("{}", "x"), &fault("{}", "y")));
    assert!(!agree(&fault("{}", "x"), &fault("[]", "y")));
}
