//! Several servers behind a real proxy, as pods stand behind an ingress: what clients see when one of them is
//! restarted, killed, held up, or loses its GPU; and what a proxy may do to a URL.
//!
//! `PHASOR_DRILL_ROUNDS` repeats each drill, `PHASOR_DRILL_CLIENTS` sets the load: `scripts/rolling-drill`.

mod balancer;
mod edge;
mod load;
mod pods;
mod rolling;
mod signed;

use std::process::Command;

/// Whether a program is there; said loudly when it is not. With REQUIRE_PROXIES=1 it must be.
fn there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("PATH=$PATH:/usr/sbin command -v {program}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: no {program} (Debian: apt install {program})");
        assert!(std::env::var("REQUIRE_PROXIES").as_deref() != Ok("1"), "REQUIRE_PROXIES=1, and there is no {program}");
    }
    found
}

/// A number from the environment, for longer drills.
fn from_env(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
