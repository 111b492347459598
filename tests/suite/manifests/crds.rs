//! The kinds that Kubernetes does not bring itself, as far as they are used here: a field that is misspelt, of another
//! type or missing is an error.

#![allow(dead_code, reason = "fields are read by the parser, to be refused when they are wrong")]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

type Labels = BTreeMap<String, String>;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $kind:ty),* $(,)? })*) => {
        $($(#[$doc])* #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "camelCase")]
        struct $name { $($field: $kind),* })*
    };
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Object<S> {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: S,
}

kinds! {
    Metadata { name: String, labels: Option<Labels>, annotations: Option<Labels> }
    MatchLabels { match_labels: Labels }

    Route { parent_refs: Vec<Parent>, hostnames: Vec<String>, rules: Vec<RouteRule> }
    Parent { name: String, namespace: Option<String>, section_name: Option<String>, port: Option<u16> }
    RouteRule { matches: Vec<RouteMatch>, backend_refs: Vec<BackendRef>, timeouts: Option<Timeouts> }
    RouteMatch { path: PathMatch }
    PathMatch { r#type: String, value: String }
    BackendRef { name: String, port: u16, weight: Option<u32> }
    Timeouts { request: String, backend_request: String }

    Scaled {
        scale_target_ref: Target, polling_interval: Option<u32>, cooldown_period: Option<u32>, min_replica_count: u32,
        max_replica_count: u32, fallback: Option<Fallback>, advanced: Option<Advanced>, triggers: Vec<Trigger>,
    }
    Target { api_version: String, kind: String, name: String }
    Fallback { failure_threshold: u32, replicas: u32 }
    Advanced { horizontal_pod_autoscaler_config: Option<Config> }
    Config { behavior: Behavior }
    Behavior { scale_up: Option<Scaling>, scale_down: Option<Scaling> }
    Scaling { stabilization_window_seconds: u32, policies: Vec<Policy> }
    Policy { r#type: String, value: u32, period_seconds: u32 }
    Trigger { r#type: String, name: String, metric_type: String, metadata: Prometheus }
    Prometheus { server_address: String, query: String, threshold: String }

    Monitor { selector: MatchLabels, pod_target_labels: Vec<String>, endpoints: Vec<Endpoint> }
    Endpoint {
        port: String, path: String, scheme: String, interval: String, scrape_timeout: String, honor_labels: bool,
    }

    Rules { groups: Vec<Group> }
    Group { name: String, interval: Option<String>, rules: Vec<Rule> }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Rule {
    alert: Option<String>,
    record: Option<String>,
    expr: String,
    r#for: Option<String>,
    labels: Option<Labels>,
    annotations: Option<Labels>,
}

/// What is wrong with an object of such a kind; `None`: it is of another kind.
pub(super) fn fault(document: &Value) -> Option<Result<(), String>> {
    fn read<S: for<'a> Deserialize<'a>>(document: &Value) -> Result<(), String> {
        serde_json::from_value::<Object<S>>(document.clone()).map(drop).map_err(|error| error.to_string())
    }
    Some(match document["kind"].as_str()? {
        "HTTPRoute" => read::<Route>(document),
        "ScaledObject" => read::<Scaled>(document),
        "ServiceMonitor" => read::<Monitor>(document),
        "PrometheusRule" => read::<Rules>(document),
        _ => return None,
    })
}
