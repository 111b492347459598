//! (endpoint, parameters, header) → plan.

use crate::codecs::{DecodeSpec, Format, Header, Limits, MetadataPolicy, OutputFormat, Shrink};
use crate::image::{Orientation, Rgb8, Size};
use crate::ops::{Sigma, Step};

use super::geometry::{Mode, place, positive, rounded};
use super::params::Params;
use super::{Endpoint, Overlay, Plan, encode, operations, watermark};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// `type` names no format (400).
    #[error("Unsupported output image format")]
    UnknownType,
    /// The result, or a picture on the way to it, is over the output limit (422).
    #[error("Image resolution is too big")]
    TooManyPixels,
    /// What is asked cannot be done to this picture (400).
    #[error("Error while processing the image: {0}")]
    Failed(String),
}

/// The picture as it would be after the steps so far.
#[derive(Clone)]
pub(super) struct State<'a> {
    limits: &'a Limits,
    pub(super) size: Size,
    /// EXIF orientation not yet applied.
    pending: Orientation,
    pub(super) gray: bool,
    alpha: bool,
    /// `None`: the source's own format, which is not written.
    format: Option<OutputFormat>,
    metadata: MetadataPolicy,
    pub(super) steps: Vec<Step>,
    pub(super) overlays: Vec<Overlay>,
    /// Parameters of the last operation, which say how to encode.
    last: Params,
}

impl State<'_> {
    pub(super) fn push_unchecked(&mut self, step: Step) {
        self.size = step.output_size(self.size);
        self.steps.push(step);
    }

    pub(super) fn push(&mut self, step: Step) -> Result<(), PlanError> {
        self.push_unchecked(step);
        self.check_size()
    }

    /// Whether the picture that the last step makes is within the limits.
    pub(super) fn check_size(&self) -> Result<(), PlanError> {
        let side = self.limits.side;
        // A picture that no step has made yet was judged by the input limit.
        if self.steps.is_empty()
            || (self.size.area() <= self.limits.output_pixels
                && self.size.width() <= side
                && self.size.height() <= side)
        {
            Ok(())
        } else {
            Err(PlanError::TooManyPixels)
        }
    }
}

/// Settles everything. `negotiated` is what the Accept header asks for; only `type=auto` looks at it.
///
/// # Errors
/// See [`PlanError`].
pub fn resolve(
    endpoint: Endpoint,
    params: &Params,
    header: &Header,
    limits: &Limits,
    negotiated: Option<OutputFormat>,
) -> Result<Plan, PlanError> {
    let asked = params.output_format(negotiated)?;
    let mut state = State {
        limits,
        size: header.size,
        pending: header.orientation(),
        gray: header.is_gray(),
        alpha: header.alpha,
        format: encode::of_source(header.format),
        metadata: MetadataPolicy::KEEP,
        steps: Vec::new(),
        overlays: Vec::new(),
        last: Params::default(),
    };
    if endpoint == Endpoint::Pipeline {
        for (endpoint, params, ignore) in operations::check(&params.operations)? {
            let before = state.clone();
            let type_ = match (encode::named(&params.type_), endpoint) {
                (None, Endpoint::Convert) if !params.type_.is_empty() => {
                    Err(PlanError::Failed(format!("Invalid image type: {}", params.type_)))
                }
                (type_, _) => Ok(type_),
            };
            match type_.and_then(|type_| operate(&mut state, endpoint, &params, type_, ignore)) {
                Ok(()) => {}
                Err(_) if ignore => state = before,
                Err(error) => return Err(error),
            }
        }
    } else {
        operate(&mut state, endpoint, params, asked, false)?;
    }
    let format = state.format.filter(|f| f.is_written()).ok_or_else(not_written)?;
    let limit = match format {
        OutputFormat::Webp => 16_383,
        _ => 65_535,
    };
    if state.size.width() > limit || state.size.height() > limit {
        return Err(PlanError::Failed(format!("a {format} image can be at most {limit} pixels wide or high")));
    }
    let decode = DecodeSpec { shrink: shrink(header, &state.steps) };
    let encode = encode::spec(format, &state.last, state.metadata);
    Ok(Plan { decode, overlays: state.overlays, steps: state.steps, encode })
}

fn not_written() -> PlanError {
    PlanError::Failed("Unsupported image output type".into())
}

impl Params {
    /// The format that `type` asks for; `None`: keep the source's.
    ///
    /// # Errors
    /// [`PlanError::UnknownType`].
    pub fn output_format(&self, negotiated: Option<OutputFormat>) -> Result<Option<OutputFormat>, PlanError> {
        match self.type_.as_str() {
            "" => Ok(None),
            "auto" => Ok(negotiated),
            name => encode::named(name).map(Some).ok_or(PlanError::UnknownType),
        }
    }
}

/// One operation on the picture as it is so far.
fn operate(
    state: &mut State<'_>,
    endpoint: Endpoint,
    params: &Params,
    type_: Option<OutputFormat>,
    optional: bool,
) -> Result<(), PlanError> {
    let missing = |what: &str| Err(PlanError::Failed(format!("Missing required {what}")));
    let (width, height) = (params.width, params.height);
    let (some, both) = (width != 0 || height != 0, width != 0 && height != 0);
    match endpoint {
        Endpoint::Resize if !some => return missing("param: height or width"),
        Endpoint::Fit | Endpoint::Enlarge if !both => return missing("params: height, width"),
        Endpoint::Extract if params.areawidth == 0 || params.areaheight == 0 => {
            return missing("params: areawidth or areaheight");
        }
        Endpoint::Crop | Endpoint::Smartcrop if !some => return missing("param: height or width"),
        Endpoint::Thumbnail if !some => return missing("params: width or height"),
        Endpoint::Zoom if params.factor <= 0 => return missing("param: factor"),
        Endpoint::Zoom if (params.top > 0 || params.left > 0) && params.areawidth == 0 && params.areaheight == 0 => {
            return missing("params: areawidth, areaheight");
        }
        Endpoint::Rotate if params.rotate == 0 => return missing("param: rotate"),
        Endpoint::Convert if type_.is_none() => return missing("param: type"),
        Endpoint::Watermark if params.text.is_empty() => return missing("param: text"),
        Endpoint::WatermarkImage if params.image.is_empty() => return missing("param: image"),
        Endpoint::Blur if params.sigma == 0.0 && params.minampl == 0.0 => {
            return missing("param: sigma or minampl");
        }
        _ => {}
    }
    if endpoint == Endpoint::Autorotate {
        orient(state, &Params::default())?;
        state.last = Params::default();
        // Between two operations the reference would have written a file.
        return if state.format.is_some() { Ok(()) } else { Err(not_written()) };
    }

    if let Some(type_) = type_ {
        if !type_.is_written() {
            return Err(not_written());
        }
        state.format = Some(type_);
    } else if state.format.is_none() {
        return Err(not_written());
    }
    let displayed = if params.norotation { state.size } else { state.pending.output_size(state.size) };
    orient(state, params)?;
    place(state, mode(endpoint, params, displayed), params)?;
    if params.sigma > Sigma::MAX {
        return Err(PlanError::Failed(format!("sigma can be at most {}", Sigma::MAX)));
    }
    if let Some(sigma) = Sigma::new(params.sigma).filter(|s| s.get() >= 0.2) {
        state.push(Step::Blur(sigma))?;
    }
    match endpoint {
        Endpoint::Watermark => watermark::text(state, params)?,
        Endpoint::WatermarkImage => watermark::image(state, params, optional)?,
        _ => {}
    }
    finish(state, params)
}

/// Flattening, colour and metadata.
fn finish(state: &mut State<'_>, params: &Params) -> Result<(), PlanError> {
    let holds_alpha = state.format.is_none_or(OutputFormat::holds_alpha);
    let background = params.background.filter(|&b| b != Rgb8::BLACK);
    let over = background.or_else(|| (!holds_alpha).then_some(Rgb8::BLACK));
    if let Some(over) = over
        && state.alpha
    {
        state.push(Step::Flatten(over))?;
        state.alpha = false;
    }
    if params.bw && !state.gray {
        state.push(Step::Gray)?;
        state.gray = true;
    }
    state.metadata.exif &= !params.stripmeta;
    state.metadata.icc &= !(params.stripmeta || params.noprofile);
    state.last = params.clone();
    Ok(())
}

/// EXIF orientation, or `rotate` in its place; then the mirrors.
fn orient(state: &mut State<'_>, params: &Params) -> Result<(), PlanError> {
    let mut turn = Orientation::UPRIGHT;
    if params.rotate > 0 {
        turn = Orientation::clockwise((params.rotate / 90).min(3) as u8);
        state.pending = Orientation::UPRIGHT;
    } else if !params.norotation {
        turn = std::mem::take(&mut state.pending);
    }
    // A mirrored EXIF orientation and a flip are one and the same mirror.
    if params.flip && !turn.is_mirrored() {
        turn = turn.then(Orientation::MIRROR);
    }
    if params.flop {
        turn = turn.then(Orientation::FLIP_VERTICAL);
    }
    if turn.is_upright() { Ok(()) } else { state.push(Step::Orient(turn)) }
}

fn mode(endpoint: Endpoint, params: &Params, displayed: Size) -> Mode {
    let (mut width, mut height) = (positive(params.width), positive(params.height));
    if let Some((w, h)) = params.aspectratio {
        let side = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        if width > 0 && height == 0 {
            height = side((i64::from(width) / w).saturating_mul(h));
        } else if height > 0 && width == 0 {
            width = side((i64::from(height) / h).saturating_mul(w));
        }
    }
    let crops = params.nocrop.map(|no| !no);
    let mut mode = Mode { width, height, embed: params.embed, force: params.force, ..Mode::default() };
    let area = [params.left, params.top, params.areawidth, params.areaheight].map(positive);
    match endpoint {
        Endpoint::Resize => {
            mode.embed = true;
            mode.crop = crops.unwrap_or(false);
        }
        Endpoint::Fit => {
            let (iw, ih) = (f64::from(displayed.width()), f64::from(displayed.height()));
            let (w, h) = (f64::from(width.max(1)), f64::from(height.max(1)));
            if iw * h > w * ih {
                mode.height = rounded(w * ih / iw);
            } else {
                mode.width = rounded(h * iw / ih);
            }
            mode.embed = true;
        }
        Endpoint::Enlarge => {
            mode.enlarge = true;
            mode.crop = !params.nocrop.unwrap_or(false);
        }
        Endpoint::Extract => mode.area = Some(area),
        Endpoint::Crop => mode.crop = true,
        Endpoint::Smartcrop => {
            mode.crop = true;
            mode.smart = true;
        }
        Endpoint::Zoom => {
            mode.zoom = positive(params.factor);
            mode.crop = crops.unwrap_or(false);
            mode.area = (params.top > 0 || params.left > 0).then_some(area);
        }
        Endpoint::Thumbnail
        | Endpoint::Rotate
        | Endpoint::Autorotate
        | Endpoint::Flip
        | Endpoint::Flop
        | Endpoint::Convert
        | Endpoint::Watermark
        | Endpoint::WatermarkImage
        | Endpoint::Blur
        | Endpoint::Info
        | Endpoint::Pipeline => {}
    }
    mode
}

/// The strongest shrink-on-load after which each side is still at least twice what the first resampling makes of it.
fn shrink(header: &Header, steps: &[Step]) -> Shrink {
    // Only drawings can be decoded smaller so far.
    if header.format != Format::Svg {
        return Shrink::One;
    }
    let mut size = header.size;
    for step in steps {
        match step {
            Step::Orient(o) => size = o.output_size(size),
            Step::Resample { to, .. } => {
                let enough = |s: Shrink| {
                    size.width() / s.divisor() >= 2 * to.width() && size.height() / s.divisor() >= 2 * to.height()
                };
                return [Shrink::Eighth, Shrink::Quarter, Shrink::Half]
                    .into_iter()
                    .find(|&s| enough(s))
                    .unwrap_or(Shrink::One);
            }
            _ => break,
        }
    }
    Shrink::One
}
