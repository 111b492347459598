//! The help text, made from the table of flags.

use std::fmt::Write as _;

use super::flags::{FLAGS, Group, Kind};

const WIDTH: usize = 100;
const COLUMN: usize = 34;

/// What `--help` prints.
pub fn text(version: &str) -> String {
    let mut out = format!(
        "phasor {version}: an image server that answers imaginary's HTTP API\n\n\
         Usage:\n\
         \x20 phasor [flags]               serve\n\
         \x20 phasor sign [flags] URL      print the URL with its signature (key: URL_SIGNATURE_KEY or -url-signature-key)\n\
         \x20 phasor explain [flags] URL   say how a URL is read, what its signature should be, and why it is refused\n\
         \x20 phasor explain [flags] URL RECEIVED\n\
         \x20                              what a proxy made of a signed URL on its way (RECEIVED: from the access log)\n\
         \x20 phasor gpus                  list the GPUs with their limits and a self-test\n\
         \x20 phasor bench DIR             measure a folder of pictures on the CPU and each GPU (phasor bench -help)\n\
         \x20 phasor capacity FILE         nodes that a load needs, and what they cost (-help: more)\n\n\
         Examples:\n\
         \x20 phasor -mount ./pictures\n\
         \x20 phasor -enable-url-source -allowed-origins https://images.example.com/public\n\
         \x20 URL_SIGNATURE_KEY=... phasor -enable-url-source -enable-url-signature -http-cache-ttl 86400\n\n\
         Flags take one dash or two, and their value after a space or `=`; switches take theirs only after `=`.\n\
         Each is also an environment variable: -max-queue is PHASOR_MAX_QUEUE; the flag wins over it.\n"
    );
    for group in [Group::Listening, Group::Access, Group::Sources, Group::Limits, Group::Answers, Group::Operation] {
        let _ = write!(out, "\n{}\n", group.title());
        for flag in FLAGS.iter().filter(|flag| flag.group == group) {
            let value = match flag.kind {
                Kind::Switch => String::new(),
                Kind::Integer => " N".to_owned(),
                Kind::Number => " X".to_owned(),
                Kind::Duration => " TIME".to_owned(),
                Kind::Bytes => " SIZE".to_owned(),
                Kind::Text => " TEXT".to_owned(),
                Kind::OneOf(words) => format!(" {}", words.join("|")),
            };
            let mut help = flag.help.to_owned();
            if flag.kind != Kind::Switch && !flag.default.is_empty() {
                let _ = write!(help, " [{}]", flag.default);
            }
            if let Some(env) = flag.env {
                let _ = write!(help, " (environment {env} wins)");
            }
            entry(&mut out, &format!("  -{}{value}", flag.name), &help);
        }
    }
    out.push('\n');
    entry(&mut out, "  -h, -help", "this text");
    entry(&mut out, "  -v, -version", "the version");
    out
}

/// One flag: name on the left, help wrapped on the right.
fn entry(out: &mut String, left: &str, help: &str) {
    let mut line = format!("{left:<COLUMN$}");
    if left.len() >= COLUMN {
        let _ = writeln!(out, "{left}");
        line = " ".repeat(COLUMN);
    }
    for word in help.split(' ') {
        if line.len() + 1 + word.len() > WIDTH && line.trim() != "" {
            let _ = writeln!(out, "{}", line.trim_end());
            line = " ".repeat(COLUMN);
        }
        line.push_str(word);
        line.push(' ');
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_there_and_lines_are_short() {
        let text = text("0");
        for flag in FLAGS {
            assert!(text.contains(&format!("  -{}", flag.name)), "{}", flag.name);
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 112, "{line}");
        }
    }
}
