//! Pods reach the internet and names, and nothing private; strangers reach pictures, and no metrics.

use std::net::IpAddr;

use serde_json::Value;

use super::super::set::{Set, called, list, text};
use super::Faults;

/// One address of every network that must stay closed; the first are metadata services of clouds.
const CLOSED: [&str; 19] = [
    "169.254.169.254",
    "168.63.129.16",
    "100.100.100.200",
    "fd00:ec2::254",
    "0.0.0.1",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "fe80::1",
    "2001:0:7f00:1::",
    "2002:7f00:1::",
];

const OPEN: [&str; 3] = ["8.8.8.8", "151.101.1.1", "2606:4700::1111"];

/// Whether a network in CIDR notation has an address.
fn holds(network: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = network.split_once('/') else { return false };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    let (base, address, width) = match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => (base.to_bits().into(), address.to_bits().into(), 32),
        (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let differ: u128 = base ^ address;
    bits <= width && (bits == 0 || differ >> (width - bits) == 0)
}

/// Whether an egress rule's peer lets an address through.
fn lets_through(peer: &Value, address: IpAddr) -> bool {
    let block = &peer["ipBlock"];
    holds(text(block, "/cidr"), address)
        && !list(&block["except"]).any(|except| holds(except.as_str().unwrap_or_default(), address))
}

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for policy in set.of_kind("NetworkPolicy") {
        let (name, spec) = (called(policy), &policy["spec"]);
        for direction in ["Ingress", "Egress"] {
            let stated = list(&spec["policyTypes"]).any(|stated| stated == direction);
            faults.unless(stated, format!("{name}: {direction} is open"));
        }
        for rule in list(&spec["egress"]) {
            let ports: Vec<u64> = list(&rule["ports"]).filter_map(|port| port["port"].as_u64()).collect();
            faults.unless(!ports.is_empty() && list(&rule["to"]).count() > 0, format!("{name}: a way out to anything"));
            let names = ports.iter().all(|port| *port == 53);
            for peer in list(&rule["to"]) {
                let kube = text(peer, "/namespaceSelector/matchLabels/kubernetes.io~1metadata.name") == "kube-system";
                let known = peer.get("ipBlock").is_some() || names && kube;
                faults.unless(known, format!("{name}: a way into the cluster"));
            }
        }
        let peers = || list(&spec["egress"]).flat_map(|rule| list(&rule["to"]));
        for address in CLOSED {
            let open = peers().any(|peer| lets_through(peer, address.parse().unwrap()));
            faults.unless(!open, format!("{name}: {address} can be reached"));
        }
        for address in OPEN {
            let open = peers().any(|peer| lets_through(peer, address.parse().unwrap()));
            faults.unless(open, format!("{name}: {address} cannot be reached"));
        }
        for rule in list(&spec["ingress"]) {
            let admin = list(&rule["ports"]).any(|port| port["port"] != "http") || list(&rule["ports"]).count() == 0;
            faults.unless(!admin || list(&rule["from"]).count() > 0, format!("{name}: metrics for everybody"));
        }
    }
    for service in set.of_kind("Service") {
        let admin = list(&service["spec"]["ports"]).any(|port| port["targetPort"] == "admin");
        let inside = service["spec"].get("type").is_none() && service["spec"]["clusterIP"] == "None";
        faults.unless(!admin || inside, format!("{} offers the admin port", called(service)));
    }
}

#[test]
fn networks_hold_what_their_first_bits_say() {
    for (network, address, held) in [
        ("10.0.0.0/8", "10.255.0.1", true),
        ("10.0.0.0/8", "11.0.0.1", false),
        ("0.0.0.0/0", "1.2.3.4", true),
        ("0.0.0.0/0", "::1", false),
        ("2001::/32", "2001:0:1::", true),
        ("2001::/32", "2001:1::", false),
        ("168.63.129.16/32", "168.63.129.16", true),
        ("10.0.0.0/33", "10.0.0.0", false),
    ] {
        assert_eq!(holds(network, address.parse().unwrap()), held, "{network} {address}");
    }
}
