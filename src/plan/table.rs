//! The one table of parameters: parsing, `docs/parameters.md` and the page at `/form` are made from it.

use serde_json::Value;

use crate::codecs::OutputSpace;
use crate::image::{Gravity, Rgb8};

use super::choices::{Extend, parse_colorspace, parse_colour, parse_extend, parse_gravity};
use super::endpoint::Endpoint::{self, *};
use super::goquote::quote;
use super::number::{parse_float, parse_integer, parse_switch};
use super::operations::{self, Operation};
use super::params::Params;

/// How a parameter is read, and where it goes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A decimal number, its absolute value rounded.
    Integer(fn(&mut Params, i64)),
    /// A decimal number, its absolute value.
    Float(fn(&mut Params, f64)),
    /// A switch.
    Boolean(fn(&mut Params, bool)),
    /// Any text.
    Text(fn(&mut Params, String)),
    /// `R,G,B`.
    Colour(fn(&mut Params, Option<Rgb8>)),
    /// `bw` or anything.
    Colorspace(fn(&mut Params, OutputSpace)),
    /// A side, `smart` or anything.
    Gravity(fn(&mut Params, Gravity)),
    /// A way to fill canvas.
    Extend(fn(&mut Params, Extend)),
    /// The JSON of a pipeline.
    Operations(fn(&mut Params, Vec<Operation>)),
}

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub struct ParamSpec {
    /// Name in the query string; case-sensitive.
    pub name: &'static str,
    /// How it is read.
    pub kind: Kind,
    /// What it means, in one line.
    pub meaning: &'static str,
    /// What holds when it is absent.
    pub default: &'static str,
    /// Endpoints on which it has an effect; it is read, and refused when it cannot be, on all.
    pub endpoints: &'static [Endpoint],
}

const UNSUPPORTED: &str = "unsupported value";

impl Kind {
    /// The name of the kind in the documentation.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Boolean(_) => "boolean",
            Self::Text(_) => "string",
            Self::Colour(_) => "colour",
            Self::Colorspace(_) => "colorspace",
            Self::Gravity(_) => "gravity",
            Self::Extend(_) => "extend",
            Self::Operations(_) => "JSON",
        }
    }

    /// Reads a decoded value of the query string, or a string of a pipeline's JSON. The error is the reason alone.
    pub(super) fn read_text(&self, params: &mut Params, value: &[u8]) -> Result<(), String> {
        let text = String::from_utf8_lossy(value);
        match self {
            Self::Integer(set) => set(
                params,
                parse_integer(value).map_err(|e| format!("strconv.ParseFloat: parsing {}: {e}", quote(value)))?,
            ),
            Self::Float(set) => set(params, parse_float(value).map_err(|_| UNSUPPORTED)?),
            Self::Boolean(set) => set(params, parse_switch(value).ok_or(UNSUPPORTED)?),
            Self::Text(set) => set(params, text.into_owned()),
            Self::Colour(set) => set(params, parse_colour(&text)),
            Self::Colorspace(set) => set(params, parse_colorspace(&text)),
            Self::Gravity(set) => set(params, parse_gravity(&text)),
            Self::Extend(set) => set(params, parse_extend(&text)),
            Self::Operations(set) => set(params, operations::parse(&text)?),
        }
        Ok(())
    }

    /// Reads a value of a pipeline's JSON: numbers keep their sign and lose their fraction where an integer is wanted.
    pub(super) fn read_json(&self, params: &mut Params, value: &Value) -> Result<(), String> {
        match (self, value) {
            (_, Value::String(text)) => return self.read_text(params, text.as_bytes()),
            // A cast saturates, so no number is out of range.
            (Self::Integer(set), Value::Number(n)) => set(params, n.as_f64().ok_or(UNSUPPORTED)? as i64),
            (Self::Float(set), Value::Number(n)) => set(params, n.as_f64().ok_or(UNSUPPORTED)?),
            (Self::Boolean(set), Value::Bool(b)) => set(params, *b),
            _ => return Err(UNSUPPORTED.to_owned()),
        }
        Ok(())
    }
}

/// Endpoints on the common path, which take every general parameter.
const PICTURES: &[Endpoint; 15] = &[
    Resize,
    Fit,
    Enlarge,
    Extract,
    Crop,
    SmartCrop,
    Thumbnail,
    Zoom,
    Rotate,
    Flip,
    Flop,
    Convert,
    Watermark,
    WatermarkImage,
    Blur,
];
/// What keeps its ratio by itself, or crops, needs no telling to embed.
const EMBEDDING: &[Endpoint] = &pictures_without::<11>(&[Resize, Fit, Crop, SmartCrop]);
const CANVASES: &[Endpoint] = &pictures_without::<12>(&[Fit, Crop, SmartCrop]);
const CROPPING: &[Endpoint] = &pictures_without::<13>(&[Fit, SmartCrop]);
/// Where one side may be missing.
const ONE_SIDED: &[Endpoint] = &pictures_without::<13>(&[Fit, Enlarge]);
const AREAS: &[Endpoint] = &[Extract, Zoom];
const OFFSETS: &[Endpoint] = &[Extract, Zoom, WatermarkImage];
const WATERMARKS: &[Endpoint] = &[Watermark, WatermarkImage];

/// The picture endpoints but for some, `N` in all; another `N` does not compile.
const fn pictures_without<const N: usize>(left_out: &[Endpoint]) -> [Endpoint; N] {
    let (mut kept, mut count, mut i) = ([Resize; N], 0, 0);
    while i < PICTURES.len() {
        let (mut out, mut k) = (false, 0);
        while k < left_out.len() {
            out |= left_out[k] as u8 == PICTURES[i] as u8;
            k += 1;
        }
        if !out {
            kept[count] = PICTURES[i];
            count += 1;
        }
        i += 1;
    }
    assert!(count == N);
    kept
}

macro_rules! param {
    ($name:literal $kind:ident $field:ident, $meaning:literal, $default:literal, $endpoints:expr) => {
        ParamSpec {
            name: $name,
            kind: Kind::$kind(|params, value| params.$field = value),
            meaning: $meaning,
            default: $default,
            endpoints: $endpoints,
        }
    };
}

/// Every parameter there is.
pub const PARAMS: [ParamSpec; 39] = [
    param!("width" Integer width, "width in pixels of the box or the result", "by the ratio", PICTURES),
    param!("height" Integer height, "height in pixels of the box or the result", "by the ratio", PICTURES),
    param!("top" Integer top, "first row of the area or of the watermark picture", "0", OFFSETS),
    param!("left" Integer left, "first column of the area or of the watermark picture", "0", OFFSETS),
    param!("areawidth" Integer areawidth, "width in pixels of the area", "the target's width", AREAS),
    param!("areaheight" Integer areaheight, "height in pixels of the area", "the target's height", AREAS),
    param!("quality" Integer quality, "JPEG and WebP quality, 1 to 100", "75", PICTURES),
    param!("compression" Integer compression, "PNG compression, 1 to 9", "6", PICTURES),
    param!("rotate" Integer rotate, "turn clockwise by 90, 180 or 270 degrees; other values are lowered to the next of these", "0", PICTURES),
    param!("factor" Integer factor, "additional copies of each pixel across and down", "0", &[Zoom]),
    param!("margin" Integer margin, "space in pixels between the repeated texts", "textwidth", &[Watermark]),
    param!("dpi" Integer dpi, "resolution of the text", "150", &[Watermark]),
    param!("textwidth" Integer textwidth, "width in pixels at which the text is wrapped", "a sixth of the picture", &[Watermark]),
    param!("opacity" Float opacity, "opacity of the watermark, 0 to 1", "0.25 for text, 1 for a picture", WATERMARKS),
    param!("flip" Boolean flip, "mirror left and right", "false", &pictures_without::<14>(&[Flip])),
    param!("flop" Boolean flop, "mirror top and bottom", "false", &pictures_without::<14>(&[Flop])),
    param!("force" Boolean force, "stretch to exactly width and height", "false", PICTURES),
    param!("embed" Boolean embed, "lay the scaled picture on a canvas of width and height", "false", EMBEDDING),
    ParamSpec {
        name: "nocrop",
        kind: Kind::Boolean(|params, value| params.nocrop = Some(value)),
        meaning: "whether what does not fit stays; false crops on resize",
        default: "true on resize and zoom, false on enlarge",
        endpoints: &[Resize, Enlarge, Zoom],
    },
    param!("noprofile" Boolean noprofile, "drop the ICC profile", "false", PICTURES),
    param!("norotation" Boolean norotation, "ignore the EXIF orientation", "false", &pictures_without::<14>(&[Rotate])),
    param!("noreplicate" Boolean noreplicate, "draw the text once instead of all over", "false", &[Watermark]),
    param!("stripmeta" Boolean stripmeta, "drop EXIF, ICC profile and all other metadata", "false", PICTURES),
    param!("text" Text text, "text of the watermark", "", &[Watermark]),
    param!("image" Text image, "URL of the watermark picture", "", &[WatermarkImage]),
    param!("font" Text font, "font of the text: families, style, size in points", "sans 10", &[Watermark]),
    param!("type" Text type_name, "format of the result: jpeg, png, webp, tiff or auto", "the source's", PICTURES),
    param!("color" Colour color, "colour of the text as R,G,B", "0,0,0", &[Watermark]),
    param!("colorspace" Colorspace colorspace, "bw for grey", "srgb", PICTURES),
    param!("gravity" Gravity gravity, "part that a crop keeps: north, south, east, west, centre or smart; smart also cuts where nothing else crops", "centre", CROPPING),
    param!("background" Colour background, "colour behind transparency and of added canvas as R,G,B", "none", PICTURES),
    param!("extend" Extend extend, "filling of added canvas: black, white, copy, mirror, background or lastpixel", "copy", CANVASES),
    param!("sigma" Float sigma, "standard deviation in pixels of a blur, up to 1000", "0", PICTURES),
    param!("minampl" Float minampl, "stands in for sigma where one is required; changes nothing", "0", &[Blur]),
    param!("operations" Operations operations, "JSON list of at most ten operations", "", &[Pipeline]),
    param!("interlace" Boolean interlace, "progressive JPEG; PNG is never interlaced", "false", PICTURES),
    param!("aspectratio" Text aspectratio, "W:H, gives the side that is missing", "", ONE_SIDED),
    param!("palette" Boolean palette, "PNG with at most 256 colours", "false", PICTURES),
    param!("speed" Integer speed, "accepted for compatibility; AVIF is not written yet", "0", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_every_row_says_something() {
        for (i, spec) in PARAMS.iter().enumerate() {
            assert!(PARAMS[..i].iter().all(|other| other.name != spec.name), "{} twice", spec.name);
            assert!(!spec.meaning.is_empty(), "{}", spec.name);
        }
    }

    #[test]
    fn json_numbers_keep_their_sign() {
        let mut params = Params::default();
        let read = |params: &mut Params, name: &str, json: &str| {
            let spec = PARAMS.iter().find(|spec| spec.name == name).unwrap();
            spec.kind.read_json(params, &serde_json::from_str(json).unwrap())
        };
        read(&mut params, "width", "-50.9").unwrap();
        read(&mut params, "height", "\"-50.9\"").unwrap();
        read(&mut params, "sigma", "-2.5").unwrap();
        read(&mut params, "nocrop", "false").unwrap();
        assert_eq!((params.width, params.height, params.sigma, params.nocrop), (-50, 51, -2.5, Some(false)));
        for (name, json) in [("width", "null"), ("width", "true"), ("flip", "1"), ("text", "5"), ("color", "[1,2,3]")] {
            assert_eq!(read(&mut params, name, json), Err("unsupported value".to_owned()), "{name} {json}");
        }
    }
}
