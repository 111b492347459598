//! The same work by `vipsthumbnail`, where it is installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::query::Query;

use super::measure::Measured;
use super::pictures::Pictures;
use super::progress::Progress;
use super::{Options, Row};

/// Size and file name as `vipsthumbnail` takes them, of a request that it can do: a width or a height, a type, a
/// quality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Size {
    size: String,
    name: String,
}

/// `None` for requests that it does differently or not at all.
pub(super) fn size(request: &str) -> Option<Size> {
    let (path, query) = request.split_once('?')?;
    if !matches!(path, "/resize" | "/thumbnail") {
        return None;
    }
    let query = Query::parse(query.as_bytes());
    let known = ["width", "height", "type", "quality"];
    if query.pairs().any(|(name, _)| !known.iter().any(|known| known.as_bytes() == name)) {
        return None;
    }
    let number = |name| query.get(name).and_then(|text| text.parse::<u32>().ok());
    // Neither enlarges unless it is asked to: `>`.
    let size = match (number("width"), number("height")) {
        (Some(width), None) => format!("{width}x>"),
        (None, Some(height)) => format!("x{height}>"),
        _ => return None,
    };
    let quality = number("quality").unwrap_or(80);
    let name = match query.get("type").as_deref() {
        None | Some("jpeg" | "jpg") => format!("%s.jpg[Q={quality}]"),
        Some("png") => "%s.png".to_owned(),
        Some("webp") => format!("%s.webp[Q={quality}]"),
        Some(_) => return None,
    };
    Some(Size { size, name })
}

/// Runs it over all pictures again and again, as many processes at once as there are threads, each with its part of
/// them; `None` when it is not installed.
pub(super) fn measured(options: &Options, pictures: &Pictures, size: &Size, progress: &Progress) -> Option<Row> {
    let version = Command::new("vipsthumbnail").arg("--vips-version").stderr(Stdio::null()).output().ok()?;
    let version = String::from_utf8_lossy(&version.stdout).trim().replace("libvips ", "");
    let folder = Folder::new()?;
    let paths: Vec<&Path> = pictures.list.iter().map(|item| item.path.as_path()).collect();
    let processes = options.threads.min(paths.len());
    let title = format!("vipsthumbnail × {processes}");
    let bar = progress.titled(&title);
    let mut measured = Measured::default();
    let begun = Instant::now();
    while measured.wall < options.seconds {
        folder.empty();
        let running: Vec<_> = (0..processes)
            .map(|p| {
                Command::new("vipsthumbnail")
                    .args(["--size", &size.size, "-o"])
                    .arg(folder.0.join(&size.name))
                    .args(paths.iter().skip(p).step_by(processes))
                    .env("VIPS_CONCURRENCY", "1")
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
            })
            .collect();
        let ended: Vec<_> = running.into_iter().map(|child| child.and_then(|mut child| child.wait())).collect();
        let all = paths.len() as u64;
        let done = if ended.iter().all(|ended| ended.as_ref().is_ok_and(std::process::ExitStatus::success)) {
            all
        } else {
            // Which pictures it could not do, it does not say: those that are not there.
            folder.files().min(all)
        };
        measured.done += done;
        measured.failed += all - done;
        measured.megapixels += pictures.megapixels() * done as f64 / all as f64;
        measured.wall = begun.elapsed().as_secs_f64();
        bar.show(measured.wall / options.seconds, measured.done);
        if measured.done == 0 {
            break;
        }
    }
    Some(Row::new(format!("vipsthumbnail {version}"), "request", processes, &measured, None))
}

/// A folder for what comes out, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Option<Self> {
        let path = std::env::temp_dir().join(format!("phasor-bench-{}", std::process::id()));
        std::fs::create_dir(&path).ok()?;
        Some(Self(path))
    }

    fn entries(&self) -> impl Iterator<Item = std::fs::DirEntry> {
        std::fs::read_dir(&self.0).into_iter().flatten().flatten()
    }

    fn files(&self) -> u64 {
        self.entries().count() as u64
    }

    fn empty(&self) {
        for entry in self.entries() {
            // One that stays is written over.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind in the folder for such things if it cannot be removed.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_resizing_is_compared() {
        let of = |request| size(request).map(|size| (size.size, size.name));
        assert_eq!(of("/resize?width=300"), Some(("300x>".into(), "%s.jpg[Q=80]".into())));
        assert_eq!(of("/resize?height=90&type=png"), Some(("x90>".into(), "%s.png".into())));
        assert_eq!(of("/thumbnail?width=9&quality=50&type=webp"), Some(("9x>".into(), "%s.webp[Q=50]".into())));
        for other in ["/crop?width=3", "/resize?width=3&height=3", "/resize?width=3&sigma=2", "/resize", "/resize?x=1"]
        {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
