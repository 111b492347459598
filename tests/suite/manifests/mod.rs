//! The files under `k8s/` against the program: a manifest that the schemas accept can still name a flag, a port, a label,
//! a metric or a time that is not there.

mod crds;
mod image;
mod planted;
mod promql;
mod rendering;
mod rules;
mod set;
mod typed;
mod yaml;

use super::http::{Client, Server};
use set::Set;

/// What is rendered: the name of the file under `k8s/rendered`, and of the folder that it is made from.
const SETS: [(&str, &str); 11] = [
    ("amd", "overlays/amd"),
    ("cpu", "overlays/cpu"),
    ("intel", "overlays/intel"),
    ("mixed", "overlays/mixed"),
    ("nvidia", "overlays/nvidia"),
    ("nvidia-dra", "overlays/nvidia-dra"),
    ("nvidia-shared", "overlays/nvidia-shared"),
    ("site-gateway", "sites/gateway"),
    ("site-ingress", "sites/ingress"),
    ("site-mixed", "sites/mixed"),
    ("site-skipper", "sites/skipper"),
];

#[test]
fn every_overlay_keeps_every_rule() {
    for (name, _) in SETS {
        let set = Set::parse(&set::rendered(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(rules::faults(&set), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_probes_and_the_metrics_are_answered() {
    let server = Server::adjusted(&[], |config| {
        config.server.admin = Some(phasor::server::Admin { address: "127.0.0.1".into(), port: 0 });
    });
    for path in rules::ADMIN_PATHS {
        assert_eq!(Client::connect(server.admin()).request("GET", path, &[], None).status, 200, "{path}");
    }
}
