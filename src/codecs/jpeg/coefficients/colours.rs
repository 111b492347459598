//! What the components of a file stand for.

/// A colour model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::codecs::jpeg) enum Colours {
    Gray,
    Ycc,
    Rgb,
    /// Four inks.
    Cmyk,
    /// As [`Self::Cmyk`], the first three as the YCbCr of their complement.
    Ycck,
}

/// What the segments before the first scan say about colour.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints {
    /// There is a JFIF segment.
    pub(super) jfif: bool,
    /// The transform that an Adobe segment names.
    pub(super) adobe: Option<u8>,
}

impl Hints {
    /// Takes note of a segment.
    pub(super) fn read(&mut self, code: u8, segment: &[u8]) {
        match code {
            0xE0 if segment.len() >= 14 && segment.starts_with(b"JFIF\0") => self.jfif = true,
            0xEE if segment.len() >= 12 && segment.starts_with(b"Adobe") => self.adobe = Some(segment[11]),
            _ => {}
        }
    }

    /// The model of components of these names. JFIF knows YCbCr alone, so it has the last word; a transform that nobody
    /// knows is one; without any segment, components named R, G and B are what they say. All as libjpeg has it.
    pub(super) fn colours(self, ids: &[u8]) -> Colours {
        match (ids, self.adobe) {
            ([_], _) => Colours::Gray,
            ([_, _, _, _], Some(0) | None) => Colours::Cmyk,
            ([_, _, _, _], Some(_)) => Colours::Ycck,
            (_, Some(0)) if !self.jfif => Colours::Rgb,
            (b"RGB", None) if !self.jfif => Colours::Rgb,
            _ => Colours::Ycc,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_decide_before_names_do() {
        let adobe = |transform: u8| [&b"Adobe\0\x64\0\0\0\0"[..], &[transform]].concat();
        let jfif = *b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
        let of = |segments: &[(u8, &[u8])], ids: &[u8]| {
            let mut hints = Hints::default();
            segments.iter().for_each(|(code, segment)| hints.read(*code, segment));
            hints.colours(ids)
        };
        let none: &[(u8, &[u8])] = &[];
        assert_eq!(of(none, &[1]), Colours::Gray);
        assert_eq!(of(none, &[1, 2, 3]), Colours::Ycc);
        assert_eq!(of(none, &[0, 1, 2]), Colours::Ycc);
        assert_eq!(of(none, b"RGB"), Colours::Rgb);
        assert_eq!(of(none, b"CMYK"), Colours::Cmyk);
        assert_eq!(of(&[(0xEE, &adobe(0))], &[1, 2, 3]), Colours::Rgb);
        assert_eq!(of(&[(0xEE, &adobe(1))], b"RGB"), Colours::Ycc);
        assert_eq!(of(&[(0xEE, &adobe(7))], &[1, 2, 3]), Colours::Ycc);
        assert_eq!(of(&[(0xE0, &jfif), (0xEE, &adobe(0))], &[1, 2, 3]), Colours::Ycc);
        assert_eq!(of(&[(0xE0, &jfif)], b"RGB"), Colours::Ycc);
        assert_eq!(of(&[(0xEE, &adobe(0))], &[1, 2, 3, 4]), Colours::Cmyk);
        assert_eq!(of(&[(0xEE, &adobe(2))], &[1, 2, 3, 4]), Colours::Ycck);
        assert_eq!(of(&[(0xEE, &adobe(99))], &[1, 2, 3, 4]), Colours::Ycck);
        // Too short to say anything.
        assert_eq!(of(&[(0xEE, b"Adobe\0\x64\0\0\0\0")], &[1, 2, 3]), Colours::Ycc);
    }
}
