use crate::codecs::Header;

/// The JSON of `/info`, keys in the contract's order.
pub fn info_json(header: &Header) -> String {
    format!(
        "{{\"width\":{},\"height\":{},\"type\":\"{}\",\"space\":\"{}\",\"hasAlpha\":{},\"hasProfile\":{},\"channels\":{},\"orientation\":{}}}",
        header.size.width(),
        header.size.height(),
        header.format,
        header.space.name(),
        header.alpha,
        header.profile,
        header.channels,
        header.exif_orientation
    )
}
