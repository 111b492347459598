//! Text watermarks. The first line of the input is the font, the next three bytes are numbers, the rest is the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use phasor::image::{PixelFormat, Rgb8, Size};
use phasor::ops::{TextSpec, draw_text};

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let Some((font, text)) = text.split_once('\n') else { return };
    let number = |i: usize| u32::from(bytes.get(i).copied().unwrap_or(0));
    // Unknown families send the search through the machine's fonts; the bundled ones are what is tested.
    let font = format!("sans, {font}");
    let spec = TextSpec {
        text: text.to_owned(),
        font,
        dpi: number(0) * 4,
        width: 1 + number(1) * 4,
        margin: number(2) * 4,
        colour: Rgb8::BLACK,
    };
    let picture = Size::at_least_one(512, 512);
    if let Ok(tile) = draw_text(&spec, picture) {
        assert!(tile.size().fits_in(picture));
        assert_eq!(tile.format(), PixelFormat::Rgba8);
        assert!(tile == draw_text(&spec, picture).expect("the same again"), "two drawings differ");
    }
});
