//! Values that are neither numbers nor switches: colours, words from a list, ratios. None of them can be wrong: what
//! is not understood has a meaning of its own.

use crate::codecs::OutputSpace;
use crate::image::{Gravity, Rgb8};

/// How added canvas is filled (`extend`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extend {
    /// Black.
    Black,
    /// White.
    White,
    /// Edge pixels; the default.
    #[default]
    Copy,
    /// The picture mirrored.
    Mirror,
    /// The colour of `background`; `lastpixel` is the same.
    Background,
}

/// `R,G,B`, each 0 to 255: too large is 255, what is no number 0. `None` unless there are three parts.
pub(super) fn parse_colour(text: &str) -> Option<Rgb8> {
    let mut parts = text.split(',').map(|part| {
        let part = part.trim_matches(' ');
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return 0;
        }
        part.parse().unwrap_or(u8::MAX)
    });
    Some(Rgb8 { r: parts.next()?, g: parts.next()?, b: parts.next()? })
}

/// North, south, east, west or smart in any case; anything else is the centre.
pub(super) fn parse_gravity(text: &str) -> Gravity {
    match text.trim().to_lowercase().as_str() {
        "north" => Gravity::North,
        "south" => Gravity::South,
        "east" => Gravity::East,
        "west" => Gravity::West,
        "smart" => Gravity::Smart,
        _ => Gravity::Centre,
    }
}

/// White, black, copy, background or lastpixel in any case; anything else is mirror.
pub(super) fn parse_extend(text: &str) -> Extend {
    match text.trim().to_lowercase().as_str() {
        "white" => Extend::White,
        "black" => Extend::Black,
        "copy" => Extend::Copy,
        "background" | "lastpixel" => Extend::Background,
        _ => Extend::Mirror,
    }
}

/// `bw` is grey, anything else colour.
pub(super) fn parse_colorspace(text: &str) -> OutputSpace {
    if text == "bw" { OutputSpace::Gray } else { OutputSpace::Srgb }
}

/// `W:H` as two positive integers; more fields are ignored. `None` for anything else.
pub(super) fn parse_aspect_ratio(text: &str) -> Option<(i64, i64)> {
    let mut fields = text.trim().split(':').map(|field| field.parse::<i64>().ok().filter(|&n| n > 0));
    Some((fields.next()??, fields.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_forgive() {
        let rgb = |r, g, b| Some(Rgb8 { r, g, b });
        assert_eq!(parse_colour("255,200,50"), rgb(255, 200, 50));
        assert_eq!(parse_colour(" 1 , 2 ,3,4,5"), rgb(1, 2, 3));
        assert_eq!(parse_colour("256,99999999999,-1"), rgb(255, 255, 0));
        assert_eq!(parse_colour("x,,+5"), rgb(0, 0, 0));
        assert_eq!(parse_colour("1,2"), None);
        assert_eq!(parse_colour(""), None);
    }

    #[test]
    fn words_have_a_meaning_for_everything_else() {
        assert_eq!(parse_gravity(" SmArt "), Gravity::Smart);
        assert_eq!(parse_gravity("northwest"), Gravity::Centre);
        assert_eq!(parse_extend(" WHITE"), Extend::White);
        assert_eq!(parse_extend(""), Extend::Mirror);
        assert_eq!(parse_extend("lastpixel"), Extend::Background);
        assert_eq!(parse_colorspace("bw"), OutputSpace::Gray);
        assert_eq!(parse_colorspace("BW"), OutputSpace::Srgb);
    }

    #[test]
    fn ratios_are_two_positive_integers() {
        assert_eq!(parse_aspect_ratio(" 16:9 "), Some((16, 9)));
        assert_eq!(parse_aspect_ratio("4:3:x"), Some((4, 3)));
        for text in ["16 : 9", "16:0", "0:9", "16x9", "a:b", "16", "", ":", "-4:3", "99999999999999999999:1"] {
            assert_eq!(parse_aspect_ratio(text), None, "{text}");
        }
    }
}
