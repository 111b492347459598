//! A URL as it is typed, taken apart as the server sees it.

/// Decoded path, raw query, and what stands before both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Split<'a> {
    /// Scheme and authority, if there are any.
    pub base: &'a str,
    pub raw_path: &'a str,
    pub raw_query: &'a str,
}

impl<'a> Split<'a> {
    pub(super) fn of(url: &'a str) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        // A `://` further back belongs to the URL of a source.
        let authority = url.find("://").filter(|&at| !url[..at].contains(['/', '?'])).map(|at| at + 3);
        let path_at =
            authority.map_or(0, |start| url[start..].find(['/', '?']).map_or(url.len(), |length| start + length));
        let (base, rest) = url.split_at(path_at);
        let (raw_path, raw_query) = rest.split_once('?').unwrap_or((rest, ""));
        Self { base, raw_path, raw_query }
    }

    pub(super) fn path(&self) -> Vec<u8> {
        percent_encoding::percent_decode_str(self.raw_path).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_split_with_and_without_an_authority() {
        let split = Split::of("http://h:1/a%20b?c=d#e");
        assert_eq!((split.base, split.raw_path, split.raw_query), ("http://h:1", "/a%20b", "c=d"));
        assert_eq!(split.path(), b"/a b");
        let split = Split::of("/resize?url=http://x/");
        assert_eq!((split.base, split.raw_path, split.raw_query), ("", "/resize", "url=http://x/"));
    }
}
