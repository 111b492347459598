//! Every object against the types of Kubernetes' own API: a field that is unknown or of another type is an error. (One
//! that is missing is not: those are what the rules look for.)

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::resource::v1::ResourceClaimTemplate;
use serde::Deserialize;
use serde_json::Value;

use super::set::{Set, called, read, rendered};
use super::{SETS, crds};

/// Everything that the types refuse.
fn faults(set: &Set) -> Vec<String> {
    set.all()
        .iter()
        .flat_map(|document| fault(document).into_iter().map(|what| format!("{}: {what}", called(document))))
        .collect()
}

fn fault(document: &Value) -> Vec<String> {
    match document["kind"].as_str().unwrap_or_default() {
        "ConfigMap" => typed::<ConfigMap>(document),
        "Deployment" => typed::<Deployment>(document),
        "HorizontalPodAutoscaler" => typed::<HorizontalPodAutoscaler>(document),
        "Ingress" => typed::<Ingress>(document),
        "NetworkPolicy" => typed::<NetworkPolicy>(document),
        "PodDisruptionBudget" => typed::<PodDisruptionBudget>(document),
        "ResourceClaimTemplate" => typed::<ResourceClaimTemplate>(document),
        "Secret" => typed::<Secret>(document),
        "Service" => typed::<Service>(document),
        "ServiceAccount" => typed::<ServiceAccount>(document),
        kind => match crds::fault(document) {
            Some(Ok(())) => Vec::new(),
            Some(Err(fault)) => vec![fault],
            None => vec![format!("nobody knows the kind {kind}")],
        },
    }
}

fn typed<T: for<'a> Deserialize<'a>>(document: &Value) -> Vec<String> {
    let mut unknown = Vec::new();
    let read = serde_ignored::deserialize::<_, _, T>(document.clone(), |path| {
        // The parser takes these two out before the type sees them.
        if !["apiVersion", "kind"].contains(&path.to_string().as_str()) {
            unknown.push(format!("unknown field {path}"));
        }
    });
    unknown.extend(read.err().map(|error| error.to_string()));
    unknown
}

#[test]
fn every_object_is_of_its_type() {
    for (name, _) in SETS {
        assert_eq!(faults(&Set::parse(&rendered(name)).unwrap()), Vec::<String>::new(), "{name}");
    }
    let plugin = Set::parse(&read("k8s/device-plugin/time-slicing.yaml")).unwrap();
    assert_eq!(faults(&plugin), Vec::<String>::new());
}

#[test]
fn faults_of_type_are_found() {
    for (name, right, wrong, fault) in [
        ("cpu", "terminationGracePeriodSeconds", "terminationGracePeriod", "unknown field"),
        ("cpu", "minReadySeconds: 5", "minReadySeconds: \"5\"", "expected i32"),
        ("cpu", "containerPort: 9000", "containerPort: http", "expected i32"),
        ("cpu", "value: \"9000\"", "value: 9000", "string"),
        ("cpu", "averageUtilization: 70", "averageUtilisation: 70", "unknown field"),
        ("cpu", "unhealthyPodEvictionPolicy", "unhealthyPodEviction", "unknown field"),
        ("cpu", "readOnlyRootFilesystem", "readOnlyRootFileSystem", "unknown field"),
        ("cpu", "kind: ServiceAccount", "kind: Account", "nobody knows"),
        ("nvidia-dra", "resourceClaimTemplateName", "resourceClaimTemplate", "unknown field"),
        ("nvidia-dra", "exactly:", "exact:", "unknown field"),
        ("site-ingress", "pathType", "pathtype", "unknown field"),
        ("site-gateway", "backendRequest:", "backendTimeout:", "backendTimeout"),
        ("site-gateway", "maxReplicaCount", "maxReplicas", "maxReplicas"),
        ("site-gateway", "threshold: \"24\"", "threshold: 24", "string"),
        ("site-gateway", "honorLabels", "honourLabels", "honourLabels"),
        ("site-gateway", "- alert: PhasorDown", "- alarm: PhasorDown", "alarm"),
        ("site-mixed", "weight: 90", "weigth: 90", "weigth"),
    ] {
        let text = rendered(name);
        assert!(text.contains(right), "{right:?} is not in {name}");
        let found = faults(&Set::parse(&text.replacen(right, wrong, 1)).unwrap());
        assert!(found.iter().any(|found| found.contains(fault)), "{wrong:?} was not found: {found:?}");
    }
}

/// The plugin's setting and the overlay that asks for its shares.
#[test]
fn shares_are_asked_for_by_the_plugins_name() {
    let plugin = Set::parse(&read("k8s/device-plugin/time-slicing.yaml")).unwrap();
    let settings = plugin.get("ConfigMap", "time-slicing").unwrap()["data"]["any"].as_str().unwrap().to_owned();
    for line in ["renameByDefault: true", "failRequestsGreaterThanOne: true", "- name: nvidia.com/gpu"] {
        assert!(settings.contains(line), "{line}");
    }
    assert!(rendered("nvidia-shared").contains("nvidia.com/gpu.shared: \"1\""));
}
