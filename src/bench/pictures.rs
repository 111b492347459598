//! The folder: files → headers and plans.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::codecs::{self, DecodeSpec, Header, Limits};
use crate::image::Picture;
use crate::plan::{self, Endpoint, Params, Plan};
use crate::query::Query;

use super::{BenchError, Options};

/// Folders below the one that was named.
const DEPTH: usize = 8;

/// A picture and what is done to it.
pub(super) struct Item {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    pub(super) header: Header,
    pub(super) plan: Plan,
    /// Decoded, where only the steps are measured.
    pub(super) decoded: Option<Picture>,
}

/// All pictures that the request can be done to.
pub(super) struct Pictures {
    pub(super) list: Vec<Item>,
    pub(super) limits: Limits,
    /// Why files were left out, and how many for each reason.
    pub(super) skipped: Vec<(String, u64)>,
}

impl Pictures {
    /// Reads a folder and those in it.
    pub(super) fn read(options: &Options) -> Result<Self, BenchError> {
        let (endpoint, params) = request(&options.request)?;
        // A bench may look at larger pictures than a server lets in.
        let limits = Limits { pixels: 1_000_000_000, ..Limits::default() };
        let mut files = Vec::new();
        visit(&options.folder, DEPTH, &mut files)
            .map_err(|error| BenchError::Folder { path: options.folder.display().to_string(), error })?;
        files.sort();
        let mut skipped: BTreeMap<String, u64> = BTreeMap::new();
        let mut list = Vec::new();
        for path in files {
            match item(path, endpoint, &params, &limits) {
                Ok(item) => list.push(item),
                Err(reason) => *skipped.entry(reason).or_default() += 1,
            }
        }
        let skipped: Vec<_> = skipped.into_iter().collect();
        if list.is_empty() {
            return Err(BenchError::Empty { path: options.folder.display().to_string(), skipped });
        }
        Ok(Self { list, limits, skipped })
    }

    /// The first pictures for which there are steps, decoded, as many as `bytes` hold.
    pub(super) fn decoded(&self, bytes: u64) -> Self {
        let mut left = bytes;
        let mut list = Vec::new();
        for item in self.list.iter().filter(|item| !item.plan.steps.is_empty()) {
            let spec: &DecodeSpec = &item.plan.decode;
            let Ok(decoded) = codecs::decode(&item.bytes, &item.header, spec, &self.limits, &|| false) else {
                continue;
            };
            let size = size_of_picture(&decoded.picture);
            if !list.is_empty() && size > left {
                break;
            }
            left = left.saturating_sub(size);
            list.push(Item {
                path: item.path.clone(),
                bytes: Vec::new(),
                header: item.header.clone(),
                plan: item.plan.clone(),
                decoded: Some(decoded.picture),
            });
        }
        Self { list, limits: self.limits, skipped: Vec::new() }
    }

    /// Of all sources.
    pub(super) fn megapixels(&self) -> f64 {
        self.list.iter().map(|item| item.header.size.area() as f64 / 1e6).sum()
    }
}

/// Endpoint and parameters of a request.
fn request(request: &str) -> Result<(Endpoint, Params), BenchError> {
    let usage = |text: String| BenchError::Usage(format!("-request {request}: {text}"));
    let (path, query) = request.split_once('?').unwrap_or((request, ""));
    let endpoint = Endpoint::from_path_segment(path.trim_start_matches('/'))
        .filter(|endpoint| *endpoint != Endpoint::Info)
        .ok_or_else(|| usage(format!("there is no endpoint {path} that makes pictures")))?;
    let params = plan::parse(&Query::parse(query.as_bytes())).map_err(|e| usage(e.to_string()))?;
    Ok((endpoint, params))
}

/// A file that can be used, or why it cannot.
fn item(path: PathBuf, endpoint: Endpoint, params: &Params, limits: &Limits) -> Result<Item, String> {
    let bytes = std::fs::read(&path).map_err(|e| e.kind().to_string())?;
    let header = codecs::probe(&bytes, limits).map_err(|e| e.to_string())?;
    let plan = plan::resolve(endpoint, params, &header, limits, None).map_err(|e| e.to_string())?;
    if !plan.overlays.is_empty() {
        return Err("a request with overlays".to_owned());
    }
    // Damaged files would be measured as fast ones.
    codecs::decode(&bytes, &header, &plan.decode, limits, &|| false).map_err(|e| e.to_string())?;
    Ok(Item { path, bytes, header, plan, decoded: None })
}

fn visit(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if depth > 0 {
                visit(&path, depth - 1, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

fn size_of_picture(picture: &Picture) -> u64 {
    match picture {
        Picture::Packed(buf) => buf.pixels().len() as u64,
        Picture::Planes(planes) | Picture::Narrow(planes) => {
            let chroma: usize = planes.chroma.iter().flatten().map(|plane| plane.samples.len()).sum();
            (planes.luma.samples.len() + chroma) as u64
        }
        Picture::Coefficients(all) => all.components.iter().map(|c| 2 * c.values.len() as u64).sum(),
    }
}
