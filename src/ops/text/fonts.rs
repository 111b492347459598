use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cosmic_text::fontdb::{Database, FaceInfo, ID, Query, Source};
use cosmic_text::skrifa::{FontRef, MetadataProvider};
use cosmic_text::{Family, Stretch, Style, Weight};

use super::font::FontRequest;

/// Faces inside the program: text looks the same on every machine, and none needs fonts installed.
static BUNDLED: [&[u8]; 4] = [
    include_bytes!("../../../assets/fonts/DejaVuSans.ttf"),
    include_bytes!("../../../assets/fonts/DejaVuSans-Bold.ttf"),
    include_bytes!("../../../assets/fonts/DejaVuSerif.ttf"),
    include_bytes!("../../../assets/fonts/DejaVuSansMono.ttf"),
];

/// The family of last resort, bundled.
pub(super) const DEFAULT_FAMILY: &str = "DejaVu Sans";

/// Names, in lower case, and the families that stand for them.
type Names = [(&'static [&'static str], &'static [&'static str])];

/// Names that stand for a kind of font, with the face that answers for it.
const GENERIC: &Names = &[
    (&["sans", "sans-serif", "sans serif", "system-ui"], &["DejaVu Sans"]),
    (&["serif"], &["DejaVu Serif"]),
    (&["mono", "monospace"], &["DejaVu Sans Mono"]),
];

/// Common families that are seldom installed, with those of the same measures that are.
const STAND_INS: &Names = &[
    (&["verdana"], &["DejaVu Sans"]),
    (&["arial", "helvetica"], &["Liberation Sans", "Arimo", "Nimbus Sans", "DejaVu Sans"]),
    (&["times", "times new roman"], &["Liberation Serif", "Tinos", "Nimbus Roman", "DejaVu Serif"]),
    (&["courier", "courier new"], &["Liberation Mono", "Cousine", "Nimbus Mono PS", "DejaVu Sans Mono"]),
];

/// Faces taken from the system for one text at most, to cover characters that the chosen face lacks.
const MAX_FALLBACKS: usize = 4;

/// Characters whose system face is remembered; beyond, memory starts afresh.
const MAX_REMEMBERED: usize = 4096;

/// What shaping needs to find a face again in a database that holds it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Face {
    pub(super) family: String,
    pub(super) weight: Weight,
    pub(super) stretch: Stretch,
    /// As asked for, also where the face is upright: it is slanted then.
    pub(super) style: Style,
}

/// A database of the bundled faces alone.
pub(super) fn bundled() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let mut database = Database::new();
        for font in BUNDLED {
            database.load_font_source(Source::Binary(Arc::new(font)));
        }
        database
    })
}

/// The machine's own faces, found in its font directories on the first call. Only names are read; a face's file is
/// opened when the face is used.
fn system() -> &'static Database {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    DATABASE.get_or_init(|| {
        let mut database = Database::new();
        database.load_system_fonts();
        database
    })
}

/// The face for a description: the first family that is there, bundled ones before the machine's; the default family
/// when none is. The machine's fonts are looked at only if no bundled face answers exactly; the second part names the
/// face then.
pub(super) fn choose(request: &FontRequest) -> (Face, Option<ID>) {
    for name in &request.families {
        let name = name.to_lowercase();
        let listed = |names: &Names| names.iter().find(|(of, _)| of.contains(&name.as_str())).map_or(&[][..], |e| e.1);
        let generic = listed(GENERIC);
        // A generic name is never installed; an installed Arial goes before what stands in for it.
        let own = if generic.is_empty() { Some(name.as_str()) } else { None };
        let candidates = own.into_iter().chain(generic.iter().copied()).chain(listed(STAND_INS).iter().copied());
        for family in candidates {
            if let Some(found) = find(family, request) {
                return found;
            }
        }
    }
    find(DEFAULT_FAMILY, request).unwrap_or_else(|| {
        let family = DEFAULT_FAMILY.to_owned();
        (Face { family, weight: Weight::NORMAL, stretch: Stretch::Normal, style: Style::Normal }, None)
    })
}

fn find(family: &str, request: &FontRequest) -> Option<(Face, Option<ID>)> {
    let ours = best(bundled(), family, request);
    if let Some((face, _, true)) = ours {
        return Some((face, None));
    }
    if let Some((face, id, _)) = best(system(), family, request) {
        return Some((face, Some(id)));
    }
    ours.map(|(face, ..)| (face, None))
}

/// The best face of a family (any case), and whether it is just what was asked for.
fn best(database: &Database, family: &str, request: &FontRequest) -> Option<(Face, ID, bool)> {
    let name = database
        .faces()
        .flat_map(|face| &face.families)
        .find(|(name, _)| name.to_lowercase() == family.to_lowercase())
        .map(|(name, _)| name.clone())?;
    let id = database.query(&Query {
        families: &[Family::Name(&name)],
        weight: request.weight,
        stretch: request.stretch,
        style: request.style,
    })?;
    let info = database.face(id)?;
    let exact = is_bold(info.weight) == is_bold(request.weight)
        && info.stretch == request.stretch
        && (info.style == Style::Normal) == (request.style == Style::Normal);
    let face = Face { family: name, weight: info.weight, stretch: info.stretch, style: request.style };
    Some((face, id, exact))
}

fn is_bold(weight: Weight) -> bool {
    weight.0 >= Weight::SEMIBOLD.0
}

/// What the system database knows of a face, to be added to another database.
pub(super) fn system_face(id: ID) -> Option<FaceInfo> {
    system().face(id).cloned()
}

/// Faces of the machine that hold characters which the chosen face lacks: few of them, the most regular first.
pub(super) fn covering(missing: &BTreeSet<char>) -> Vec<ID> {
    static REMEMBERED: Mutex<Option<HashMap<char, Option<ID>>>> = Mutex::new(None);
    let mut remembered = REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner);
    let remembered = remembered.get_or_insert_default();

    let mut open: Vec<char> = missing.iter().copied().filter(|c| !remembered.contains_key(c)).collect();
    if !open.is_empty() {
        if remembered.len() + open.len() > MAX_REMEMBERED {
            remembered.clear();
            open = missing.iter().copied().collect();
        }
        for id in by_preference() {
            if open.is_empty() {
                break;
            }
            let found = system().with_face_data(*id, |data, index| {
                let charmap = FontRef::from_index(data, index).ok()?;
                let charmap = charmap.charmap();
                Some(open.iter().copied().filter(|&c| charmap.map(c).is_some_and(|g| g.to_u32() != 0)).collect())
            });
            let found: Vec<char> = found.flatten().unwrap_or_default();
            remembered.extend(found.iter().map(|&c| (c, Some(*id))));
            open.retain(|c| !found.contains(c));
        }
        remembered.extend(open.iter().map(|&c| (c, None)));
    }

    let mut ids: Vec<ID> = Vec::new();
    for id in missing.iter().filter_map(|c| remembered.get(c).copied().flatten()) {
        if !ids.contains(&id) && ids.len() < MAX_FALLBACKS {
            ids.push(id);
        }
    }
    ids
}

/// The machine's faces, those first that suit running text; pictures of letters (emoji) last.
fn by_preference() -> &'static [ID] {
    static ORDER: OnceLock<Vec<ID>> = OnceLock::new();
    ORDER.get_or_init(|| {
        let mut faces: Vec<&FaceInfo> = system().faces().collect();
        faces.sort_by_cached_key(|face| {
            let family = face.families.first().map_or("", |(name, _)| name.as_str());
            (
                family.contains("Emoji"),
                face.style != Style::Normal,
                face.weight.0.abs_diff(Weight::NORMAL.0),
                face.stretch != Stretch::Normal,
                face.monospaced,
                !family.contains("Sans"),
                face.post_script_name.clone(),
            )
        });
        faces.into_iter().map(|face| face.id).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Family, weight, whether bundled.
    fn chosen(description: &str) -> (String, u16, bool) {
        let (face, of_the_machine) = choose(&FontRequest::parse(description));
        (face.family, face.weight.0, of_the_machine.is_none())
    }

    #[test]
    fn bundled_families_and_generic_names_need_no_installed_fonts() {
        for (description, family, weight) in [
            ("sans 10", "DejaVu Sans", 400),
            ("Sans-Serif Bold 10", "DejaVu Sans", 700),
            ("dejavu sans semi-bold", "DejaVu Sans", 700),
            ("SERIF", "DejaVu Serif", 400),
            ("monospace 8", "DejaVu Sans Mono", 400),
            ("", "DejaVu Sans", 400),
            ("mono, Nonesuch 10", "DejaVu Sans Mono", 400),
        ] {
            assert_eq!(chosen(description), (family.to_owned(), weight, true), "{description}");
        }
    }

    #[test]
    fn an_unknown_family_gives_way_to_the_next_and_then_to_the_default() {
        assert_eq!(chosen("No Such Family, serif 12"), ("DejaVu Serif".to_owned(), 400, true));
        assert_eq!(chosen("No Such Family bold 12"), ("DejaVu Sans".to_owned(), 700, true));
    }
}
