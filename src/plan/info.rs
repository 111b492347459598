use crate::codecs::Header;

/// The body of `/info`: section 5.4 of the contract. Width and height as stored, before EXIF orientation.
pub fn info_json(header: &Header) -> String {
    format!(
        concat!(
            r#"{{"width":{},"height":{},"type":"{}","space":"{}","#,
            r#""hasAlpha":{},"hasProfile":{},"channels":{},"orientation":{}}}"#
        ),
        header.size.width(),
        header.size.height(),
        header.format.name(),
        header.space.name(),
        header.alpha,
        header.profile,
        header.channels,
        header.exif_orientation,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::{Format, Space};
    use crate::image::Size;

    #[test]
    fn keys_stand_in_the_contract_s_order() {
        let header = Header {
            format: Format::Jpeg,
            size: Size::new(550, 740).unwrap(),
            exif_orientation: 6,
            alpha: false,
            space: Space::Gray,
            channels: 1,
            profile: true,
            scratch_bytes: 0,
        };
        assert_eq!(
            info_json(&header),
            r#"{"width":550,"height":740,"type":"jpeg","space":"b-w","hasAlpha":false,"hasProfile":true,"channels":1,"orientation":6}"#
        );
    }
}
