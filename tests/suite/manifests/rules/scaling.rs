//! Updates can move, evictions leave somebody, and one autoscaler at most has a Deployment.

use serde_json::Value;

use super::super::set::{Set, called, container, labels, list, selects, text};
use super::{Faults, resources};

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let name = called(deployment);
        let update = &deployment["spec"]["strategy"]["rollingUpdate"];
        let (surge, missing) = (&update["maxSurge"], &update["maxUnavailable"]);
        faults.unless(*surge != 0 || *missing != 0, format!("{name}: an update cannot move"));
        let card = resources::card(deployment).is_some();
        faults.unless(!card || *surge == 0, format!("{name}: a pod more than there are cards waits for ever"));
        faults.unless(card || *missing == 0, format!("{name}: an update takes pods away before others are there"));
        let scalers: Vec<&Value> = ["HorizontalPodAutoscaler", "ScaledObject"]
            .into_iter()
            .flat_map(|kind| set.of_kind(kind))
            .filter(|scaler| {
                let target = &scaler["spec"]["scaleTargetRef"];
                target["kind"] == "Deployment" && target["name"] == deployment["metadata"]["name"]
            })
            .collect();
        faults.unless(scalers.len() <= 1, format!("{name} has {} autoscalers", scalers.len()));
        let replicas = deployment["spec"]["replicas"].as_u64();
        faults.unless(
            replicas.is_none() == (scalers.len() == 1),
            format!("{name}: replicas and an autoscaler, or neither"),
        );
        let least = scalers.first().map_or(replicas, |scaler| bounds(scaler).0).unwrap_or(1);
        let budgets = set.of_kind("PodDisruptionBudget");
        for budget in budgets.filter(|budget| selects(&budget["spec"]["selector"]["matchLabels"], labels(deployment))) {
            let spec = &budget["spec"];
            faults.unless(spec.get("minAvailable").is_none(), format!("{} has two bounds", called(budget)));
            let may = spec["maxUnavailable"].as_u64();
            faults.unless(
                may.is_some_and(|may| 0 < may && may < least),
                format!("{}: no pod may go, or all", called(budget)),
            );
        }
    }
    for kind in ["HorizontalPodAutoscaler", "ScaledObject"] {
        for scaler in set.of_kind(kind) {
            let name = called(scaler);
            let deployment = set.get("Deployment", text(scaler, "/spec/scaleTargetRef/name"));
            faults.unless(deployment.is_some(), format!("{name} scales nothing"));
            let (least, most) = bounds(scaler);
            faults.unless(least >= Some(2), format!("{name}: one pod is no fleet"));
            faults.unless(least <= most, format!("{name}: {least:?} to {most:?} pods"));
            if let Some(fallback) = scaler["spec"].get("fallback") {
                let replicas = fallback["replicas"].as_u64();
                faults.unless(
                    replicas >= least && replicas <= most,
                    format!("{name}: the fallback is out of its bounds"),
                );
            }
            for metric in list(&scaler["spec"]["metrics"]).filter_map(|metric| metric.get("containerResource")) {
                let there = deployment.is_some_and(|deployment| metric["container"] == container(deployment)["name"]);
                faults.unless(there, format!("{name}: there is no container {}", metric["container"]));
            }
        }
    }
}

/// The least and the most pods.
fn bounds(scaler: &Value) -> (Option<u64>, Option<u64>) {
    let spec = &scaler["spec"];
    let read = |names: [&str; 2]| names.iter().find_map(|name| spec[*name].as_u64());
    (read(["minReplicas", "minReplicaCount"]), read(["maxReplicas", "maxReplicaCount"]))
}
