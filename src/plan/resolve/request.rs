use crate::image::Gravity;
use crate::plan::{Endpoint, Params};

use super::draft::Draft;

/// What an endpoint makes of its parameters: the common path looks at this alone for its geometry.
#[derive(Debug)]
pub(super) struct Request<'p> {
    pub(super) params: &'p Params,
    /// Target in pixels, at most `i32::MAX`; zero or less: not given.
    pub(super) width: i64,
    pub(super) height: i64,
    /// Stretch; never together with `crop` or `embed` in effect.
    pub(super) force: bool,
    pub(super) crop: bool,
    pub(super) embed: bool,
    pub(super) enlarge: bool,
    pub(super) gravity: Gravity,
    pub(super) flip: bool,
    pub(super) flop: bool,
    /// Window of the scaled picture, where the endpoint has one.
    pub(super) area: Option<Area>,
    /// Additional copies of each pixel.
    pub(super) zoom: i64,
}

/// A window as asked for: a side of 0 stands for the target's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) left: i64,
    pub(super) top: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

impl Area {
    /// The area of the parameters, unless all four are zero.
    fn of(p: &Params) -> Option<Self> {
        let area = Self { left: p.left, top: p.top, width: p.areawidth, height: p.areaheight };
        (p.left != 0 || p.top != 0 || p.areawidth != 0 || p.areaheight != 0).then_some(area)
    }
}

impl<'p> Request<'p> {
    pub(super) fn new(endpoint: Endpoint, params: &'p Params, draft: &Draft) -> Self {
        const MOST: i64 = i32::MAX as i64;
        let (width, height) = params.target();
        let mut request = Self {
            params,
            width: width.clamp(-MOST, MOST),
            height: height.clamp(-MOST, MOST),
            force: params.force,
            crop: false,
            embed: params.embed,
            enlarge: false,
            gravity: params.gravity,
            flip: params.flip,
            flop: params.flop,
            area: None,
            zoom: 0,
        };
        match endpoint {
            Endpoint::Resize => {
                request.embed = true;
                request.crop = params.nocrop == Some(false);
            }
            Endpoint::Fit => {
                request.embed = true;
                request.fit_into_box(draft);
            }
            Endpoint::Enlarge => {
                request.enlarge = true;
                request.crop = params.nocrop != Some(true);
            }
            Endpoint::Extract => request.area = Area::of(params),
            Endpoint::Crop => request.crop = true,
            Endpoint::SmartCrop => {
                request.crop = true;
                request.gravity = Gravity::Smart;
            }
            Endpoint::Zoom => {
                request.zoom = params.factor;
                if params.top > 0 || params.left > 0 {
                    request.area = Area::of(params);
                    request.crop = params.nocrop == Some(false);
                }
            }
            Endpoint::Flip => request.flip = true,
            Endpoint::Flop => request.flop = true,
            Endpoint::Thumbnail
            | Endpoint::Rotate
            | Endpoint::AutoRotate
            | Endpoint::Convert
            | Endpoint::Watermark
            | Endpoint::WatermarkImage
            | Endpoint::Blur
            | Endpoint::Info
            | Endpoint::Pipeline => {}
        }
        let unshaped = !request.crop && !request.embed && !request.enlarge && !request.force && params.rotate == 0;
        if unshaped && (request.width > 0 || request.height > 0) {
            request.force = true;
        }
        if request.force {
            // Crop still counts in `scale` for a missing side, so it is only `place` that looks away.
            request.embed = false;
        }
        request
    }

    /// Shrinks the target to the ratio of the displayed picture. A turn asked for does not turn the box.
    fn fit_into_box(&mut self, draft: &Draft) {
        if self.width <= 0 || self.height <= 0 {
            (self.width, self.height) = (0, 0);
            return;
        }
        let p = self.params;
        let shown = if p.rotate == 0 && !p.norotation { draft.pending.output_size(draft.size) } else { draft.size };
        let (iw, ih) = (i64::from(shown.width()), i64::from(shown.height()));
        // Neither product overflows: sides are below 2³² and targets below 2³¹.
        let round = |x: f64| (x.round() as i64).max(1);
        if iw * self.height > self.width * ih {
            self.height = round(self.width as f64 * ih as f64 / iw as f64);
        } else {
            self.width = round(self.height as f64 * iw as f64 / ih as f64);
        }
    }
}
