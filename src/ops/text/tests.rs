use std::time::{Duration, Instant};

use super::*;

const PICTURE: Size = match Size::new(2000, 1500) {
    Some(size) => size,
    None => unreachable!(),
};

fn spec(text: &str, font: &str) -> TextSpec {
    TextSpec {
        text: text.to_owned(),
        font: font.to_owned(),
        dpi: 150,
        width: 333,
        margin: 0,
        colour: Rgb8 { r: 10, g: 20, b: 30 },
    }
}

/// The text's box: the size of a tile without margin.
fn measured(spec: &TextSpec) -> (u32, u32) {
    let size = draw(&TextSpec { margin: 0, ..spec.clone() }, Size::at_least_one(20_000, 20_000)).unwrap().size();
    (size.width(), size.height())
}

/// The smallest window around all alpha: left, top, right, bottom.
fn inked(tile: &ImageBuf) -> Option<(u32, u32, u32, u32)> {
    let mut found: Option<(u32, u32, u32, u32)> = None;
    for (y, row) in (0..).zip(tile.rows()) {
        for (x, _) in (0..).zip(row.chunks_exact(4)).filter(|(_, pixel)| pixel[3] != 0) {
            let (l, t, r, b) = found.unwrap_or((x, y, x, y));
            found = Some((l.min(x), t.min(y), r.max(x), b.max(y)));
        }
    }
    found
}

#[test]
fn boxes_are_those_of_the_reference() {
    // Sizes of libvips 8.14's text images for the same fonts, which decide the pitch of the tiles.
    const FOX: &str = "The quick brown fox jumps over the lazy dog";
    for (text, font, dpi, width, want) in [
        ("Hello", "sans 10", 150, 333, (51, 16)),
        ("Hello", "sans 12", 150, 333, (60, 19)),
        ("Hello", "sans bold 20", 150, 333, (115, 32)),
        ("Hello", "serif 14", 150, 333, (76, 22)),
        ("Hello", "sans 10", 72, 333, (26, 8)),
        ("Hello", "sans 10", 300, 333, (101, 32)),
        ("Hello", "sans", 150, 333, (60, 19)),
        ("Hello", "sans 10px", 150, 333, (26, 8)),
        ("Hgy", "sans 10", 150, 333, (39, 20)),
        ("AVAVAVAVA To Ty", "sans 10", 150, 333, (175, 20)),
        ("Hello\nWorld", "sans 10", 150, 333, (59, 41)),
        ("\nHello", "sans 10", 150, 333, (53, 25)),
        ("Hello\n", "sans 10", 150, 333, (53, 41)),
        ("Hello Helloooooooooooooooooooooooooooooooo x", "sans 10", 150, 333, (456, 66)),
        ("שלום Hello", "sans 10", 150, 333, (105, 16)),
        (FOX, "sans 10", 150, 333, (280, 45)),
        (FOX, "sans 10", 150, 100, (88, 170)),
        (FOX, "sans 10", 72, 100, (100, 36)),
        (FOX, "sans 10", 96, 100, (99, 65)),
        (FOX, "sans 10", 300, 400, (390, 138)),
        (FOX, "sans bold 20", 150, 333, (289, 187)),
    ] {
        let got = measured(&TextSpec { dpi, width, ..spec(text, font) });
        let near = got.0.abs_diff(want.0) <= 1 && got.1.abs_diff(want.1) <= 1;
        assert!(near, "{text:?} {font} {dpi} dpi in {width}: {got:?}, the reference has {want:?}");
    }
}

#[test]
fn the_tile_is_the_box_and_the_margin_with_the_text_at_100_100() {
    let (width, height) = measured(&spec("Hello", "sans 10"));
    let tile = draw(&TextSpec { margin: 200, ..spec("Hello", "sans 10") }, PICTURE).unwrap();
    assert_eq!((tile.size().width(), tile.size().height()), (width + 200, height + 200));
    assert_eq!(inked(&tile), Some((100, 100, 99 + width, 99 + height)));
    assert!(tile.pixels().chunks_exact(4).all(|pixel| pixel[..3] == [10, 20, 30]), "the colour is everywhere");
    assert!(tile.pixels().chunks_exact(4).any(|pixel| pixel[3] == 255), "stems are opaque");
    assert_eq!((tile.format(), tile.alpha_mode()), (PixelFormat::Rgba8, crate::image::AlphaMode::Straight));
}

#[test]
fn text_beyond_the_tile_is_cut_and_the_tile_ends_with_the_picture() {
    let cut = draw(&TextSpec { margin: 90, ..spec("Hello", "sans 10") }, PICTURE).unwrap();
    let full = draw(&TextSpec { margin: 100, ..spec("Hello", "sans 10") }, PICTURE).unwrap();
    for y in 0..cut.size().height() {
        assert_eq!(cut.row(y), &full.row(y)[..cut.stride()]);
    }
    for (margin, picture, want) in [(0, (1, 1), (1, 1)), (u32::MAX, (30, 20), (30, 20)), (5, (2000, 3), (56, 3))] {
        let picture = Size::at_least_one(picture.0, picture.1);
        let tile = draw(&TextSpec { margin, ..spec("Hello", "sans 10") }, picture).unwrap();
        assert_eq!((tile.size().width(), tile.size().height()), want);
    }
}

/// A watermark that is asked for is seen, also where (100, 100) is beyond the tile.
#[test]
fn on_small_tiles_and_pictures_the_text_is_in_the_middle() {
    let (width, height) = measured(&spec("Hello", "sans 10"));
    let drawn = |margin, picture| inked(&draw(&TextSpec { margin, ..spec("Hello", "sans 10") }, picture).unwrap());
    assert_eq!(drawn(20, PICTURE), Some((10, 10, 9 + width, 9 + height)));
    assert_eq!(drawn(0, PICTURE), Some((0, 0, width - 1, height - 1)));
    // Wide enough for the rule on one axis only, which cuts all but the first letter.
    let cut = drawn(60, PICTURE).unwrap();
    assert_eq!((cut.0, cut.2, cut.3), (100, 59 + width, 29 + height));
    let small = Size::at_least_one(80, 60);
    let (left, top) = ((80 - width) / 2, (60 - height) / 2);
    assert_eq!(drawn(500, small), Some((left, top, left + width - 1, top + height - 1)));
    assert!(drawn(500, Size::at_least_one(20, 8)).is_some());
}

#[test]
fn wrapping_turns_width_into_height() {
    let wide = measured(&TextSpec { width: 10_000, ..spec("one two three four", "sans 10") });
    let narrow = measured(&TextSpec { width: 1, ..spec("one two three four", "sans 10") });
    assert!(narrow.0 < wide.0 / 2 && narrow.1 > wide.1 * 3, "{wide:?} {narrow:?}");
    // Text within the width stays on one line, be the width ever so exact.
    let exact = measured(&TextSpec { width: wide.0 + 2, ..spec("one two three four", "sans 10") });
    assert_eq!(exact, wide);
}

#[test]
fn blank_text_is_a_transparent_tile() {
    for text in ["", " ", "\n", " \t \r\n ", "\u{200b}", "\u{feff}", "\0\x01"] {
        let tile = draw(&TextSpec { margin: 150, ..spec(text, "sans 10") }, PICTURE).unwrap();
        assert_eq!(inked(&tile), None, "{text:?}");
        assert!(tile.size().width() >= 150 && tile.size().width() < 170, "{text:?} {}", tile.size());
    }
}

#[test]
fn what_is_too_long_or_too_large_is_refused() {
    let draw = |text: &str, font: &str, picture| draw(&spec(text, font), picture).map(|tile| tile.size());
    assert!(draw(&"x".repeat(1024), "sans 10", PICTURE).is_ok());
    assert_eq!(draw(&"x".repeat(1025), "sans 10", PICTURE), Err(TextError::TextTooLong { max: 1024 }));
    assert_eq!(draw("x", &"x".repeat(257), PICTURE), Err(TextError::FontTooLong { max: 256 }));
    // Strokes of 2000 pixels over one letter, all in the same place.
    let strokes = "W".to_owned() + &"\u{338}".repeat(500);
    assert_eq!(draw(&strokes, "sans 99999", PICTURE), Err(TextError::TooLarge));
    assert!(draw(&strokes, "sans 20", PICTURE).is_ok());
}

#[test]
fn the_picture_of_a_text_does_not_depend_on_what_was_drawn_before() {
    let texts = ["Hello 日本語 😀", "مرحبا", "Ünïcödé ⅷ ლ", "नमस्ते", "plain"];
    let draw_all = || texts.map(|text| draw(&TextSpec { margin: 100, ..spec(text, "sans 14") }, PICTURE).unwrap());
    let once = draw_all();
    let threads = [(); 4].map(|()| std::thread::spawn(move || texts.map(|text| draw(&spec(text, "serif 9"), PICTURE))));
    for thread in threads {
        assert!(thread.join().unwrap().iter().all(Result::is_ok));
    }
    assert!(once == draw_all());
}

#[test]
fn hostile_text_is_drawn_or_refused_quickly() {
    let from = |start: u32, step: usize, count: usize| -> String {
        (start..).step_by(step).filter_map(char::from_u32).take(count).collect()
    };
    let cycle = |text: &str, count: usize| -> String { text.chars().cycle().take(count).collect() };
    let texts = [
        "e".to_owned() + &"\u{301}".repeat(511),
        cycle(&from(0x300, 1, 112), 500),
        from(0, 1, 512),
        cycle("\u{202e}a\u{202d}b\u{2067}א", 400),
        cycle("\u{2029}\u{85}\r\u{1c}\u{2028}א", 400),
        "a\n".repeat(100),
        "\n".repeat(1024),
        " a".repeat(512),
        from(0x30000, 37, 256),
        from(0x900, 11, 341),
        from(0x4e00, 7, 341),
        cycle("👩\u{200d}👧", 280),
        cycle("ﷺلا", 400),
    ];
    let limit = Duration::from_millis(if cfg!(debug_assertions) { 1500 } else { 100 });
    for text in &texts {
        let text = &text[..text.floor_char_boundary(MAX_TEXT)];
        for font in ["sans 10", "No Such Font Italic Condensed 11", "sans bold 400"] {
            // The best of three: the first may look for the machine's fonts.
            let times = [(); 3].map(|()| {
                let start = Instant::now();
                let drawn = draw(&spec(text, font), PICTURE);
                assert!(drawn.is_ok() || drawn == Err(TextError::TooLarge), "{text:?} {font}");
                start.elapsed()
            });
            assert!(times.iter().min() <= Some(&limit), "{text:?} {font} {times:?}");
        }
    }
}
