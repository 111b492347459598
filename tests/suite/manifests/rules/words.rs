//! Words that the API server would refuse, and versions that it no longer knows.

use serde_json::Value;

use super::super::set::{Set, called};
use super::Faults;

/// The versions of today, by kind.
const VERSIONS: [(&str, &str); 14] = [
    ("ConfigMap", "v1"),
    ("Deployment", "apps/v1"),
    ("HTTPRoute", "gateway.networking.k8s.io/v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2"),
    ("Ingress", "networking.k8s.io/v1"),
    ("NetworkPolicy", "networking.k8s.io/v1"),
    ("PodDisruptionBudget", "policy/v1"),
    ("PrometheusRule", "monitoring.coreos.com/v1"),
    ("ResourceClaimTemplate", "resource.k8s.io/v1"),
    ("ScaledObject", "keda.sh/v1alpha1"),
    ("Secret", "v1"),
    ("Service", "v1"),
    ("ServiceAccount", "v1"),
    ("ServiceMonitor", "monitoring.coreos.com/v1"),
];

/// Fields that take one of a few words, wherever they stand.
const WORDS: [(&str, &[&str]); 14] = [
    ("allocationMode", &["ExactCount", "All"]),
    ("appProtocol", &["http"]),
    ("effect", &["NoSchedule", "PreferNoSchedule", "NoExecute"]),
    ("imagePullPolicy", &["Always", "IfNotPresent", "Never"]),
    ("metricType", &["AverageValue", "Value", "Utilization"]),
    ("operator", &["Exists", "Equal", "In", "NotIn", "DoesNotExist"]),
    ("pathType", &["Exact", "Prefix", "ImplementationSpecific"]),
    ("policyTypes", &["Ingress", "Egress"]),
    ("protocol", &["TCP", "UDP", "SCTP"]),
    ("scheme", &["http", "https"]),
    ("severity", &["critical", "warning", "info"]),
    ("topologyKey", &["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
    ("unhealthyPodEvictionPolicy", &["IfHealthyBudget", "AlwaysAllow"]),
    ("whenUnsatisfiable", &["DoNotSchedule", "ScheduleAnyway"]),
];

/// `type`, by what it stands in.
const TYPES: [(&str, &[&str]); 8] = [
    ("metrics", &["Resource", "ContainerResource", "Pods", "Object", "External"]),
    ("path", &["Exact", "PathPrefix", "RegularExpression"]),
    ("policies", &["Pods", "Percent"]),
    ("seccompProfile", &["RuntimeDefault", "Localhost", "Unconfined"]),
    ("spec", &["ClusterIP", "NodePort", "LoadBalancer"]),
    ("strategy", &["RollingUpdate", "Recreate"]),
    ("target", &["Utilization", "Value", "AverageValue"]),
    ("triggers", &["prometheus", "cpu"]),
];

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for document in set.all() {
        let (kind, version) = (&document["kind"], &document["apiVersion"]);
        let known = VERSIONS.iter().any(|(k, v)| kind == k && version == v);
        faults.unless(known, format!("{} {kind} is not of today", version));
        if kind != "ConfigMap" {
            walk(document, "", &called(document), faults);
        }
    }
}

fn walk(value: &Value, inside: &str, name: &str, faults: &mut Faults) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let words = if field == "type" {
                    TYPES.iter().find(|(parent, _)| *parent == inside)
                } else {
                    WORDS.iter().find(|(known, _)| known == field)
                };
                let mut texts = match value {
                    Value::Array(items) => items.as_slice(),
                    value => std::slice::from_ref(value),
                }
                .iter()
                .filter_map(Value::as_str);
                if let Some((_, words)) = words {
                    faults.unless(texts.all(|text| words.contains(&text)), format!("{name}: {field} {value}"));
                } else {
                    faults.unless(field != "type", format!("{name}: type of {inside}"));
                }
                walk(value, field, name, faults);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, inside, name, faults)),
        _ => {}
    }
}
