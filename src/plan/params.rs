//! The query becomes typed parameters. Every parameter is read wherever it stands, used or not.

use crate::image::{Gravity, Rgb8};
use crate::query::Query;

use super::number::{self, NumberError, quoted};
use super::operations::{self, Operation};

/// How padding is asked for (`extend`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each variant is the word of its name")]
pub enum Extend {
    Black,
    White,
    #[default]
    Copy,
    Mirror,
    Background,
}

/// What was asked. Integers are never negative in a query; in a pipeline's JSON a negative one counts as given, then as
/// absent.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "each field is the parameter of its name in PARAMS")]
pub struct Params {
    pub width: i64,
    pub height: i64,
    pub top: i64,
    pub left: i64,
    pub areawidth: i64,
    pub areaheight: i64,
    pub quality: i64,
    pub compression: i64,
    pub rotate: i64,
    pub factor: i64,
    pub margin: i64,
    pub dpi: i64,
    pub textwidth: i64,
    pub speed: i64,
    pub opacity: f64,
    pub sigma: f64,
    pub minampl: f64,
    pub flip: bool,
    pub flop: bool,
    pub force: bool,
    pub embed: bool,
    pub nocrop: Option<bool>,
    pub noprofile: bool,
    pub norotation: bool,
    pub noreplicate: bool,
    pub stripmeta: bool,
    pub interlace: bool,
    pub palette: bool,
    pub text: String,
    pub font: String,
    pub color: Vec<u8>,
    pub image: String,
    /// As written.
    pub type_: String,
    pub gravity: Gravity,
    pub extend: Extend,
    pub background: Option<Rgb8>,
    pub bw: bool,
    pub aspectratio: Option<(i64, i64)>,
    pub operations: Vec<Operation>,
}

/// A parameter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Error while processing parameters, {0}")]
pub struct ParamError(pub(super) Fault);

/// Which parameter, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error while processing parameter \"{name}\" with value {}, error: {reason}", quoted(.value))]
pub(super) struct Fault {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(name: &str, value: &str, reason: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), reason: reason.into() }
    }
}

/// Reads all parameters of a query.
///
/// # Errors
/// [`ParamError`] names the first bad one.
pub fn parse(query: &Query) -> Result<Params, ParamError> {
    let mut params = Params::default();
    for param in super::PARAMS {
        if let Some(value) = query.get(param.name) {
            set(&mut params, param.name, &value).map_err(ParamError)?;
        }
    }
    Ok(params)
}

/// Sets one parameter from text; unknown names are ignored.
pub(super) fn set(params: &mut Params, name: &str, value: &str) -> Result<(), Fault> {
    if let Some(slot) = params.integer_mut(name) {
        *slot = number::integer(value).map_err(|e| {
            let what = match e {
                NumberError::Syntax => "invalid syntax",
                NumberError::Range => "value out of range",
            };
            Fault::new(name, value, format!("strconv.ParseFloat: parsing {}: {what}", quoted(value)))
        })?;
    } else if let Some(slot) = params.float_mut(name) {
        *slot = number::float(value).map_err(|_| Fault::new(name, value, "unsupported value"))?.abs();
    } else if name == "nocrop" {
        params.nocrop = Some(boolean(name, value)?);
    } else if let Some(slot) = params.boolean_mut(name) {
        *slot = boolean(name, value)?;
    } else {
        set_other(params, name, value)?;
    }
    Ok(())
}

fn boolean(name: &str, value: &str) -> Result<bool, Fault> {
    number::boolean(value).ok_or_else(|| Fault::new(name, value, "unsupported value"))
}

fn set_other(params: &mut Params, name: &str, value: &str) -> Result<(), Fault> {
    match name {
        "text" => params.text = value.into(),
        "font" => params.font = value.into(),
        "image" => params.image = value.into(),
        "type" => params.type_ = value.into(),
        "color" => params.color = colour(value),
        "background" => {
            params.background = match colour(value).as_slice() {
                &[r, g, b, ..] => Some(Rgb8 { r, g, b }),
                _ => None,
            };
        }
        "gravity" => {
            params.gravity = match value.trim().to_ascii_lowercase().as_str() {
                "north" => Gravity::North,
                "south" => Gravity::South,
                "east" => Gravity::East,
                "west" => Gravity::West,
                "smart" => Gravity::Smart,
                _ => Gravity::Centre,
            };
        }
        "extend" => {
            params.extend = match value.trim().to_ascii_lowercase().as_str() {
                "white" => Extend::White,
                "black" => Extend::Black,
                "copy" => Extend::Copy,
                "background" | "lastpixel" => Extend::Background,
                _ => Extend::Mirror,
            };
        }
        "colorspace" => params.bw = value == "bw",
        "aspectratio" => {
            let mut parts = value.trim().split(':');
            let mut side = || parts.next().and_then(|p| p.parse::<i64>().ok()).filter(|&v| v > 0);
            params.aspectratio = side().zip(side());
        }
        "operations" => {
            params.operations = operations::read(value).map_err(|reason| Fault::new(name, value, reason))?;
        }
        _ => {}
    }
    Ok(())
}

/// Comma-separated parts, each 0 to 255; what is no number is 0. Empty text has no parts.
fn colour(value: &str) -> Vec<u8> {
    if value.is_empty() {
        return Vec::new();
    }
    value
        .split(',')
        .take(3)
        .map(|part| {
            let part = part.trim_matches(' ');
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                0
            } else {
                part.parse::<u64>().map_or(255, |v| v.min(255) as u8)
            }
        })
        .collect()
}

impl Params {
    pub(super) fn integer_mut(&mut self, name: &str) -> Option<&mut i64> {
        Some(match name {
            "width" => &mut self.width,
            "height" => &mut self.height,
            "top" => &mut self.top,
            "left" => &mut self.left,
            "areawidth" => &mut self.areawidth,
            "areaheight" => &mut self.areaheight,
            "quality" => &mut self.quality,
            "compression" => &mut self.compression,
            "rotate" => &mut self.rotate,
            "factor" => &mut self.factor,
            "margin" => &mut self.margin,
            "dpi" => &mut self.dpi,
            "textwidth" => &mut self.textwidth,
            "speed" => &mut self.speed,
            _ => return None,
        })
    }

    pub(super) fn float_mut(&mut self, name: &str) -> Option<&mut f64> {
        Some(match name {
            "opacity" => &mut self.opacity,
            "sigma" => &mut self.sigma,
            "minampl" => &mut self.minampl,
            _ => return None,
        })
    }

    pub(super) fn boolean_mut(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "flip" => &mut self.flip,
            "flop" => &mut self.flop,
            "force" => &mut self.force,
            "embed" => &mut self.embed,
            "noprofile" => &mut self.noprofile,
            "norotation" => &mut self.norotation,
            "noreplicate" => &mut self.noreplicate,
            "stripmeta" => &mut self.stripmeta,
            "interlace" => &mut self.interlace,
            "palette" => &mut self.palette,
            _ => return None,
        })
    }
}
