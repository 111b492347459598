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
