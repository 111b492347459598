//! The Dockerfile against the repository and the manifests.

use std::path::Path;

use super::rules::OTHER_VARIABLES;
use super::set::{Set, pod, read, rendered};

#[test]
fn the_image_is_made_from_what_is_there() {
    let (dockerfile, kept) = (read("Dockerfile"), read(".dockerignore"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for line in dockerfile.lines().filter(|line| line.starts_with("COPY ") && !line.contains("--from")) {
        let mut words: Vec<&str> = line.split(' ').skip(1).filter(|word| !word.starts_with("--")).collect();
        words.pop();
        for source in words {
            assert!(root.join(source).exists(), "{source}");
            assert!(kept.lines().any(|kept| kept == format!("!{source}")), "{source} is left out of the context");
        }
    }
    let set = Set::parse(&rendered("cpu")).unwrap();
    let user = &pod(set.of_kind("Deployment").next().unwrap())["securityContext"]["runAsUser"];
    assert!(dockerfile.contains(&format!("USER {user}:{user}")), "{user}");
    let env = dockerfile.lines().find_map(|line| line.strip_prefix("ENV ")).unwrap();
    for (name, value) in env.split(' ').map(|pair| pair.split_once('=').unwrap()) {
        assert!(["PORT", "PHASOR_ADMIN_PORT"].contains(&name) || OTHER_VARIABLES.contains(&name), "{name}");
        assert!(
            value.parse::<u16>().is_err() || dockerfile.contains("EXPOSE 9000 9090") && "9000 9090".contains(value)
        );
    }
    assert!(dockerfile.contains(&format!("phasor:{}", env!("CARGO_PKG_VERSION"))));
}
