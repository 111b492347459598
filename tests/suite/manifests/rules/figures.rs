//! Every metric and label in a rule, a dashboard or an autoscaler is one that the server has.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::promql::names;
use super::super::set::{Set, called, list, read, text};
use super::Faults;

/// Labels that Prometheus adds to what it measures by a ServiceMonitor.
const ADDED: [&str; 7] = ["container", "endpoint", "instance", "job", "namespace", "pod", "service"];
/// What an adapter hands on to autoscalers: `k8s/components/autoscaling-queue/adapter-rule.yaml`.
const ADAPTED: &str = "phasor_queue_delay_seconds";

/// A metric of the server: its kind and labels.
struct Metric {
    kind: String,
    labels: Vec<String>,
}

/// The table of metrics, which a test beside it compares with what is served.
fn metrics() -> BTreeMap<String, Metric> {
    let row = |row: phasor::telemetry::Description| {
        let labels = row.labels.iter().map(|(label, _)| (*label).to_owned()).collect();
        (row.name.to_owned(), Metric { kind: row.kind.to_owned(), labels })
    };
    phasor::telemetry::metrics().into_iter().map(row).collect()
}

/// Every expression of a set, and where it stands.
fn expressions(set: &Set) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for rules in set.of_kind("PrometheusRule") {
        for rule in list(&rules["spec"]["groups"]).flat_map(|group| list(&group["rules"])) {
            let name = rule["alert"].as_str().or(rule["record"].as_str()).unwrap_or("a rule").to_owned();
            all.push((name, text(rule, "/expr").to_owned()));
        }
    }
    for object in set.of_kind("ScaledObject") {
        for trigger in list(&object["spec"]["triggers"]).filter(|trigger| trigger["type"] == "prometheus") {
            all.push((called(object), text(trigger, "/metadata/query").to_owned()));
        }
    }
    for dashboard in dashboards(set) {
        for panel in list(&dashboard["panels"]) {
            for target in list(&panel["targets"]) {
                all.push((format!("panel {}", panel["title"]), text(target, "/expr").to_owned()));
            }
        }
        for variable in list(&dashboard["templating"]["list"]).filter(|variable| variable["type"] == "query") {
            all.push((format!("variable {}", variable["name"]), text(variable, "/query/query").to_owned()));
        }
    }
    if set.get("PrometheusRule", "phasor").is_some() {
        let rule = read("k8s/components/autoscaling-queue/adapter-rule.yaml");
        let query = rule.lines().find_map(|line| line.trim().strip_prefix("metricsQuery: "));
        all.push(("adapter-rule.yaml".to_owned(), query.unwrap_or_default().to_owned()));
    }
    all
}

fn dashboards(set: &Set) -> impl Iterator<Item = Value> {
    set.of_kind("ConfigMap").filter_map(|map| {
        let text = map["data"].get("dashboard.json")?.as_str().unwrap_or_default();
        Some(serde_json::from_str(text).unwrap_or_default())
    })
}

pub(super) fn check(set: &Set, faults: &mut Faults) {
    let metrics = metrics();
    faults.unless(metrics.len() > 15, "the table of metrics is not read as it should be");
    let monitors = || set.of_kind("ServiceMonitor");
    let mut added: Vec<String> = ADDED.map(str::to_owned).into();
    for label in monitors().flat_map(|monitor| list(&monitor["spec"]["podTargetLabels"])) {
        added.push(label.as_str().unwrap_or_default().replace(['.', '/', '-'], "_"));
    }
    let groups = || set.of_kind("PrometheusRule").flat_map(|rules| list(&rules["spec"]["groups"]));
    let recorded: Vec<&str> =
        groups().flat_map(|group| list(&group["rules"])).filter_map(|rule| rule["record"].as_str()).collect();
    let known = |label: &String, of: &Metric| of.labels.contains(label) || added.contains(label) || label == "le";

    for (place, expression) in expressions(set) {
        let found = names(&expression);
        faults.unless(!found.metrics.is_empty(), format!("{place} asks for nothing of ours"));
        let mut labels_there: Vec<&String> = added.iter().collect();
        let mut own = Vec::new();
        for named in &found.metrics {
            let name = named.metric.as_str();
            if recorded.contains(&name) {
                continue;
            }
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let histogram = base.and_then(|base| metrics.get(base)).filter(|metric| metric.kind == "histogram");
            let Some(metric) = metrics.get(name).filter(|metric| metric.kind != "histogram").or(histogram) else {
                faults.unless(false, format!("{place}: there is no metric {name}"));
                continue;
            };
            let counts = metric.kind != "gauge";
            let change = ["rate", "increase", "irate"].contains(&named.function.as_str());
            faults.unless(counts == change, format!("{place}: {}({name}), a {}", named.function, metric.kind));
            for label in &named.labels {
                faults.unless(known(label, metric), format!("{place}: {name} has no label {label}"));
            }
            own.push(metric);
        }
        labels_there.extend(own.iter().flat_map(|metric| &metric.labels));
        for label in found.by.iter().flatten() {
            let there = label == "le" || labels_there.contains(&label);
            faults.unless(there, format!("{place}: nothing to group by {label}"));
        }
    }
    // Without it the server's own labels of these names would be called exported_….
    let clash = metrics.values().flat_map(|metric| &metric.labels).any(|label| ADDED.contains(&label.as_str()));
    for endpoint in monitors().flat_map(|monitor| list(&monitor["spec"]["endpoints"])) {
        faults.unless(!clash || endpoint["honorLabels"] == true, "the operator's labels hide the server's");
    }
    for dashboard in dashboards(set) {
        faults.unless(list(&dashboard["panels"]).count() > 10, "the dashboard is empty, or no JSON");
    }
    for metric in set.of_kind("HorizontalPodAutoscaler").flat_map(|scaler| list(&scaler["spec"]["metrics"])) {
        let name = text(metric, "/pods/metric/name");
        faults.unless(metric.get("pods").is_none() || name == ADAPTED, format!("nothing makes the metric {name}"));
    }
    let operations = read("docs/operations.md");
    for rule in groups().flat_map(|group| list(&group["rules"])).filter(|rule| rule.get("alert").is_some()) {
        alert(rule, &operations, faults);
    }
}

/// An alert says what is wrong, in words whose labels are there, and the manual says what to do.
fn alert(rule: &Value, operations: &str, faults: &mut Faults) {
    let name = text(rule, "/alert");
    faults.unless(operations.contains(&format!("### {name}\n")), format!("docs/operations.md does not know {name}"));
    faults.unless(rule["labels"].get("severity").is_some(), format!("{name} has no severity"));
    let summary = text(rule, "/annotations/summary");
    faults.unless(!summary.is_empty(), format!("{name} says nothing"));
    let expression = text(rule, "/expr");
    let found = names(expression);
    for label in summary.split("$labels.").skip(1) {
        let label: String = label.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let there = match found.by.first() {
            Some(labels) => labels.contains(&label),
            // A record's name begins with its labels.
            None => {
                expression.split(':').next().filter(|_| expression.contains(":phasor")).is_none_or(|of| of == label)
            }
        };
        faults.unless(there, format!("{name}: {label} is not there to be told"));
    }
}

#[test]
fn the_adapters_rule_makes_what_the_autoscaler_asks_for() {
    let rule = read("k8s/components/autoscaling-queue/adapter-rule.yaml");
    assert!(rule.contains(&format!("as: {ADAPTED}\n")));
    assert!(metrics().contains_key(ADAPTED));
}
