use crate::codecs::{OutputFormat, OutputSpace};
use crate::image::{Gravity, Rgb8};
use crate::query::Query;

use super::choices::{Extend, parse_aspect_ratio};
use super::error::PlanError;
use super::goquote::quote;
use super::operations::Operation;
use super::table::PARAMS;

/// What was asked, typed. Zero, empty and `false` stand for absent, as in the contract. Field names are the
/// parameters' names, so that [`PARAMS`] and this read alike.
///
/// Integers and floats from a query string are never negative; those from a pipeline's JSON may be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Params {
    /// Target width in pixels.
    pub width: i64,
    /// Target height in pixels.
    pub height: i64,
    /// First row of an area, or of a watermark picture.
    pub top: i64,
    /// First column of an area, or of a watermark picture.
    pub left: i64,
    /// Width of an area.
    pub areawidth: i64,
    /// Height of an area.
    pub areaheight: i64,
    /// JPEG and WebP quality.
    pub quality: i64,
    /// PNG compression.
    pub compression: i64,
    /// Degrees clockwise.
    pub rotate: i64,
    /// Space between repeated watermark texts in pixels.
    pub margin: i64,
    /// Zoom: additional copies of each pixel.
    pub factor: i64,
    /// Resolution of a watermark text.
    pub dpi: i64,
    /// Wrap width of a watermark text in pixels.
    pub textwidth: i64,
    /// AVIF encoding speed.
    pub speed: i64,
    /// Opacity of a watermark.
    pub opacity: f64,
    /// Blur radius.
    pub sigma: f64,
    /// Accepted; changes nothing.
    pub minampl: f64,
    /// Mirror left-right.
    pub flip: bool,
    /// Mirror top-bottom.
    pub flop: bool,
    /// Stretch to exactly the target.
    pub force: bool,
    /// Lay the picture on a canvas of the target's size.
    pub embed: bool,
    /// Do not crop; `None` when not given at all.
    pub nocrop: Option<bool>,
    /// Drop the ICC profile.
    pub noprofile: bool,
    /// Ignore the EXIF orientation.
    pub norotation: bool,
    /// One watermark text instead of many.
    pub noreplicate: bool,
    /// Drop all metadata.
    pub stripmeta: bool,
    /// Progressive JPEG, interlaced PNG.
    pub interlace: bool,
    /// Indexed PNG.
    pub palette: bool,
    /// Watermark text.
    pub text: String,
    /// URL of a watermark picture.
    pub image: String,
    /// Font of a watermark text.
    pub font: String,
    /// Output format as written; see [`Params::requested_type`].
    pub type_name: String,
    /// `W:H` as written.
    pub aspectratio: String,
    /// Colour of a watermark text; `None` unless it has three parts.
    pub color: Option<Rgb8>,
    /// Colour behind alpha and of added canvas; `None` unless it has three parts.
    pub background: Option<Rgb8>,
    /// Colour or grey.
    pub colorspace: OutputSpace,
    /// What a crop keeps.
    pub gravity: Gravity,
    /// How added canvas is filled.
    pub extend: Extend,
    /// Operations of a pipeline, their own parameters still untyped.
    pub operations: Vec<Operation>,
}

/// What `type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedType {
    /// Nothing: the source's format.
    Source,
    /// `auto`: negotiated with the client.
    Auto,
    /// A format.
    Format(OutputFormat),
}

/// A parameter whose value cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error while processing parameter \"{name}\" with value {value}, error: {reason}")]
pub struct ParamFault {
    /// Its name.
    pub name: &'static str,
    /// Its value, quoted.
    pub value: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A parameter of the query string that cannot be read (400).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Error while processing parameters, {0}")]
pub struct ParamError(pub ParamFault);

/// Reads every known parameter, whether or not the endpoint uses it. The first of repeated names counts; unknown names
/// are passed over.
///
/// # Errors
/// [`ParamError`] naming the first parameter, in the order written, that cannot be read.
pub fn parse(query: &Query) -> Result<Params, ParamError> {
    let mut params = Params::default();
    let mut seen = [false; PARAMS.len()];
    for (name, value) in query.pairs() {
        let Some(index) = PARAMS.iter().position(|spec| spec.name.as_bytes() == name) else { continue };
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        let spec = &PARAMS[index];
        spec.kind
            .read_text(&mut params, value)
            .map_err(|reason| ParamError(ParamFault { name: spec.name, value: quote(value), reason }))?;
    }
    Ok(params)
}

impl Params {
    /// What `type` says; only `auto` must be written exactly so, formats may be in any case.
    ///
    /// # Errors
    /// [`PlanError::UnknownType`] for anything that is no format.
    pub fn requested_type(&self) -> Result<RequestedType, PlanError> {
        match self.type_name.as_str() {
            "" => Ok(RequestedType::Source),
            "auto" => Ok(RequestedType::Auto),
            name => format_named(name).map(RequestedType::Format).ok_or(PlanError::UnknownType),
        }
    }

    /// Width and height with `aspectratio` applied: only when exactly one of them is there. Integer division comes
    /// first, as in the contract, so `width=100&aspectratio=16:9` is 100 × 54.
    pub(super) fn target(&self) -> (i64, i64) {
        match (self.width, self.height, parse_aspect_ratio(&self.aspectratio)) {
            (w, 0, Some((across, down))) if w > 0 => (w, (w / across).saturating_mul(down)),
            (0, h, Some((across, down))) if h > 0 => ((h / down).saturating_mul(across), h),
            (w, h, _) => (w, h),
        }
    }
}

/// The format of that name, in any case.
pub(super) fn format_named(name: &str) -> Option<OutputFormat> {
    use OutputFormat::{Gif, Jpeg, Pdf, Png, Svg, Tiff, Webp};
    [Jpeg, Png, Webp, Tiff, Gif, Svg, Pdf].into_iter().find(|format| name.eq_ignore_ascii_case(format.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: &str) -> Params {
        parse(&Query::parse(query.as_bytes())).unwrap()
    }

    fn message(query: &str) -> String {
        parse(&Query::parse(query.as_bytes())).unwrap_err().to_string()
    }

    #[test]
    fn first_value_counts_and_unknown_names_are_passed_over() {
        let p = parsed("width=10&width=abc&Width=7&nonsense=%ff&height=-20.5");
        assert_eq!((p.width, p.height), (10, 21));
    }

    #[test]
    fn nocrop_remembers_being_given() {
        assert_eq!(parsed("").nocrop, None);
        assert_eq!(parsed("nocrop").nocrop, Some(false));
        assert_eq!(parsed("nocrop=t").nocrop, Some(true));
    }

    #[test]
    fn defaults_stand_for_absent() {
        assert_eq!(parsed("").extend, Extend::Copy);
        assert_eq!(parsed("extend=").extend, Extend::Mirror);
        assert_eq!(parsed("background=1,2").background, None);
    }

    #[test]
    fn messages_are_the_contract_s() {
        let cases = [
            (
                "width=abc%22%0a",
                r#"Error while processing parameters, error while processing parameter "width" with value "abc\"\n", error: strconv.ParseFloat: parsing "abc\"\n": invalid syntax"#,
            ),
            (
                "width=%ff",
                r#"Error while processing parameters, error while processing parameter "width" with value "\xff", error: strconv.ParseFloat: parsing "\xff": invalid syntax"#,
            ),
            (
                "speed=1e400",
                r#"Error while processing parameters, error while processing parameter "speed" with value "1e400", error: strconv.ParseFloat: parsing "1e400": value out of range"#,
            ),
            (
                "sigma=x",
                r#"Error while processing parameters, error while processing parameter "sigma" with value "x", error: unsupported value"#,
            ),
            (
                "palette=yes",
                r#"Error while processing parameters, error while processing parameter "palette" with value "yes", error: unsupported value"#,
            ),
        ];
        for (query, text) in cases {
            assert_eq!(message(query), text);
        }
        assert!(message("operations={}").starts_with(
            r#"Error while processing parameters, error while processing parameter "operations" with value "{}", error: "#
        ));
    }

    #[test]
    fn types_are_known_in_any_case_but_auto_is_exact() {
        assert_eq!(parsed("type=JpEg").requested_type(), Ok(RequestedType::Format(OutputFormat::Jpeg)));
        assert_eq!(parsed("type=auto").requested_type(), Ok(RequestedType::Auto));
        assert_eq!(parsed("type").requested_type(), Ok(RequestedType::Source));
        for query in ["type=AUTO", "type=jpg", "type=heif", "type=+png"] {
            assert_eq!(parsed(query).requested_type(), Err(PlanError::UnknownType), "{query}");
        }
    }

    #[test]
    fn aspect_ratio_fills_in_one_side() {
        assert_eq!(parsed("width=100&aspectratio=16:9").target(), (100, 54));
        assert_eq!(parsed("height=90&aspectratio=16:9").target(), (160, 90));
        assert_eq!(parsed("width=5&height=6&aspectratio=16:9").target(), (5, 6));
        assert_eq!(parsed("aspectratio=16:9").target(), (0, 0));
        assert_eq!(parsed("width=10&aspectratio=16:9").target(), (10, 0));
        assert_eq!(parsed("width=10&aspectratio=0:9").target(), (10, 0));
    }
}
