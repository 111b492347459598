/// What a parameter's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rounded absolute value of a decimal number.
    Integer,
    /// Absolute value of a decimal number.
    Float,
    /// `true`, `false` and their short forms.
    Boolean,
    /// Any text.
    Text,
    /// `R,G,B`, 0 to 255 each.
    Colour,
    /// A word from a list.
    Word,
    /// JSON.
    Json,
}

impl Kind {
    /// The name in documentation and on the form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Colour => "colour",
            Self::Word => "word",
            Self::Json => "json",
        }
    }
}

/// One query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// As written; case counts.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// One line for people.
    pub help: &'static str,
}

const fn param(name: &'static str, kind: Kind, help: &'static str) -> Param {
    Param { name, kind, help }
}

use Kind::{Boolean, Colour, Float, Integer, Json, Text, Word};

/// Every parameter that is read, in the order of the documentation.
pub const PARAMS: &[Param] = &[
    param("width", Integer, "width of the result in pixels"),
    param("height", Integer, "height of the result in pixels"),
    param("top", Integer, "top edge of the area, or of the watermark picture"),
    param("left", Integer, "left edge of the area, or of the watermark picture"),
    param("areawidth", Integer, "width of the area to extract"),
    param("areaheight", Integer, "height of the area to extract"),
    param("quality", Integer, "JPEG and WebP quality, 1 to 100; default 75"),
    param("compression", Integer, "PNG compression, 1 to 9; default 6"),
    param("rotate", Integer, "clockwise rotation: 90, 180 or 270; replaces EXIF rotation"),
    param("factor", Integer, "zoom: every pixel is repeated factor + 1 times"),
    param("margin", Integer, "space after the watermark text in pixels; default textwidth"),
    param("dpi", Integer, "resolution for the watermark text; default 150"),
    param("textwidth", Integer, "wrap width of the watermark text in pixels; default a sixth of the picture"),
    param("speed", Integer, "effort of encoders that have one"),
    param("opacity", Float, "opacity of the watermark; text 0.25 by default, picture 1"),
    param("sigma", Float, "standard deviation of the blur in pixels, up to 1000"),
    param("minampl", Float, "accepted; does not change the answer"),
    param("flip", Boolean, "mirror left and right"),
    param("flop", Boolean, "mirror top and bottom"),
    param("force", Boolean, "stretch to exactly width x height"),
    param("embed", Boolean, "pad to width x height"),
    param("nocrop", Boolean, "false: fill width x height and crop"),
    param("noprofile", Boolean, "drop the ICC profile"),
    param("norotation", Boolean, "ignore the EXIF orientation"),
    param("noreplicate", Boolean, "draw the watermark text once"),
    param("stripmeta", Boolean, "drop all metadata"),
    param("interlace", Boolean, "progressive JPEG"),
    param("palette", Boolean, "8-bit indexed PNG"),
    param("text", Text, "watermark text"),
    param("font", Text, "font of the watermark text; default sans 10"),
    param("color", Colour, "colour of the watermark text; default 0,0,0"),
    param("image", Text, "URL of the watermark picture"),
    param("type", Word, "format of the result: jpeg png webp tiff auto"),
    param("gravity", Word, "what a crop keeps: centre north south east west smart"),
    param("extend", Word, "what padding is made of: black white copy mirror background lastpixel"),
    param("background", Colour, "colour under transparency and of padding"),
    param("colorspace", Word, "srgb or bw"),
    param("aspectratio", Text, "W:H, when only one of width and height is given"),
    param("operations", Json, "operations of a pipeline"),
];
