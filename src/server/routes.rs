//! The URL table.

use std::borrow::Cow;

use crate::plan::Endpoint;

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`: versions.
    Index,
    /// `/form`: the page.
    Form,
    /// `/health`: how the process is.
    Health,
    /// `/resize`, …: pictures, and what is known of them.
    Image(Endpoint),
    /// Any other path under the prefix `/`: 404 after the checks that every route has.
    Unknown,
    /// Outside the prefix: 404 at once.
    Outside,
}

impl Route {
    /// The route of a decoded path. Case counts, and so does every slash: `/resize/` and `//resize` are unknown.
    pub(super) fn of(path: &str, prefix: &str) -> Self {
        // With a prefix, only the paths of the table exist; without one, `/` answers for all others (a 404 of its own).
        let (Some(rest), other) =
            (path.strip_prefix(prefix), if prefix.is_empty() { Self::Unknown } else { Self::Outside })
        else {
            return Self::Outside;
        };
        match rest {
            "" if !prefix.is_empty() => Self::Index,
            "/" if prefix.is_empty() => Self::Index,
            "/form" => Self::Form,
            "/health" => Self::Health,
            _ => rest.strip_prefix('/').and_then(Endpoint::from_path_segment).map_or(other, Self::Image),
        }
    }

    /// A name for figures and for the throttle: a fixed set, whatever clients write.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Form => "form",
            Self::Health => "health",
            Self::Image(endpoint) => endpoint.name(),
            Self::Unknown | Self::Outside => "unknown",
        }
    }

    /// Whether the route makes pictures or speaks of one.
    pub(super) const fn is_image(self) -> bool {
        matches!(self, Self::Image(_))
    }
}

/// The path with its escapes resolved, which is what is routed, signed and compared.
pub(super) fn decoded(path: &str) -> Cow<'_, [u8]> {
    percent_encoding::percent_decode_str(path).into()
}

/// The prefix as it is compared: empty, or with a slash in front and none behind.
pub(crate) fn normalised_prefix(prefix: &str) -> String {
    let parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() { String::new() } else { format!("/{}", parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_paths_are_routes() {
        assert!(Route::of("/resize", "").is_image());
        assert_eq!(Route::of("/", ""), Route::Index);
        assert_eq!(Route::of("/health", ""), Route::Health);
        for path in ["/resize/", "/resize/extra", "//resize", "/./resize", "/Resize", "/health/", "/x", "", "/nope"] {
            assert_eq!(Route::of(path, ""), Route::Unknown, "{path}");
        }
    }

    #[test]
    fn a_prefix_hides_everything_else() {
        assert!(Route::of("/api/v1/resize", "/api/v1").is_image());
        assert_eq!(Route::of("/api/v1", "/api/v1"), Route::Index);
        assert_eq!(Route::of("/api/v1/form", "/api/v1"), Route::Form);
        for path in ["/", "/resize", "/api/v1/", "/api/v1resize", "/api/v1/x", "/api/v2/resize", "/API/v1/resize"] {
            assert_eq!(Route::of(path, "/api/v1"), Route::Outside, "{path}");
        }
    }

    #[test]
    fn prefixes_are_cleaned() {
        for (written, meant) in [("/", ""), ("", ""), ("api", "/api"), ("/api/", "/api"), ("//a/./b//", "/a/b")] {
            assert_eq!(normalised_prefix(written), meant);
        }
    }
}
