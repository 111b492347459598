//! Texts that are made from tables. `UPDATE_DOCS=1 cargo test docs` writes them anew.

use std::collections::BTreeSet;

use phasor::codecs::{Format, Header, Limits, Space};
use phasor::config::{FLAGS, Group, Kind};
use phasor::image::Size;
use phasor::plan::{Endpoint, PARAMS, Plan, PlanError, parse, resolve};
use phasor::query::Query;

#[test]
fn configuration_is_the_table_of_flags() {
    let mut text = String::from(
        "# Settings\n\nMade from the table of flags in `src/config/flags.rs`; a test keeps the two the same.\n\n\
         Flags take one dash or two, and their value after a space or `=`; switches take theirs only after `=`. Each is\n\
         also an environment variable: `-max-queue` is `PHASOR_MAX_QUEUE`; the flag wins over it. The names kept from\n\
         imaginary (`PORT`, `URL_SIGNATURE_KEY`, `GOLANG_LOG`) win over the flag. Durations are seconds or `500ms`, `30s`,\n\
         `2m`; sizes are bytes or `64MiB`, `1.5G`.\n",
    );
    for group in GROUPS {
        text.push_str(&format!("\n## {}\n\n| flag | value | default | meaning |\n|---|---|---|---|\n", group.title()));
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            let value = match flag.kind {
                Kind::Switch => "switch".to_owned(),
                Kind::Integer => "integer".to_owned(),
                Kind::Number => "number".to_owned(),
                Kind::Duration => "duration".to_owned(),
                Kind::Bytes => "size".to_owned(),
                Kind::Text => "text".to_owned(),
                Kind::OneOf(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            };
            let default = if flag.default.is_empty() { String::new() } else { format!("`{}`", flag.default) };
            let env = flag.env.map(|env| format!("; environment `{env}` wins")).unwrap_or_default();
            text.push_str(&format!("| `-{}` | {value} | {default} | {}{env} |\n", flag.name, flag.help));
        }
    }
    assert_same("docs/configuration.md", &text);
}

#[test]
fn parameters_are_the_table_of_parameters() {
    let mut text = String::from(
        "# Parameters\n\nMade from the table of parameters in `src/plan/table.rs`; a test keeps the two the same, and another\n\
         checks that each parameter has an effect where this page says so and nowhere else.\n\n\
         Parameters stand in the query string; form fields are not parameters. Names are case-sensitive. The first of\n\
         repeated names counts, unknown names are passed over. An empty value counts as none, except that `extend=` is\n\
         `mirror` and `nocrop=` is `false`. In a pipeline numbers keep their sign, and one below zero counts as none.\n\n\
         | kind | how it is read |\n|---|---|\n\
         | integer | a decimal number; its sign is dropped and it is rounded: `200.5` is 201, `-200` is 200, `2e2` is 200 |\n\
         | float | a decimal number; its sign is dropped |\n\
         | boolean | `1 t T TRUE true True` or `0 f F FALSE false False` |\n\
         | string | any text |\n\
         | colour | `R,G,B`, each 0 to 255; with fewer than three numbers it counts as absent |\n\
         | colorspace, gravity, extend | one word of those listed; any other counts as `srgb`, `centre`, `mirror` |\n\
         | JSON | a list of `{\"operation\": NAME, \"params\": {…}, \"ignore_failure\": false}` |\n\n\
         ## All of them\n\n| parameter | kind | default | meaning |\n|---|---|---|---|\n",
    );
    for spec in PARAMS {
        text.push_str(&format!("| `{}` | {} | {} | {} |\n", spec.name, spec.kind.name(), spec.default, spec.meaning));
    }
    let takes = |endpoint: Endpoint| -> Vec<&str> {
        PARAMS.iter().filter(|spec| spec.endpoints.contains(&endpoint)).map(|spec| spec.name).collect()
    };
    let pictures: Vec<Endpoint> = Endpoint::ALL.into_iter().filter(|e| takes(*e).contains(&"width")).collect();
    let everywhere = |name: &&str| pictures.iter().all(|endpoint| takes(*endpoint).contains(name));
    let common: Vec<&str> = takes(Endpoint::Convert).into_iter().filter(everywhere).collect();
    let code = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    text.push_str(&format!(
        "\n## By endpoint\n\nCommon parameters: {}.\n\n\
         | endpoint | required | takes | in a pipeline |\n|---|---|---|---|\n",
        code(&common)
    ));
    for endpoint in Endpoint::ALL {
        let takes = takes(endpoint);
        let own: Vec<&str> = takes.iter().copied().filter(|name| !common.contains(name)).collect();
        let takes = match (common.iter().all(|name| takes.contains(name)), own.is_empty()) {
            (true, true) => "the common ones".to_owned(),
            (true, false) => format!("the common ones, {}", code(&own)),
            (false, true) => "none".to_owned(),
            (false, false) => code(&own),
        };
        let pipeline = endpoint.operation_name().map(|name| format!("`{name}`")).unwrap_or_default();
        text.push_str(&format!("| `/{}` | {} | {takes} | {pipeline} |\n", endpoint.name(), required(endpoint)));
    }
    assert_same("docs/parameters.md", &text);
}

/// One value for each parameter that makes a difference, seen from [`BASES`].
const VALUES: &[(&str, &str)] = &[
    ("width", "50"),
    ("height", "40"),
    ("top", "20"),
    ("left", "10"),
    ("areawidth", "30"),
    ("areaheight", "20"),
    ("quality", "40"),
    ("compression", "2"),
    ("rotate", "90"),
    ("rotate", "180"),
    ("factor", "2"),
    ("margin", "7"),
    ("dpi", "72"),
    ("textwidth", "33"),
    ("opacity", "0.5"),
    ("flip", "true"),
    ("flop", "true"),
    ("force", "true"),
    ("embed", "true"),
    ("nocrop", "true"),
    ("nocrop", "false"),
    ("noprofile", "true"),
    ("norotation", "true"),
    ("noreplicate", "true"),
    ("stripmeta", "true"),
    ("text", "words"),
    ("image", "http://example.com/m.png"),
    ("font", "serif 20"),
    ("type", "webp"),
    ("color", "1,2,3"),
    ("colorspace", "bw"),
    ("gravity", "north"),
    ("gravity", "smart"),
    ("background", "9,9,9"),
    ("extend", "white"),
    ("sigma", "3"),
    ("minampl", "2"),
    ("operations", r#"[{"operation":"flip"}]"#),
    ("interlace", "true"),
    ("aspectratio", "1:1"),
    ("aspectratio", "9:1"),
    ("palette", "true"),
    ("speed", "3"),
];

/// What is asked besides; between them every parameter can show what it does.
const BASES: &[&str] = &[
    "",
    "width=100",
    "width=100&height=100",
    "width=100&height=100&embed=true&type=png",
    "width=100&height=30&top=5",
    "width=900&height=900",
    "width=900&height=100&nocrop=true&embed=true&type=png",
    "width=900&height=100&nocrop=true&type=png",
    "type=jpeg",
];

/// What an endpoint cannot do without, so that the bases alone are enough.
fn needed(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Extract => "areawidth=20&areaheight=10",
        Endpoint::Zoom => "factor=1&areawidth=20&areaheight=10",
        Endpoint::Rotate => "rotate=180",
        Endpoint::Convert => "type=png",
        Endpoint::Watermark => "text=hello",
        Endpoint::WatermarkImage => "image=http://example.com/n.png",
        Endpoint::Blur => "sigma=1",
        Endpoint::Pipeline => r#"operations=[{"operation":"flop"}]"#,
        _ => "",
    }
}

fn plan(endpoint: Endpoint, query: &str) -> Result<Plan, PlanError> {
    let header = Header {
        format: Format::Png,
        size: Size::new(400, 300).unwrap(),
        exif_orientation: 6,
        alpha: true,
        space: Space::Srgb,
        channels: 4,
        profile: true,
        scratch_bytes: 0,
    };
    let params = parse(&Query::parse(query.as_bytes())).unwrap();
    resolve(endpoint, &params, &header, &Limits::default(), None)
}

/// Found by trying: one parameter that is enough, or two that are enough together.
fn required(endpoint: Endpoint) -> String {
    let enough = |query: &str| !matches!(plan(endpoint, query), Err(PlanError::Missing(_) | PlanError::NoOperations));
    if enough("") {
        return String::new();
    }
    let pairs = || VALUES.iter().map(|(name, value)| (*name, format!("{name}={value}")));
    let one: BTreeSet<&str> = pairs().filter(|(_, query)| enough(query)).map(|(name, _)| name).collect();
    if !one.is_empty() {
        return one.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    }
    let two = pairs().flat_map(|first| pairs().map(move |second| (first.clone(), second)));
    let two = two.filter(|(first, second)| enough(&format!("{}&{}", first.1, second.1)));
    let names: BTreeSet<&str> = two.flat_map(|(first, second)| [first.0, second.0]).collect();
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
}

#[test]
fn parameters_act_where_the_table_says_and_nowhere_else() {
    let mut wrong = Vec::new();
    for spec in PARAMS {
        assert!(VALUES.iter().any(|(name, _)| *name == spec.name), "{} has no value to try", spec.name);
        for endpoint in Endpoint::ALL {
            let acts = VALUES.iter().filter(|(name, _)| *name == spec.name).any(|(name, value)| {
                BASES.iter().any(|base| {
                    [needed(endpoint), ""].iter().any(|needed| {
                        let without = format!("{base}&{needed}");
                        plan(endpoint, &without) != plan(endpoint, &format!("{name}={value}&{without}"))
                    })
                })
            });
            if acts != spec.endpoints.contains(&endpoint) {
                wrong.push(format!("{} {} on {endpoint}", spec.name, if acts { "acts" } else { "does nothing" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn telemetry_holds_the_tables_of_metrics_and_of_standard_variables() {
    let mut table = String::from("| metric | kind | labels | meaning |\n|---|---|---|---|\n");
    for row in phasor::telemetry::metrics() {
        let labels: Vec<String> =
            row.labels.iter().map(|(label, values)| format!("`{label}`: {}", values.replace('|', "\\|"))).collect();
        let labels = labels.join("<br>");
        table.push_str(&format!("| `{}` | {} | {labels} | {} |\n", row.name, row.kind, row.help));
    }
    between("docs/telemetry.md", "metrics", &table);

    let mut table = String::from("| variable | meaning; what holds without it |\n|---|---|\n");
    for variable in phasor::telemetry::trace::STANDARD {
        table.push_str(&format!("| `{}` | {} |\n", variable.name, variable.meaning));
    }
    between("docs/telemetry.md", "variables", &table);
}

/// Asserts that a part of a page, between two comments, is this.
fn between(path: &str, name: &str, text: &str) {
    let begin = format!("<!-- {name}: made by UPDATE_DOCS=1 cargo test docs -->\n");
    let end = format!("<!-- {name} end -->");
    let page = read(path);
    let (front, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("{begin}"));
    let (_, back) = rest.split_once(&end).unwrap_or_else(|| panic!("{end}"));
    assert_same(path, &format!("{front}{begin}{text}{end}{back}"));
}

#[test]
fn the_readme_names_every_flag() {
    let mut table = String::from("| about | flags |\n|---|---|\n");
    for group in GROUPS {
        let names = FLAGS.iter().filter(|flag| flag.group == group).map(|flag| {
            let dashes = if flag.name.len() == 1 { "-" } else { "--" };
            format!("`{dashes}{}`", flag.name)
        });
        table.push_str(&format!("| {} | {} |\n", group.title(), names.collect::<Vec<_>>().join(" ")));
    }
    between("README.md", "flags", &table);
}

/// A flag in a text for people is one that the program takes.
#[test]
fn flags_in_texts_exist() {
    let mut seen = 0;
    // The comparison under `tests/` has flags of its own.
    for path in TEXTS.into_iter().filter(|path| !path.starts_with("tests/")) {
        let text = read(path);
        // Even parts are prose, odd ones blocks of code.
        for code in text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)) {
            let Some(name) = code.strip_prefix("--").or_else(|| code.strip_prefix('-')) else { continue };
            let name = name.split(['=', ' ']).next().unwrap_or_default();
            assert!(FLAGS.iter().any(|flag| flag.name == name), "{path}: {code} is no flag");
            seen += 1;
        }
    }
    assert!(seen > 50, "texts are not read as they should be");
}

/// A file that a text names, as a link or as `path/with.ending`, is there.
#[test]
fn files_in_texts_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for path in TEXTS {
        let text = read(path);
        let beside = root.join(path).parent().unwrap().to_path_buf();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            assert!(beside.join(link.split('#').next().unwrap_or_default()).exists(), "{path}: {link}");
            seen += 1;
        }
        for code in text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2)) {
            let top = code.split('/').next().unwrap_or_default();
            let ours = ["assets", "benches", "docs", "k8s", "scripts", "src", "tests"].contains(&top);
            if ours && code.contains('/') && !code.contains(['<', '*', ' ', '…']) {
                assert!(root.join(code).exists(), "{path}: {code}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "texts are not read as they should be");
}

const TEXTS: [&str; 14] = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/caching.md",
    "docs/capacity.md",
    "docs/compatibility.md",
    "docs/operations.md",
    "docs/signers/README.md",
    "docs/telemetry.md",
    "k8s/README.md",
    "tests/compat/README.md",
    "tests/fixtures/README.md",
];

const GROUPS: [Group; 6] =
    [Group::Listening, Group::Access, Group::Sources, Group::Limits, Group::Answers, Group::Operation];

fn read(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn assert_same(path: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "{} is out of date: UPDATE_DOCS=1 cargo test docs", path.display());
}
