//! The one place where C code runs: libwebp's encoder, fed with our own pixels. Nothing that came from outside is
//! parsed here, and its decoder is never called.
#![allow(unsafe_code, reason = "libwebp is the only permissive encoder of lossy WebP; pixels in, bytes out")]

use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;

use libwebp_sys as webp;

use crate::image::Size;

/// Effort, 0 (fast) to 6; libvips' and libwebp's own default.
const METHOD: c_int = 4;

/// Encodes RGB (or, with `alpha`, straight RGBA) samples, rows top-down without padding. `quality` is 1 to 100.
/// The colour of transparent pixels is kept as it is.
///
/// # Errors
/// What the encoder said, in its own words.
pub(super) fn encode(pixels: &[u8], size: Size, alpha: bool, quality: u8) -> Result<Vec<u8>, String> {
    encode_as(pixels, size, alpha, |config| {
        config.quality = f32::from(quality.clamp(1, 100));
        config.method = METHOD;
        config.alpha_quality = 100;
        config.exact = 1;
    })
}

/// The same with other settings, which the encoder checks.
pub(super) fn encode_as(
    pixels: &[u8],
    size: Size,
    alpha: bool,
    set: impl FnOnce(&mut webp::WebPConfig),
) -> Result<Vec<u8>, String> {
    let channels = if alpha { 4 } else { 3 };
    // Both sides are at most 16383 (the caller's check, repeated by the encoder), so nothing below overflows.
    let (width, height) = (size.width() as c_int, size.height() as c_int);
    let stride = width * channels;
    if pixels.len() as u64 != size.area() * channels as u64 || size.width().max(size.height()) > 16383 {
        return Err("the samples do not make a picture".to_owned());
    }
    let mut config = webp::WebPConfig::new().map_err(|()| "wrong version of libwebp")?;
    set(&mut config);
    // SAFETY: `config` is initialised and lives through the call, which only reads it.
    if unsafe { webp::WebPValidateConfig(&config) } == 0 {
        return Err("the settings are not valid".to_owned());
    }

    let mut picture = Picture::new()?;
    let mut writer = Writer::new();
    picture.0.width = width;
    picture.0.height = height;
    // SAFETY: `pixels` holds `height` rows of `stride` bytes (checked above), which the import copies into memory
    // that `picture` owns.
    let imported = unsafe {
        if alpha {
            webp::WebPPictureImportRGBA(&mut picture.0, pixels.as_ptr(), stride)
        } else {
            webp::WebPPictureImportRGB(&mut picture.0, pixels.as_ptr(), stride)
        }
    };
    if imported == 0 {
        return Err("out of memory".to_owned());
    }
    picture.0.writer = Some(webp::WebPMemoryWrite);
    picture.0.custom_ptr = (&raw mut writer.0).cast::<c_void>();
    // SAFETY: `config` is valid, `picture` is initialised and holds pixels, and its writer is the one that
    // `WebPMemoryWrite` expects behind `custom_ptr`; all live through the call.
    if unsafe { webp::WebPEncode(&config, &mut picture.0) } == 0 {
        return Err(format!("{:?}", picture.0.error_code));
    }
    Ok(writer.bytes().to_vec())
}

/// A `WebPPicture` that frees its planes.
struct Picture(webp::WebPPicture);

impl Picture {
    fn new() -> Result<Self, String> {
        webp::WebPPicture::new().map(Self).map_err(|()| "wrong version of libwebp".to_owned())
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: the picture was initialised by `new`; freeing one without planes is allowed.
        unsafe { webp::WebPPictureFree(&mut self.0) }
    }
}

/// A `WebPMemoryWriter` that frees its bytes.
struct Writer(webp::WebPMemoryWriter);

impl Writer {
    fn new() -> Self {
        let mut writer = MaybeUninit::uninit();
        // SAFETY: the call writes every field.
        unsafe {
            webp::WebPMemoryWriterInit(writer.as_mut_ptr());
            Self(writer.assume_init())
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.0.mem.is_null() {
            return &[];
        }
        // SAFETY: `mem` points to `size` bytes that the encoder wrote and this owns.
        unsafe { std::slice::from_raw_parts(self.0.mem, self.0.size) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: initialised by `new`; clearing frees what is there.
        unsafe { webp::WebPMemoryWriterClear(&mut self.0) }
    }
}
