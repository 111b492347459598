#![no_main]
//! Every form of one file: the lenient reader gives what the fast one does, and a window is that part of the whole.

use libfuzzer_sys::fuzz_target;
use phasor::codecs::jpeg::coefficients::{self, Ask};
use phasor::codecs::{DecodeSpec, Detail, Format, decode, probe, sniff};
use phasor::image::{ImageBuf, Rect, Size};

fuzz_target!(|input: ([u8; 4], &[u8])| {
    let ([left, top, width, height], bytes) = input;
    let limits = phasor_fuzz::limits();
    if sniff(bytes) != Some(Format::Jpeg) {
        return;
    }
    let Ok(header) = probe(bytes, &limits) else { return };
    if header.size.area() > 1 << 14 {
        return;
    }
    for count in [1, 6] {
        assert!(coefficients::is_same_leniently(bytes, count), "{count}");
    }
    // A part of the picture, in its 256ths.
    let (across, down) = (header.size.width(), header.size.height());
    let at = |part: u8, of: u32| (u32::from(part) * of / 256).min(of - 1);
    let (left, top) = (at(left, across), at(top, down));
    let size = Size::at_least_one(at(width, across - left), at(height, down - top));
    let window = Rect { left, top, size };
    let whole = Ask::default().packed(bytes);
    let part = Ask { window: Some(window), ..Ask::default() }.packed(bytes);
    match (&whole, &part) {
        (Ok(whole), Ok(part)) => assert_eq!(cut(whole, window), cut(part, window)),
        // Sequential files are left as soon as all that is wanted was read.
        (Err(_), _) => {}
        (Ok(_), Err(error)) => panic!("a part is refused, all of it is not: {error:?}"),
    }
    for detail in [Detail::Planes, Detail::Coefficients(phasor::codecs::Kept::all(6))] {
        let spec = DecodeSpec { detail, window: Some(window), ..DecodeSpec::default() };
        if let Ok(decoded) = decode(bytes, &header, &spec, &limits, &|| false) {
            assert_eq!(decoded.picture.size(), header.size);
        }
    }
});

/// The rows of a window.
fn cut(image: &ImageBuf, window: Rect) -> Vec<&[u8]> {
    let channels = image.format().channels();
    let (first, count) = (window.left as usize * channels, window.size.width() as usize * channels);
    (window.top..window.top + window.size.height()).map(|y| &image.row(y)[first..first + count]).collect()
}
