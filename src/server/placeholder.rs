//! The picture that answers errors.

use std::io;
use std::time::Instant;

use actix_web::web::Bytes;

use super::config::Placeholder;
use super::refusal::Refusal;
use crate::codecs::{self, Header, Limits};
use crate::engine::{Engine, Job, Output};
use crate::error::Error;
use crate::plan::{self, Endpoint};
use crate::query::Query;

/// Our own 400 × 400 JPEG.
const BUILT_IN: &[u8] = include_bytes!("../../assets/placeholder.jpg");

/// The bytes and what is known of them.
#[derive(Debug)]
pub(super) struct Picture {
    bytes: Bytes,
    header: Header,
}

impl Picture {
    /// Reads the picture that the settings name.
    ///
    /// # Errors
    /// When it cannot be read, or is no picture that this build reads.
    pub(super) fn load(which: &Placeholder, limits: &Limits) -> io::Result<Option<Self>> {
        let bytes = match which {
            Placeholder::Off => return Ok(None),
            Placeholder::BuiltIn => Bytes::from_static(BUILT_IN),
            Placeholder::File(path) => std::fs::read(path)?.into(),
        };
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
        let header = codecs::probe(&bytes, limits).map_err(|error| invalid(format!("-placeholder: {error}")))?;
        Ok(Some(Self { bytes, header }))
    }

    /// The picture stretched to the `width` and `height` that the failed request asked for, in its `type` where that
    /// is a known one.
    ///
    /// # Errors
    /// A width or height that is no number, a type that is not written, a size over the limits.
    pub(super) async fn fitted(&self, engine: &Engine, query: &Query, deadline: Instant) -> Result<Output, Error> {
        let side = |name: &str| query.get_bytes(name).map(escaped).unwrap_or_default();
        let asked = Query::parse(format!("width={}&height={}", side("width"), side("height")).as_bytes());
        let params = plan::parse(&asked)?;
        let upright = self.header.orientation().output_size(self.header.size);
        let width: i64 = if params.width > 0 { params.width } else { upright.width().into() };
        let height: i64 = if params.height > 0 { params.height } else { upright.height().into() };
        // `auto` is no type here, as in imaginary: the answer to an error is not negotiated.
        let kind = query.get("type").unwrap_or_default().to_ascii_lowercase();
        let known = matches!(kind.as_str(), "jpeg" | "png" | "webp" | "tiff" | "gif" | "svg" | "pdf");
        let kind = if known { kind.as_str() } else { "" };
        let text = format!("width={width}&height={height}&force=true&type={kind}");
        let params = plan::parse(&Query::parse(text.as_bytes()))?;
        let plan = plan::resolve(Endpoint::Resize, &params, &self.header, engine.limits(), None)?;
        if !plan.overlays.is_empty() {
            return Err(Refusal::Panicked.into());
        }
        let job = Job { source: self.bytes.clone(), header: self.header.clone(), plan, overlays: Vec::new() };
        Ok(engine.run(job, deadline).await?)
    }
}

fn escaped(value: &[u8]) -> String {
    percent_encoding::percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_picture_is_a_jpeg_of_400_by_400() {
        let picture = Picture::load(&Placeholder::BuiltIn, &Limits::default()).unwrap().unwrap();
        assert_eq!((picture.header.size.width(), picture.header.size.height()), (400, 400));
        assert_eq!(picture.header.format, codecs::Format::Jpeg);
    }

    #[test]
    fn a_file_that_is_no_picture_is_refused() {
        let here = Placeholder::File(file!().into());
        assert!(Picture::load(&here, &Limits::default()).is_err());
    }
}
