//! Every port and path that is named is one that the container has.

use serde_json::Value;

use super::super::set::{Set, called, container, list, selects, text};
use super::{ADMIN_PATHS, Faults};

const HANDLERS: [&str; 4] = ["httpGet", "tcpSocket", "exec", "grpc"];

/// Whether the container has a port of this name or number.
fn has(deployment: &Value, port: &Value) -> bool {
    list(&container(deployment)["ports"]).any(|has| has["name"] == *port || has["containerPort"] == *port)
}

/// Whether the Service has a port of this name or number.
fn offers(service: &Value, port: &Value) -> bool {
    list(&service["spec"]["ports"]).any(|has| has["name"] == *port || has["port"] == *port)
}

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let (name, container) = (called(deployment), container(deployment));
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let what = format!("{probe} of {name}");
            let probe = &container[probe];
            let handlers = HANDLERS.iter().filter(|handler| probe.get(**handler).is_some()).count();
            faults.unless(handlers == 1, format!("{what} has {handlers} handlers"));
            let get = &probe["httpGet"];
            faults.unless(get["port"] == "admin" && has(deployment, &get["port"]), format!("{what} asks another port"));
            faults.unless(ADMIN_PATHS.contains(&text(get, "/path")), format!("{what}: there is no such path"));
        }
        let path = |probe: &str| &container[probe]["httpGet"]["path"];
        // What says "no traffic for me" must not say "kill me".
        faults.unless(path("livenessProbe") != path("readinessProbe"), format!("{name} is killed when it drains"));
    }
    for service in set.of_kind("Service") {
        for deployment in set.selected(&service["spec"]["selector"]) {
            for port in list(&service["spec"]["ports"]) {
                let there = has(deployment, &port["targetPort"]);
                faults.unless(there, format!("{}: {} is no port of the pods", called(service), port["targetPort"]));
            }
        }
    }
    for policy in set.of_kind("NetworkPolicy") {
        for deployment in set.selected(&policy["spec"]["podSelector"]["matchLabels"]) {
            for port in list(&policy["spec"]["ingress"]).flat_map(|rule| list(&rule["ports"])) {
                let there = has(deployment, &port["port"]);
                faults.unless(there, format!("{}: {} is no port of the pods", called(policy), port["port"]));
            }
        }
    }
    for monitor in set.of_kind("ServiceMonitor") {
        let selector = &monitor["spec"]["selector"]["matchLabels"];
        for service in set.of_kind("Service").filter(|service| selects(selector, &service["metadata"]["labels"])) {
            for endpoint in list(&monitor["spec"]["endpoints"]) {
                let there = offers(service, &endpoint["port"]);
                faults.unless(there, format!("{}: {} is no port of its Service", called(monitor), endpoint["port"]));
                faults.unless(endpoint["path"] == "/metrics", format!("{}: no metrics there", called(monitor)));
            }
        }
    }
    let ingress = set.of_kind("Ingress").flat_map(|ingress| list(&ingress["spec"]["rules"]));
    let ingress = ingress.flat_map(|rule| list(&rule["http"]["paths"])).map(|path| {
        let port = &path["backend"]["service"]["port"];
        (text(path, "/backend/service/name"), port.get("name").unwrap_or(&port["number"]))
    });
    let route = set.of_kind("HTTPRoute").flat_map(|route| list(&route["spec"]["rules"]));
    let route =
        route.flat_map(|rule| list(&rule["backendRefs"])).map(|backend| (text(backend, "/name"), &backend["port"]));
    for (service, port) in ingress.chain(route) {
        let there = set.get("Service", service).is_some_and(|service| offers(service, port));
        faults.unless(there, format!("traffic goes to {service}:{port}, which is not there"));
    }
}
