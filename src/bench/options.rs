//! The arguments of `phasor bench`.

use std::path::PathBuf;

use super::BenchError;

/// How it is called.
pub const USAGE: &str = "\
phasor bench DIR [options]: a folder of pictures through one request, on the CPU, on each GPU, through vipsthumbnail

  -request URL      what is done to each picture, as a client asks for it [/resize?width=300]
  -threads N        threads of whole requests [processors]
  -work W,W,...     request, steps, served: only these lines of the table [all]
  -seconds S        time for each line of the table [5]
  -batch N,N,...    pictures at once for the steps alone on a GPU [1,4,16,32]
  -gpu auto|on|off  which GPUs: real ones, software ones too, none [auto]
  -gpu-adapter X    only this one: a part of its name or its number in `phasor gpus`
  -vips auto|off    whether vipsthumbnail is measured where it is found [auto]
  -json             the figures as JSON
";

/// What can be measured.
const WORK: [&str; 3] = ["request", "steps", "served"];

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Folder of pictures.
    pub folder: PathBuf,
    /// Path and query of the request.
    pub request: String,
    /// Threads of whole requests.
    pub threads: usize,
    /// Which work is measured, by the names in the table.
    pub work: Vec<&'static str>,
    /// Seconds a row.
    pub seconds: f64,
    /// Pictures at once on a GPU, steps alone.
    pub batches: Vec<usize>,
    /// `None`: no GPU; otherwise whether software adapters are taken, too.
    pub gpu: Option<bool>,
    /// A part of a GPU's name, or its number.
    pub adapter: Option<String>,
    /// Whether `vipsthumbnail` is measured where it is found.
    pub vips: bool,
    /// JSON instead of a table.
    pub json: bool,
    /// Bytes of decoded pictures that are held for the steps alone.
    pub held_bytes: u64,
}

impl Options {
    /// Reads the arguments after `bench`.
    ///
    /// # Errors
    /// [`BenchError::Usage`].
    pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, BenchError> {
        let mut options = Self {
            folder: PathBuf::new(),
            request: "/resize?width=300".to_owned(),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            work: WORK.to_vec(),
            seconds: 5.0,
            batches: vec![1, 4, 16, 32],
            gpu: Some(false),
            adapter: None,
            vips: true,
            json: false,
            held_bytes: 1 << 30,
        };
        let mut folders = Vec::new();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let Some(body) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
                folders.push(arg);
                continue;
            };
            if body == "json" {
                options.json = true;
                continue;
            }
            let (name, inline) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (body, None),
            };
            let known = ["request", "threads", "work", "seconds", "batch", "gpu", "gpu-adapter", "vips"];
            if !known.contains(&name) {
                return Err(usage(format!("unknown option -{name}")));
            }
            let value = inline.or_else(|| args.next()).ok_or_else(|| usage(format!("-{name} needs a value")))?;
            options.set(name, &value)?;
        }
        let [folder] = folders.as_slice() else {
            return Err(usage(format!("one folder of pictures is needed, {} were given", folders.len())));
        };
        options.folder = folder.into();
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), BenchError> {
        let bad = |what: &str| usage(format!("-{name}: \"{value}\" is not {what}"));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| (1..=1024).contains(n));
        match name {
            "request" if value.starts_with('/') => self.request = value.to_owned(),
            "request" => return Err(bad("a path, as in /resize?width=300")),
            "threads" => self.threads = number(value).ok_or_else(|| bad("a number from 1 to 1024"))?,
            "work" => {
                let all: Option<Vec<_>> =
                    value.split(',').map(|name| WORK.into_iter().find(|work| *work == name.trim())).collect();
                self.work = all.ok_or_else(|| bad("a list of request, steps, served"))?;
            }
            "seconds" => {
                let seconds = value.parse::<f64>().ok().filter(|s| (0.01..=3600.0).contains(s));
                self.seconds = seconds.ok_or_else(|| bad("a number of seconds from 0.01 to 3600"))?;
            }
            "batch" => {
                let batches: Option<Vec<_>> = value.split(',').map(number).collect();
                self.batches = batches.ok_or_else(|| bad("a list of numbers from 1 to 1024"))?;
            }
            "gpu" => {
                self.gpu = match value {
                    "auto" => Some(false),
                    "on" => Some(true),
                    "off" => None,
                    _ => return Err(bad("auto, on or off")),
                };
            }
            "gpu-adapter" => self.adapter = Some(value.to_owned()),
            "vips" => {
                self.vips = match value {
                    "auto" => true,
                    "off" => false,
                    _ => return Err(bad("auto or off")),
                };
            }
            _ => return Err(bad("known")),
        }
        Ok(())
    }
}

fn usage(text: String) -> BenchError {
    BenchError::Usage(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(args.iter().map(|arg| (*arg).to_owned())).map_err(|e| e.to_string())
    }

    #[test]
    fn options_are_read_with_one_dash_or_two() {
        let options = parse(&["--request=/crop?width=9", "pictures", "-batch", "1,8", "-gpu", "on", "--json"]).unwrap();
        assert_eq!((options.request.as_str(), options.batches, options.gpu), ("/crop?width=9", vec![1, 8], Some(true)));
        assert!(options.json && options.folder == *"pictures");
        assert_eq!(parse(&["x", "-gpu=off"]).unwrap().gpu, None);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (args, says) in [
            (&["a", "b"][..], "2 were given"),
            (&[], "0 were given"),
            (&["a", "-threads", "0"], "-threads: \"0\""),
            (&["a", "-batch", "1,x"], "-batch: \"1,x\""),
            (&["a", "-seconds"], "-seconds needs a value"),
            (&["a", "-request", "resize"], "is not a path"),
            (&["a", "-fast", "1"], "unknown option -fast"),
            (&["a", "-gpu", "yes"], "auto, on or off"),
            (&["a", "-work", "served,all"], "a list of request, steps, served"),
        ] {
            let error = parse(args).unwrap_err();
            assert!(error.contains(says), "{args:?}: {error}");
        }
    }
}
