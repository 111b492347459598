//! Hostile EXIF inside a sound JPEG: read, and written again with the orientation taken back.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use phasor::codecs::{self, DecodeSpec, EncodeSpec, Metadata, OutputFormat};
use phasor::image::{ImageBuf, Picture, PixelFormat, Size};

static JPEG: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let picture = ImageBuf::zeroed(Size::at_least_one(3, 2), PixelFormat::Rgb8);
    codecs::encode(&picture, &Metadata::default(), &EncodeSpec::new(OutputFormat::Jpeg)).expect("a plain JPEG")
});

fuzz_target!(|exif: &[u8]| {
    let limits = phasor_fuzz::limits();
    // A segment holds its own length and the signature besides.
    let exif = &exif[..exif.len().min(65_533 - 8)];
    let mut file = JPEG[..2].to_vec();
    file.extend([0xff, 0xe1]);
    file.extend((exif.len() as u16 + 8).to_be_bytes());
    file.extend(b"Exif\0\0");
    file.extend(exif);
    file.extend(&JPEG[2..]);

    let header = codecs::probe(&file, &limits).expect("odd EXIF is no reason to refuse a picture");
    assert!(header.exif_orientation <= 8);
    let decoded = codecs::decode(&file, &header, &DecodeSpec::default(), &limits, &|| false).expect("a picture");
    let Picture::Packed(picture) = &decoded.picture else { return };
    for format in [OutputFormat::Jpeg, OutputFormat::Png, OutputFormat::Webp] {
        let written = codecs::encode(picture, &decoded.metadata, &EncodeSpec::new(format)).expect("a file");
        let again = codecs::probe(&written, &limits).expect("what is written can be read");
        assert_eq!(again.size, header.size);
        assert!(again.exif_orientation <= 1, "{format}: orientation {} survives", again.exif_orientation);
    }
});
