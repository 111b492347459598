//! Files of every form: colour models, samplings, scans, and what is left of damaged ones.

use crate::codecs::jpeg::coefficients::{self, Ask};
use crate::codecs::tests::pictures::{difference, read};
use crate::codecs::{DecodeSpec, Detail, Kept, Limits, decode, probe};
use crate::image::{CoefficientPlane, ImageBuf, Picture, PixelFormat, Rect, Size};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn ours(bytes: &[u8]) -> ImageBuf {
    Ask::default().packed(bytes).unwrap()
}

/// What the other decoder makes of a file.
fn by_zune(bytes: &[u8], cmyk: bool) -> ImageBuf {
    use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
    let colour = if cmyk { ColorSpace::CMYK } else { ColorSpace::RGB };
    let options = DecoderOptions::default().jpeg_set_out_colorspace(colour);
    let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let mut pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    if cmyk {
        let light = |light: u8, black: u8| ((u32::from(light) * u32::from(black) + 127) / 255) as u8;
        pixels =
            pixels.chunks_exact(4).flat_map(|p| [light(p[0], p[3]), light(p[1], p[3]), light(p[2], p[3])]).collect();
    }
    ImageBuf::new(Size::new(width as u32, height as u32).unwrap(), PixelFormat::Rgb8, pixels).unwrap()
}

#[test]
fn colours_and_scans_are_read_as_another_decoder_does() {
    for (name, cmyk) in [
        ("rgb.jpg", false),
        ("cmyk.jpg", true),
        ("ycck.jpg", true),
        ("separate.jpg", false),
        ("444.jpg", false),
        ("422.jpg", false),
        ("photo.jpg", false),
        ("progressive.jpg", false),
    ] {
        let bytes = fixture(name);
        let (max, mean) = difference(&ours(&bytes), &by_zune(&bytes, cmyk));
        // Theirs rounds between the transform, the interpolation and the colours.
        assert!(max <= 8 && mean < 0.6, "{name}: {max} {mean}");
    }
}

#[test]
fn the_same_picture_in_every_colour_model() {
    let plain = ours(&fixture("rgb.jpg"));
    for name in ["cmyk.jpg", "ycck.jpg"] {
        let (_, mean) = difference(&plain, &ours(&fixture(name)));
        assert!(mean < 6.0, "{name}: {mean}");
    }
    // A thumbnail's coefficients: those of its brightness, not of red.
    let found = coefficients::decode(&fixture("rgb.jpg"), Kept::all(6), 100, &|| false).unwrap();
    let dc = f64::from(found.components[0].values[found.components[0].blocks.area() as usize / 2 + 8]);
    let (x, y) = (8 * ((15 * 20 / 2 + 8) % 20), 8 * ((15 * 20 / 2 + 8) / 20));
    let mut sum = 0.0;
    for y in y..y + 8 {
        for x in x..x + 8 {
            let &[r, g, b] = plain.pixel(x, y) else { panic!("RGB") };
            sum += 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        }
    }
    assert!((dc / 8.0 + 128.0 - sum / 64.0).abs() < 1.0, "{} {}", dc / 8.0 + 128.0, sum / 64.0);
}

/// The file with its height where it belongs.
fn with_height(mut bytes: Vec<u8>) -> Vec<u8> {
    let dnl = bytes.windows(4).position(|four| four == [0xFF, 0xDC, 0, 4]).unwrap();
    let height = [bytes[dnl + 4], bytes[dnl + 5]];
    bytes.drain(dnl..dnl + 6);
    let frame = bytes.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    bytes[frame + 5..frame + 7].copy_from_slice(&height);
    bytes
}

#[test]
fn a_height_may_come_late() {
    let late = fixture("late-height.jpg");
    let (header, picture, _) = read(&late).unwrap();
    assert_eq!(header.size, Size::new(160, 120).unwrap());
    assert_eq!(picture, ours(&with_height(late.clone())));
    // Nowhere at all.
    let dnl = late.windows(4).position(|four| four == [0xFF, 0xDC, 0, 4]).unwrap();
    let never = [&late[..dnl], &late[dnl + 6..]].concat();
    assert!(read(&never).is_err() && Ask::default().packed(&never).is_err());
}

#[test]
fn what_is_behind_a_lost_interval_keeps_its_place() {
    let whole = ours(&with_height(fixture("late-height.jpg")));
    let lost = ours(&fixture("lost-interval.jpg"));
    for y in 0..120 {
        let (want, got) = (whole.row(y), lost.row(y));
        match y {
            // Beside an edge chroma is interpolated with what is there.
            0..31 | 49..79 | 97..120 => assert_eq!(want, got, "row {y}"),
            33..47 => assert!(got.iter().all(|&sample| sample == 128), "row {y}"),
            _ => {}
        }
    }
    // The first half of the interval with a hole is there.
    assert_eq!(whole.row(88)[..90], lost.row(88)[..90]);
    let found = coefficients::decode(&fixture("lost-interval.jpg"), Kept::all(1), 100, &|| false).unwrap();
    let luma = &found.components[0];
    let row = |y: usize| &luma.values[y * luma.blocks.width() as usize..][..luma.blocks.width() as usize];
    assert!(row(4).iter().chain(row(5)).all(|&dc| dc == 0) && row(6).iter().any(|&dc| dc != 0));
}

#[test]
fn what_is_there_of_a_cut_file_is_shown() {
    for name in ["444.jpg", "separate.jpg", "cmyk.jpg", "progressive.jpg"] {
        let bytes = fixture(name);
        let whole = ours(&bytes);
        let scan = bytes.windows(2).position(|two| two == [0xFF, 0xDA]).unwrap();
        let mut shown = 0;
        for percent in [10, 50, 90, 99] {
            let cut = &bytes[..scan + 20 + (bytes.len() - scan - 20) * percent / 100];
            // Unless it is cut in a table.
            let Ok(part) = Ask::default().packed(cut) else { continue };
            shown += 1;
            assert_eq!(part.size(), whole.size());
            if name == "444.jpg" || name == "cmyk.jpg" {
                let rows = whole.size().height() as usize * percent / 100 / 2;
                assert!((0..rows as u32).all(|y| part.row(y) == whole.row(y)), "{name} {percent}");
            }
        }
        assert!(shown >= 3, "{name}: {shown}");
    }
}

#[test]
fn files_without_their_last_marker_or_with_more_behind_it_are_the_same() {
    for name in ["444.jpg", "progressive.jpg", "rgb.jpg"] {
        let bytes = fixture(name);
        let whole = ours(&bytes);
        assert_eq!(whole, ours(&bytes[..bytes.len() - 2]), "{name}");
        assert_eq!(whole, ours(&[&bytes[..], b"garbage\xFF\xD8\xFF\xDA"].concat()), "{name}");
        let planes = |bytes: &[u8]| coefficients::decode(bytes, Kept::all(6), 100, &|| false).unwrap();
        assert_eq!(planes(&bytes), planes(&bytes[..bytes.len() - 2]), "{name}");
    }
}

#[test]
fn the_lenient_reader_reads_sound_files_as_the_fast_one_does() {
    let mut sound = 0;
    for name in ["444.jpg", "422.jpg", "photo.jpg", "grey.jpg", "separate.jpg", "rgb.jpg", "late-height.jpg"] {
        for count in [1, 6, 64] {
            assert!(coefficients::is_same_leniently(&fixture(name), count), "{name} {count}");
            sound += 1;
        }
    }
    assert_eq!(sound, 21);
}

/// Every window of a few, in a picture of this size.
fn windows(size: Size) -> impl Iterator<Item = Rect> {
    let (w, h) = (size.width(), size.height());
    let at = move |left, top, width, height| Rect { left, top, size: Size::at_least_one(width, height) };
    [
        at(0, 0, 1, 1),
        at(w - 1, h - 1, 1, 1),
        at(w / 3, h / 3, w / 4, h / 4),
        at(w / 2, 0, w / 2, h / 8),
        at(0, h / 2, w, h / 5),
        at(w / 5, 0, 9, h),
        at(0, 0, w, h),
    ]
    .into_iter()
}

#[test]
fn a_window_is_that_part_of_the_whole() {
    let mut differ = 0;
    for name in [
        "photo.jpg",
        "422.jpg",
        "grey.jpg",
        "cmyk.jpg",
        "rgb.jpg",
        "separate.jpg",
        "progressive.jpg",
        "lost-interval.jpg",
    ] {
        let bytes = fixture(name);
        let whole = ours(&bytes);
        for rect in windows(whole.size()) {
            let ask = Ask { window: Some(rect), ..Ask::default() };
            let part = ask.packed(&bytes).unwrap();
            let channels = whole.format().channels();
            let columns = rect.left as usize * channels..(rect.left + rect.size.width()) as usize * channels;
            for y in rect.top..rect.top + rect.size.height() {
                assert_eq!(part.row(y)[columns.clone()], whole.row(y)[columns.clone()], "{name} {rect:?} row {y}");
            }
            differ += usize::from(part != whole);
            let limits = Limits::default();
            let header = probe(&bytes, &limits).unwrap();
            for detail in [Detail::Planes, Detail::Coefficients(Kept::all(6))] {
                let of = |window| {
                    let spec = DecodeSpec { detail, window, ..DecodeSpec::default() };
                    decode(&bytes, &header, &spec, &limits, &|| false).unwrap().picture
                };
                match (of(None), of(Some(rect))) {
                    (Picture::Planes(whole), Picture::Planes(part)) => {
                        assert_eq!(whole.hollow(), part.hollow());
                        let (width, luma) = (whole.size.width() as usize, rect.left as usize);
                        for y in rect.top as usize..(rect.top + rect.size.height()) as usize {
                            let row = y * width + luma..y * width + luma + rect.size.width() as usize;
                            assert_eq!(whole.luma.samples[row.clone()], part.luma.samples[row], "{name} {rect:?}");
                        }
                    }
                    (Picture::Coefficients(whole), Picture::Coefficients(part)) => {
                        for (whole, part) in whole.components.iter().zip(&part.components) {
                            // Pixels that a block stands for.
                            let (w, h) = (header.size.width(), header.size.height());
                            let (x, y) = (8 * w.div_ceil(whole.size.width()), 8 * h.div_ceil(whole.size.height()));
                            let row = whole.blocks.width() as usize;
                            let down = rect.top / y..(rect.top + rect.size.height()).div_ceil(y);
                            let blocks = down.start as usize * row..down.end as usize * row;
                            let columns =
                                (rect.left / x) as usize..(rect.left + rect.size.width()).div_ceil(x) as usize;
                            let of = |plane: &CoefficientPlane| -> Vec<i16> {
                                let rows = plane.values[blocks.clone()].chunks_exact(row);
                                rows.flat_map(|row| row[columns.clone()].to_vec()).collect()
                            };
                            assert_eq!(of(whole), of(part), "{name} {rect:?}");
                        }
                    }
                    (Picture::Packed(_), Picture::Packed(_)) => {}
                    _ => panic!("{name}: another form"),
                }
            }
        }
    }
    assert!(differ >= 40, "{differ}: the rest is left out");
}

#[test]
fn the_readers_agree_about_tables_that_no_file_can_have() {
    let mut bytes = fixture("grey.jpg");
    let table = bytes.windows(5).position(|five| five[..2] == [0xFF, 0xC4] && five[4] == 0).unwrap();
    let counts: usize = bytes[table + 5..table + 21].iter().map(|&n| usize::from(n)).sum();
    // The longest code, which the picture need not have.
    bytes[table + 21 + counts - 1] = 16;
    let ask = Ask::default();
    assert!(coefficients::is_same_leniently(&bytes, 1));
    assert!(ask.packed(&bytes).is_err() && ask.coefficients(&bytes, Kept::all(1)).is_err());
}
