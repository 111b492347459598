//! Flags and variables: the program itself must take them, and mean by them what the manifest says.

use phasor::config::{Config, FLAGS, args};
use serde_json::Value;

use super::super::set::{Set, called, container, list, text};
use super::Faults;

/// Variables that are not the program's own: the container runtime's, the driver's.
pub(in super::super) const OTHER_VARIABLES: [&str; 2] = ["NVIDIA_DRIVER_CAPABILITIES", "XDG_CACHE_HOME"];

/// The settings that a Deployment starts the program with.
///
/// # Errors
/// What the program would say.
pub(super) fn config(set: &Set, deployment: &Value) -> Result<Config, Vec<String>> {
    let variables = set.variables(deployment);
    let env = |name: &str| {
        // What stands behind wins, as in a pod.
        let (_, value) = variables.iter().rev().find(|(known, _)| *known == name)?;
        Some(match (value, name) {
            (Some(value), _) => (*value).to_owned(),
            (None, "URL_SIGNATURE_KEY" | "PHASOR_URL_SIGNATURE_KEYS") => {
                "a key that only this test knows of".to_owned()
            }
            (None, _) => "2".to_owned(),
        })
    };
    let arguments =
        list(&container(deployment)["args"]).map(|argument| argument.as_str().unwrap_or_default().to_owned());
    args::parse(arguments, &env).and_then(|(_, args)| Config::from_args(&args))
}

pub(super) fn check(set: &Set, faults: &mut Faults) {
    for deployment in set.of_kind("Deployment") {
        let (name, container) = (called(deployment), container(deployment));
        let variables = set.variables(deployment);
        for (variable, _) in &variables {
            let known = FLAGS.iter().any(|flag| {
                flag.env == Some(variable)
                    || *variable == format!("PHASOR_{}", flag.name.to_ascii_uppercase().replace('-', "_"))
            });
            let standard = phasor::telemetry::trace::STANDARD.iter().any(|known| known.name == *variable);
            let known = known || standard || OTHER_VARIABLES.contains(variable);
            faults.unless(known, format!("{name}: {variable} is no variable of the program"));
            let once = variables.iter().filter(|(other, _)| other == variable).count() == 1;
            faults.unless(once, format!("{name}: {variable} stands twice"));
        }
        for needed in ["URL_SIGNATURE_KEY", "PHASOR_CPUS"] {
            faults.unless(variables.iter().any(|(name, _)| *name == needed), format!("{name}: {needed} is missing"));
        }
        let image = text(container, "/image");
        let version = image.strip_prefix("phasor:").map(|tag| tag.strip_suffix("-mesa").unwrap_or(tag));
        faults.unless(version == Some(env!("CARGO_PKG_VERSION")), format!("{name}: {image} is not this version's"));
        let port = |name: &str| {
            list(&container["ports"]).find(|port| port["name"] == name).and_then(|port| port["containerPort"].as_u64())
        };
        match config(set, deployment) {
            Err(told) => faults.unless(false, format!("{name}: {}", told.join("; "))),
            Ok(config) => {
                let server = &config.server;
                let main = Some(server.port.into()) == port("http");
                faults.unless(main, format!("{name}: the http port is not the program's"));
                let admin = server.admin.as_ref().map(|admin| admin.port.into());
                faults.unless(
                    admin.is_some() && admin == port("admin"),
                    format!("{name}: the admin port is not the program's"),
                );
                faults.unless(!config.security.signature_keys.is_empty(), format!("{name}: signatures are off"));
                faults.unless(server.signed_get_only, format!("{name}: bodies are taken, which no signature covers"));
                let deny = config.sources.private_addresses == phasor::sources::PrivateAddresses::Deny;
                faults.unless(deny && config.sources.networks.is_empty(), format!("{name}: private networks are open"));
            }
        }
    }
}
