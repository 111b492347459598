//! How far parser and renderer would go into a document, found before they do.
//!
//! usvg follows elements into their children and into what they refer to: `use`, `pattern`, `mask`, `clipPath`,
//! `marker`, `filter`. It bounds the first kind alone, so a chain of ten thousand patterns in a small file would overrun
//! any stack, and twelve patterns that use the next one ten times each would take for ever. Depth and number of
//! elements are counted here through both kinds; what refers back to itself is refused.

use std::collections::HashMap;

use resvg::usvg::roxmltree::{Document, Node, NodeId};

use super::{malformed, over_limit};
use crate::codecs::DecodeError;

/// Deepest descent through children and references together. Drawing programs stay below 30. See the stack
/// size in `mod.rs` for what this takes.
const MAX_DEPTH: u32 = 128;

/// Most elements, each counted as often as something leads to it; attributes and texts count too. An element takes
/// some microseconds.
const MAX_ELEMENTS: u64 = 500_000;

/// Bytes of attributes that count as one more element.
const ATTRIBUTE_BYTES: u64 = 64;

/// Points of a path that fit into [`ATTRIBUTE_BYTES`]; each may get a marker.
const VERTICES: u64 = ATTRIBUTE_BYTES / 2;

/// Most pairs of a selector and an element, each of which the parser compares.
const MAX_COMPARISONS: usize = 4_000_000;

/// Refuses documents that would take usvg or resvg too deep or too far. The answer is the number of elements, each as
/// often as something leads to it, with attributes and texts in elements.
///
/// # Errors
/// [`DecodeError::Malformed`] for a root that is not `svg` or references in a circle, [`DecodeError::OverLimit`].
pub(super) fn check(document: &Document<'_>) -> Result<u64, DecodeError> {
    let root = document.root_element();
    if root.tag_name().name() != "svg" {
        return Err(malformed("the root element is not svg"));
    }
    let elements = document.descendants().filter_map(|node| Some((node.attribute("id")?, node))).collect();
    let mut rules = HashMap::new();
    let mut selectors = 0;
    for style in document.descendants().filter(|node| node.is_element() && node.tag_name().name() == "style") {
        for text in style.children().filter_map(|node| node.text()) {
            selectors += text.matches([',', '{']).count();
            read_rules(text, &mut rules);
        }
    }
    if selectors.saturating_mul(document.descendants().count()) > MAX_COMPARISONS {
        return Err(over_limit("style sheets times elements", MAX_COMPARISONS as u64));
    }
    Walk { elements, rules, known: HashMap::new() }.enter(root, MAX_DEPTH).map(|extent| extent.elements)
}

/// What lies under an element, itself included.
#[derive(Debug, Clone, Copy)]
struct Extent {
    depth: u32,
    elements: u64,
}

/// A reference to an element.
#[derive(Debug, Clone, Copy)]
struct Reference<'a> {
    id: &'a str,
    kind: Kind,
}

/// How often what is referred to is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Once for the referring element.
    Once,
    /// For each element under it.
    Inherited,
    /// For each point of each element under it.
    Marker,
}

/// The part of a selector that decides which elements a rule may apply to; never fewer than it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Selector<'a> {
    Any,
    Class(&'a str),
    Id(&'a str),
    Tag(&'a str),
}

struct Walk<'a, 'input> {
    elements: HashMap<&'a str, Node<'a, 'input>>,
    rules: HashMap<Selector<'a>, Vec<Reference<'a>>>,
    /// `None` while an element is being walked.
    known: HashMap<NodeId, Option<Extent>>,
}

impl<'a, 'input> Walk<'a, 'input> {
    /// The extent of `node`, no deeper than `allowed`, which also bounds this recursion.
    fn enter(&mut self, node: Node<'a, 'input>, allowed: u32) -> Result<Extent, DecodeError> {
        let extent = match self.known.get(&node.id()) {
            Some(Some(extent)) => *extent,
            Some(None) => return Err(malformed("elements refer to each other in a circle")),
            None if allowed == 0 => return Err(over_limit("nesting", MAX_DEPTH.into())),
            None => {
                self.known.insert(node.id(), None);
                let extent = self.measure(node, allowed)?;
                self.known.insert(node.id(), Some(extent));
                extent
            }
        };
        if extent.depth > allowed {
            return Err(over_limit("nesting", MAX_DEPTH.into()));
        }
        if extent.elements > MAX_ELEMENTS {
            return Err(over_limit("the number of elements", MAX_ELEMENTS));
        }
        Ok(extent)
    }

    fn measure(&mut self, node: Node<'a, 'input>, allowed: u32) -> Result<Extent, DecodeError> {
        let bytes: usize = node.attributes().map(|attribute| attribute.value().len()).sum();
        let mut total = Extent { depth: 1, elements: 1 + bytes as u64 / ATTRIBUTE_BYTES };
        if node.tag_name().name() == "text" {
            total.elements += text_weight(node);
        }
        for child in node.children().filter(Node::is_element) {
            let under = self.enter(child, allowed - 1)?;
            total.depth = total.depth.max(1 + under.depth);
            total.elements += under.elements;
        }
        let mut references = self.references(node);
        // What is linked inherits as children do, so it comes first.
        references.sort_by_key(|reference| reference.kind);
        let mut inheriting = total.elements;
        for reference in references {
            let Some(target) = self.elements.get(reference.id).copied().filter(|target| holds_content(*target)) else {
                continue;
            };
            let under = self.enter(target, allowed - 1)?;
            total.depth = total.depth.max(1 + under.depth);
            let times = match reference.kind {
                Kind::Once => 1,
                Kind::Inherited => inheriting,
                Kind::Marker => inheriting.saturating_mul(VERTICES),
            };
            total.elements = total.elements.saturating_add(under.elements.saturating_mul(times));
            if reference.kind == Kind::Once {
                inheriting = total.elements;
            }
        }
        Ok(total)
    }

    /// What an element refers to by attributes and by style sheets.
    fn references(&self, node: Node<'a, 'input>) -> Vec<Reference<'a>> {
        let mut found = Vec::new();
        for attribute in node.attributes() {
            match attribute.name() {
                "href" => found
                    .extend(attribute.value().trim().strip_prefix('#').map(|id| Reference { id, kind: Kind::Once })),
                "style" => found.extend(declared(attribute.value())),
                name => found.extend(in_value(name, attribute.value())),
            }
        }
        if !self.rules.is_empty() {
            let classes = node.attribute("class").unwrap_or_default().split_whitespace().map(Selector::Class);
            let id = node.attribute("id").map(Selector::Id);
            let others = [Selector::Any, Selector::Tag(node.tag_name().name())];
            for selector in classes.chain(id).chain(others) {
                found.extend(self.rules.get(&selector).into_iter().flatten());
            }
        }
        found
    }
}

/// A text element, in elements: usvg's layout takes time by the square of its length, and by length times spans.
fn text_weight(node: Node<'_, '_>) -> u64 {
    let (mut characters, mut spans) = (0u64, 1u64);
    for part in node.descendants() {
        if part.is_text() {
            characters += part.text().map_or(0, |text| text.len() as u64);
        } else {
            let lists = part.attributes().filter(|a| matches!(a.name(), "x" | "y" | "dx" | "dy" | "rotate"));
            let numbers: u64 = lists.map(|a| a.value().len() as u64 / 2).sum();
            spans += 1 + numbers / 10;
        }
    }
    characters + characters.saturating_mul(characters.saturating_add(spans.saturating_mul(200))) / 3000
}

/// Whether references to this element lead to more elements that are drawn; gradients have none.
fn holds_content(node: Node<'_, '_>) -> bool {
    !matches!(node.tag_name().name(), "linearGradient" | "radialGradient")
}

/// The references in declarations like `fill:url(#id); stroke:…`.
fn declared(text: &str) -> impl Iterator<Item = Reference<'_>> {
    text.split(';').filter_map(|one| one.split_once(':')).flat_map(|(name, value)| in_value(name.trim(), value))
}

/// The ids in `url(#id)`, with or without quotes.
fn in_value<'a>(property: &str, value: &'a str) -> impl Iterator<Item = Reference<'a>> {
    let kind = match property {
        "clip-path" | "mask" | "filter" => Kind::Once,
        "marker" | "marker-mid" => Kind::Marker,
        _ => Kind::Inherited,
    };
    value.split("url(").skip(1).filter_map(move |rest| {
        let inside = rest.split(')').next()?;
        let id = inside.trim().trim_matches(['"', '\'']).trim().strip_prefix('#')?;
        Some(Reference { id, kind })
    })
}

/// Collects the references in the rules of a style sheet under what their selectors end in.
fn read_rules<'a>(sheet: &'a str, rules: &mut HashMap<Selector<'a>, Vec<Reference<'a>>>) {
    for rule in sheet.split('}') {
        let Some((head, body)) = rule.rsplit_once('{') else { continue };
        let references: Vec<Reference<'a>> = declared(body).collect();
        if references.is_empty() {
            continue;
        }
        let selectors = head.rsplit('{').next().unwrap_or(head);
        for selector in selectors.split(',') {
            rules.entry(last_part(selector)).or_default().extend(&references);
        }
    }
}

/// What the last compound of a selector asks for; anything but plain names counts as everything.
fn last_part(selector: &str) -> Selector<'_> {
    let compound = selector.trim().rsplit([' ', '\t', '\n', '\r', '>', '+', '~']).next().unwrap_or_default();
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_');
    if let Some(name) = compound.rsplit_once('.').map(|(_, name)| name).filter(|name| is_name(name)) {
        Selector::Class(name)
    } else if let Some(name) = compound.rsplit_once('#').map(|(_, name)| name).filter(|name| is_name(name)) {
        Selector::Id(name)
    } else if is_name(compound) {
        Selector::Tag(compound)
    } else {
        Selector::Any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<(), DecodeError> {
        check(&Document::parse(text).unwrap()).map(drop)
    }

    fn svg(content: &str) -> String {
        format!("<svg xmlns='http://www.w3.org/2000/svg'>{content}</svg>")
    }

    #[test]
    fn children_count() {
        let nested = |n: usize| svg(&format!("{}{}", "<g>".repeat(n), "</g>".repeat(n)));
        assert_eq!(checked(&nested(MAX_DEPTH as usize - 1)), Ok(()));
        assert!(checked(&nested(MAX_DEPTH as usize)).is_err());
        assert!(checked(&nested(20_000)).is_err());
    }

    #[test]
    fn references_count_in_any_order() {
        let chain = |n: usize, backwards: bool| {
            let mut links: Vec<String> = (0..n)
                .map(|i| format!("<pattern id='p{i}'><path style='fill: url( \"#p{}\" )'/></pattern>", i + 1))
                .collect();
            if backwards {
                links.reverse();
            }
            svg(&links.concat())
        };
        for backwards in [false, true] {
            assert_eq!(checked(&chain(60, backwards)), Ok(()));
            assert!(checked(&chain(70, backwards)).is_err());
        }
        let uses: String = (0..200).map(|i| format!("<use id='u{i}' href='#u{}'/>", i + 1)).collect();
        assert!(checked(&svg(&uses)).is_err());
    }

    #[test]
    fn gradients_do_not_count_and_circles_are_refused() {
        let gradients: String = (0..500).map(|i| format!("<linearGradient id='g{i}' href='#g{}'/>", i + 1)).collect();
        assert_eq!(checked(&svg(&gradients)), Ok(()));
        assert!(checked(&svg("<mask id='m'><g mask='url(#m)'/></mask>")).is_err());
    }

    #[test]
    fn repetition_multiplies_also_by_inheritance() {
        let tenfold = |levels: usize| {
            let links: String = (0..levels)
                .map(|i| format!("<g id='g{i}'>{}</g>", format!("<use href='#g{}'/>", i + 1).repeat(10)))
                .collect();
            svg(&format!("<defs>{links}</defs>"))
        };
        assert_eq!(checked(&tenfold(4)), Ok(()));
        assert!(checked(&tenfold(9)).is_err());
        let paths = "<path/>".repeat(1000);
        let inherited = |fill: &str| svg(&format!("<pattern id='p'>{paths}</pattern><g {fill}>{paths}</g>"));
        assert_eq!(checked(&inherited("clip-path='url(#p)'")), Ok(()));
        assert!(checked(&inherited("fill='url(#p)'")).is_err());
    }

    #[test]
    fn long_texts_and_long_attributes_count() {
        let text = |n: usize, part: &str| svg(&format!("<text>{}</text>", part.repeat(n)));
        assert_eq!(checked(&text(30_000, "x")), Ok(()));
        assert!(checked(&text(50_000, "x")).is_err());
        assert_eq!(checked(&text(2000, "<tspan>x</tspan>")), Ok(()));
        assert!(checked(&text(3000, "<tspan>x</tspan>")).is_err());
        let path = |uses: usize| {
            svg(&format!("<path id='p' d='{}'/>{}", "M0 0".repeat(16_000), "<use href='#p'/>".repeat(uses)))
        };
        assert_eq!(checked(&path(400)), Ok(()));
        assert!(checked(&path(600)).is_err());
    }

    #[test]
    fn comparing_selectors_is_bounded() {
        let flood = |n: usize| svg(&format!("<style>{}</style>{}", ".a{b:c}".repeat(n), "<g/>".repeat(n)));
        assert_eq!(checked(&flood(1500)), Ok(()));
        assert!(checked(&flood(2500)).is_err());
    }

    #[test]
    fn style_sheets_count_as_attributes_do() {
        let chain = |n: usize, selector: fn(usize) -> String| {
            let rules: String = (0..n).map(|i| format!("{}{{a:b;fill:url(#p{})}}", selector(i), i + 1)).collect();
            let patterns: String =
                (0..n).map(|i| format!("<pattern id='p{i}'><path id='i{i}' class='x c{i}'/></pattern>")).collect();
            svg(&format!("<style>{rules}</style>{patterns}"))
        };
        let selectors: [fn(usize) -> String; 3] =
            [|i| format!(".c{i}"), |i| format!("g, pattern > path.x.c{i}"), |i| format!("#i{i}")];
        for selector in selectors {
            assert_eq!(checked(&chain(50, selector)), Ok(()));
            assert!(checked(&chain(70, selector)).is_err());
        }
        assert!(checked(&chain(3, |_| "*".into())).is_err());
    }

    #[test]
    fn another_root_is_refused() {
        assert!(checked("<html/>").is_err());
    }
}
