//! The files under `k8s/` against the program: a manifest that the schemas accept can still name a flag, a port, a label
//! or a time that is not there.

mod yaml;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use phasor::config::{Config, FLAGS, args};
use serde_json::Value;

use super::http::{Client, Server};

const FILES: [&str; 2] = ["cpu.yaml", "gpu.yaml"];
/// Variables that are not the program's own.
const OTHERS: [&str; 2] = ["NVIDIA_DRIVER_CAPABILITIES", "XDG_CACHE_HOME"];

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s").join(name)).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether labels have all that a selector asks for.
fn selects(selector: &Value, labels: &Value) -> bool {
    selector
        .as_object()
        .is_some_and(|fields| !fields.is_empty() && fields.iter().all(|(name, value)| labels[name] == *value))
}

/// Everything that is wrong with a manifest.
fn faults(manifest: &str) -> Vec<String> {
    let documents = match yaml::documents(manifest) {
        Ok(documents) => documents,
        Err(fault) => return vec![fault],
    };
    let mut faults = Vec::new();
    let kind = |kind: &str| documents.iter().find(|document| document["kind"] == kind).cloned().unwrap_or_default();
    let (deployment, service, budget) = (kind("Deployment"), kind("Service"), kind("PodDisruptionBudget"));
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let mut check = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };

    // Labels.
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    check(selects(&deployment["spec"]["selector"]["matchLabels"], labels), "the Deployment does not select its pods");
    check(selects(&service["spec"]["selector"], labels), "the Service does not select the pods");
    check(
        selects(&budget["spec"]["selector"]["matchLabels"], labels),
        "the PodDisruptionBudget does not select the pods",
    );
    for spread in list(&pod["topologySpreadConstraints"]) {
        check(selects(&spread["labelSelector"]["matchLabels"], labels), "the spread does not select the pods");
    }
    check(
        budget["spec"]["maxUnavailable"].as_i64() < deployment["spec"]["replicas"].as_i64(),
        "the PodDisruptionBudget allows no pod to stay",
    );
    check(budget["spec"].get("minAvailable").is_none(), "the PodDisruptionBudget has two bounds");

    // Ports.
    let port = |name: &str| {
        list(&container["ports"]).find(|port| port["name"] == name).and_then(|port| port["containerPort"].as_u64())
    };
    check(port(text(&service, "/spec/ports/0/targetPort")).is_some(), "the Service's port is not the container's");
    let mut paths = BTreeSet::new();
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        let get = &container[probe]["httpGet"];
        check(get["port"] == "admin" && port("admin").is_some(), &format!("{probe} asks another port"));
        paths.insert(get["path"].as_str().unwrap_or_default().to_owned());
    }
    check(paths == ["/livez", "/readyz", "/startupz"].map(str::to_owned).into(), "the probes' paths");

    // Flags and variables: the program itself must accept them.
    let env = |name: &str| {
        let found = list(&container["env"]).find(|entry| entry["name"] == name)?;
        Some(match found["value"].as_str() {
            Some(value) => value.to_owned(),
            None if name == "URL_SIGNATURE_KEY" => "a key that only this test knows of".to_owned(),
            None => "2".to_owned(),
        })
    };
    for entry in list(&container["env"]) {
        let name = text(entry, "/name");
        let known = FLAGS.iter().any(|flag| {
            flag.env == Some(name) || name == format!("PHASOR_{}", flag.name.to_ascii_uppercase().replace('-', "_"))
        });
        check(known || OTHERS.contains(&name), &format!("{name} is no variable of the program"));
    }
    let arguments = list(&container["args"]).map(|argument| argument.as_str().unwrap_or_default().to_owned());
    match args::parse(arguments, &env).and_then(|(_, args)| Config::from_args(&args)) {
        Err(told) => check(false, &told.join("; ")),
        Ok(config) => {
            let server = &config.server;
            check(Some(server.port.into()) == port("http"), "the container's http port is not the program's");
            let admin = server.admin.as_ref().map(|admin| admin.port.into());
            check(admin.is_some() && admin == port("admin"), "the container's admin port is not the program's");
            let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap_or_default();
            let needed = server.drain_delay + server.shutdown_timeout + Duration::from_secs(5);
            check(Duration::from_secs(grace) >= needed, "the grace period ends before the server does");
            check(!config.security.signature_keys.is_empty(), "signatures are off");
        }
    }

    // Resources.
    let resources = &container["resources"];
    let memory = &resources["limits"]["memory"];
    check(memory.is_string() && resources["requests"]["memory"] == *memory, "memory: request and limit differ");
    check(resources["limits"].get("cpu").is_none(), "a CPU limit throttles");
    let update = &deployment["spec"]["strategy"]["rollingUpdate"];
    let cards = resources["limits"].get("nvidia.com/gpu");
    check(update["maxSurge"] != update["maxUnavailable"], "an update cannot move");
    if let Some(cards) = cards {
        check(cards.as_str().is_some_and(|cards| cards.parse::<u8>().is_ok_and(|n| n > 0)), "cards come whole");
        check(
            resources["requests"].get("nvidia.com/gpu").is_none_or(|asked| asked == cards),
            "cards: request and limit",
        );
        check(update["maxSurge"] == 0, "a pod more than there are cards waits for ever");
        check(
            env("NVIDIA_DRIVER_CAPABILITIES").is_some_and(|list| list.contains("graphics")),
            "no Vulkan without graphics",
        );
        check(list(&pod["tolerations"]).any(|t| t["key"] == "nvidia.com/gpu"), "nodes with cards are often tainted");
    }
    let volumes: BTreeSet<&str> = list(&pod["volumes"]).map(|volume| text(volume, "/name")).collect();
    let mounts: BTreeSet<&str> = list(&container["volumeMounts"]).map(|mount| text(mount, "/name")).collect();
    check(volumes == mounts, "volumes and their mounts differ");

    // What a stranger's bytes must not reach.
    let security = &container["securityContext"];
    check(pod["automountServiceAccountToken"] == false, "a token of the cluster is in the pod");
    check(pod["securityContext"]["runAsNonRoot"] == true, "root");
    check(pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault", "system calls are not filtered");
    check(security["allowPrivilegeEscalation"] == false, "privileges can be gained");
    check(security["readOnlyRootFilesystem"] == true, "the root file system can be written");
    check(list(&security["capabilities"]["drop"]).any(|capability| capability == "ALL"), "capabilities are kept");
    let image = text(container, "/image");
    check(image == format!("phasor:{}", env!("CARGO_PKG_VERSION")), "the image is not this version's");
    faults
}

#[test]
fn manifests_fit_the_program() {
    for name in FILES {
        assert_eq!(faults(&read(name)), Vec::<String>::new(), "{name}");
    }
    let labels = FILES.map(|name| yaml::documents(&read(name)).unwrap()[0]["spec"]["selector"]["matchLabels"].clone());
    assert!(!selects(&labels[0], &labels[1]) && !selects(&labels[1], &labels[0]), "the pools select each other's pods");
}

/// Each rule finds the fault that it is for.
#[test]
fn planted_faults_are_found() {
    let planted = [
        ("--drain-delay=10s", "--drain-dealy=10s", "did you mean -drain-delay?"),
        ("--drain-delay=10s", "--drain-delay=ten", "ten"),
        ("--drain-delay=10s", "--drain-delay=20s", "grace period"),
        ("PHASOR_CPUS", "PHASOR_CORES", "PHASOR_CORES"),
        ("--admin-port=9090", "--admin-port=9091", "admin port"),
        ("value: \"9000\"", "value: \"9001\"", "http port"),
        ("targetPort: http", "targetPort: web", "Service's port"),
        ("path: /readyz", "path: /ready", "paths"),
        ("path: /readyz", "path: /livez", "paths"),
        ("memory: 4Gi\n              ephemeral-storage: 256Mi", "memory: 1Gi", "memory"),
        ("nvidia.com/gpu: \"1\"", "nvidia.com/gpu: 500m", "whole"),
        ("maxSurge: 0", "maxSurge: 1", "cannot move"),
        ("compute,utility,graphics", "compute,utility", "Vulkan"),
        ("            - name: tmp\n", "            - name: temp\n", "mounts differ"),
        ("drop:\n                - ALL", "drop:\n                - CHOWN", "capabilities"),
        ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "written"),
        ("image: phasor:", "image: phasr:", "version"),
        ("replicas: 2", "replicas: 1", "no pod to stay"),
        ("--enable-url-signature", "--enable-url-signature=false", "signatures"),
        ("      tolerations:", "      tolerances:", "tainted"),
        (
            "  selector:\n    app.kubernetes.io/name: phasor",
            "  selector:\n    app.kubernetes.io/name: phasr",
            "Service does not",
        ),
    ];
    let manifest = read("gpu.yaml");
    for (right, wrong, fault) in planted {
        assert!(manifest.contains(right), "{right:?} is not in the manifest");
        let found = faults(&manifest.replacen(right, wrong, 1));
        assert!(found.iter().any(|found| found.contains(fault)), "{wrong:?} was not found: {found:?}");
    }
}

#[test]
fn the_probes_are_answered() {
    let server = Server::adjusted(&[], |config| {
        config.server.admin = Some(phasor::server::Admin { address: "127.0.0.1".into(), port: 0 });
    });
    for path in ["/startupz", "/readyz", "/livez"] {
        assert_eq!(Client::connect(server.admin()).request("GET", path, &[], None).status, 200, "{path}");
    }
}

#[test]
fn the_image_is_made_from_what_is_there() {
    let (dockerfile, kept) = (read("Dockerfile"), read("Dockerfile.dockerignore"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for line in dockerfile.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let mut words: Vec<&str> = line.split(' ').skip(1).collect();
        words.pop();
        for source in words {
            assert!(root.join(source).exists(), "{source}");
            assert!(kept.lines().any(|kept| kept == format!("!{source}")), "{source} is left out of the context");
        }
    }
    let manifest = yaml::documents(&read("cpu.yaml")).unwrap();
    let user = &manifest[0]["spec"]["template"]["spec"]["securityContext"]["runAsUser"];
    assert!(dockerfile.contains(&format!("USER {user}:{user}")), "{user}");
    let env = dockerfile.lines().find_map(|line| line.strip_prefix("ENV ")).unwrap();
    for (name, value) in env.split(' ').map(|pair| pair.split_once('=').unwrap()) {
        assert!(["PORT", "PHASOR_ADMIN_PORT"].contains(&name) || OTHERS.contains(&name), "{name}");
        assert!(
            value.parse::<u16>().is_err() || dockerfile.contains("EXPOSE 9000 9090") && "9000 9090".contains(value)
        );
    }
    assert!(dockerfile.contains(&format!("phasor:{}", env!("CARGO_PKG_VERSION"))));
}
