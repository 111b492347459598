//! Arguments and environment → the text of each setting. The only code that reads the environment.

use std::collections::BTreeMap;

use super::flags::{FLAGS, Flag, Kind, find, nearest};
use super::units;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start the server.
    Serve,
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// List the GPUs.
    Gpus,
    /// Print the signed form of a URL.
    Sign(String),
    /// Say how a URL is read and why it would be refused.
    Explain {
        /// The URL; as it was signed, if there is another.
        url: String,
        /// As it reached the server.
        received: Option<String>,
    },
    /// Measure; its arguments are its own.
    Bench(Vec<String>),
    /// Simulate a fleet; its arguments are its own.
    Capacity(Vec<String>),
}

/// Settings as text, by flag name; every value has been found to be of its flag's kind.
#[derive(Debug, Clone, Default)]
pub struct Args {
    values: BTreeMap<&'static str, Said>,
    standard: BTreeMap<&'static str, String>,
}

#[derive(Debug, Clone)]
struct Said {
    value: String,
    /// How messages call it: `-p`, `PHASOR_P`, `PORT`.
    by: String,
}

impl Args {
    /// The value of a flag and what it was said by: environment or command line, else the default.
    pub(super) fn said<'a>(&'a self, name: &'a str) -> (&'a str, &'a str) {
        let default = find(name).map_or("", |flag| flag.default);
        self.values.get(name).map_or((default, name), |said| (said.value.as_str(), said.by.as_str()))
    }

    /// The value of a flag.
    pub fn text(&self, name: &str) -> &str {
        let default = find(name).map_or("", |flag| flag.default);
        self.values.get(name).map_or(default, |said| said.value.as_str())
    }

    /// The value of one of OpenTelemetry's standard variables.
    pub fn standard(&self, name: &str) -> Option<String> {
        self.standard.get(name).cloned()
    }

    /// The value of a switch.
    pub fn switch(&self, name: &str) -> bool {
        units::switch(self.text(name)).unwrap_or_default()
    }
}

/// Takes the command line (without the program's name) and the environment apart.
///
/// # Errors
/// Every fault found, a sentence each.
pub fn parse(
    args: impl IntoIterator<Item = String>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(Command, Args), Vec<String>> {
    let mut parsed = Args::default();
    let mut faults = Vec::new();
    let mut command = Command::Serve;
    let mut operands = Vec::new();
    let mut verb = None;

    let mut args = args.into_iter().peekable();
    if args.next_if(|arg| arg == "bench").is_some() {
        return Ok((Command::Bench(args.collect()), parsed));
    }
    if args.next_if(|arg| arg == "capacity").is_some() {
        return Ok((Command::Capacity(args.collect()), parsed));
    }
    if let Some(first) =
        args.next_if(|arg| matches!(arg.as_str(), "sign" | "explain" | "gpus" | "serve" | "help" | "version"))
    {
        verb = Some(first);
    }
    while let Some(arg) = args.next() {
        let Some(body) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')).filter(|_| arg.len() > 1) else {
            operands.push(arg);
            continue;
        };
        if body.is_empty() {
            operands.extend(args.by_ref());
            break;
        }
        let (name, inline) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        match name {
            "h" | "help" => {
                command = Command::Help;
                continue;
            }
            "v" | "version" => {
                command = Command::Version;
                continue;
            }
            _ => {}
        }
        let Some(flag) = find(name) else {
            let hint = nearest(name).map_or(String::new(), |known| format!("; did you mean -{known}?"));
            faults.push(format!("unknown flag -{name}{hint}"));
            // Its value would otherwise be reported as a second fault.
            if inline.is_none() {
                args.next_if(|next| !next.starts_with('-'));
            }
            continue;
        };
        let value = match (inline, flag.kind) {
            (Some(value), _) => value,
            (None, Kind::Switch) => "true".to_owned(),
            (None, _) => match args.next() {
                Some(value) => value,
                None => {
                    faults.push(format!("-{name} needs a value"));
                    continue;
                }
            },
        };
        parsed.values.insert(flag.name, Said { value, by: format!("-{}", flag.name) });
    }

    read_environment(&mut parsed, env);
    for flag in FLAGS {
        if let Some(said) = parsed.values.get(flag.name) {
            faults.extend(fault_in(flag, said));
        }
    }
    match (verb.as_deref(), operands.as_slice()) {
        (Some("help"), _) => command = Command::Help,
        (Some("version"), _) => command = Command::Version,
        (Some("gpus"), []) if command == Command::Serve => command = Command::Gpus,
        (Some("sign"), [url]) if command == Command::Serve => command = Command::Sign(url.clone()),
        (Some("explain"), [url]) if command == Command::Serve => {
            command = Command::Explain { url: url.clone(), received: None };
        }
        (Some("explain"), [url, received]) if command == Command::Serve => {
            command = Command::Explain { url: url.clone(), received: Some(received.clone()) };
        }
        (Some("sign"), _) if command == Command::Serve => faults.push("phasor sign takes one URL".to_owned()),
        (Some("explain"), _) if command == Command::Serve => {
            faults.push("phasor explain takes one URL, or two: as signed and as received".to_owned());
        }
        (_, [extra, ..]) if command == Command::Serve => {
            faults.push(format!("unexpected argument \"{extra}\"; a switch is set with -flag=value"));
        }
        _ => {}
    }
    // Help must be had even from a command line with faults.
    if faults.is_empty() || matches!(command, Command::Help | Command::Version) {
        Ok((command, parsed))
    } else {
        Err(faults)
    }
}

/// Adds what the environment says: `PHASOR_<NAME>` under the flag, the names kept from imaginary over it.
fn read_environment(parsed: &mut Args, env: &dyn Fn(&str) -> Option<String>) {
    let standard = crate::telemetry::trace::STANDARD.iter();
    parsed.standard = standard.filter_map(|variable| Some((variable.name, env(variable.name)?))).collect();
    for flag in FLAGS {
        let own = format!("PHASOR_{}", flag.name.to_ascii_uppercase().replace('-', "_"));
        if !parsed.values.contains_key(flag.name)
            && let Some(value) = env(&own).filter(|value| !value.is_empty())
        {
            parsed.values.insert(flag.name, Said { value, by: own });
        }
        if let Some(name) = flag.env
            && let Some(value) = env(name).filter(|value| !value.is_empty())
        {
            // As the contract has it: a PORT that is no positive number is ignored.
            let ignored = name == "PORT" && value.parse::<i64>().map_or(true, |port| port <= 0);
            if !ignored {
                parsed.values.insert(flag.name, Said { value, by: name.to_owned() });
            }
        }
    }
}

/// What is wrong with a value by its kind alone.
fn fault_in(flag: &Flag, said: &Said) -> Option<String> {
    let Said { value, by } = said;
    match flag.kind {
        Kind::Text => None,
        Kind::Switch => units::switch(value).is_none().then(|| format!("{by}: \"{value}\" is neither true nor false")),
        Kind::Integer => value.parse::<i64>().is_err().then(|| format!("{by}: \"{value}\" is not a whole number")),
        Kind::Number => value
            .parse::<f64>()
            .map_or(true, |number| !number.is_finite())
            .then(|| format!("{by}: \"{value}\" is not a number")),
        Kind::Duration => units::duration(value).err().map(|error| format!("{by}: {error}")),
        Kind::Bytes => units::bytes(value, Some(1)).err().map(|error| format!("{by}: {error}")),
        Kind::OneOf(words) => {
            (!words.contains(&value.as_str())).then(|| format!("{by}: \"{value}\" is none of {}", words.join(", ")))
        }
    }
}

/// Parses this process's own arguments and environment.
///
/// # Errors
/// As [`parse`].
pub fn from_process() -> Result<(Command, Args), Vec<String>> {
    let args = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    parse(args, &|name| std::env::var(name).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str], env: &[(&str, &str)]) -> Result<(Command, Args), Vec<String>> {
        let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        parse(args.iter().map(|arg| (*arg).to_owned()), &env)
    }

    #[test]
    fn one_dash_or_two_space_or_equals() {
        for args in [["-p", "9000"], ["--p", "9000"]] {
            assert_eq!(run(&args, &[]).unwrap().1.text("p"), "9000");
        }
        assert_eq!(run(&["-p=9000"], &[]).unwrap().1.text("p"), "9000");
        assert_eq!(run(&["--mount=/a=b"], &[]).unwrap().1.text("mount"), "/a=b");
        assert_eq!(run(&["-key", "-x-"], &[]).unwrap().1.text("key"), "-x-");
    }

    #[test]
    fn switches_take_their_value_only_inline() {
        assert!(run(&["-cors"], &[]).unwrap().1.switch("cors"));
        for (text, value) in [("1", true), ("t", true), ("true", true), ("0", false), ("f", false), ("false", false)] {
            assert_eq!(run(&[&format!("--cors={text}")], &[]).unwrap().1.switch("cors"), value);
        }
        assert!(run(&["-cors", "false"], &[]).is_err());
        assert!(run(&["-cors=yes"], &[]).is_err());
    }

    #[test]
    fn environment_under_and_over_the_flag() {
        assert_eq!(run(&[], &[("PHASOR_MOUNT", "/m")]).unwrap().1.text("mount"), "/m");
        assert_eq!(run(&["-mount", "/f"], &[("PHASOR_MOUNT", "/m")]).unwrap().1.text("mount"), "/f");
        assert_eq!(run(&["-p", "1"], &[("PORT", "9000"), ("PHASOR_P", "2")]).unwrap().1.text("p"), "9000");
        assert_eq!(run(&["-p", "1"], &[("PORT", "0")]).unwrap().1.text("p"), "1");
        assert_eq!(run(&["-p", "1"], &[("PORT", "x")]).unwrap().1.text("p"), "1");
        assert_eq!(run(&["-log-level", "info"], &[("GOLANG_LOG", "error")]).unwrap().1.text("log-level"), "error");
        assert_eq!(
            run(&["-url-signature-key", "a"], &[("URL_SIGNATURE_KEY", "b")]).unwrap().1.text("url-signature-key"),
            "b"
        );
    }

    #[test]
    fn all_faults_are_reported_at_once() {
        let faults = run(
            &["-p", "x", "--mout", "/m", "-burst=1.5", "-source-private-addresses=maybe"],
            &[("PHASOR_CORS", "si")],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 5, "{faults:?}");
        assert!(faults[0].contains("did you mean -mount?"), "{faults:?}");
    }

    #[test]
    fn subcommands_take_one_url() {
        assert_eq!(run(&["sign", "/resize?width=1"], &[]).unwrap().0, Command::Sign("/resize?width=1".into()));
        assert_eq!(
            run(&["explain", "-mount", "/m", "/x"], &[]).unwrap().0,
            Command::Explain { url: "/x".into(), received: None }
        );
        assert!(run(&["sign"], &[]).is_err());
        assert!(run(&["/x"], &[]).is_err());
        assert_eq!(run(&["-nonsense", "-help"], &[]).unwrap().0, Command::Help);
        assert_eq!(run(&["-v"], &[]).unwrap().0, Command::Version);
    }
}
