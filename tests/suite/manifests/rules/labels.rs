//! Every selector finds pods, and those that it is meant for.

use super::super::set::{Set, called, labels, list, pod, selects, text};
use super::Faults;

/// Services that have the pods of every pool.
const COMMON: [&str; 2] = ["phasor", "phasor-admin"];

pub(super) fn check(set: &Set, faults: &mut Faults) {
    let deployments: Vec<_> = set.of_kind("Deployment").collect();
    faults.unless(!deployments.is_empty(), "there is no Deployment");
    for deployment in &deployments {
        let name = called(deployment);
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        faults.unless(selects(selector, labels(deployment)), format!("{name} does not select its own pods"));
        faults.unless(set.selected(selector).len() <= 1, format!("{name} selects the pods of another"));
        for spread in list(&pod(deployment)["topologySpreadConstraints"]) {
            let own = set.selected(&spread["labelSelector"]["matchLabels"]) == [*deployment];
            faults.unless(own, format!("the spread of {name} is not over its own pods"));
        }
        let having = |kind: &str, pointer: &str| {
            let of_it = |selector| selects(selector, labels(deployment));
            set.of_kind(kind).filter(|document| document.pointer(pointer).is_some_and(of_it)).count()
        };
        let budgets = having("PodDisruptionBudget", "/spec/selector/matchLabels");
        faults.unless(budgets == 1, format!("{name} has {budgets} PodDisruptionBudgets"));
        let policies = having("NetworkPolicy", "/spec/podSelector/matchLabels");
        faults.unless(policies == 1, format!("{name} has {policies} NetworkPolicies"));
        faults.unless(having("Service", "/spec/selector") > 0, format!("{name} has no Service"));
    }
    for (kind, pointer) in [
        ("Service", "/spec/selector"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ("NetworkPolicy", "/spec/podSelector/matchLabels"),
    ] {
        for document in set.of_kind(kind) {
            let found = document.pointer(pointer).map_or(0, |selector| set.selected(selector).len());
            let common = kind == "Service" && COMMON.contains(&text(document, "/metadata/name"));
            let right = if common { found == deployments.len() } else { found == 1 };
            faults.unless(right, format!("{} selects the pods of {found} Deployments", called(document)));
        }
    }
    for monitor in set.of_kind("ServiceMonitor") {
        let selector = &monitor["spec"]["selector"]["matchLabels"];
        let found = set.of_kind("Service").filter(|service| selects(selector, &service["metadata"]["labels"])).count();
        faults.unless(found == 1, format!("{} selects {found} Services", called(monitor)));
    }
}
