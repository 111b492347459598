//! What stands in front is more patient than the server, and leaves signed URLs alone.

use std::time::Duration;

use super::super::set::{Set, called, list, text};
use super::{Faults, settings};

/// Filters and annotations that change a path or a query, by a part of their names.
const CHANGING: [&str; 7] = ["setQuery", "dropQuery", "modPath", "setPath", "normaliz", "rewrite", "queryToHeader"];

/// `25s` or `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let millis = text.strip_suffix("ms").and_then(|millis| millis.parse().ok()).map(Duration::from_millis);
    millis.or_else(|| text.strip_suffix('s')?.parse().ok().map(Duration::from_secs))
}

pub(super) fn check(set: &Set, faults: &mut Faults) {
    let configs = set.of_kind("Deployment").filter_map(|deployment| settings::config(set, deployment).ok());
    let Some(server) = configs.map(|config| config.server.request_timeout.unwrap_or(Duration::MAX)).max() else {
        return;
    };
    for route in set.of_kind("HTTPRoute") {
        let name = called(route);
        for rule in list(&route["spec"]["rules"]) {
            let [request, backend] =
                ["/timeouts/request", "/timeouts/backendRequest"].map(|at| duration(text(rule, at)));
            faults.unless(
                backend > Some(server),
                format!("{name}: {backend:?} is not more than the server's {server:?}"),
            );
            faults.unless(request >= backend, format!("{name}: a request ends before its part"));
            faults.unless(rule.get("filters").is_none(), format!("{name}: a filter in front of signed URLs"));
            let weights = list(&rule["backendRefs"]).filter(|backend| backend.get("weight").is_some()).count();
            let all = list(&rule["backendRefs"]).count();
            faults
                .unless(weights == 0 || weights == all, format!("{name}: a backend without a weight has the weight 1"));
        }
    }
    for ingress in set.of_kind("Ingress") {
        let name = called(ingress);
        for (annotation, value) in ingress["metadata"]["annotations"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            faults.unless(!annotation.starts_with("nginx."), format!("{name}: ingress-nginx is retired"));
            let changes = CHANGING.iter().any(|part| annotation.contains(part) || value.contains(part));
            faults.unless(!changes, format!("{name}: {annotation} changes signed URLs"));
            if annotation == "zalando.org/skipper-filter" {
                let argument =
                    |filter: &str| duration(value.split(filter).nth(1)?.strip_prefix("(\"")?.split('"').next()?);
                let timeout = argument("backendTimeout");
                faults.unless(
                    timeout > Some(server),
                    format!("{name}: {timeout:?} is not more than the server's {server:?}"),
                );
                if value.contains("fadeIn") {
                    let ready = |d: &serde_json::Value| d["spec"]["minReadySeconds"].as_u64().map(Duration::from_secs);
                    let same = set.of_kind("Deployment").all(|deployment| ready(deployment) == argument("fadeIn"));
                    faults.unless(same, format!("{name}: fadeIn and minReadySeconds differ"));
                }
            }
        }
    }
}
