//! What one object names, another is, or it is listed here as somebody else's.

use std::collections::BTreeSet;

use super::super::set::{Set, called, container, list, pod, text};
use super::Faults;

/// The Secret that the operator makes, and its keys.
const SECRET: (&str, [&str; 2]) = ("phasor-signing", ["key", "more"]);

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let (name, pod, container) = (called(deployment), pod(deployment), container(deployment));
        let names = |value, pointer| list(value).map(|entry| text(entry, pointer)).collect::<BTreeSet<_>>();
        let (volumes, mounts) = (names(&pod["volumes"], "/name"), names(&container["volumeMounts"], "/name"));
        faults.unless(volumes == mounts, format!("{name}: volumes {volumes:?}, mounts {mounts:?}"));
        let (claims, used) =
            (names(&pod["resourceClaims"], "/name"), names(&container["resources"]["claims"], "/name"));
        faults.unless(claims == used, format!("{name}: resource claims {claims:?}, used {used:?}"));
        for template in names(&pod["resourceClaims"], "/resourceClaimTemplateName") {
            let there = set.get("ResourceClaimTemplate", template).is_some();
            faults.unless(there, format!("{name}: there is no ResourceClaimTemplate {template}"));
        }
        let account = text(pod, "/serviceAccountName");
        faults.unless(set.get("ServiceAccount", account).is_some(), format!("{name}: there is no account {account}"));
        for from in list(&container["envFrom"]) {
            let map = text(from, "/configMapRef/name");
            faults.unless(set.get("ConfigMap", map).is_some(), format!("{name}: there is no ConfigMap {map}"));
        }
        for entry in list(&container["env"]) {
            let variable = text(entry, "/name");
            let Some(from) = entry.get("valueFrom") else {
                faults.unless(entry["value"].is_string(), format!("{name}: {variable} has no value"));
                continue;
            };
            let right = if let Some(secret) = from.get("secretKeyRef") {
                text(secret, "/name") == SECRET.0 && SECRET.1.contains(&text(secret, "/key"))
            } else if let Some(field) = from.get("resourceFieldRef") {
                let (list, resource) = text(field, "/resource").split_once('.').unwrap_or_default();
                field["containerName"] == container["name"] && container["resources"][list].get(resource).is_some()
            } else {
                false
            };
            faults.unless(right, format!("{name}: {variable} comes from nowhere"));
        }
    }
}
