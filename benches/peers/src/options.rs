//! The command line.

use std::path::{Path, PathBuf};

const HELP: &str = "\
phasor-peers [--pictures FOLDER]… [--only decoding|encoding] [--rounds N] [--per-case N] [--json FILE]
             [--widths N,…] [--times-only]

--pictures  a folder of JPEG files, or of such folders; each is a case (the project's own fixtures)
--only      half of the work
--rounds    repetitions, in turns (7)
--per-case  files of each case at most, in the order of their names (all)
--widths    of the pictures that are encoded (300,1600; files that are narrower are left out)
--times-only  no PSNR and SSIMULACRA2
--json      where to write the figures for programs";

/// What to do.
pub struct Options {
    pub decoding: bool,
    pub encoding: bool,
    pub rounds: usize,
    pub widths: Vec<usize>,
    pub judging: bool,
    pub json: Option<PathBuf>,
    pictures: Vec<PathBuf>,
    per_case: usize,
}

/// Files that are measured as one.
pub struct Case {
    pub name: String,
    pub files: Vec<Vec<u8>>,
}

impl Options {
    /// Reads arguments; leaves the program when they make no sense.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            decoding: true,
            encoding: true,
            rounds: 7,
            widths: vec![300, 1600],
            judging: true,
            json: None,
            pictures: Vec::new(),
            per_case: usize::MAX,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().unwrap_or_else(|| leave());
            match argument.as_str() {
                "--pictures" => options.pictures.push(value().into()),
                "--only" => match value().as_str() {
                    "decoding" => options.encoding = false,
                    "encoding" => options.decoding = false,
                    _ => leave(),
                },
                "--rounds" => options.rounds = value().parse().unwrap_or_else(|_| leave()),
                "--per-case" => options.per_case = value().parse().unwrap_or_else(|_| leave()),
                "--widths" => {
                    let widths = value().split(',').map(str::parse).collect::<Result<_, _>>();
                    options.widths = widths.unwrap_or_else(|_| leave());
                }
                "--times-only" => options.judging = false,
                "--json" => options.json = Some(value().into()),
                _ => leave(),
            }
        }
        if options.pictures.is_empty() {
            options.pictures.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures"));
        }
        options.rounds = options.rounds.max(1);
        options
    }

    /// The files, folder by folder.
    pub fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for folder in &self.pictures {
            self.collect(folder, &mut cases);
        }
        cases
    }

    fn collect(&self, folder: &Path, cases: &mut Vec<Case>) {
        let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let is_jpeg = |path: &&PathBuf| path.extension().is_some_and(|e| e == "jpg" || e == "jpeg");
        let files: Vec<_> = paths.iter().filter(is_jpeg).take(self.per_case).flat_map(std::fs::read).collect();
        if !files.is_empty() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            cases.push(Case { name, files });
        }
        for path in paths.iter().filter(|path| path.is_dir()) {
            self.collect(path, cases);
        }
    }
}

fn leave() -> ! {
    println!("{HELP}");
    std::process::exit(2)
}
