//! A bar on stderr, where that is a terminal.

use std::io::Write as _;

const WIDTH: usize = 30;

/// Shows bars, or nothing.
pub(super) struct Progress {
    shown: bool,
}

/// The bar of one row.
pub(super) struct Bar<'a> {
    progress: &'a Progress,
    title: &'a str,
}

impl Progress {
    pub(super) const fn new(shown: bool) -> Self {
        Self { shown }
    }

    pub(super) const fn titled<'a>(&'a self, title: &'a str) -> Bar<'a> {
        Bar { progress: self, title }
    }

    /// Takes the last bar away.
    pub(super) fn clear(&self) {
        self.say("");
    }

    fn say(&self, text: &str) {
        if self.shown {
            // A terminal that is gone is no reason to stop.
            let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
        }
    }
}

impl Bar<'_> {
    /// `share` of the row's time is over.
    pub(super) fn show(&self, share: f64, done: u64) {
        self.progress.say(&line(self.title, share, done));
    }
}

fn line(title: &str, share: f64, done: u64) -> String {
    let full = (share.clamp(0.0, 1.0) * WIDTH as f64) as usize;
    format!("[{}{}] {title}: {done} pictures", "#".repeat(full), "-".repeat(WIDTH - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_and_never_overflows() {
        assert!(line("cpu", 0.5, 7).starts_with(&format!("[{}{}] cpu: 7", "#".repeat(15), "-".repeat(15))));
        assert_eq!(line("x", 9.0, 0).len(), line("x", -1.0, 0).len());
    }
}
