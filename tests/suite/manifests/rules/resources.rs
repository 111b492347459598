//! Requests, limits and cards.

use serde_json::Value;

use super::super::set::{Set, called, container, list, pod, text};
use super::Faults;

/// What plugins call their cards.
const CARDS: [&str; 5] =
    ["nvidia.com/gpu", "nvidia.com/gpu.shared", "amd.com/gpu", "gpu.intel.com/i915", "gpu.intel.com/xe"];

/// Thousandths of a quantity as Kubernetes reads it; `None`: it is none.
fn quantity(value: &Value) -> Option<u128> {
    let text = value.as_str()?;
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u128 = text[..end].parse().ok()?;
    Some(
        number
            * match &text[end..] {
                "m" => 1,
                "" => 1000,
                "k" => 1_000_000,
                "M" => 1_000_000_000,
                "G" => 1_000_000_000_000,
                "Ki" => 1000 << 10,
                "Mi" => 1000 << 20,
                "Gi" => 1000 << 30,
                _ => return None,
            },
    )
}

/// How the pods of a Deployment get a card, if they do.
pub(super) fn card(deployment: &Value) -> Option<&str> {
    let limits = container(deployment)["resources"]["limits"].as_object()?;
    let plugin = limits.keys().map(String::as_str).find(|name| CARDS.contains(name));
    plugin.or_else(|| pod(deployment)["resourceClaims"].is_array().then_some("claim"))
}

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let name = called(deployment);
        let resources = &container(deployment)["resources"];
        for kind in ["requests", "limits"] {
            for (resource, amount) in resources[kind].as_object().into_iter().flatten() {
                faults.unless(quantity(amount).is_some(), format!("{name}: {resource} {amount} is no quantity"));
                let known = ["cpu", "memory", "ephemeral-storage"].contains(&resource.as_str());
                faults.unless(known || CARDS.contains(&resource.as_str()), format!("{name}: what is {resource}?"));
            }
        }
        let memory = |kind: &str| quantity(&resources[kind]["memory"]);
        faults.unless(memory("limits").is_some(), format!("{name} has no memory limit"));
        // The server takes 70 % of its limit: a pod that was promised less would be the first to be evicted.
        faults.unless(memory("limits") == memory("requests"), format!("{name}: memory request and limit differ"));
        faults.unless(resources["limits"].get("cpu").is_none(), format!("{name}: a CPU limit throttles"));
        // PHASOR_CPUS is the request, rounded up.
        let cpus = quantity(&resources["requests"]["cpu"]);
        faults.unless(cpus.is_some_and(|cpus| cpus >= 1000 && cpus % 1000 == 0), format!("{name}: threads are whole"));
        for (resource, amount) in resources["limits"].as_object().into_iter().flatten() {
            if CARDS.contains(&resource.as_str()) {
                faults.unless(amount == "1", format!("{name}: {resource} {amount}: one card a pod"));
                let asked = resources["requests"].get(resource).is_none_or(|asked| asked == amount);
                faults.unless(asked, format!("{name}: {resource}: request and limit differ"));
            }
        }
        for resource in CARDS {
            let only_asked =
                resources["requests"].get(resource).is_some() && resources["limits"].get(resource).is_none();
            faults.unless(!only_asked, format!("{name}: {resource} has no limit"));
        }
        let Some(card) = card(deployment) else { continue };
        if card.starts_with("nvidia.com") || card == "claim" {
            let capabilities =
                set.variables(deployment).into_iter().find(|(name, _)| *name == "NVIDIA_DRIVER_CAPABILITIES");
            let vulkan =
                capabilities.and_then(|(_, value)| value).is_some_and(|list| list.split(',').any(|c| c == "graphics"));
            faults.unless(vulkan, format!("{name}: no Vulkan without graphics"));
            let tolerates = list(&pod(deployment)["tolerations"]).any(|taint| taint["key"] == "nvidia.com/gpu");
            faults.unless(tolerates, format!("{name}: nodes with cards are often tainted"));
        } else {
            let groups = list(&pod(deployment)["securityContext"]["supplementalGroups"]).count();
            faults.unless(groups > 0, format!("{name}: render nodes belong to a group"));
            let mesa = text(container(deployment), "/image").ends_with("-mesa");
            faults.unless(mesa, format!("{name}: the image has no driver for this card"));
        }
        let cache = set.variables(deployment).into_iter().find(|(name, _)| *name == "XDG_CACHE_HOME");
        let mounted = list(&container(deployment)["volumeMounts"])
            .any(|mount| mount["mountPath"].as_str() == cache.and_then(|(_, path)| path));
        faults.unless(mounted, format!("{name}: the driver's shader cache cannot be written"));
    }
}

#[test]
fn quantities_are_those_of_kubernetes() {
    for (text, expected) in
        [("1", Some(1000)), ("500m", Some(500)), ("1Gi", Some(1000 << 30)), ("64Mi", Some(1000 << 26))]
    {
        assert_eq!(quantity(&Value::from(text)), expected, "{text}");
    }
    for text in ["1Gib", "", "Gi", "-1", "1 Gi"] {
        assert_eq!(quantity(&Value::from(text)), None, "{text}");
    }
    assert_eq!(quantity(&Value::from(1)), None);
}
