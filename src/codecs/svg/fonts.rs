//! The fonts of this build: DejaVu, in `assets/fonts`, licence beside them.

use std::sync::{Arc, OnceLock};

use resvg::usvg::{self, fontdb};

/// The family for everything that names none of ours.
pub(super) const SANS: &str = "DejaVu Sans";
const SERIF: &str = "DejaVu Serif";
const MONO: &str = "DejaVu Sans Mono";

/// Files, in the order in which they are searched for characters.
static FILES: [&[u8]; 4] = [
    include_bytes!("../../../assets/fonts/DejaVuSans.ttf"),
    include_bytes!("../../../assets/fonts/DejaVuSans-Bold.ttf"),
    include_bytes!("../../../assets/fonts/DejaVuSerif.ttf"),
    include_bytes!("../../../assets/fonts/DejaVuSansMono.ttf"),
];

/// The fonts, read once and shared.
pub(super) fn database() -> Arc<fontdb::Database> {
    static DATABASE: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let database = DATABASE.get_or_init(|| {
        let mut database = fontdb::Database::new();
        for file in FILES {
            database.load_font_source(fontdb::Source::Binary(Arc::new(file)));
        }
        database.set_sans_serif_family(SANS);
        database.set_cursive_family(SANS);
        database.set_fantasy_family(SANS);
        database.set_serif_family(SERIF);
        database.set_monospace_family(MONO);
        Arc::new(database)
    });
    Arc::clone(database)
}

/// Finds fonts by family, generic names as usual; without a match sans serif.
pub(super) fn resolver() -> usvg::FontResolver<'static> {
    usvg::FontResolver {
        select_font: Box::new(|font, database| {
            let mut families: Vec<fontdb::Family<'_>> = font.families().iter().map(family).collect();
            families.push(fontdb::Family::SansSerif);
            let style = match font.style() {
                usvg::FontStyle::Normal => fontdb::Style::Normal,
                usvg::FontStyle::Italic => fontdb::Style::Italic,
                usvg::FontStyle::Oblique => fontdb::Style::Oblique,
            };
            database.query(&fontdb::Query {
                families: &families,
                weight: fontdb::Weight(font.weight()),
                stretch: fontdb::Stretch::Normal,
                style,
            })
        }),
        ..usvg::FontResolver::default()
    }
}

fn family(family: &usvg::FontFamily) -> fontdb::Family<'_> {
    match family {
        usvg::FontFamily::Serif => fontdb::Family::Serif,
        usvg::FontFamily::Monospace => fontdb::Family::Monospace,
        usvg::FontFamily::SansSerif | usvg::FontFamily::Cursive | usvg::FontFamily::Fantasy => {
            fontdb::Family::SansSerif
        }
        usvg::FontFamily::Named(name) => fontdb::Family::Name(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_families_are_there() {
        let database = database();
        assert_eq!(database.len(), FILES.len());
        for family in [fontdb::Family::SansSerif, fontdb::Family::Serif, fontdb::Family::Monospace] {
            let query = fontdb::Query { families: &[family], ..fontdb::Query::default() };
            assert!(database.query(&query).is_some(), "{family:?}");
        }
    }
}
