use super::{EncodeSpec, Limits, OutputSpace, exif};

/// What a file says besides its pixels, each as the raw bytes of its own format.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// EXIF: a TIFF stream (without the `Exif\0\0` of JPEG).
    pub exif: Option<Vec<u8>>,
    /// ICC profile, inflated and joined.
    pub icc: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
}

impl Metadata {
    /// Drops what is empty or longer than the limits.
    pub(super) fn within(mut self, limits: &Limits) -> Self {
        self.exif = self.exif.filter(|exif| !exif.is_empty() && exif.len() <= limits.metadata_bytes);
        self.icc = self.icc.filter(|icc| !icc.is_empty() && icc.len() <= limits.icc_bytes);
        self.xmp = self.xmp.filter(|xmp| !xmp.is_empty() && xmp.len() <= limits.metadata_bytes);
        self
    }

    /// What goes into an output: by the policy, EXIF sanitised, and no profile that does not fit the pixels (their
    /// numbers would mean nothing under it).
    pub(super) fn for_output(&self, spec: &EncodeSpec) -> Self {
        let policy = spec.metadata;
        Self {
            exif: self.exif.clone().filter(|_| policy.exif).and_then(|exif| exif::sanitised(exif, policy.orientation)),
            icc: self.icc.clone().filter(|icc| policy.icc && profile_fits(icc, spec.space)),
            xmp: self.xmp.clone().filter(|_| policy.exif),
        }
    }
}

/// Whether a profile's data colour space (ICC.1, header bytes 16 to 19) is that of the output. CMYK never is: such
/// pixels were converted on decoding.
fn profile_fits(icc: &[u8], space: OutputSpace) -> bool {
    let want = match space {
        OutputSpace::Srgb => b"RGB ",
        OutputSpace::Gray => b"GRAY",
    };
    icc.get(16..20) == Some(want)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::codecs::{MetadataPolicy, OutputFormat};

    /// The header of a profile for this colour space, and some bytes.
    pub(in crate::codecs) fn profile(space: &[u8; 4]) -> Vec<u8> {
        let mut icc = vec![7; 400];
        icc[16..20].copy_from_slice(space);
        icc
    }

    fn spec(space: OutputSpace, metadata: MetadataPolicy) -> EncodeSpec {
        EncodeSpec { space, metadata, ..EncodeSpec::new(OutputFormat::Jpeg) }
    }

    #[test]
    fn a_profile_is_kept_only_where_it_fits() {
        for (space, signature, kept) in [
            (OutputSpace::Srgb, b"RGB ", true),
            (OutputSpace::Srgb, b"GRAY", false),
            (OutputSpace::Srgb, b"CMYK", false),
            (OutputSpace::Gray, b"RGB ", false),
            (OutputSpace::Gray, b"GRAY", true),
            (OutputSpace::Gray, b"CMYK", false),
        ] {
            let metadata = Metadata { icc: Some(profile(signature)), ..Metadata::default() };
            assert_eq!(metadata.for_output(&spec(space, MetadataPolicy::KEEP)).icc.is_some(), kept);
        }
        let short = Metadata { icc: Some(vec![0; 16]), ..Metadata::default() };
        assert_eq!(short.for_output(&spec(OutputSpace::Srgb, MetadataPolicy::KEEP)).icc, None);
    }

    #[test]
    fn policy_decides() {
        let metadata = Metadata {
            exif: Some(exif::tests::sample(true, 6, b"")),
            icc: Some(profile(b"RGB ")),
            xmp: Some(b"<x/>".to_vec()),
        };
        assert_eq!(metadata.for_output(&spec(OutputSpace::Srgb, MetadataPolicy::STRIP)), Metadata::default());
        let kept = metadata.for_output(&spec(OutputSpace::Srgb, MetadataPolicy::KEEP));
        assert_eq!(kept.exif, Some(exif::tests::sample(true, 1, b"")));
        let no_icc =
            metadata.for_output(&spec(OutputSpace::Srgb, MetadataPolicy { icc: false, ..MetadataPolicy::KEEP }));
        assert!(no_icc.icc.is_none() && no_icc.xmp.is_some());
    }

    #[test]
    fn too_long_is_dropped() {
        let limits = Limits { icc_bytes: 3, metadata_bytes: 2, ..Limits::default() };
        let metadata =
            Metadata { exif: Some(vec![0; 3]), icc: Some(vec![0; 3]), xmp: Some(Vec::new()) }.within(&limits);
        assert_eq!(metadata, Metadata { exif: None, icc: Some(vec![0; 3]), xmp: None });
    }
}
