use cosmic_text::{Stretch, Style, Weight};

/// Smallest and largest em in pixels; sizes beyond are moved to the nearer end.
const EM: std::ops::RangeInclusive<f64> = 1.0..=2000.0;

/// Size of a description that names none, in points.
const DEFAULT_POINTS: f64 = 12.0;

/// A font description taken apart, in Pango's notation: `FAMILY, FAMILY STYLE-WORDS SIZE`.
///
/// Every part may be missing; style words are read from the end, so a family name may hold one of them earlier on
/// (`Arial Black Foo 12`). Anything that is no style word belongs to the family. Never fails.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FontRequest {
    /// Family names in order of preference, as written; may be empty.
    pub(super) families: Vec<String>,
    /// Weight, 100 to 1000.
    pub(super) weight: Weight,
    /// Upright, italic or oblique.
    pub(super) style: Style,
    /// Width of the letters.
    pub(super) stretch: Stretch,
    size: FontSize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum FontSize {
    Points(f64),
    Pixels(f64),
}

impl FontRequest {
    /// Takes a description apart.
    pub(super) fn parse(description: &str) -> Self {
        let mut request = Self {
            families: Vec::new(),
            weight: Weight::NORMAL,
            style: Style::Normal,
            stretch: Stretch::Normal,
            size: FontSize::Points(DEFAULT_POINTS),
        };
        let (mut rest, mut word) = last_word(description);
        // Variations (`@wght=200`) and features (`#tnum`) close a description; neither is supported.
        while word.starts_with(['@', '#']) {
            (rest, word) = last_word(rest);
        }
        if let Some(size) = parse_size(word) {
            request.size = size;
            (rest, word) = last_word(rest);
        }
        while request.take_style(word) {
            (rest, word) = last_word(rest);
        }
        // What remains, up to and with the word that was no style word, is the family list.
        let families = &description[..rest.len() + word.len()];
        request.families =
            families.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        request
    }

    /// Em in pixels at `dpi` dots an inch: points × dpi / 72, between 1 and 2000.
    pub(super) fn em(&self, dpi: u32) -> f32 {
        let em = match self.size {
            FontSize::Points(points) => points * f64::from(dpi) / 72.0,
            FontSize::Pixels(pixels) => pixels,
        };
        em.clamp(*EM.start(), *EM.end()) as f32
    }

    /// Applies a style word; `false` when it is none.
    fn take_style(&mut self, word: &str) -> bool {
        // Case and hyphens do not count: `Semi-Bold` is `semibold`.
        let plain: String = word.chars().filter(|&c| c != '-').map(|c| c.to_ascii_lowercase()).collect();
        match plain.as_str() {
            "normal" | "regular" | "roman" | "book" => {}
            "oblique" => self.style = Style::Oblique,
            "italic" => self.style = Style::Italic,
            "thin" => self.weight = Weight::THIN,
            "ultralight" | "extralight" => self.weight = Weight::EXTRA_LIGHT,
            "light" => self.weight = Weight::LIGHT,
            "semilight" | "demilight" => self.weight = Weight(350),
            "medium" => self.weight = Weight::MEDIUM,
            "semibold" | "demibold" => self.weight = Weight::SEMIBOLD,
            "bold" => self.weight = Weight::BOLD,
            "ultrabold" | "extrabold" => self.weight = Weight::EXTRA_BOLD,
            "heavy" | "black" => self.weight = Weight::BLACK,
            "ultraheavy" | "extraheavy" | "ultrablack" | "extrablack" => self.weight = Weight(1000),
            "ultracondensed" => self.stretch = Stretch::UltraCondensed,
            "extracondensed" => self.stretch = Stretch::ExtraCondensed,
            "condensed" => self.stretch = Stretch::Condensed,
            "semicondensed" => self.stretch = Stretch::SemiCondensed,
            "semiexpanded" => self.stretch = Stretch::SemiExpanded,
            "expanded" => self.stretch = Stretch::Expanded,
            "extraexpanded" => self.stretch = Stretch::ExtraExpanded,
            "ultraexpanded" => self.stretch = Stretch::UltraExpanded,
            // Known to the notation, without effect here: letter variants and gravity.
            "smallcaps" | "allsmallcaps" | "petitecaps" | "allpetitecaps" | "unicase" | "titlecaps" | "notrotated"
            | "south" | "upsidedown" | "north" | "rotatedleft" | "east" | "rotatedright" | "west" => {}
            _ => return false,
        }
        true
    }
}

/// Cuts the last word off: what stands before it, and the word (empty at the start or behind a comma).
fn last_word(text: &str) -> (&str, &str) {
    let text = text.trim_end();
    let start = text.rfind(|c: char| c.is_whitespace() || c == ',').map_or(0, |i| {
        // The separator may be longer than a byte.
        i + text[i..].chars().next().map_or(1, char::len_utf8)
    });
    (&text[..start], &text[start..])
}

/// `12`, `7.5` (points) or `20px`; `None` for anything else, negative numbers too.
fn parse_size(word: &str) -> Option<FontSize> {
    let (number, in_pixels) = word.strip_suffix("px").map_or((word, false), |number| (number, true));
    if !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let value: f64 = number.parse().ok()?;
    (value <= 1_000_000.0).then_some(match (value > 0.0, in_pixels) {
        (false, _) => FontSize::Points(DEFAULT_POINTS),
        (true, false) => FontSize::Points(value),
        (true, true) => FontSize::Pixels(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<String>, u16, Style, Stretch, f32) {
        let r = FontRequest::parse(text);
        (r.families.clone(), r.weight.0, r.style, r.stretch, r.em(72))
    }

    #[test]
    fn a_description_is_families_then_style_words_then_size() {
        let f = |names: &[&str]| names.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        use {Stretch as W, Style as S};
        for (text, want) in [
            ("sans 10", (f(&["sans"]), 400, S::Normal, W::Normal, 10.0)),
            ("sans bold 12", (f(&["sans"]), 700, S::Normal, W::Normal, 12.0)),
            ("DejaVu Serif Italic 14", (f(&["DejaVu Serif"]), 400, S::Italic, W::Normal, 14.0)),
            (
                "Noto Sans,Arial Semi-Bold CONDENSED 7.5",
                (f(&["Noto Sans", "Arial"]), 600, S::Normal, W::Condensed, 7.5),
            ),
            ("Sans,Bold 12", (f(&["Sans"]), 700, S::Normal, W::Normal, 12.0)),
            ("mono 20px", (f(&["mono"]), 400, S::Normal, W::Normal, 20.0)),
            ("Bold Street Oblique", (f(&["Bold Street"]), 400, S::Oblique, W::Normal, 12.0)),
            ("", (f(&[]), 400, S::Normal, W::Normal, 12.0)),
            ("24", (f(&[]), 400, S::Normal, W::Normal, 24.0)),
            ("sans 0", (f(&["sans"]), 400, S::Normal, W::Normal, 12.0)),
            ("sans -5", (f(&["sans -5"]), 400, S::Normal, W::Normal, 12.0)),
            ("sans 10 @wght=200", (f(&["sans"]), 400, S::Normal, W::Normal, 10.0)),
            (" , ,, ", (f(&[]), 400, S::Normal, W::Normal, 12.0)),
            ("Füße\u{2003}bold 9", (f(&["Füße"]), 700, S::Normal, W::Normal, 9.0)),
        ] {
            assert_eq!(parsed(text), want, "{text:?}");
        }
    }

    #[test]
    fn points_become_pixels_within_bounds() {
        assert_eq!(FontRequest::parse("sans 10").em(150), 10.0 * 150.0 / 72.0);
        assert_eq!(FontRequest::parse("sans 10px").em(150), 10.0);
        assert_eq!(FontRequest::parse("sans 999999").em(u32::MAX), 2000.0);
        assert_eq!(FontRequest::parse("sans 1").em(0), 1.0);
    }
}
