//! SVG in, drawn by resvg.
//!
//! A document can reach nothing outside itself: no file, no network, no system font; text is set in the DejaVu fonts of
//! this build. `<image>` draws nothing at all, data URIs included: the build has no raster decoder inside resvg, and
//! nested documents would escape the limits. Compressed documents (svgz) are refused.
//!
//! Work is bounded before it is done, as neither parser nor renderer can be stopped: source bytes, entities, elements
//! and nesting (through references too), layers and drawing time. `cancelled` is asked before parsing and before
//! drawing. Both run on a thread of their own, whose stack is deep enough for the nesting allowed whatever the caller's
//! is.

mod cost;
mod entities;
mod fonts;
mod nesting;

use resvg::{tiny_skia, usvg};

use self::cost::Cost;
use super::{DecodeError, DecodeSpec, Decoded, Format, Header, Limits, Metadata, Space};
use crate::image::{ImageBuf, PixelFormat, Size};

/// Pixels an inch for lengths in physical units; what the reference server uses.
const DPI: f32 = 72.0;

/// Most XML nodes (elements, texts, comments) of a document, entities expanded.
const MAX_NODES: u32 = 200_000;

/// Most attributes of an element, as the XML parser compares each with all others.
const MAX_ATTRIBUTES: usize = 2000;

/// What an element takes in a tree.
const ELEMENT_BYTES: u64 = 700;

/// What a byte of XML takes once it is parsed.
const XML_BYTES: u64 = 16;

/// Stack for parser and renderer. The deepest chains of any one kind that `nesting` lets through take less than 512 KiB;
/// the rest is for mixtures. Only what is used becomes memory.
const STACK_BYTES: usize = 16 << 20;

/// Reads the facts known before drawing; parses the whole document to do so.
///
/// # Errors
/// [`DecodeError::Malformed`] for what is no SVG or has no size, [`DecodeError::TooManyPixels`],
/// [`DecodeError::OverLimit`] for what would take too much work to draw.
pub(super) fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, DecodeError> {
    on_deep_stack(|| {
        let (_, header) = parse(bytes, limits)?;
        Ok(header)
    })
}

/// Draws at natural size, or that divided by `spec.shrink` (rounded up), on a clear canvas: `Rgba8`, straight alpha.
///
/// # Errors
/// As for [`probe`], and [`DecodeError::Cancelled`] between parsing and drawing.
pub(super) fn decode(
    bytes: &[u8],
    header: &Header,
    spec: &DecodeSpec,
    limits: &Limits,
    cancelled: &dyn Fn() -> bool,
) -> Result<Decoded, DecodeError> {
    if cancelled() {
        return Err(DecodeError::Cancelled);
    }
    // Trees are as deep as documents, so each is made, drawn and dropped on a deep stack.
    let tree = on_deep_stack(|| {
        let (tree, now) = parse(bytes, limits)?;
        if now == *header { Ok(tree) } else { Err(malformed("the picture contradicts the header")) }
    })?;
    let go_on = !cancelled();
    let divisor = spec.shrink.divisor();
    let size = Size::at_least_one(header.size.width().div_ceil(divisor), header.size.height().div_ceil(divisor));
    let pixels = on_deep_stack(move || {
        let tree = tree;
        if go_on { draw(&tree, size, divisor) } else { Err(DecodeError::Cancelled) }
    })?;
    let image = ImageBuf::new(size, PixelFormat::Rgba8, pixels).map_err(|e| malformed(e.to_string()))?;
    Ok(Decoded { picture: image.into(), metadata: Metadata::default() })
}

/// Bytes that [`probe`] holds for a document and its tree, at most: found from the document alone, which takes up to 16
/// times its length.
///
/// # Errors
/// As for [`probe`], where the document tells.
pub(super) fn probe_bytes(bytes: &[u8], limits: &Limits) -> Result<u64, DecodeError> {
    on_deep_stack(|| document(bytes, limits).map(|(_, held)| held))
}

/// Parses the document and weighs it.
fn parse(bytes: &[u8], limits: &Limits) -> Result<(usvg::Tree, Header), DecodeError> {
    let (document, held) = document(bytes, limits)?;
    let tree = usvg::Tree::from_xmltree(&document, &options_for_trees()).map_err(failed)?;
    let size = natural_size(&tree, limits)?;
    let scratch_bytes = Cost::of(&tree, size).within(limits)?.saturating_add(held);
    let header = Header {
        format: Format::Svg,
        size,
        exif_orientation: 0,
        alpha: true,
        space: Space::Srgb,
        channels: 4,
        profile: false,
        scratch_bytes,
    };
    Ok((tree, header))
}

/// Reads the XML and says how many bytes it and the tree made of it take.
fn document<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(usvg::roxmltree::Document<'a>, u64), DecodeError> {
    if bytes.len() > limits.svg_bytes {
        return Err(over_limit("the document", limits.svg_bytes as u64));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the document is not UTF-8"))?;
    entities::check(text)?;
    // A tag ends before the next one begins, and each attribute has an equals sign.
    if text.split('<').any(|tag| tag.len() > MAX_ATTRIBUTES && tag.matches('=').count() > MAX_ATTRIBUTES) {
        return Err(over_limit("the number of attributes", MAX_ATTRIBUTES as u64));
    }
    let options = usvg::roxmltree::ParsingOptions { allow_dtd: true, nodes_limit: MAX_NODES, ..Default::default() };
    let document = usvg::roxmltree::Document::parse_with_options(text, options).map_err(failed)?;
    let elements = nesting::check(&document)?;
    Ok((document, elements * ELEMENT_BYTES + bytes.len() as u64 * XML_BYTES))
}

fn options_for_trees() -> usvg::Options<'static> {
    usvg::Options {
        dpi: DPI,
        font_family: fonts::SANS.to_owned(),
        fontdb: fonts::database(),
        font_resolver: fonts::resolver(),
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..usvg::Options::default()
    }
}

/// Width and height in whole pixels.
fn natural_size(tree: &usvg::Tree, limits: &Limits) -> Result<Size, DecodeError> {
    let (width, height) = (f64::from(tree.size().width()).round(), f64::from(tree.size().height()).round());
    let side = f64::from(limits.side);
    if !(width <= side && height <= side && width * height <= limits.pixels as f64) {
        return Err(DecodeError::TooManyPixels);
    }
    Size::new(width as u32, height as u32).ok_or_else(|| malformed("the picture has no size"))
}

fn draw(tree: &usvg::Tree, size: Size, divisor: u32) -> Result<Vec<u8>, DecodeError> {
    let mut canvas = tiny_skia::Pixmap::new(size.width(), size.height()).ok_or_else(|| malformed("no room to draw"))?;
    let scale = 1.0 / divisor as f32;
    resvg::render(tree, tiny_skia::Transform::from_scale(scale, scale), &mut canvas.as_mut());
    Ok(canvas.take_demultiplied())
}

/// Runs `work` on a thread with [`STACK_BYTES`] of stack. A panic goes on in the caller.
fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, DecodeError> + Send) -> Result<T, DecodeError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("svg".into()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, work).map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(malformed(format!("no thread to draw on: {error}"))),
        }
    })
}

fn malformed(reason: impl Into<String>) -> DecodeError {
    DecodeError::malformed(Format::Svg, reason.into())
}

fn over_limit(what: &'static str, limit: u64) -> DecodeError {
    DecodeError::OverLimit { format: Format::Svg, what, limit }
}

fn failed(error: impl std::fmt::Display) -> DecodeError {
    malformed(error.to_string())
}

#[cfg(test)]
mod tests;
