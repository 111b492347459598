//! Does an answer fit one of the recorded ones?

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::Answer;
use super::picture::Seen;

/// `None` when one of `any` fits; else what is wrong with the first.
pub(super) fn judge(any: &Value, answer: &Answer) -> Option<String> {
    let options = any.as_array().unwrap();
    let faults: Vec<Vec<String>> = options.iter().map(|option| differences(option, answer)).collect();
    if faults.iter().any(Vec::is_empty) {
        return None;
    }
    let body: String = String::from_utf8_lossy(&answer.body).chars().take(200).filter(|c| !c.is_control()).collect();
    let kind = answer.header("content-type").unwrap_or_default();
    let shown = if kind.starts_with("image/") { format!("<{kind}, {} bytes>", answer.body.len()) } else { body };
    Some(format!("{}; answer: {} {shown}", faults[0].join("; "), answer.status))
}

/// A value, or one of a list of values.
fn fits(wanted: &Value, got: &Value) -> bool {
    wanted == got || wanted.as_array().is_some_and(|list| list.contains(got))
}

fn set(value: &str) -> BTreeSet<String> {
    value.split(',').map(|part| part.trim().to_ascii_lowercase()).filter(|part| !part.is_empty()).collect()
}

fn differences(option: &Value, answer: &Answer) -> Vec<String> {
    let mut wrong = Vec::new();
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let kind =
        answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
    let message = body["message"].as_str().unwrap_or_default();
    let mut seen: Option<Result<Seen, String>> = None;
    for (name, wanted) in option.as_object().unwrap() {
        match name.as_str() {
            "status" if !fits(wanted, &answer.status.into()) => {
                wrong.push(format!("status {}, not {wanted}", answer.status))
            }
            "message" if !fits(wanted, &message.into()) => wrong.push(format!("message {message:?}, not {wanted}")),
            "message_has" if !message.to_lowercase().contains(&wanted.as_str().unwrap_or_default().to_lowercase()) => {
                wrong.push(format!("message {message:?} without {wanted}"));
            }
            "json" => {
                for (key, value) in wanted.as_object().unwrap() {
                    if &body[key] != value {
                        wrong.push(format!("{key}: {}, not {value}", body[key]));
                    }
                }
            }
            "headers" => {
                for (key, value) in wanted.as_object().unwrap() {
                    let got = answer.header(key);
                    let same = match (value.as_str(), &got) {
                        (Some(value), Some(got)) if key == "vary" => set(value) == set(got),
                        (value, got) => value == got.as_deref(),
                    };
                    if !same {
                        wrong.push(format!("header {key}: {got:?}, not {value}"));
                    }
                }
            }
            "type" if wanted != &kind => wrong.push(format!("type {kind}, not {wanted}")),
            "format" if wanted.as_str().unwrap_or_default().to_lowercase() != kind.trim_start_matches("image/") => {
                wrong.push(format!("type {kind}, not {wanted}"));
            }
            "size" | "alpha" | "icc" | "exif" | "orientation" | "quads" if !kind.starts_with("image/") => {
                seen.get_or_insert_with(|| {
                    wrong.push("no picture".into());
                    Err(String::new())
                });
            }
            "size" | "alpha" | "icc" | "exif" | "orientation" | "quads" => {
                let seen = seen.get_or_insert_with(|| Seen::read(&answer.body, &kind));
                match seen {
                    Ok(seen) => wrong.extend(part(name, wanted, option, seen)),
                    Err(why) => wrong.push(format!("unreadable {kind}: {why}")),
                }
            }
            _ => {}
        }
    }
    wrong
}

/// One property of a picture.
fn part(name: &str, wanted: &Value, option: &Value, seen: &Seen) -> Option<String> {
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    match name {
        "size" => {
            let slack = option["slack"].as_u64().unwrap_or(0);
            let near = |axis: usize| wanted[axis].as_u64().is_some_and(|side| side.abs_diff(seen.size[axis]) <= slack);
            (!(near(0) && near(1))).then(|| format!("size {:?}, not {wanted}", seen.size))
        }
        "alpha" => seen.alpha.filter(|alpha| wanted != alpha).map(|alpha| format!("alpha {alpha}, not {wanted}")),
        "icc" => (*wanted != seen.icc).then(|| format!("ICC profile {}, not {wanted}", seen.icc)),
        "exif" => (*wanted != seen.exif).then(|| format!("EXIF {}, not {wanted}", seen.exif)),
        "orientation" => {
            (*wanted != seen.orientation).then(|| format!("orientation {}, not {wanted}", seen.orientation))
        }
        _ => {
            let quads = seen.quads?;
            let far = |quad: usize, channel: usize| (number(&wanted[quad][channel]) - quads[quad][channel]).abs();
            let worst = (0..16).map(|index| far(index / 4, index % 4)).fold(0.0, f64::max);
            let tolerance = option["tol"].as_f64().unwrap_or(8.0);
            (worst.is_nan() || worst > tolerance)
                .then(|| format!("quadrant means off by {worst:.1} (allowed {tolerance})"))
        }
    }
}
