//! Files of the mount. The mount is opened once, and every file is opened beneath that handle: whatever links or
//! renames happen meanwhile, no path leads out of it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use percent_encoding::percent_decode;

use super::config::ConfigError;
use super::{Facts, FetchError, Fetched, Found, Unless};
use crate::budget::MemoryBudget;

/// Opening a pipe or a device must not wait for its other end.
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// An opened mount.
#[derive(Debug)]
pub(super) struct Mount {
    /// Without links and dots.
    path: PathBuf,
    dir: Dir,
    follow_out: bool,
}

impl Mount {
    pub(super) fn open(path: &Path, follow_out: bool) -> Result<Self, ConfigError> {
        let error = |cause| ConfigError::MountMissing { path: path.to_owned(), cause };
        let real = path.canonicalize().map_err(error)?;
        if !real.is_dir() {
            return Err(ConfigError::MountNotDirectory(path.to_owned()));
        }
        if real.parent().is_none() {
            return Err(ConfigError::MountIsRoot);
        }
        let dir = Dir::open_ambient_dir(&real, ambient_authority()).map_err(error)?;
        Ok(Self { path: real, dir, follow_out })
    }

    /// Reads the file that a value of `file=` names. Blocks.
    pub(super) fn read(
        &self,
        value: &str,
        unless: Option<&Unless>,
        budget: &MemoryBudget,
    ) -> Result<Found, FetchError> {
        let mut opened = None;
        for path in spellings(value) {
            if let Some(path) = beneath(&path)
                && let Ok(file) = self.open_regular(&path)
            {
                opened = Some(file);
                break;
            }
        }
        let (file, metadata) = opened.ok_or(FetchError::InvalidFilePath)?;
        let (length, facts) = (metadata.len(), Facts::of_file(&metadata));
        if Unless::holds(unless, &facts) {
            return Ok(Found::Unchanged { facts, forwarded: Vec::new() });
        }
        if length > budget.total() {
            return Err(FetchError::FileTooLarge { length, limit: budget.total() });
        }
        let charge = budget.try_charge(length).ok_or(FetchError::OverBudget)?;
        let mut bytes = Vec::new();
        let room = usize::try_from(length).map_err(|_| FetchError::OverBudget)?;
        bytes.try_reserve_exact(room).map_err(|_| FetchError::OverBudget)?;
        // No more than was charged, should the file grow meanwhile.
        file.take(length).read_to_end(&mut bytes).map_err(|_| FetchError::InvalidFilePath)?;
        Ok(Found::Bytes(Fetched { facts, ..Fetched::new(Bytes::from(bytes), charge)? }))
    }

    fn open_regular(&self, path: &Path) -> io::Result<(File, std::fs::Metadata)> {
        let file = if self.follow_out {
            std::fs::OpenOptions::new().read(true).custom_flags(NONBLOCK).open(self.path.join(path))?
        } else {
            // A link with an absolute target is refused beneath the handle even if it ends inside. Resolved first, its
            // path has no links left, and if that changes in between the second opening refuses it as well.
            self.open_beneath(path).or_else(|error| {
                let real = self.path.join(path).canonicalize()?;
                self.open_beneath(real.strip_prefix(&self.path).map_err(|_| error)?)
            })?
        };
        let facts = file.metadata()?;
        if facts.is_file() { Ok((file, facts)) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }

    fn open_beneath(&self, path: &Path) -> io::Result<File> {
        let options = OpenOptions::new().read(true).custom_flags(NONBLOCK).clone();
        Ok(self.dir.open_with(path, &options)?.into_std())
    }
}

/// What a value may mean: decoded once more, as the contract says (`+` is a space), and as it stands.
fn spellings(value: &str) -> Vec<Vec<u8>> {
    let spaced: Vec<u8> = value.bytes().map(|b| if b == b'+' { b' ' } else { b }).collect();
    let mut spellings = Vec::new();
    if super::origins::escapes_are_valid(value) {
        spellings.push(percent_decode(&spaced).collect());
    }
    let literal = value.as_bytes().to_vec();
    if !spellings.contains(&literal) {
        spellings.push(literal);
    }
    spellings
}

/// The path relative to the mount, with `.`, `..` and leading slashes worked out; `None` if it climbs out or names
/// nothing.
fn beneath(path: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    if path.contains(&0) {
        return None;
    }
    let mut clean = PathBuf::new();
    for component in Path::new(std::ffi::OsStr::from_bytes(path)).components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir if !clean.pop() => return None,
            Component::ParentDir | Component::CurDir | Component::RootDir => {}
            Component::Prefix(_) => return None,
        }
    }
    (!clean.as_os_str().is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests;
