//! The keys that are accepted now: those of the settings, and those of a file that may change while the server runs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use super::signature::{Key, KeyError};

/// What the ring is made of.
#[derive(Debug, Clone, Default)]
pub struct KeyFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it held when it was last read.
    text: String,
}

impl KeyFile {
    /// Reads it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        Ok(Self { path: path.to_owned(), text: std::fs::read_to_string(path)? })
    }

    /// The keys in it, one a line.
    ///
    /// # Errors
    /// One is too short.
    pub fn keys(&self) -> Result<Vec<Key>, KeyError> {
        self.text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Key::new).collect()
    }
}

/// What became of a look at the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reread {
    /// It is as it was, or there is none.
    Same,
    /// Its keys are accepted now; so many there are in all.
    Changed(usize),
    /// It cannot be used; the keys stay as they were.
    Kept(String),
}

/// Keys of URL signatures, the first of which signs. It is empty where signatures are not checked, and never becomes empty.
#[derive(Debug)]
pub struct KeyRing {
    /// Those that do not come from the file.
    fixed: Vec<Key>,
    file: RwLock<Option<KeyFile>>,
    all: RwLock<Arc<[Key]>>,
}

impl KeyRing {
    /// `fixed` and the keys of the file, where there is one; faults in it were told when the settings were checked.
    pub fn new(fixed: Vec<Key>, file: Option<KeyFile>) -> Self {
        let of_file = file.as_ref().and_then(|file| file.keys().ok()).unwrap_or_default();
        let all = fixed.iter().cloned().chain(of_file).collect();
        Self { fixed, file: RwLock::new(file), all: RwLock::new(all) }
    }

    /// The keys now.
    pub fn keys(&self) -> Arc<[Key]> {
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether signatures are not checked at all.
    pub fn is_empty(&self) -> bool {
        self.all.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Looks at the file again, by its content: mounted secrets are swapped as a whole, with times of their own. Blocks.
    pub fn reread(&self) -> Reread {
        let mut file = self.file.write().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = file.as_mut() else { return Reread::Same };
        let new = match KeyFile::read(&known.path) {
            Ok(new) if new.text == known.text => return Reread::Same,
            Ok(new) => new,
            // Told once: the next look compares with what cannot be.
            Err(_) if known.text.is_empty() => return Reread::Same,
            Err(error) => {
                known.text.clear();
                return Reread::Kept(error.to_string());
            }
        };
        known.text = new.text;
        let of_file = match known.keys() {
            Ok(keys) => keys,
            Err(error) => return Reread::Kept(error.to_string()),
        };
        let all: Arc<[Key]> = self.fixed.iter().cloned().chain(of_file).collect();
        if all.is_empty() {
            return Reread::Kept("there is no key in it".to_owned());
        }
        let count = all.len();
        *self.all.write().unwrap_or_else(PoisonError::into_inner) = all;
        Reread::Changed(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn a_change_counts_and_nonsense_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, A).unwrap();
        let ring = KeyRing::new(Vec::new(), Some(KeyFile::read(&path).unwrap()));
        assert_eq!((ring.keys().len(), ring.reread()), (1, Reread::Same));
        std::fs::write(&path, format!("{A}\n\n {B} \n")).unwrap();
        assert_eq!((ring.reread(), ring.keys().len()), (Reread::Changed(2), 2));
        for bad in ["", "\n", "short"] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(ring.reread(), Reread::Kept(_)), "{bad:?}");
            assert_eq!((ring.reread(), ring.keys().len()), (Reread::Same, 2), "{bad:?}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(ring.reread(), Reread::Kept(_)));
        assert_eq!(ring.reread(), Reread::Same);
        std::fs::write(&path, B).unwrap();
        assert_eq!((ring.reread(), ring.keys().len()), (Reread::Changed(1), 1));
        assert_eq!(KeyRing::new(vec![Key::new(A).unwrap()], None).reread(), Reread::Same);
    }
}
