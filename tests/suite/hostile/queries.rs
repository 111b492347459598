//! Query strings made of the table's parameters with values that they do not expect.

use phasor::plan::{Endpoint, PARAMS, ParamSpec};

use super::random::Random;
use super::{mutations, planning};

const KIND: u64 = 1;

/// Values beside random numbers and random bytes.
const VALUES: [&str; 76] = [
    "",
    "0",
    "1",
    "-1",
    "-0",
    "+5",
    "2",
    "3",
    "90",
    "180",
    "269.9",
    "100",
    "101",
    "300",
    "1e3",
    "1e308",
    "-1e308",
    "1e400",
    "1e-400",
    "0x10",
    "0x1p-2",
    "1_000",
    "NaN",
    "nan",
    "inf",
    "-Inf",
    "Infinity",
    "4294967295",
    "4294967296",
    "2147483647",
    "-2147483648",
    "9223372036854775807",
    "18446744073709551616",
    "0.5",
    ".5",
    "5.",
    ".",
    "1,5",
    "true",
    "false",
    "TRUE",
    "t",
    "f",
    "yes",
    "null",
    "smart",
    "north",
    "west",
    "centre",
    "attention",
    "bw",
    "srgb",
    "jpeg",
    "png",
    "webp",
    "tiff",
    "gif",
    "svg",
    "pdf",
    "auto",
    "copy",
    "mirror",
    "background",
    "lastpixel",
    "255,0,0",
    "255,0",
    "256,-1,1e9",
    ",,",
    "16:9",
    "0:9",
    "16:0",
    "1:99999999",
    "sans bold 12",
    "sans 99999",
    "http://127.0.0.1/a.png",
    "\u{202E}ﷺ\u{1F469}\u{200D}",
];

/// Escapes as nobody should write them.
const ESCAPES: [&str; 14] =
    ["%", "%%", "%2", "%g0", "%00", "%ff", "%C3%28", "%u0041", "+", "%2B", "&", "=", ";", "%26width%3D9"];

/// What some endpoint or other cannot do without.
const REQUIRED: &str =
    "&areawidth=20&areaheight=9&factor=1&rotate=90&type=png&text=a&sigma=2&image=http%3A%2F%2Fa%2Fb.png";

/// A query string as hostile as chance makes it.
pub fn query(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    if !random.once_in(4) {
        // Without what endpoints ask for, nearly all would end there.
        let sides = format!("width={}&height={}", 1 + random.below(300), 1 + random.below(300));
        text.extend(sides.bytes().chain(REQUIRED.bytes()));
    }
    for _ in 0..random.below(7) {
        if !text.is_empty() {
            text.push(b'&');
        }
        let spec = random.pick(&PARAMS);
        let name = spec.name;
        match random.below(20) {
            0 => text.extend(name.to_uppercase().into_bytes()),
            1 => text.extend(*b"unknown"),
            2 => {}
            _ => text.extend(name.as_bytes()),
        }
        if !random.once_in(20) {
            text.push(b'=');
        }
        if name == "operations" {
            text.extend(escaped(&operations(random)));
        } else if random.once_in(4) {
            text.extend(value(random));
        } else {
            text.extend(sound(spec, random).bytes());
        }
    }
    while random.once_in(6) && !text.is_empty() {
        let at = random.below(text.len());
        match random.below(3) {
            0 => text[at] = random.next() as u8,
            1 => text.truncate(at),
            _ => drop(text.splice(at..at, random.pick(&ESCAPES).bytes())),
        }
    }
    text
}

/// A value that the parameter takes, though what it asks for may be impossible.
fn sound(spec: &ParamSpec, random: &mut Random) -> String {
    let words: &[&str] = match (spec.kind.name(), spec.name) {
        ("integer", _) => {
            let end = *random.pick(&[300, 300, 300, 100_000]);
            return random.below(end).to_string();
        }
        ("float", _) => return format!("{}", random.below(3000) as f64 / 100.0),
        ("boolean", _) => &["true", "false", "1", "0", "t", "F"],
        ("colour", _) => &["255,0,0", "1,2,3", "0,0"],
        ("colorspace", _) => &["bw", "srgb"],
        ("gravity", _) => &["smart", "north", "south", "east", "west", "centre"],
        ("extend", _) => &["copy", "mirror", "black", "white", "background", "lastpixel"],
        (_, "type") => &["jpeg", "png", "webp", "tiff", "auto", "jpg"],
        (_, "aspectratio") => &["16:9", "1:2", "4:3"],
        (_, "image") => &["http%3A%2F%2Fa%2Fb.png"],
        (_, "font") => &["sans%20bold%2012", "serif", "mono%20italic%2072"],
        _ => &["hello", "a%20b", "%E2%9C%93", "x%0Ay"],
    };
    (*random.pick(words)).to_owned()
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 | 1 => random.below(700).to_string().into_bytes(),
        2 => (random.next() as i64 >> random.below(64)).to_string().into_bytes(),
        3 => f64::from_bits(random.next()).to_string().into_bytes(),
        4 => random.pick(&ESCAPES).as_bytes().to_vec(),
        5 if random.once_in(8) => (0..random.below(3000)).map(|_| random.next() as u8).collect(),
        _ => random.pick(&VALUES).as_bytes().to_vec(),
    }
}

/// The JSON of a pipeline, more or less.
pub fn operations(random: &mut Random) -> String {
    let count = if random.once_in(10) { random.below(40) } else { random.below(5) };
    let list: Vec<String> = (0..count)
        .map(|_| {
            let name = random.pick(&Endpoint::ALL).name();
            let params: Vec<String> = (0..random.below(5)).map(|_| pair(random)).collect();
            let ignore = *random.pick(&["", ",\"ignore_failure\":true", ",\"ignore_failure\":1", ",\"extra\":{}"]);
            format!("{{\"operation\":\"{name}\"{ignore},\"params\":{{{}}}}}", params.join(","))
        })
        .collect();
    let mut json = format!("[{}]", list.join(","));
    if random.once_in(6) {
        let at = json.floor_char_boundary(random.below(json.len()));
        let odd = *random.pick(&[
            "[",
            "]",
            "{",
            "\"",
            ",",
            "\\",
            "\\ud800",
            "null",
            "1e999",
            "[[[[[[[[[[[[[[[[",
            "\u{0}",
            "ü",
        ]);
        json.insert_str(at, odd);
    }
    json
}

fn pair(random: &mut Random) -> String {
    let spec = random.pick(&PARAMS);
    let name = spec.name;
    let value = match random.below(12) {
        0 | 1 => random.below(700).to_string(),
        2 => format!("{}", random.next() as i64 >> random.below(64)),
        3 => (*random.pick(&["true", "false", "null", "[]", "{}", "1e400", "-0.0", "1E308", "0.1"])).to_owned(),
        4 => format!("{:?}", random.pick(&VALUES)),
        _ if name == "operations" => "[]".to_owned(),
        _ if matches!(spec.kind.name(), "integer" | "float" | "boolean") => sound(spec, random),
        _ => format!("\"{}\"", sound(spec, random)),
    };
    format!("\"{name}\":{value}")
}

/// All bytes escaped.
pub fn escaped(text: &str) -> Vec<u8> {
    text.bytes().flat_map(|byte| format!("%{byte:02X}").into_bytes()).collect()
}

#[test]
fn every_query_is_a_plan_or_an_error() {
    let mut planned = 0;
    for number in 0..mutations(100_000) {
        let mut random = Random::of(KIND, number);
        let mut endpoint = *random.pick(&Endpoint::ALL);
        let mut raw = query(&mut random);
        if random.once_in(8) {
            endpoint = Endpoint::Pipeline;
            raw = [&b"operations="[..], &escaped(&operations(&mut random))].concat();
        }
        let source = planning::source([random.next() as u8, random.next() as u8, random.next() as u8]);
        let shown = String::from_utf8_lossy(&raw).into_owned();
        let check = std::panic::AssertUnwindSafe(|| planning::check(endpoint, &raw, &source));
        match std::panic::catch_unwind(check) {
            Ok(was_planned) => planned += u64::from(was_planned),
            Err(panic) => {
                eprintln!("mutation {number}: /{}?{shown} on {source:?}", endpoint.name());
                std::panic::resume_unwind(panic);
            }
        }
    }
    // Were all refused, nothing would have been tested.
    println!("{planned} plans");
    assert!(planned * 10 > mutations(100_000), "{planned} plans");
}
