use crate::codecs::OutputFormat;

/// What `type=auto` means for an `Accept` header (several header lines joined by `,`): the first of `image/webp`,
/// `image/png` and `image/jpeg` from left to right, in any case, weights ignored. `None`: the source's own format.
pub fn negotiate(accept: &str) -> Option<OutputFormat> {
    accept.split(',').find_map(|item| {
        let media_type = item.split(';').next().unwrap_or_default().trim();
        [("image/webp", OutputFormat::Webp), ("image/png", OutputFormat::Png), ("image/jpeg", OutputFormat::Jpeg)]
            .into_iter()
            .find_map(|(name, format)| media_type.eq_ignore_ascii_case(name).then_some(format))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_listed_type_wins_whatever_its_weight() {
        assert_eq!(negotiate("text/html, image/png;q=0.1, image/webp;q=1"), Some(OutputFormat::Png));
        assert_eq!(negotiate("IMAGE/WebP"), Some(OutputFormat::Webp));
        assert_eq!(negotiate(" image/jpeg ; q=0"), Some(OutputFormat::Jpeg));
        for none in ["", "*/*", "image/*", "image/webp2", "image/avif", "image/webp x", ";image/png"] {
            assert_eq!(negotiate(none), None, "{none}");
        }
    }
}
