//! The times of a stop fit into each other, and into the grace period.

use std::time::Duration;

use super::super::set::{Set, called, container, pod};
use super::{Faults, settings};

/// From the end of the server's own patience to SIGKILL.
const MARGIN: Duration = Duration::from_secs(5);

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let (name, container) = (called(deployment), container(deployment));
        // Told by another rule.
        let Ok(config) = settings::config(set, deployment) else { continue };
        let seconds = |value: &serde_json::Value| value.as_u64().map(Duration::from_secs);
        let sleep = seconds(&container["lifecycle"]["preStop"]["sleep"]["seconds"]);
        faults.unless(sleep.is_some_and(|sleep| !sleep.is_zero()), format!("{name}: no preStop"));
        let grace = seconds(&pod(deployment)["terminationGracePeriodSeconds"]).unwrap_or_default();
        let server = &config.server;
        let needed = sleep.unwrap_or_default() + server.drain_delay + server.shutdown_timeout + MARGIN;
        faults.unless(grace >= needed, format!("{name}: the grace period of {grace:?} ends before {needed:?}"));
        let longest = server.request_timeout.unwrap_or(Duration::MAX);
        faults.unless(
            longest <= server.shutdown_timeout,
            format!("{name}: a request may take {longest:?} and is cut off"),
        );
        let fetch = config.sources.total_timeout;
        faults.unless(fetch < longest, format!("{name}: a source may take longer than its request"));
        // Draining must be noticed before the server stops accepting.
        let probe = &container["readinessProbe"];
        let period = seconds(&probe["periodSeconds"]).unwrap_or_default();
        let noticed = period * u32::try_from(probe["failureThreshold"].as_u64().unwrap_or(u64::MAX)).unwrap_or(1000);
        faults.unless(noticed <= server.drain_delay, format!("{name}: {noticed:?} until its readiness is noticed"));
    }
}
